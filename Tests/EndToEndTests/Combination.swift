// SPDX-License-Identifier: Apache-2.0

import DatabaseServers
import PenstockModel
import Testing

/// A fetch mode, an insert mode and a source.
struct Combination: Sendable, CustomTestStringConvertible {
    /// A fetch mode.
    enum Fetch: String, Sendable, CaseIterable {
        case full = "FULL"
        case incremental = "INCREMENTAL"
    }

    /// An insert mode.
    enum Insert: String, Sendable, CaseIterable {
        case append = "Append"
        case update = "Update"
    }

    /// Where the rows are.
    enum Source: String, Sendable, CaseIterable {
        case csv
        case sqlite
        case postgres
        case mysql
        /// The connector in one C file, built as its README says.
        case example

        /// The sources that are there: those whose server runs, too.
        static let all = allCases.filter { source in
            switch source {
            case .csv, .sqlite, .example: true
            case .postgres: (try? PostgresServer.shared.get()) != nil  // Why not is said by ``DatabaseSource``'s tests.
            case .mysql: (try? MariaDBServer.shared.get()) != nil  // The same.
            }
        }

        /// The sources whose columns have types of their own.
        static let typed = all.filter { $0 != .example }

        /// The connection's name.
        var connection: String {
            switch self {
            case .csv: "files"
            case .sqlite: "base"
            case .postgres: "warehouse"
            case .mysql: "shop"
            case .example: "lines"
            }
        }
    }

    var fetch: Fetch
    var insert: Insert
    var source: Source

    var testDescription: String { "\(fetch.rawValue) + \(insert.rawValue) from \(source.rawValue)" }

    static let all = Source.all.flatMap { source in
        Fetch.allCases.flatMap { fetch in
            Insert.allCases.map { Combination(fetch: fetch, insert: $0, source: source) }
        }
    }
}

/// Rows of the table `orgs`, with the columns key, pd, company, tier, arr and updated_at.
struct Rows: Sendable {
    /// The CSV setting `types` of the table.
    static let types = "{pd: integer, arr: decimal, updated_at: timestamp}"

    private static let columns = "key,pd,company,tier,arr,updated_at"

    private(set) var lines: [String]

    /// Rows, each with its values as CSV without quotes; an empty one is NULL.
    init(_ lines: [String]) { self.lines = lines }

    /// Writes the rows as a table of a project, in the place of those that were there.
    func write(_ project: TemporaryProject, _ source: Combination.Source = .csv) throws {
        switch source {
        case .csv: try project.csv("orgs", [Self.columns] + lines)
        case .example:
            try ExampleConnector.use(in: project)
            try project.write("lines/orgs.jsonl", lines.map { jsonLine($0) + "\n" }.joined())
        case .sqlite:
            try project.sql(
                """
                DROP TABLE IF EXISTS orgs;
                CREATE TABLE orgs (
                    key TEXT PRIMARY KEY, pd INTEGER, company TEXT, tier TEXT, arr DECIMAL, updated_at DATETIME);
                \(inserts)
                """)
        case .postgres:
            try project.postgres(
                """
                DROP TABLE IF EXISTS orgs;
                CREATE TABLE orgs (
                    key text PRIMARY KEY, pd bigint, company text, tier text, arr numeric, updated_at timestamp);
                \(inserts)
                """)
        case .mysql:
            try project.mysql(
                """
                DROP TABLE IF EXISTS orgs;
                CREATE TABLE orgs (
                    `key` varchar(40) PRIMARY KEY, pd bigint, company text, tier text, arr varchar(20),
                    updated_at datetime(6));
                \(inserts)
                """)
        }
    }

    private var inserts: String {
        let inserts = lines.map { line in
            let values = line.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.isEmpty ? "NULL" : "'\($0)'" }
            return "INSERT INTO orgs VALUES (\(values.joined(separator: ", ")));"
        }
        return inserts.joined(separator: "\n")
    }

    private func jsonLine(_ line: String) -> String {
        let values = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var object = JSONObject()
        for (name, value) in zip(Self.columns.split(separator: ",").map(String.init), values) where !value.isEmpty {
            object.append(name, ["pd", "arr"].contains(name) ? .number(value) : .string(value))
        }
        return JSON.object(object).text
    }
}

extension Combination {
    /// The sync `orgs` of this combination.
    func sync(_ more: String = "") -> String {
        let id = insert == .update ? "id: pd, " : ""
        let key = fetch == .incremental ? ", key: updated_at" : ""
        return """
            source: {connection: \(source.connection), table: orgs, key: key}
            map: {\(id)name: company, Account tier: tier, ARR (EUR): arr}
            fetch: {mode: \(fetch.rawValue)\(key)}
            insert: {mode: \(insert.rawValue)}
            \(more)
            """
    }
}
