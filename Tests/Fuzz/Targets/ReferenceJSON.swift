// SPDX-License-Identifier: Apache-2.0

/// Says what is JSON by RFC 8259 and nothing else: slow, without recursion, and written for nothing but to be compared.
struct ReferenceJSON {
    private var rest: ArraySlice<UInt8>
    /// The open objects and arrays, the innermost last: the keys so far, or nil for an array.
    private var open: [Set<String>?] = []
    private static let depthMax = 128

    /// Whether `bytes` are one JSON text: no key twice in an object, no half surrogate pairs, at most 128 levels.
    static func accepts(_ bytes: [UInt8]) -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var reader = ReferenceJSON(rest: bytes[...])
        return reader.document()
    }

    private mutating func document() -> Bool {
        guard startValue() else { return false }
        while !open.isEmpty { guard endOrNext() else { return false } }
        skipSpace()
        return rest.isEmpty
    }

    private mutating func skipSpace() { rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) } }

    private mutating func take(_ character: Character) -> Bool {
        guard rest.first == character.asciiValue else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard rest.starts(with: word.utf8) else { return false }
        rest = rest.dropFirst(word.utf8.count)
        return true
    }

    /// Reads a value, of an array or object only up to its first value.
    private mutating func startValue() -> Bool {
        while true {
            skipSpace()
            if take("[") {
                guard open.count < Self.depthMax else { return false }
                skipSpace()
                if take("]") { return true }
                open.append(nil)
            } else if take("{") {
                guard open.count < Self.depthMax else { return false }
                skipSpace()
                if take("}") { return true }
                open.append([])
                guard key() else { return false }
            } else {
                if rest.first == UInt8(ascii: "\"") { return string() != nil }
                return take(word: "true") || take(word: "false") || take(word: "null") || number()
            }
        }
    }

    /// Reads what follows a value inside an array or object.
    private mutating func endOrNext() -> Bool {
        skipSpace()
        let isObject = open[open.count - 1] != nil
        if take(isObject ? "}" : "]") {
            open.removeLast()
            return true
        }
        guard take(",") else { return false }
        if isObject {
            skipSpace()
            guard key() else { return false }
        }
        return startValue()
    }

    private mutating func key() -> Bool {
        guard let key = string(), open[open.count - 1]?.insert(key).inserted == true else { return false }
        skipSpace()
        return take(":")
    }

    private mutating func digits() -> Bool {
        let count = rest.prefix { (0x30...0x39).contains($0) }.count
        rest = rest.dropFirst(count)
        return count > 0
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") { guard digits() else { return false } }
        if take(".") { guard digits() else { return false } }
        guard take("e") || take("E") else { return true }
        _ = take("+") || take("-")
        return digits()
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var units: [UInt16] = []
        while let byte = rest.first {
            if take("\"") { return Self.text(units) }
            if take("\\") {
                guard let unit = escape() else { return nil }
                units.append(unit)
                continue
            }
            guard byte >= 0x20 else { return nil }
            let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            units += String(decoding: rest.prefix(length), as: UTF8.self).utf16
            rest = rest.dropFirst(length)
        }
        return nil
    }

    private mutating func escape() -> UInt16? {
        guard let letter = rest.popFirst() else { return nil }
        let simple: [Character: UInt16] = [
            "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
        ]
        if let unit = simple[Character(Unicode.Scalar(letter))] { return unit }
        let hex = rest.prefix(4)
        guard letter == UInt8(ascii: "u"), hex.count == 4, hex.allSatisfy({ Self.isHex($0) }) else { return nil }
        rest = rest.dropFirst(4)
        return UInt16(String(decoding: hex, as: UTF8.self), radix: 16)
    }

    private static func isHex(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit && byte < 0x80 }

    private static func text(_ units: [UInt16]) -> String? { String(validating: units, as: UTF16.self) }
}
