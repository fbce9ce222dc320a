// SPDX-License-Identifier: Apache-2.0

extension Fingerprint {
    /// The digest with these 32 hexadecimal digits, as ``hex`` writes them; nil for anything else.
    package init?(hex: String) {
        let digits = hex.utf8.compactMap { digit in
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            default: nil as UInt8?
            }
        }
        guard digits.count == 32, hex.utf8.count == 32 else { return nil }
        self.init(bytes: stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}
