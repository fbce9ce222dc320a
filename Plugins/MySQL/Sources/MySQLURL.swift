// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The parts of `mysql://user:password@host:port/database?option=value`, percent signs decoded.
struct MySQLURL {
    private(set) var host: String?
    private(set) var port: Int?
    private(set) var database: String?
    private(set) var user: String?
    private(set) var password: String?
    private(set) var options: [(name: String, value: String)] = []

    /// Reads a URL.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`; the message does not repeat the URL, which may hold a password.
    init(_ text: String) throws(ConnectorError) {
        let schemes = ["mysql://", "mariadb://"]
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0) }) else {
            throw Self.refusal("does not begin with mysql:// or mariadb://")
        }
        var rest = text.dropFirst(scheme.count)
        if rest.contains("#") { throw Self.refusal("has a #, which must be written as %23") }
        if let mark = rest.firstIndex(of: "?") {
            for pair in rest[rest.index(after: mark)...].split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, !parts[1].isEmpty else {
                    throw Self.refusal("has an option without a value after the question mark")
                }
                options.append((try Self.decoded(parts[0]), try Self.decoded(parts[1])))
            }
            rest = rest[..<mark]
        }
        if let slash = rest.firstIndex(of: "/") {
            database = try Self.part(rest[rest.index(after: slash)...])
            if database?.contains("/") == true { throw Self.refusal("names more than one database") }
            rest = rest[..<slash]
        }
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.part(parts[0])
            if parts.count == 2 { password = try Self.part(parts[1]) }
            rest = rest[rest.index(after: at)...]
        }
        try readPlace(rest)
    }

    private mutating func readPlace(_ text: Substring) throws(ConnectorError) {
        var rest = text
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { throw Self.refusal("has a [ without a ]") }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
        } else {
            host = try Self.part(rest.prefix { $0 != ":" })
            rest = rest.drop { $0 != ":" }
        }
        guard !rest.isEmpty else { return }
        guard rest.first == ":", let number = Int(rest.dropFirst()), (1...65_535).contains(number) else {
            throw Self.refusal("has something behind the host that is no port from 1 to 65535")
        }
        port = number
    }

    private static func part(_ text: Substring) throws(ConnectorError) -> String? {
        text.isEmpty ? nil : try decoded(text)
    }

    private static func decoded(_ text: Substring) throws(ConnectorError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2,
                value != 0
            else { throw refusal("has a % that is not followed by two hexadecimal digits; write %25 for a %") }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw refusal("has a part that is no UTF-8 once its % are decoded")
        }
        return decoded
    }

    private static func refusal(_ words: String) -> ConnectorError {
        ConnectorError(
            .badConfig, "The setting url \(words); the form is mysql://user:password@host:port/database?tls=….",
            field: "url")
    }
}
