// SPDX-License-Identifier: Apache-2.0

/// A request's path and query, taken apart.
struct RequestTarget {
    /// The path without the query, as sent.
    let path: String
    /// The path's parts, decoded.
    let segments: [String]
    /// The query's pairs, decoded, in order.
    let query: [(name: String, value: String)]

    init(_ target: String) {
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(halves[0])
        segments = halves[0].split(separator: "/").map { Self.decoded($0, plusIsSpace: false) }
        query = (halves.count == 2 ? halves[1] : "").split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                Self.decoded(parts[0], plusIsSpace: true),
                parts.count == 2 ? Self.decoded(parts[1], plusIsSpace: true) : ""
            )
        }
    }

    /// The value of a parameter, or nil where it is not there.
    subscript(name: String) -> String? { query.last { $0.name == name }?.value }

    private static func decoded(_ text: Substring, plusIsSpace: Bool) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "%"), position + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[position + 1...position + 2], as: UTF8.self), radix: 16)
            {
                out.append(value)
                position += 3
                continue
            }
            out.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            position += 1
        }
        return String(decoding: out, as: UTF8.self)
    }
}
