// SPDX-License-Identifier: Apache-2.0

/// A number with its noun: `1 row`, `2 rows`.
///
/// - Parameter noun: In the singular, of those that take an s.
func counted(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(number.grouped) \(noun)" + (number == 1 ? "" : "s")
}

extension String {
    /// The text without the spaces at its end.
    var withoutTrailingSpace: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
