// SPDX-License-Identifier: Apache-2.0

extension StringProtocol {
    /// The text without white space at its ends.
    package var trimmed: SubSequence {
        let scalars = unicodeScalars
        if let first = scalars.first, let last = scalars.last, isVisible(first), isVisible(last) { return self[...] }
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return self[startIndex..<startIndex] }
        return self[first..<scalars.index(after: last)]
    }

    /// Whether there is nothing but white space.
    package var isBlank: Bool {
        if let first = unicodeScalars.first, isVisible(first) { return false }
        return unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }

    /// The elements between `separator`, trimmed, without the blank ones.
    ///
    /// - Precondition: `separator` is not empty.
    package func elements(separatedBy separator: String) -> [String] {
        let bytes = Array(utf8)
        let mark = Array(separator.utf8)
        var out: [String] = []
        var start = 0
        var position = 0
        func take(upTo end: Int) {
            let element = String(decoding: bytes[start..<end], as: UTF8.self).trimmed
            if !element.isEmpty { out.append(String(element)) }
        }
        while position + mark.count <= bytes.count {
            if bytes[position..<(position + mark.count)].elementsEqual(mark) {
                take(upTo: position)
                position += mark.count
                start = position
            } else {
                position += 1
            }
        }
        take(upTo: bytes.count)
        return out
    }
}

/// Whether a character is of ASCII and no white space, which settles most texts without Unicode's tables.
private func isVisible(_ scalar: Unicode.Scalar) -> Bool { scalar.value > 0x20 && scalar.value < 0x7F }
