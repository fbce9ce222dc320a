// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Synchronization

/// Blanks the secrets of a connection out of every text on its way to a person or a file.
///
/// Copies share what they have learnt.
package struct Redactor: Sendable {
    private final class Memory: Sendable {
        let texts = Mutex<[String]>([])
    }

    private let memory = Memory()
    /// A sentence that is put behind the message of an error about the credential in a setting; by setting.
    package var advice: [String: String] = [:]
    private var secrets: [String] { memory.texts.withLock { $0 } }

    /// A redactor for these secrets.
    ///
    /// Texts of fewer than 4 characters are not looked for: they occur by chance.
    package init(_ secrets: [Secret]) { learn(secrets) }

    /// Blanks these secrets out, too, from now on; any thread.
    package func learn(_ secrets: [Secret]) {
        let texts = secrets.compactMap { secret in secret.reveal { $0.count >= 4 ? $0 : nil } }
        let forms = texts.flatMap(Self.forms)
        memory.texts.withLock { known in
            let new = Set(forms).subtracting(known)
            guard !new.isEmpty else { return }
            known = (known + new).sorted { $0.count > $1.count }
        }
    }

    /// The forms in which a secret may come back: as it is, as in an address, as in JSON, in base64 wherever it stands
    /// in the encoded text, in hexadecimal digits.
    private static func forms(_ secret: String) -> [String] {
        let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        let encoded = secret.utf8.map { byte in
            unreserved.contains(byte)
                ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
        let json = String(JSON.string(secret).text.dropFirst().dropLast())
        let hex = secret.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let whole = Data(secret.utf8).base64EncodedString()
        var forms: Set = [secret, encoded, encoded.lowercased(), json, whole, hex, hex.uppercased()]
        for offset in 0..<3 {
            let text = base64(secret, after: offset)
            forms.formUnion([text, text.replacing("+", with: "-").replacing("/", with: "_")])
        }
        return Array(forms)
    }

    /// What stands for the secret in the base64 of a text in which `offset` bytes come before it, without the
    /// characters that its neighbours share.
    private static func base64(_ secret: String, after offset: Int) -> String {
        let all = Data([UInt8](repeating: 0, count: offset) + Array(secret.utf8)).base64EncodedString()
        return String(all.prefix((offset + secret.utf8.count) * 8 / 6).dropFirst((offset * 8 + 5) / 6))
    }

    /// `text` with every secret in it replaced by dots.
    package func redacted(_ text: String) -> String {
        secrets.reduce(text) { text, secret in
            text.contains(secret)
                ? text.split(separator: secret, omittingEmptySubsequences: false)
                    .joined(separator: "••••") : text
        }
    }

    /// `text` with every secret replaced by dots, also one whose end a connector has cut off, at `…` or at the end.
    ///
    /// Beginnings of fewer than 6 characters are left: they occur by chance.
    package func redactedWithCuts(_ text: String) -> String {
        let pieces = redacted(text).split(separator: "…", omittingEmptySubsequences: false)
        return pieces.map { withoutCut($0) }.joined(separator: "…")
    }

    private func withoutCut(_ piece: Substring) -> String {
        let end = piece.utf8.suffix(512)
        for secret in secrets {
            let form = Array(secret.utf8)
            for length in stride(from: min(form.count - 1, end.count), through: 6, by: -1)
            where end.suffix(length).elementsEqual(form.prefix(length)) {
                return String(decoding: piece.utf8.dropLast(length), as: UTF8.self) + "••••"
            }
        }
        return String(piece)
    }

    /// `error` with every secret in its texts replaced by dots.
    package func redacted(_ error: ConnectorError) -> ConnectorError {
        var error = error
        if error.code == .unauthorized, let advice = advice[error.field], !error.message.hasSuffix(advice) {
            error.message += " " + advice
        }
        guard !secrets.isEmpty else { return error }
        error.message = redactedWithCuts(error.message)
        error.detail = redactedWithCuts(error.detail)
        error.field = redactedWithCuts(error.field)
        error.vendorCode = redactedWithCuts(error.vendorCode)
        return error
    }
}
