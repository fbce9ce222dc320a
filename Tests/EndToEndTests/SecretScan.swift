// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// Looks for a secret in what programs leave behind, in every form in which one has been seen to leak.
struct SecretScan {
    private let forms: [(name: String, bytes: Data)]

    /// A scan for one secret.
    init(_ secret: String) {
        let bytes = Array(secret.utf8)
        var forms = [("plain", secret), ("JSON", String(JSON.string(secret).text.dropFirst().dropLast()))]
        forms += ["X", "x"].map { ("URL", Self.percentEncoded(bytes, "%%%02" + $0)) }
        for offset in 0..<3 {
            let text = Self.base64(bytes, offset)
            forms.append(("base64 at offset \(offset)", text))
            let ofAddresses = text.replacing("+", with: "-").replacing("/", with: "_")
            forms.append(("base64 of addresses at offset \(offset)", ofAddresses))
        }
        forms.append(("hex", Self.hex(bytes, "%02x")))
        forms.append(("hex", Self.hex(bytes, "%02X")))
        // What a register shows: the bytes of a word from the last to the first.
        for word in [bytes.prefix(8), bytes.dropFirst(8).prefix(8)] where word.count == 8 {
            forms.append(("register", Self.hex(word.reversed(), "%02x")))
            forms.append(("dump", word.map { String(format: "%02x", $0) }.joined(separator: " ")))
            forms.append(("piece", String(decoding: word, as: UTF8.self)))
        }
        self.forms = forms.map { ($0.0, Data($0.1.utf8)) }
    }

    /// The names of the forms in which the secret is in `data`.
    func hits(in data: Data) -> [String] {
        forms.filter { data.firstRange(of: $0.bytes) != nil }.map(\.name)
    }

    /// The names of the forms in which the secret is in `text`.
    func hits(in text: String) -> [String] { hits(in: Data(text.utf8)) }

    private static func hex(_ bytes: some Sequence<UInt8>, _ format: String) -> String {
        bytes.map { String(format: format, $0) }.joined()
    }

    private static func percentEncoded(_ bytes: [UInt8], _ format: String) -> String {
        bytes.map { byte in
            let character = Character(Unicode.Scalar(byte))
            let isPlain = byte < 128 && (character.isLetter || character.isNumber || "-._~".contains(character))
            return isPlain ? String(character) : String(format: format, byte)
        }.joined()
    }

    /// What stands for all of `bytes` in the base64 of a text in which `offset` bytes stand before them.
    private static func base64(_ bytes: [UInt8], _ offset: Int) -> String {
        let all = Data([UInt8](repeating: 0, count: offset) + bytes).base64EncodedString()
        let first = (offset * 8 + 5) / 6
        return String(all.prefix((offset + bytes.count) * 8 / 6).dropFirst(first))
    }
}
