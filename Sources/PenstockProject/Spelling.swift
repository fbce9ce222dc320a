// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Words the suggestion of a name that somebody may have meant.
enum Spelling {
    /// `did you mean "x"?`, or nil where none of `words` is near.
    static func suggestion(_ word: String, in words: some Sequence<String>) -> String? {
        NearestName.of(word, in: words).map { "did you mean \"\($0)\"?" }
    }
}
