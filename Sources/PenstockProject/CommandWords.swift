// SPDX-License-Identifier: Apache-2.0

/// The words of a command in a project file: there is no shell, so nothing but blanks and quotes means anything.
package enum CommandWords {
    /// The words of `text`: separated by blanks, single or double quotes around what belongs together.
    ///
    /// - Returns: Nil where there is no word, or a quote is not closed.
    package static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { return nil }
        if let done = word { words.append(done) }
        return words.first.map { !$0.isEmpty } == true ? words : nil
    }
}
