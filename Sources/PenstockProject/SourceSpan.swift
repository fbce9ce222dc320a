// SPDX-License-Identifier: Apache-2.0

/// A place in a file of the project: where a value was written.
package struct SourceSpan: Sendable, Hashable {
    /// The file, relative to the project's folder.
    package var file: String
    /// Counted from 1; 0 where a finding is about the file as a whole.
    package var line: Int
    /// Counted from 1, in Unicode scalars.
    package var column: Int
    /// How many Unicode scalars, on that one line.
    package var length: Int

    /// A place in a file.
    package init(file: String, line: Int = 0, column: Int = 0, length: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
        self.length = length
    }
}
