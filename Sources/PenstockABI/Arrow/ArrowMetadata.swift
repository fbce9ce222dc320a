// SPDX-License-Identifier: Apache-2.0

/// The key and value pairs of an Arrow schema node, in Arrow's own encoding.
enum ArrowMetadata {
    /// More pairs, or longer texts, than this are taken for garbage.
    private static let pairsMax = 1_024
    private static let bytesMax = 1 << 20

    /// The encoding of `pairs`: 32-bit counts and lengths in the machine's byte order.
    static func encoded(_ pairs: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(_ number: Int) {
            withUnsafeBytes(of: Int32(number)) { bytes.append(contentsOf: $0) }
        }
        append(pairs.count)
        for (key, value) in pairs {
            append(key.utf8.count)
            bytes.append(contentsOf: key.utf8)
            append(value.utf8.count)
            bytes.append(contentsOf: value.utf8)
        }
        return bytes
    }

    /// The pairs at `start`; nil where a count or length cannot be true.
    static func decoded(_ start: UnsafePointer<CChar>?) -> [String: String]? {
        guard let start else { return [:] }
        var cursor = UnsafeRawPointer(start)
        func number() -> Int {
            defer { cursor += 4 }
            return Int(cursor.loadUnaligned(as: Int32.self))
        }
        func text() -> String? {
            let count = number()
            guard (0...bytesMax).contains(count) else { return nil }
            defer { cursor += count }
            return String(decoding: UnsafeRawBufferPointer(start: cursor, count: count), as: UTF8.self)
        }
        let count = number()
        guard (0...pairsMax).contains(count) else { return nil }
        var pairs: [String: String] = [:]
        for _ in 0..<count {
            guard let key = text(), let value = text() else { return nil }
            pairs[key] = value
        }
        return pairs
    }
}
