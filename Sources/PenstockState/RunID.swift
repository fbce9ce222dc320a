// SPDX-License-Identifier: Apache-2.0

/// Run ids that sort by time: 48 bits of milliseconds and 80 random bits, as 26 characters of Crockford's base 32.
package enum RunID {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// A new id for a run that starts `milliseconds` after 1970-01-01T00:00:00Z.
    ///
    /// Ids of one millisecond sort at random among themselves.
    package static func make(milliseconds: Int64) -> String {
        var source = SystemRandomNumberGenerator()
        return make(milliseconds: milliseconds, using: &source)
    }

    /// A new id whose random bits come from `source`.
    static func make(milliseconds: Int64, using source: inout some RandomNumberGenerator) -> String {
        let time = UInt64(clamping: milliseconds) & 0xffff_ffff_ffff
        let timePart = (0..<10).map { alphabet[Int(time >> (45 - 5 * UInt64($0)) & 31)] }
        let randomPart = (0..<16).map { _ in alphabet[Int(source.next(upperBound: UInt64(32)))] }
        return String(decoding: timePart + randomPart, as: UTF8.self)
    }

    /// An id, or the beginning of one, as people may type it: any case, I and L for 1, O for 0.
    ///
    /// - Returns: nil for a text that cannot begin an id.
    package static func normalized(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.count <= 26 else { return nil }
        var out: [UInt8] = []
        for byte in text.uppercased().utf8 {
            let digit =
                switch byte {
                case UInt8(ascii: "I"), UInt8(ascii: "L"): UInt8(ascii: "1")
                case UInt8(ascii: "O"): UInt8(ascii: "0")
                default: byte
                }
            guard alphabet.contains(digit) else { return nil }
            out.append(digit)
        }
        return String(decoding: out, as: UTF8.self)
    }
}
