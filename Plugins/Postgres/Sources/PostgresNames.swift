// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Names of schemas, tables and columns: how they are written and compared.
package enum PostgresNames {
    /// What PostgreSQL keeps of a name, in bytes; it cuts the rest off without an error.
    package static let bytesMax = 63

    /// Returns `name` as an SQL identifier: in double quotes, with those inside it doubled.
    package static func quoted(_ name: String) -> String {
        var result = "\""
        for character in name.unicodeScalars {
            result.unicodeScalars.append(character)
            if character == "\"" { result.unicodeScalars.append(character) }
        }
        return result + "\""
    }

    /// The parts of a dotted name as SQL reads them: outside quotes A to Z become small, inside them everything
    /// stays; nil where it is no such name.
    package static func parts(_ id: String) -> [String]? {
        var parts: [String] = []
        var part = String.UnicodeScalarView()
        var isQuoted = false
        var wasQuoted = false
        var rest = id.unicodeScalars[...]
        while let character = rest.popFirst() {
            if isQuoted {
                if character != "\"" {
                    part.append(character)
                } else if rest.first == "\"" {
                    part.append(character)
                    rest.removeFirst()
                } else {
                    isQuoted = false
                }
            } else if character == "\"" {
                guard part.isEmpty, !wasQuoted else { return nil }
                isQuoted = true
                wasQuoted = true
            } else if character == "." {
                guard !part.isEmpty else { return nil }
                parts.append(String(part))
                part.removeAll()
                wasQuoted = false
            } else {
                guard !wasQuoted else { return nil }
                part.append(("A"..."Z").contains(character) ? Unicode.Scalar(UInt8(character.value) | 0x20) : character)
            }
        }
        guard !isQuoted, !part.isEmpty else { return nil }
        return parts + [String(part)]
    }

    /// Whether two names are the same, byte for byte.
    package static func areSame(_ first: String, _ second: String) -> Bool { first.utf8.elementsEqual(second.utf8) }

    /// Refuses a name that the server would cut or could not be told.
    ///
    /// - Throws: ``ConnectorError`` `badRequest`.
    package static func check(_ name: String) throws(ConnectorError) {
        if name.utf8.contains(0) {
            throw ConnectorError(.badRequest, "A name holds a NUL character; remove it.")
        }
        if (parts(name) ?? [name]).contains(where: { $0.utf8.count > bytesMax }) {
            throw ConnectorError(
                .badRequest,
                "The name \(name) is longer than \(bytesMax) bytes, of which PostgreSQL would silently cut the rest; "
                    + "write the name as it is in the database.", field: name)
        }
    }

    /// A sentence on which names exist instead of `name`.
    package static func advice(for name: String, among names: [String]) -> String {
        guard !names.isEmpty else { return "There are none." }
        let bare = name.split(separator: ".").last.map(String.init) ?? name
        let near =
            NearestName.of(name, in: names)
            ?? names.first { candidate in
                let last = candidate.split(separator: ".").last.map(String.init) ?? candidate
                return NearestName.of(bare, in: [last]) != nil
            }
        return "There are: \(NearestName.listed(names))." + (near.map { " Did you mean \($0)?" } ?? "")
    }
}
