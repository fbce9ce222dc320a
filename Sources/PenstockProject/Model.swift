// SPDX-License-Identifier: Apache-2.0

/// A saved SELECT over a source connection.
package struct Model: Sendable, Hashable {
    /// The name, which is its file's name.
    package var name: String
    /// The file of the query, relative to the project's folder.
    package var file: String
    /// The connection's name; empty where it is missing.
    package var connection: String
    /// The query as it is written, without white space and semicolons at its ends.
    package var sql: String
    /// The columns that identify a row; empty where none are named.
    package var key: [String]
    /// What it is for, or nil.
    package var description: String?
    /// Where the connection's name stands.
    package var connectionSpan: SourceSpan
    /// Where the query begins.
    package var sqlSpan: SourceSpan
    /// Where the key's columns stand.
    package var keySpans: [SourceSpan]
    /// Whether an error was found in it.
    package var hasErrors = false
}
