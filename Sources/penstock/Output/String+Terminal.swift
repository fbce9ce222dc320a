// SPDX-License-Identifier: Apache-2.0

import PenstockProject

extension String {
    /// How many columns of a terminal the text takes.
    var displayWidth: Int { DisplayWidth.width(self) }

    /// The text, cut with `…` where it is wider than `width`, and filled with spaces where it is narrower.
    func fitted(to width: Int, alignedRight: Bool = false) -> String {
        let text = truncated(to: width)
        let space = String(repeating: " ", count: max(0, width - text.displayWidth))
        return alignedRight ? space + text : text + space
    }

    /// The text, cut with `…` where it is wider than `width`.
    func truncated(to width: Int) -> String {
        guard displayWidth > width else { return self }
        var out = ""
        var used = 0
        for character in self {
            used += DisplayWidth.width(character)
            guard used <= width - 1 else { break }
            out.append(character)
        }
        return out + "…"
    }

    /// The text in lines of at most `width` columns, broken at spaces; lines after the first begin with `indent`
    /// spaces.
    ///
    /// A word that is too long stays whole, so that paths and addresses can be copied; a sentence of a script without
    /// spaces is broken where the line is full. Without a width there is one line.
    func wrapped(to width: Int?, indent: Int = 0) -> [String] {
        guard let width, displayWidth > width else { return [self] }
        let space = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = String(prefix { $0 == " " })
        var isEmpty = true
        for word in drop(while: { $0 == " " }).split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, line.displayWidth + 1 + String(word).displayWidth > width {
                lines.append(line)
                line = space
                isEmpty = true
            }
            line += isEmpty ? "" : " "
            isEmpty = false
            for character in word {
                if !character.isASCII, line.displayWidth + String(character).displayWidth > width {
                    lines.append(line)
                    line = space
                }
                line.append(character)
            }
        }
        return lines + [line]
    }

    /// The text with the control characters in its lines made visible; the lines stay.
    var printableLines: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }.joined(separator: "\n")
    }

    /// The text on one line, with control characters made visible, so that data cannot steer the terminal.
    var printable: String {
        guard
            unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F || (0x80..<0xA0).contains($0.value) })
        else { return self }
        return String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.value {
                    case 0x0A: "⏎"
                    case 0x09: " "
                    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "?"
                    case 0x7F..<0xA0: "\u{FFFD}"
                    default: scalar
                    }
                }))
    }
}
