// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A query that somebody else wrote, taken apart as far as it must be to stand in parentheses.
package struct PostgresQueryText {
    /// The statement without the semicolons and comments after it.
    package private(set) var body: String

    /// The statement of `text`.
    ///
    /// - Throws: ``ConnectorError`` `badRequest` for anything but one statement that reads.
    package init(_ text: String) throws(ConnectorError) {
        guard !text.utf8.contains(0) else {
            throw ConnectorError(.badRequest, "The query holds a NUL character; remove it.")
        }
        var scanner = Scanner(Array(text.utf8))
        scanner.scan()
        guard let start = scanner.start, !scanner.word.isEmpty || scanner.opensWithParenthesis else {
            throw ConnectorError(.badRequest, "The query holds no statement; write one SELECT.")
        }
        guard scanner.opensWithParenthesis || ["SELECT", "WITH", "VALUES", "TABLE"].contains(scanner.word) else {
            throw ConnectorError(
                .badRequest, "The query does not begin with SELECT, WITH, VALUES or TABLE; write one SELECT.")
        }
        guard !scanner.hasMore else {
            throw ConnectorError(.badRequest, "The query holds more than one statement; leave one SELECT.")
        }
        body = String(decoding: Array(text.utf8)[start..<scanner.end], as: UTF8.self)
    }
}

/// Finds where a statement begins and ends.
private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0
    /// Where the first token begins.
    private(set) var start: Int?
    /// Where the last token before a semicolon outside everything ends.
    private(set) var end = 0
    /// The first word, in capitals.
    private(set) var word = ""
    private(set) var opensWithParenthesis = false
    /// Whether a token stands behind a semicolon.
    private(set) var hasMore = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func scan() {
        var hasEnded = false
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        while position < bytes.count {
            if skipBlank() { continue }
            if bytes[position] == UInt8(ascii: ";") {
                position += 1
                hasEnded = start != nil
                continue
            }
            if hasEnded {
                hasMore = true
                return
            }
            let begin = position
            skipToken()
            if start == nil {
                start = begin
                opensWithParenthesis = bytes[begin] == UInt8(ascii: "(")
                word = String(decoding: bytes[begin..<position], as: UTF8.self).uppercased()
            }
            end = position
        }
    }

    private func has(_ text: StaticString, at place: Int) -> Bool {
        bytes[min(place, bytes.count)...].starts(with: "\(text)".utf8)
    }

    private mutating func skipBlank() -> Bool {
        switch bytes[position] {
        case 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20: position += 1
        case UInt8(ascii: "-") where has("--", at: position):
            while position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
        case UInt8(ascii: "/") where has("/*", at: position):
            var depth = 0
            repeat {
                if has("/*", at: position) {
                    depth += 1
                    position += 2
                } else if has("*/", at: position) {
                    depth -= 1
                    position += 2
                } else {
                    position += 1
                }
            } while depth > 0 && position < bytes.count
        default: return false
        }
        return true
    }

    private mutating func skipToken() {
        switch bytes[position] {
        case UInt8(ascii: "'"): skipQuoted(UInt8(ascii: "'"), withBackslashes: false)
        case UInt8(ascii: "\""): skipQuoted(UInt8(ascii: "\""), withBackslashes: false)
        case UInt8(ascii: "$"): skipDollar()
        case let byte where isLetter(byte):
            let isEscape = byte | 0x20 == UInt8(ascii: "e") && has("'", at: position + 1)
            if isEscape {
                position += 1
                skipQuoted(UInt8(ascii: "'"), withBackslashes: true)
            } else {
                while position < bytes.count,
                    isLetter(bytes[position]) || isDigit(bytes[position])
                        || bytes[position] == UInt8(ascii: "$")
                { position += 1 }
            }
        default: position += 1
        }
    }

    private mutating func skipQuoted(_ quote: UInt8, withBackslashes: Bool) {
        position += 1
        while position < bytes.count {
            if withBackslashes, bytes[position] == UInt8(ascii: "\\") {
                position += 2
            } else if bytes[position] == quote {
                position += 1
                // A doubled quote goes on.
                guard position < bytes.count, bytes[position] == quote else { break }
                position += 1
            } else {
                position += 1
            }
        }
        position = min(position, bytes.count)
    }

    /// Skips `$tag$ … $tag$`, or a lone dollar sign.
    private mutating func skipDollar() {
        var close = position + 1
        while close < bytes.count, isLetter(bytes[close]) || (isDigit(bytes[close]) && close > position + 1) {
            close += 1
        }
        guard close < bytes.count, bytes[close] == UInt8(ascii: "$") else {
            position += 1
            return
        }
        let tag = bytes[position...close]
        position = close + 1
        while position < bytes.count, !bytes[position...].starts(with: tag) { position += 1 }
        position = min(position + tag.count, bytes.count)
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) && byte < 0x80 || byte == UInt8(ascii: "_") || byte >= 0x80
    }
}
