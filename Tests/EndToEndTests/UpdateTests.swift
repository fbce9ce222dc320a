// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Update changes the mapped fields of records that exist, and nothing else.
@Suite struct UpdateTests {
    /// A project with the sync `orgs` over a CSV table of key, pd, company, tier.
    private func project(
        _ rows: [String], map: String, insert: String, more: String = "",
        _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(configure)
        try write(rows, project)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: \(map)
            insert: \(insert)
            \(more)
            """)
        return project
    }

    private func write(_ rows: [String], _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
    }

    // MARK: - Rows without a record

    @Test(
        "A row without an id is rejected, skipped or created",
        arguments: [
            ("reject", "fetched 2, updated 1, rejected 1", Int32(65)), ("skip", "fetched 2, updated 1, skipped 1", 0),
            ("create", "fetched 2, created 1, updated 1", 0),
        ])
    func onMissing(choice: String, counts: String, status: Int32) throws {
        let project = try project(
            ["k1,1,Alpha,Gold", "k2,,Beta,Gold"], map: "{id: pd, name: company}",
            insert: "{mode: Update, on_missing: \(choice)}")
        try project.server.create(["name": .string("Old")])
        let report = try project.runAsPlanned()
        #expect(report.counts == counts)
        #expect(report.status == status)
        #expect(report.rejects == (choice == "reject" ? "id-missing 1" : ""))
        #expect(project.server.names == (choice == "create" ? ["Alpha", "Beta"] : ["Alpha"]))
    }

    @Test("A record whose row has left the source is reported, and stays")
    func removedRowsAreReported() throws {
        let project = try project(
            ["k1,,Alpha,Gold", "k2,,Beta,Gold"], map: "{id: pd, name: company}",
            insert: "{mode: Update, on_missing: create}")
        #expect(try project.runAsPlanned().counts == "fetched 2, created 2")
        try write(["k2,,Beta,Gold"], project)
        #expect(try project.runAsPlanned().counts == "fetched 1, unchanged 1, removed 1")
        #expect(project.server.names == ["Alpha", "Beta"])
        let text = try project.penstock("run", "orgs").everything
        #expect(text.contains("removed     1 row no longer in the source"), "\(text)")
        #expect(text.contains("k1"), "it is named: \(text)")
        let shown = try project.penstock("history", "show", "latest").everything
        #expect(shown.contains("removed"), "\(shown)")
    }

    @Test("What was created for a row is remembered, and updated by the next run")
    func createdIsRemembered() throws {
        let project = try project(
            ["k1,,Alpha,Gold", "k2,,Beta,Gold"], map: "{id: pd, name: company, Account tier: tier}",
            insert: "{mode: Update, on_missing: create}")
        #expect(try project.runAsPlanned().counts == "fetched 2, created 2")
        let again = try project.runAsPlanned()
        #expect(again.counts == "fetched 2, unchanged 2")
        #expect(again.tokens == 10, "what the ledger knows costs nothing")
        try write(["k1,,Alpha,Silver", "k2,,Beta,Gold"], project)
        #expect(try project.runAsPlanned().counts == "fetched 2, updated 1, unchanged 1")
        #expect(project.server.names.sorted() == ["Alpha", "Beta"])
        let alpha = try #require(project.server.organizations.first { $0.properties["name"] == .string("Alpha") })
        #expect(project.server.custom("Account tier", of: alpha.id) == "Silver")
    }

    @Test("An id that does not exist is rejected and never created", arguments: ["auto", "remote", "ledger", "none"])
    func unknownID(compare: String) throws {
        let project = try project(
            ["k1,4711,Alpha,Gold", "k2,1,Beta,Gold", "k3,2,Gamma,Gold"], map: "{id: pd, name: company}",
            insert: "{mode: Update, on_missing: create, compare: \(compare)}")
        try project.server.create(["name": .string("Old")])
        try project.server.create(["name": .string("Deleted")])
        try project.server.delete(2)
        let report = try project.run()
        #expect(report.counts == "fetched 3, updated 1, rejected 2")
        #expect(report.rejects == "not-found 2")
        #expect(project.server.names == ["Beta"])
        #expect(project.server.counters.created == 2, "only what the test created")
        let shown = try project.penstock("reject", "show", "orgs")
        #expect(shown.output.contains("4711"))
    }

    // MARK: - Match

    @Test("A record is found by a custom field", arguments: ["Customer key", "name"])
    func matches(field: String) throws {
        let map =
            field == "name"
            ? "{name: company, Account tier: tier}" : "{Customer key: key, name: company, Account tier: tier}"
        let project = try project(
            ["k1,,Alpha,Gold", "k2,,Beta,Gold", "k3,,Gamma,Gold"], map: map,
            insert: "{mode: Update, match: \(field), on_missing: create}")
        try project.server.create(
            ["name": .string("Alpha")], custom: ["Customer key": .string("k1"), "Account tier": .string("Silver")])
        try project.server.create(
            ["name": .string("Beta")], custom: ["Customer key": .string("k2"), "Account tier": .string("Gold")])
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 3, created 1, updated 1, unchanged 1")
        #expect(report.tokens == 10 + 10 + 5 + 5, "fields, all records, one create, one update")
        #expect(project.server.names == ["Alpha", "Beta", "Gamma"])
        #expect((1...3).map { project.server.custom("Account tier", of: $0) } == ["Gold", "Gold", "Gold"])
        let again = try project.runAsPlanned()
        #expect(again.counts == "fetched 3, unchanged 3")
        #expect(again.tokens == 10)
    }

    @Test("An ambiguous match is rejected with the ids of both")
    func ambiguous() throws {
        let project = try project(
            ["k1,,Alpha,Gold", "k2,,Beta,Gold"], map: "{Customer key: key, name: company}",
            insert: "{mode: Update, match: Customer key, on_missing: create}")
        for key in ["k1", "k2", "k1"] {
            try project.server.create(["name": .string("Old")], custom: ["Customer key": .string(key)])
        }
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 2, updated 1, rejected 1")
        #expect(report.rejects == "match-ambiguous 1")
        #expect(project.server.names == ["Old", "Beta", "Old"])
        let shown = try project.penstock("reject", "show", "orgs", "--json").json["data"]?.arrayValue?.first
        #expect(shown?["message"]?.stringValue?.contains("1 and 3") == true)
    }

    @Test("Without a match a row is rejected unless it is said otherwise", arguments: ["reject", "skip"])
    func unmatched(choice: String) throws {
        let project = try project(
            ["k1,,Alpha,Gold"], map: "{Customer key: key, name: company}",
            insert: "{mode: Update, match: Customer key, on_missing: \(choice)}")
        let report = try project.runAsPlanned()
        #expect(report.counts == (choice == "skip" ? "fetched 1, skipped 1" : "fetched 1, rejected 1"))
        #expect(report.rejects == (choice == "skip" ? "" : "match-missing 1"))
        #expect(project.server.writes == 0)
    }

    // MARK: - NULL

    @Test("A NULL leaves a field alone unless it is to be cleared", arguments: ["keep", "clear"])
    func onNull(choice: String) throws {
        let project = try project(
            ["k1,1,Alpha,"], map: "{id: pd, name: company, website: tier, Account tier: tier}",
            insert: "{mode: Update, on_null: \(choice)}")
        try project.server.create(
            ["name": .string("Old"), "website": .string("https://old.example")],
            custom: ["Account tier": .string("Gold")])
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        let record = try #require(project.server.organization(1))
        #expect(record.properties["name"] == .string("Alpha"))
        let isKept = choice == "keep"
        #expect(record.properties["website"] ?? .null == (isKept ? .string("https://old.example") : .null))
        #expect(project.server.custom("Account tier", of: 1) == (isKept ? "Gold" : ""))
    }

    @Test("A field that cannot be cleared rejects its row")
    func cannotClear() throws {
        let project = try project(
            ["k1,1,,Gold", "k2,2,Beta,Gold"], map: "{id: pd, name: company, Account tier: tier}",
            insert: "{mode: Update, on_null: clear}")
        for _ in 1...2 { try project.server.create(["name": .string("Old")]) }
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 2, updated 1, rejected 1")
        #expect(report.rejects == "cannot-clear 1")
        let shown = try project.penstock("reject", "show", "orgs", "--json").everything
        #expect(shown.contains("guard: never-null"), "\(shown)")
        #expect(project.server.names == ["Old", "Beta"])
    }

    @Test("A field that cannot be cleared is left alone where that is asked for")
    func neverNull() throws {
        let project = try project(
            ["k1,1,Alpha,", "k2,,Beta,"], map: "{id: pd, name: company, address: {from: tier, guard: never-null}}",
            insert: "{mode: Update, on_missing: create, on_null: clear}")
        let address = JSON.object(["value": .string("1 Main St")])
        try project.server.create(["name": .string("Old"), "address": address])
        #expect(try project.runAsPlanned().counts == "fetched 2, created 1, updated 1")
        #expect(project.server.names == ["Alpha", "Beta"])
        #expect(project.server.value("address", of: 1, "organization").contains("1 Main St"))
    }

    // MARK: - Compare

    /// What a second run does after a hand edit, by the way of comparing: counts, tokens, the name afterwards.
    private static let secondRuns: [(compare: String, first: Int, counts: String, tokens: Int, name: String)] = [
        ("auto", 16, "fetched 1, unchanged 1", 10, "By hand"), ("ledger", 15, "fetched 1, unchanged 1", 10, "By hand"),
        ("remote", 16, "fetched 1, updated 1", 16, "Alpha"), ("none", 15, "fetched 1, updated 1", 15, "Alpha"),
    ]

    @Test("A hand edit is healed by those who look at the record", arguments: secondRuns)
    func compares(run: (compare: String, first: Int, counts: String, tokens: Int, name: String)) throws {
        let project = try project(
            ["k1,1,Alpha,Gold"], map: "{id: pd, name: company, Account tier: tier}",
            insert: "{mode: Update, compare: \(run.compare)}")
        try project.server.create(["name": .string("Old")])
        let first = try project.runAsPlanned()
        #expect(first.counts == "fetched 1, updated 1")
        #expect(first.tokens == run.first)
        try project.server.edit(1, ["name": .string("By hand")])
        let second = try project.runAsPlanned()
        #expect(second.counts == run.counts)
        #expect(second.tokens == run.tokens)
        #expect(project.server.names == [run.name])
    }

    @Test("Comparing with the records sends only what differs")
    func sendsDifferences() throws {
        let log = TemporaryProject.scratchFile()
        let project = try project(
            ["k1,1,Alpha,Silver"], map: "{id: pd, name: company, Account tier: tier}",
            insert: "{mode: Update, compare: remote}"
        ) { $0.log = log }
        try project.server.create(["name": .string("Alpha")], custom: ["Account tier": .string("Gold")])
        _ = try project.runAsPlanned()
        let code = try #require(project.server.fieldCode("Account tier"))
        #expect(try project.patches(log) == ["{\"custom_fields\":{\"\(code)\":\"Silver\"}}"])
    }

    @Test("Only mapped fields are sent, and an empty list of custom fields never")
    func sendsMappedFieldsOnly() throws {
        let log = TemporaryProject.scratchFile()
        let project = try project(
            ["k1,1,Alpha,", "k2,2,Beta,"], map: "{id: pd, name: company, Account tier: tier}",
            insert: "{mode: Update, compare: none}"
        ) { $0.log = log }
        for number in 1...2 {
            try project.server.create(
                ["name": .string("Old"), "website": .string("https://w\(number).example")],
                custom: ["Account tier": .string("Gold"), "Customer key": .string("kept")])
        }
        let before = project.server.organizations.map(\.text)
        #expect(try project.runAsPlanned().counts == "fetched 2, updated 2")
        #expect(try project.patches(log).sorted() == ["{\"name\":\"Alpha\"}", "{\"name\":\"Beta\"}"])
        let after = project.server.organizations.map(\.text)
        #expect(
            after.map {
                $0.replacing("name=\"Alpha\"", with: "name=\"Old\"").replacing("name=\"Beta\"", with: "name=\"Old\"")
            }
                == before)
    }
}
