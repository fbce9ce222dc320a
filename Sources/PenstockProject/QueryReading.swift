// SPDX-License-Identifier: Apache-2.0

/// One way to read the bytes of a query: where its texts, names and comments begin and end.
///
/// Databases differ in that, and a place for a value must be one for all of them; see ``QueryTemplate``.
struct QueryReading {
    /// A place for a value.
    struct Place: Hashable {
        var name: String
        /// The bytes that the value takes the place of.
        var bytes: Range<Int>
    }

    /// The points in which databases read differently, one bit each.
    struct Dialect: OptionSet {
        let rawValue: UInt8

        /// A backslash in a text takes the next character's meaning away.
        static let backslashes = Dialect(rawValue: 1)
        /// `#` begins a comment.
        static let hashComments = Dialect(rawValue: 2)
        /// `--` begins a comment only before white space.
        static let spacedDashes = Dialect(rawValue: 4)
        /// `[` begins a quoted name.
        static let brackets = Dialect(rawValue: 8)
        /// `$tag$` begins a text that ends with the same.
        static let dollarTexts = Dialect(rawValue: 16)
        /// Block comments can hold block comments.
        static let nestedComments = Dialect(rawValue: 32)
        /// What stands in `/*! … */` is carried out.
        static let liveComments = Dialect(rawValue: 64)
        /// A backtick begins a quoted name.
        static let backticks = Dialect(rawValue: 128)

        /// Every combination.
        static var all: [Dialect] { (0...UInt8.max).map { Dialect(rawValue: $0) } }
    }

    private let bytes: [UInt8]
    private let dialect: Dialect
    private var position = 0
    /// Places in the open.
    private(set) var open: [Place] = []
    /// Places in braces inside of a text or a quoted name.
    private(set) var quoted: [Place] = []

    /// Reads `bytes` to their end.
    init(_ bytes: [UInt8], _ dialect: Dialect) {
        self.bytes = bytes
        self.dialect = dialect
        while position < bytes.count { step() }
    }

    private func at(_ offset: Int) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

    private mutating func step() {
        switch at(0) {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): skipQuoted(at(0), escapes: dialect.contains(.backslashes))
        case UInt8(ascii: "`") where dialect.contains(.backticks): skipQuoted(at(0), escapes: false)
        case UInt8(ascii: "[") where dialect.contains(.brackets): skipQuoted(UInt8(ascii: "]"), escapes: false)
        case UInt8(ascii: "#") where dialect.contains(.hashComments): skipLine()
        case UInt8(ascii: "-") where at(1) == UInt8(ascii: "-"):
            let isComment = !dialect.contains(.spacedDashes) || at(2) <= UInt8(ascii: " ")
            if isComment { skipLine() } else { position += 2 }
        case UInt8(ascii: "/") where at(1) == UInt8(ascii: "*"):
            if dialect.contains(.liveComments), at(2) == UInt8(ascii: "!") { position += 3 } else { skipComment() }
        case UInt8(ascii: "$") where dialect.contains(.dollarTexts): skipDollarText()
        case UInt8(ascii: ":"): colon()
        case UInt8(ascii: "{"):
            guard let place = braced(position) else { return position += 1 }
            open.append(place)
            position = place.bytes.upperBound
        default: position += 1
        }
    }

    private mutating func skipQuoted(_ end: UInt8, escapes: Bool) {
        position += 1
        while position < bytes.count {
            if escapes, bytes[position] == UInt8(ascii: "\\") {
                position += 2
            } else if bytes[position] == end {
                position += 1
                // A doubled quote stands for itself.
                guard position < bytes.count, bytes[position] == end else { return }
                position += 1
            } else {
                if let place = braced(position) { quoted.append(place) }
                position += 1
            }
        }
    }

    private mutating func skipLine() {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n"), bytes[position] != UInt8(ascii: "\r") {
            position += 1
        }
    }

    private mutating func skipComment() {
        position += 2
        var depth = 1
        while position < bytes.count, depth > 0 {
            if at(0) == UInt8(ascii: "*"), at(1) == UInt8(ascii: "/") {
                depth -= 1
                position += 2
            } else if dialect.contains(.nestedComments), at(0) == UInt8(ascii: "/"), at(1) == UInt8(ascii: "*") {
                depth += 1
                position += 2
            } else {
                position += 1
            }
        }
    }

    private mutating func skipDollarText() {
        let start = position
        position += 1
        if start > 0, bytes[start - 1].isNamePart { return }
        while position < bytes.count, bytes[position].isNamePart || bytes[position] > 127 { position += 1 }
        guard at(0) == UInt8(ascii: "$") else { return }
        position += 1
        let tag = bytes[start..<position]
        while position < bytes.count, !bytes[position...].starts(with: tag) {
            if let place = braced(position) { quoted.append(place) }
            position += 1
        }
        position = min(position + tag.count, bytes.count)
    }

    /// A name behind a colon, unless the colon is one of two, or stands between the limits of a range.
    private mutating func colon() {
        let start = position
        position += 1
        guard at(0).isNameStart else {
            if at(0) == UInt8(ascii: ":") { position += 1 }
            return
        }
        let before = start > 0 ? bytes[start - 1] : 0
        let isRange = before.isNamePart || before == UInt8(ascii: ")") || before == UInt8(ascii: "]") || before > 127
        let end = bytes[position...].firstIndex { !$0.isNamePart } ?? bytes.count
        if !isRange { open.append(Place(name: text(position..<end), bytes: start..<end)) }
        position = end
    }

    /// `{{name}}` at `start`, or nil.
    private func braced(_ start: Int) -> Place? {
        let brace = UInt8(ascii: "{")
        guard start + 1 < bytes.count, bytes[start] == brace, bytes[start + 1] == brace else { return nil }
        var first = start + 2
        while first < bytes.count, bytes[first] == UInt8(ascii: " ") { first += 1 }
        guard first < bytes.count, bytes[first].isNameStart else { return nil }
        let last = bytes[first...].firstIndex { !$0.isNamePart } ?? bytes.count
        var end = last
        while end < bytes.count, bytes[end] == UInt8(ascii: " ") { end += 1 }
        guard bytes[end...].starts(with: "}}".utf8) else { return nil }
        return Place(name: text(first..<last), bytes: start..<(end + 2))
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
