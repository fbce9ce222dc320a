// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What the answer to a write says, read without making values of the rest of it.
///
/// An answer holds the whole record, of which two members matter. This looks at every byte once; where it meets
/// anything but plain JSON of the usual shape, it says nothing, and the parser decides.
package struct PipedriveAnswerScan: Sendable, Hashable {
    /// The record's id, as it stands there: a number.
    package private(set) var id: String
    /// Whether the record is deleted.
    package private(set) var isDeleted: Bool

    /// Reads a successful answer with a record; nil where it is none, or not of the usual shape.
    package init?(_ body: [UInt8]) {
        var scanner = Scanner(body)
        guard scanner.document(), scanner.isSuccess, let range = scanner.id else { return nil }
        id = String(decoding: body[range], as: UTF8.self)
        isDeleted = scanner.isDeleted
    }
}

extension PipedriveAnswerScan {
    /// Goes over a text once; every function leaves `at` behind what it has read, or returns false.
    private struct Scanner {
        private let bytes: [UInt8]
        private let count: Int
        private var at = 0
        private var hasOthers = false
        private(set) var isSuccess = false
        private(set) var id: Range<Int>?
        private(set) var isDeleted = false
        /// How often members that matter were met: twice is not the usual shape.
        private var met = (success: 0, data: 0, id: 0, isDeleted: 0)

        private static let depthMax = 32

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            count = bytes.count
        }

        /// Reads the whole text.
        mutating func document() -> Bool {
            space()
            guard object(depth: 0, isData: false) else { return false }
            space()
            guard at == count, met.success <= 1, met.data == 1, met.id <= 1, met.isDeleted <= 1 else { return false }
            // Beyond ASCII the text must be UTF-8.
            return !hasOthers || (try? UTF8Span(validating: bytes.span)) != nil
        }

        private mutating func space() {
            while at < count, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 {
                at += 1
            }
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard at < count, bytes[at] == byte else { return false }
            at += 1
            return true
        }

        private mutating func take(_ word: StaticString) -> Bool {
            for place in 0..<word.utf8CodeUnitCount {
                guard at + place < count, bytes[at + place] == word.utf8Start[place] else { return false }
            }
            at += word.utf8CodeUnitCount
            return true
        }

        private mutating func value(depth: Int) -> Bool {
            guard at < count, depth < Self.depthMax else { return false }
            switch bytes[at] {
            case UInt8(ascii: "{"): return object(depth: depth, isData: false)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return string()
            case UInt8(ascii: "t"): return take("true")
            case UInt8(ascii: "f"): return take("false")
            case UInt8(ascii: "n"): return take("null")
            default: return number()
            }
        }

        private mutating func array(depth: Int) -> Bool {
            at += 1
            space()
            if take(UInt8(ascii: "]")) { return true }
            repeat {
                space()
                guard value(depth: depth + 1) else { return false }
                space()
            } while take(UInt8(ascii: ","))
            return take(UInt8(ascii: "]"))
        }

        private mutating func object(depth: Int, isData: Bool) -> Bool {
            guard take(UInt8(ascii: "{")) else { return false }
            space()
            if take(UInt8(ascii: "}")) { return true }
            repeat {
                space()
                let start = at
                guard at < count, bytes[at] == UInt8(ascii: "\""), string() else { return false }
                let key = (start + 1)..<(at - 1)
                space()
                guard take(UInt8(ascii: ":")) else { return false }
                space()
                guard member(key, depth: depth, isData: isData) else { return false }
                space()
            } while take(UInt8(ascii: ","))
            return take(UInt8(ascii: "}"))
        }

        /// Reads the value of a member, and keeps it where it matters.
        private mutating func member(_ key: Range<Int>, depth: Int, isData: Bool) -> Bool {
            if depth == 0, isKey(key, "success") {
                met.success += 1
                isSuccess = at < count && bytes[at] == UInt8(ascii: "t")
            } else if depth == 0, isKey(key, "data") {
                met.data += 1
                return object(depth: 1, isData: true)
            } else if isData, isKey(key, "id") {
                met.id += 1
                let start = at
                guard number() else { return false }
                id = start..<at
                return true
            } else if isData, isKey(key, "is_deleted") {
                met.isDeleted += 1
                isDeleted = at < count && bytes[at] == UInt8(ascii: "t")
            }
            return value(depth: depth + 1)
        }

        /// Whether a key is this; one with escapes never is, so that it is not of the usual shape either way.
        private func isKey(_ range: Range<Int>, _ name: StaticString) -> Bool {
            guard range.count == name.utf8CodeUnitCount else { return false }
            for place in 0..<name.utf8CodeUnitCount where bytes[range.lowerBound + place] != name.utf8Start[place] {
                return false
            }
            return true
        }

        /// Reads a string, eight bytes at a time up to the next one that is not plain.
        private mutating func string() -> Bool {
            at += 1
            while at < count {
                if at + 8 <= count {
                    let flags = Self.notPlain(Self.word(bytes.span, at))
                    at += flags == 0 ? 8 : flags.trailingZeroBitCount >> 3
                    guard flags != 0 else { continue }
                }
                let byte = bytes[at]
                at += 1
                switch byte {
                case UInt8(ascii: "\""): return true
                case 0..<0x20: return false
                case UInt8(ascii: "\\"):
                    guard escape() else { return false }
                case 0x80...: hasOthers = true
                default: break
                }
            }
            return false
        }

        /// Eight bytes as a number, the first one lowest; they must be there.
        private static func word(_ bytes: Span<UInt8>, _ at: Int) -> UInt64 {
            UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self))
        }

        /// A high bit for every byte that ends a string, begins an escape, is a control character or is not ASCII.
        ///
        /// The lowest one is exact; those above it need not be.
        private static func notPlain(_ word: UInt64) -> UInt64 {
            FewBytes.escaped(word) | word & 0x8080_8080_8080_8080
        }

        /// Reads an escape of one character; those of code points are left to the parser.
        private mutating func escape() -> Bool {
            guard at < count else { return false }
            switch bytes[at] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                at += 1
                return true
            default: return false
            }
        }

        private mutating func digits() -> Bool {
            let start = at
            while at < count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
            return at > start
        }

        private mutating func number() -> Bool {
            _ = take(UInt8(ascii: "-"))
            if !take(UInt8(ascii: "0")), !digits() { return false }
            if take(UInt8(ascii: ".")), !digits() { return false }
            if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
                if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
                return digits()
            }
            return true
        }
    }
}
