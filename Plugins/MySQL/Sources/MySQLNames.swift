// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Names of databases, tables and columns: how they are quoted, taken apart and put together.
enum MySQLNames {
    /// The most characters that a name may have.
    static let lengthMax = 64

    /// Returns `name` as an SQL identifier: in backquotes, with those inside it doubled.
    static func quoted(_ name: String) -> String {
        var result = "`"
        for character in name.unicodeScalars {
            result.unicodeScalars.append(character)
            if character == "`" { result.unicodeScalars.append(character) }
        }
        return result + "`"
    }

    /// Returns a text as an SQL literal that no character set and no SQL mode can change.
    static func literal(_ text: String) -> String {
        text.isEmpty ? "''" : "_utf8mb4 X'\(hexadecimal(text.utf8))'"
    }

    /// Hexadecimal digits, two a byte.
    static func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        result.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The id of a table: `database.table`, in backquotes where a dot or a backquote would make that unclear.
    static func id(_ schema: String, _ table: String) -> String {
        let isPlain = ![schema, table].contains { $0.contains(".") || $0.contains("`") }
        return isPlain ? "\(schema).\(table)" : "\(quoted(schema)).\(quoted(table))"
    }

    /// What an id may mean, likeliest first; a nil schema stands for the connection's database.
    ///
    /// - Throws: ``ConnectorError`` `badRequest` for what no server can have as a name.
    static func meanings(of id: String) throws(ConnectorError) -> [(schema: String?, table: String)] {
        if id.isEmpty || id.utf8.contains(0) {
            throw ConnectorError(
                .badRequest, "The name of a table is empty or holds a NUL character; write database.table.", field: id)
        }
        var found: [(schema: String?, table: String)] = []
        if let parts = unquoted(id) {
            found = parts.count == 1 ? [(nil, parts[0])] : [(parts[0], parts[1])]
        } else {
            found = [(nil, id)]
            for dot in id.indices where id[dot] == "." {
                found.append((String(id[..<dot]), String(id[id.index(after: dot)...])))
            }
        }
        let fitting = found.filter { meaning in
            [meaning.schema, meaning.table].allSatisfy { name in
                guard let name else { return true }
                return !name.isEmpty && name.unicodeScalars.count <= lengthMax
            }
        }
        if fitting.isEmpty {
            throw ConnectorError(
                .badRequest,
                "The name \(quoted(id)) is empty in part or longer than \(lengthMax) characters, which no table can "
                    + "have; write database.table.",
                field: id)
        }
        return fitting
    }

    /// The names in an id that is written in backquotes, one or two; nil where it is not.
    private static func unquoted(_ id: String) -> [String]? {
        var parts: [String] = []
        var rest = id.unicodeScalars[...]
        while true {
            guard rest.popFirst() == "`" else { return nil }
            var name = String.UnicodeScalarView()
            while let character = rest.popFirst() {
                if character == "`" {
                    guard rest.first == "`" else { break }
                    rest.removeFirst()
                } else if rest.isEmpty {
                    return nil
                }
                name.append(character)
            }
            parts.append(String(name))
            guard let next = rest.popFirst() else { return parts.count <= 2 ? parts : nil }
            guard next == "." else { return nil }
        }
    }

    /// A sentence on which names exist instead of `name`.
    static func advice(for name: String, among names: [String]) -> String {
        let guess = NearestName.of(name, in: names).map { " Did you mean \($0)?" } ?? ""
        guard !names.isEmpty else { return "There are none that this user may read." }
        return "There are: \(NearestName.listed(names)).\(guess)"
    }
}
