// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Tells the parts of an address that Pipedrive has worked out of its text by a map service from those that were set.
///
/// Nothing in an answer says which parts were sent. What a map service has found stands in `formatted_address` too,
/// which no request can set.
enum PipedriveAddress {
    /// Parts that a formatted address spells as they are, so that one that is not in it was not found with it.
    private static let spelled: Set<String> = ["country", "locality", "postal_code"]
    /// The most letters of a country that is shortened at the end of a formatted address (USA, UK).
    private static let shortCountryMax = 3

    /// The parts, of `names`, that need nobody to have set them.
    ///
    /// - Parameter names: The parts besides `value`.
    static func derivedParts(_ address: JSONObject, _ names: [String]) -> [String] {
        let parts = names.compactMap { name in
            address[name]?.stringValue.flatMap { $0.isEmpty ? nil : (name: name, text: $0.lowercased()) }
        }
        guard !parts.isEmpty else { return [] }
        let value = (address["value"]?.stringValue ?? "").lowercased()
        let formatted = address["formatted_address"]?.stringValue ?? ""
        let line = formatted.lowercased()
        // A text that a map service has formatted before stays as it is.
        let isFound = !line.isEmpty && (line != value || parts.contains { has(line, $0.text) })
        return parts.filter { part in
            if has(value, part.text) || has(line, part.text) { return true }
            guard isFound else { return false }
            if part.name == "country", endsInShortCountry(formatted) { return true }
            return !spelled.contains(part.name)
        }.map(\.name)
    }

    /// Whether `text` has `part` in it as a word of its own, or as some.
    private static func has(_ text: String, _ part: String) -> Bool {
        let text = Array(text.unicodeScalars)
        let part = Array(part.unicodeScalars)
        guard !part.isEmpty, part.count <= text.count else { return false }
        for start in 0...(text.count - part.count) where text[start] == part[0] {
            let end = start + part.count
            guard text[start..<end].elementsEqual(part) else { continue }
            let isBegun = start > 0 && isLetter(text[start - 1]) && isLetter(part[0])
            let isGoingOn = end < text.count && isLetter(text[end]) && isLetter(text[end - 1])
            if !isBegun && !isGoingOn { return true }
        }
        return false
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private static func endsInShortCountry(_ formatted: String) -> Bool {
        let last = formatted.split(separator: ",").last?.drop { $0 == " " } ?? ""
        return (2...shortCountryMax).contains(last.count) && last.allSatisfy { ("A"..."Z").contains($0) }
    }
}
