// SPDX-License-Identifier: Apache-2.0

import Testing

/// A project with something wrong in it, and every finding that it must lead to.
struct BadProject: Sendable, CustomTestStringConvertible {
    /// What is wrong.
    let testDescription: String
    /// Files by path.
    let files: [String: String]
    /// `file:line:column: severity[code]: message | suggestion`, in order, and nothing else.
    let expected: [String]

    /// The good project with one text replaced in one file.
    static func edit(
        _ title: String, _ file: String, _ old: String, _ new: String, _ expected: String...
    ) -> BadProject {
        var files = ProjectFixture.good
        let text = files[file] ?? ""
        precondition(text.contains(old), "\(title): \(file) does not hold \(old)")
        files[file] = text.replacing(old, with: new, maxReplacements: 1)
        return BadProject(testDescription: title, files: files, expected: expected)
    }

    /// The good project with files added or replaced; an empty text removes a file.
    static func with(_ title: String, _ changes: [String: String], _ expected: String...) -> BadProject {
        var files = ProjectFixture.good
        for (file, text) in changes { files[file] = text == "-" ? nil : text }
        return BadProject(testDescription: title, files: files, expected: expected)
    }
}
