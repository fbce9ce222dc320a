// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// Takes secrets and people's data out of texts before they go into a bundle.
///
/// Three nets, one behind the other: values that are known to be secret, whatever form they have; what looks like a
/// secret by its key or its form; and, in results and logs, the members that hold values of rows.
package struct BundleText: Sendable {
    private static let dots = "••••"
    /// Members of results and logs that hold values of rows.
    private static let rowMembers: Set<String> = [
        "value", "values", "record", "row", "payload", "before", "after", "body", "text", "example", "examples",
        "source_key", "key_text", "rejects_examples", "samples", "key", "fields", "watermark",
    ]
    private static let keyNames = [
        "password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "passphrase", "credential",
        "authorization", "client_id",
    ]

    private let redactor: Redactor

    /// Texts without these secrets.
    package init(secrets: [String]) { redactor = Redactor(secrets.map { Secret($0) }) }

    /// A text of any kind.
    package func plain(_ text: String) -> String {
        let known = redactor.redacted(text)
        var lines: [String] = []
        var hiddenBelow: Int?
        var isInKey = false
        for line in known.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let indent = line.prefix { $0 == " " }.count
            if isInKey || line.contains("-----BEGIN") && line.contains("PRIVATE KEY") {
                isInKey = !line.contains("-----END")
                lines.append(Self.dots)
                continue
            }
            if let depth = hiddenBelow {
                let isBelow = indent > depth || line.allSatisfy(\.isWhitespace)
                if isBelow {
                    lines.append(line.allSatisfy(\.isWhitespace) ? line : String(line.prefix(indent)) + Self.dots)
                    continue
                }
                hiddenBelow = nil
            }
            if Self.opensSecret(line) { hiddenBelow = indent }
            lines.append(Self.lineWithoutSecrets(line))
        }
        return lines.joined(separator: "\n")
    }

    /// Whether the value of a secret's key stands on the lines below.
    private static func opensSecret(_ line: String) -> Bool {
        guard let colon = line.firstIndex(of: ":") else { return false }
        let key = line[..<colon].filter { !" -\"'".contains($0) }.lowercased()
        guard keyNames.contains(where: key.hasSuffix) else { return false }
        let rest = line[line.index(after: colon)...].drop { $0 == " " }
        return rest.isEmpty || rest.hasPrefix("|") || rest.hasPrefix(">") || rest.hasPrefix("#") || rest.hasPrefix("&")
    }

    private static func lineWithoutSecrets(_ line: String) -> String {
        var text = SecretMask.maskedLine(line)
        text = text.replacing(/(?i)(bearer|basic)\s+[A-Za-z0-9._~+\/=-]{6,}/) { "\($0.1) \(dots)" }
        text = text.replacing(/eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*/) { _ in dots }
        text = text.replacing(
            /(?i)([?&;](?:[a-z_-]*(?:token|secret|password|passwd|key|code|signature|sig))=)[^&\s"'#]+/
        ) { "\($0.1)\(dots)" }
        text = text.replacing(/([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\/\s"'@]+@/) { "\($0.1)\(dots)@" }
        return text
    }

    /// A file of results or of a log: a JSON document, or one a line; values of rows are taken out.
    package func results(_ text: String) -> String {
        if let whole = json(text) { return plain(whole.prettyText) }
        return text.split(separator: "\n").map { line in
            json(String(line)).map { plain($0.text) } ?? plain(String(line))
        }.joined(separator: "\n") + "\n"
    }

    private func json(_ text: String) -> JSON? {
        // What is not JSON is treated as a plain text.
        (try? JSON(parsing: text)).map(withoutRows)
    }

    private func withoutRows(_ json: JSON) -> JSON {
        switch json {
        case .array(let items): return .array(items.map(withoutRows))
        case .object(let object):
            var result = JSONObject()
            for member in object {
                let isHidden = Self.rowMembers.contains(member.key) && member.value.intValue == nil
                result.append(
                    member.key, isHidden && !member.value.isNull ? .string(Self.dots) : withoutRows(member.value))
            }
            return .object(result)
        default: return json
        }
    }
}
