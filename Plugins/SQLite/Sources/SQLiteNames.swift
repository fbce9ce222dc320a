// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Names of tables and columns: how they are quoted and compared.
package enum SQLiteNames {
    /// Returns `name` as an SQL identifier: in double quotes, with those inside it doubled.
    package static func quoted(_ name: String) -> String {
        var result = "\""
        for character in name.unicodeScalars {
            result.unicodeScalars.append(character)
            if character == "\"" { result.unicodeScalars.append(character) }
        }
        return result + "\""
    }

    /// Whether SQLite takes the two for one name: it folds the case of the letters A to Z only.
    package static func areSame(_ first: String, _ second: String) -> Bool {
        first.utf8.elementsEqual(second.utf8) { folded($0) == folded($1) }
    }

    /// Whether SQLite keeps this name for its own tables.
    package static func isReserved(_ name: String) -> Bool { areSame(String(name.prefix(7)), "sqlite_") }

    /// The position of `name`: the exact spelling first, then one that SQLite takes for the same.
    package static func index(of name: String, in names: [String]) -> Int? {
        names.firstIndex { $0.utf8.elementsEqual(name.utf8) } ?? names.firstIndex { areSame($0, name) }
    }

    /// A sentence on which names exist instead of `name`.
    package static func advice(for name: String, among names: [String]) -> String {
        let guess = NearestName.of(name, in: names).map { " Did you mean \(quoted($0))?" } ?? ""
        guard !names.isEmpty else { return "There are none." }
        return "There are: \(NearestName.listed(names.map(quoted))).\(guess)"
    }

    private static func folded(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}
