// SPDX-License-Identifier: Apache-2.0

/// A saved SELECT over a source connection.
package struct Model: Sendable, Hashable {
    /// What is said of a column.
    package struct Column: Sendable, Hashable {
        /// The name.
        package var name: String
        /// The type, in the words of whoever wrote it down, or nil.
        package var type: String?
        /// What it holds, or nil.
        package var description: String?
    }

    /// Who wrote the query.
    package enum Origin: Sendable, Hashable {
        /// The project.
        case project
        /// dbt: the model is a table or view that dbt makes, known by its `unique_id`.
        case dbt(uniqueID: String)
    }

    /// The name, which is its file's name; with `dbt:` before it where dbt makes it.
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
    /// What the query leaves open.
    package var parameters: [ModelParameter] = []
    /// What is said of columns; not all need be named.
    package var columns: [Column] = []
    /// Who wrote the query.
    package var origin = Origin.project
    /// Where the connection's name stands.
    package var connectionSpan: SourceSpan
    /// Where the query begins.
    package var sqlSpan: SourceSpan
    /// Where the key's columns stand.
    package var keySpans: [SourceSpan]
    /// Whether an error was found in it.
    package var hasErrors = false
    /// The query with its places for values; nil where they are wrong.
    var template: QueryTemplate?

    /// The query with values for what it leaves open.
    ///
    /// - Parameter values: Values by parameter, as texts.
    /// - Throws: ``ModelParameterProblem``.
    package func query(_ values: [String: String] = [:]) throws(ModelParameterProblem) -> String {
        if let template { return try template.query(values) }
        if let name = values.keys.sorted().first { throw .unknown(name, known: parameters.map(\.name)) }
        return sql
    }
}
