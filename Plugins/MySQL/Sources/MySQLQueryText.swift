// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A query that somebody wrote, as far as it must be understood here: where it begins and where it ends.
enum MySQLQueryText {
    /// The statement without what stands before and behind it.
    ///
    /// - Throws: ``ConnectorError`` `badRequest` for anything but one statement that begins like a reading one.
    static func body(_ query: String) throws(ConnectorError) -> String {
        if query.utf8.contains(0) {
            throw ConnectorError(.badRequest, "The query holds a NUL character; remove it.")
        }
        let text = Array(query.utf8)
        var scanner = Scanner(text: text)
        scanner.skipBlanks()
        let start = scanner.position
        let end = scanner.statementEnd()
        scanner.position = end
        scanner.skipBlanks()
        while scanner.position < text.count, text[scanner.position] == UInt8(ascii: ";") {
            scanner.position += 1
            scanner.skipBlanks()
        }
        if scanner.position < text.count {
            throw ConnectorError(.badRequest, "The query holds more than one statement; leave one SELECT.")
        }
        let body = String(decoding: text[start..<end], as: UTF8.self)
        let word = body.drop { $0 == "(" || $0.isWhitespace }.prefix { $0.isASCII && $0.isLetter }.uppercased()
        guard ["SELECT", "WITH", "VALUES", "TABLE"].contains(word) else {
            throw ConnectorError(
                .badRequest, "The query does not begin with SELECT, WITH, VALUES or TABLE; write one SELECT.")
        }
        return body
    }

    private struct Scanner {
        let text: [UInt8]
        var position = 0

        private func byte(_ offset: Int) -> UInt8 {
            position + offset < text.count ? text[position + offset] : 0
        }

        private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

        /// Moves behind blanks, comments and a byte order mark.
        mutating func skipBlanks() {
            if position == 0, text.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
            while position < text.count {
                if Self.isBlank(byte(0)) { position += 1 } else if !skipComment() { return }
            }
        }

        /// Moves behind a comment; false where none begins here.
        private mutating func skipComment() -> Bool {
            let isDashed = byte(0) == UInt8(ascii: "-") && byte(1) == UInt8(ascii: "-") && byte(2) <= 0x20
            if byte(0) == UInt8(ascii: "#") || isDashed {
                while position < text.count, byte(0) != 0x0A { position += 1 }
                return true
            }
            // `/*!` and `/*M!` are not comments for the server.
            guard byte(0) == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*"), byte(2) != UInt8(ascii: "!"),
                !(byte(2) == UInt8(ascii: "M") && byte(3) == UInt8(ascii: "!"))
            else { return false }
            position += 2
            while position < text.count, !(byte(0) == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) {
                position += 1
            }
            position = min(position + 2, text.count)
            return true
        }

        /// Where the statement that begins here ends: behind its last word, before a semicolon.
        mutating func statementEnd() -> Int {
            var end = position
            while position < text.count, byte(0) != UInt8(ascii: ";") {
                if Self.isBlank(byte(0)) {
                    position += 1
                } else if !skipComment() {
                    skipWord()
                    end = position
                }
            }
            return end
        }

        /// Moves behind one byte, or behind a text or name in quotes.
        private mutating func skipWord() {
            let quote = byte(0)
            position += 1
            guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "`") else {
                return
            }
            while position < text.count, byte(0) != quote {
                // In names a backslash means nothing.
                position += byte(0) == UInt8(ascii: "\\") && quote != UInt8(ascii: "`") ? 2 : 1
            }
            position = min(position + 1, text.count)
        }
    }
}
