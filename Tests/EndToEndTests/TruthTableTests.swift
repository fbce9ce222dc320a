// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Every fetch mode with every insert mode from every source, by its records, counts and tokens.
@Suite struct TruthTableTests {
    private static let rows = Rows([
        "k1,1,Alpha,Gold,10.5,2026-03-01 10:00:00.000001",
        "k2,2,Beta,Silver,20,2026-03-01 10:00:00.000002",
        "k3,3,Gamma,Bronze,30,2026-03-01 10:00:00.000003",
        "k4,4,Delta,Gold,40,2026-03-01 10:00:00.000003",
    ])
    private static let laterRows = [
        "k5,5,Tie,Gold,50,2026-03-01 10:00:00.000003", "k6,6,Later,Silver,60,2026-03-01 10:00:00.000004",
    ]

    /// What one run is to do.
    private struct Expected {
        var counts: String
        var tokens: Int
    }

    private func expected(_ combination: Combination) -> [Expected] {
        switch (combination.fetch, combination.insert) {
        case (.full, .append):
            [
                Expected(counts: "fetched 4, created 4", tokens: 30),
                Expected(counts: "fetched 4, created 4", tokens: 30),
                Expected(counts: "fetched 6, created 6", tokens: 40),
                Expected(counts: "fetched 6, created 6", tokens: 40),
            ]
        case (.full, .update):
            [
                Expected(counts: "fetched 4, updated 3, unchanged 1", tokens: 29),
                Expected(counts: "fetched 4, unchanged 4", tokens: 10),
                // Two rows that the ledger does not know are looked at, for a token each.
                Expected(counts: "fetched 6, updated 2, unchanged 4", tokens: 22),
                Expected(counts: "fetched 6, unchanged 6", tokens: 10),
            ]
        case (.incremental, .append):
            [
                Expected(counts: "fetched 4, created 4", tokens: 30),
                Expected(counts: "reread 2", tokens: 10),
                Expected(counts: "fetched 2, created 2, reread 2", tokens: 20),
                Expected(counts: "reread 1", tokens: 10),
            ]
        case (.incremental, .update):
            [
                Expected(counts: "fetched 4, updated 3, unchanged 1", tokens: 29),
                Expected(counts: "reread 2", tokens: 10),
                Expected(counts: "fetched 2, updated 2, reread 2", tokens: 22),
                Expected(counts: "reread 1", tokens: 10),
            ]
        }
    }

    private func seed(_ project: TemporaryProject) throws {
        for number in 1...6 {
            let isEqual = number == 2
            try project.server.create(
                [
                    "name": .string(isEqual ? "Beta" : "Old \(number)"),
                    "website": .string("https://w\(number).example"),
                ],
                custom: [
                    "Customer key": .string("kept \(number)"), "Account tier": .string(isEqual ? "Silver" : "None"),
                    "ARR (EUR)": .number(isEqual ? "20" : "1"),
                ])
        }
    }

    @Test("What is planned is what happens", arguments: Combination.all)
    func runsAsPlanned(combination: Combination) throws {
        let project = try TemporaryProject(types: Rows.types)
        if combination.insert == .update { try seed(project) }
        try Self.rows.write(project, combination.source)
        try project.sync(combination.sync())
        for (number, expected) in expected(combination).enumerated() {
            if number == 2 { try Rows(Self.rows.lines + Self.laterRows).write(project, combination.source) }
            let report = try project.runAsPlanned()
            #expect(report.status == 0, "\(report.result.errors)")
            #expect(report.counts == expected.counts, "run \(number + 1)")
            #expect(report.tokens == expected.tokens, "run \(number + 1)")
            if combination.fetch == .incremental {
                let after = number < 2 ? "2026-03-01T10:00:00.000003" : "2026-03-01T10:00:00.000004"
                let isText = combination.source == .example
                let text = isText ? after.replacing("T", with: " ") : after
                #expect(report["watermark"]["after"]?.stringValue == text)
            }
        }
        let first = ["Alpha", "Beta", "Gamma", "Delta"]
        let all = first + ["Tie", "Later"]
        switch (combination.fetch, combination.insert) {
        case (.full, .append): #expect(project.server.names.sorted() == (first + first + all + all).sorted())
        case (.incremental, .append): #expect(project.server.names.sorted() == all.sorted())
        case (_, .update): checkUpdated(project, all)
        }
        #expect(project.server.counters.burst429 == 0 && project.server.counters.unauthorized401 == 0)
    }

    private func checkUpdated(_ project: TemporaryProject, _ names: [String]) {
        let tiers = ["Gold", "Silver", "Bronze", "Gold", "Gold", "Silver"]
        let values = ["10.5", "20", "30", "40", "50", "60"]
        #expect(project.server.names == names)
        for id in 1...6 {
            #expect(project.server.custom("Account tier", of: id) == tiers[id - 1])
            #expect(project.server.custom("ARR (EUR)", of: id) == values[id - 1])
            #expect(project.server.custom("Customer key", of: id) == "kept \(id)", "what is not mapped stays")
            #expect(project.server.organization(id)?.properties["website"]?.stringValue == "https://w\(id).example")
        }
        #expect(project.server.counters.updated == 5)
        #expect(project.server.counters.unchanged == 0, "what is equal is not sent")
        #expect(project.server.counters.created == 6, "an update creates nothing")
    }

    @Test("A created record has exactly what is mapped", arguments: Combination.Source.all)
    func createsExactly(source: Combination.Source) throws {
        let project = try TemporaryProject(types: Rows.types)
        try Rows(["k1,1,Alpha,Gold,10.5,2026-03-01 10:00:00"]).write(project, source)
        try project.sync(Combination(fetch: .full, insert: .append, source: source).sync())
        _ = try project.runAsPlanned()
        let record = try #require(project.server.organization(1))
        #expect(record.properties["name"] == .string("Alpha"))
        #expect(record.properties["owner_id"] == .integer(101), "the owner of the token")
        #expect(record.customFields.count == 2)
        #expect(project.server.custom("Account tier", of: 1) == "Gold")
        #expect(project.server.custom("ARR (EUR)", of: 1) == "10.5")
    }

    @Test("A model is read as a table is")
    func readsModels() throws {
        let project = try TemporaryProject()
        try Self.rows.write(project, .sqlite)
        try project.write(
            "models/gold.sql",
            "-- connection: base\n-- key: key\nSELECT key, upper(company) AS loud FROM orgs WHERE tier = 'Gold'\n")
        try project.sync("source: {model: gold}\nmap: {name: loud}")
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 2, created 2")
        #expect(project.server.names.sorted() == ["ALPHA", "DELTA"])
    }

    @Test("A column that a query has twice is refused where it is used")
    func refusesRepeatedColumns() throws {
        let project = try TemporaryProject()
        try project.write("models/twice.sql", "-- connection: base\nSELECT 1 AS v, 2 AS v, 'n' AS name\n")
        try project.sync("source: {model: twice}\nmap: {name: name, Customer key: v}")
        let result = try project.penstock("run")
        #expect(result.status == 78 && result.everything.contains("error[column-ambiguous]"), "\(result.everything)")
        try project.sync("source: {model: twice}\nmap: {name: name}")
        #expect(try project.penstock("run").everything.contains("column-ambiguous") == false)
    }
}
