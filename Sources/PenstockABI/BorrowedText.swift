// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Glibc
import PenstockModel

extension String {
    /// Copies a borrowed text, with invalid UTF-8 repaired; nil where it is absent.
    package init?(copying text: penstock_str) {
        guard let bytes = text.ptr else { return nil }
        self.init(
            decoding: UnsafeRawBufferPointer(start: bytes, count: text.len), as: UTF8.self)
    }
}

extension String {
    /// Lends the text to `body` for one call, without a copy where it is UTF-8 already; the pointer must not be kept.
    func lend<R>(_ body: (penstock_str) -> R) -> R {
        var text = self
        return text.withUTF8 { utf8 in
            guard let start = utf8.baseAddress, !utf8.isEmpty else {
                // An empty text has an address too: only absent texts have none.
                return withUnsafePointer(to: 0 as CChar) { body(penstock_str(ptr: $0, len: 0)) }
            }
            return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                body(penstock_str(ptr: $0, len: utf8.count))
            }
        }
    }
}

extension [UInt8] {
    /// Copies a borrowed text; empty where it is absent.
    package init(copying text: penstock_str) {
        self = text.ptr.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: text.len)) } ?? []
    }

    /// Copies an owned text and gives it back.
    package init(taking text: inout penstock_text) {
        self = [UInt8](copying: penstock_str(ptr: text.ptr, len: text.len))
        text.release?(&text)
    }
}

extension penstock_text {
    /// An owned text with a copy of `bytes`, given back through its `release`.
    init(giving bytes: [UInt8]) {
        let room = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
        room.copyMemory(from: bytes, byteCount: bytes.count)
        room.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt8.self)
        self.init(
            ptr: UnsafePointer(room.assumingMemoryBound(to: CChar.self)), len: bytes.count,
            release: { text in
                guard let text else { return }
                text.pointee.ptr?.deallocate()
                text.pointee = penstock_text()
            }, owner: nil)
    }
}

/// Texts laid one after the other, so that C can borrow them all for one call.
package struct TextArena {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// No texts yet.
    package init() {}

    /// Adds a text; the first has number 0.
    ///
    /// - Returns: The text's number.
    @discardableResult
    package mutating func add(_ text: some Sequence<UInt8>) -> Int {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
        return ends.count - 1
    }

    /// Adds texts, which get consecutive numbers.
    package mutating func add(_ texts: [String]) { for text in texts { add(text.utf8) } }

    /// Lends the texts to `body`, by their numbers; the pointers must not be kept.
    package func lend<R>(_ body: (UnsafeBufferPointer<penstock_str>) -> R) -> R {
        // One byte more, so that an empty text has an address too: only absent texts have none.
        (bytes + [0]).withUnsafeBytes { room in
            let base = room.baseAddress?.assumingMemoryBound(to: CChar.self)
            var start = 0
            let texts = ends.map { end in
                defer { start = end }
                return penstock_str(ptr: base.map { $0 + start }, len: end - start)
            }
            return texts.withUnsafeBufferPointer(body)
        }
    }
}

/// The borrowed texts of a C array, copied.
func copiedTexts(_ start: UnsafePointer<penstock_str>?, _ count: UInt32) -> [String] {
    UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count)).map { String(copying: $0) ?? "" }
}
