// SPDX-License-Identifier: Apache-2.0

/// Texts between quotes, for databases, shells and files.
package enum QuotedText {
    /// The text between two `quote`s, with `escape` for every one inside.
    ///
    /// Read scalar by scalar: a quote ends the text for a database or a shell whatever stands behind it, while to Swift
    /// a quote and a combining mark are one character, which equals no quote.
    ///
    /// - Parameter escape: What stands for a quote; `\'` between two quotes to a shell, two quotes to a database.
    package static func text(_ text: String, quote: Unicode.Scalar, escape: String) -> String {
        var result = String.UnicodeScalarView([quote])
        for scalar in text.unicodeScalars {
            if scalar == quote {
                result.append(contentsOf: escape.unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        result.append(quote)
        return String(result)
    }

    /// The text as one word of a POSIX shell, in single quotes.
    package static func shell(_ text: String) -> String { self.text(text, quote: "'", escape: "'\\''") }
}
