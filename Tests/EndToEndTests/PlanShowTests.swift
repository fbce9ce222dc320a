// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// What `plan` shows, with and without asking, of all rows and of some.
@Suite struct PlanShowTests {
    private func project(_ rows: [String], insert: String = "{mode: Update, on_missing: create}") throws
        -> TemporaryProject
    {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: tier}
            insert: \(insert)
            """)
        return project
    }

    @Test("All rows are shown in the order of the source, as text and as lines for programs")
    func everyRow() throws {
        let project = try project((1...9).map { "k\($0),,Name \($0),\($0 == 4 ? "" : "Gold")" } + ["k10,,,Gold"])
        let text = try project.penstock("plan", "orgs", "--diff", "all").output
        let places = try (1...9).map { try #require(text.range(of: "+ organization   k\($0)\n")).lowerBound }
        #expect(places == places.sorted())
        #expect(text.contains("! row 10   k10"))
        let few = try project.penstock("plan", "orgs", "--diff", "2").output
        #expect(few.contains("k2\n") && !few.contains("k3\n") && few.contains("… 7 more"))
        let lines = try project.penstock("plan", "orgs", "--diff", "all", "-o", "jsonl").output.split(separator: "\n")
            .map { try JSON(parsing: String($0)) }
        #expect(lines.count == 11)
        #expect(lines[0]["counts"]?["created"]?.intValue == 9)
        #expect(lines.dropFirst().compactMap { $0["row"]?.intValue } == Array(1...10))
        let document = try JSON(parsing: project.penstock("plan", "orgs", "--diff", "all", "--json").output)
        #expect(document["data"]?.arrayValue?.first?["examples"]?.arrayValue?.count == 10)
    }

    @Test("The cost stands there by kind, and adds up")
    func costs() throws {
        let project = try project(["k1,1,Alpha,Gold", "k2,,Beta,Gold"])
        try project.server.create(["name": .string("Old")])
        let plan = try project.plan()
        let cost = plan["cost"]
        let parts = ["tokens_fields", "tokens_records", "tokens_create", "tokens_update", "tokens_ask"]
        #expect(parts.compactMap { cost[$0]?.intValue }.reduce(0, +) == cost["tokens"]?.intValue)
        #expect(cost["planning"]?["tokens"]?.intValue == plan.tokens)
        let text = try project.penstock("plan").output
        for words in ["fields, users, options", "create 1 × 5", "update 1 × 5", "left today", "planning itself cost"] {
            #expect(text.contains(words), "\(words): \(text)")
        }
        #expect(try project.run().tokens == cost["tokens"]?.intValue)
        #expect(try project.penstock("plan").output.contains("comparing saves 10 tokens"))
    }

    @Test("Offline nobody is asked, and what only the destination knows is said to be undecided")
    func offline() throws {
        let project = try project(["k1,1,Alpha,Gold", "k2,,Beta,Gold"])
        try project.server.create(["name": .string("Old")])
        let without = try project.penstock("plan", "--offline")
        #expect(without.status == 78 && without.errors.contains("error[offline]"), "\(without.everything)")
        #expect(try project.run().counts == "fetched 2, created 1, updated 1")
        try project.csv(
            "orgs", ["key,pd,company,tier", "k1,1,Alpha 2,Gold", "k2,,Beta,Gold", "k3,,Gamma,Gold", "k4,1,Delta,Gold"])
        let requests = project.server.counters.byRoute.values.reduce(0, +)
        let plan = try project.plan("--offline")
        #expect(plan.tokens == 0 && project.server.counters.byRoute.values.reduce(0, +) == requests)
        #expect(plan.count("updated") == 1 && plan.count("created") == 1 && plan.count("unchanged") == 1)
        #expect(plan["undecided"].intValue == 0 && plan.rejects == "duplicate-target 1", "\(plan.data.prettyText)")
        try project.csv("orgs", ["key,pd,company,tier", "k9,1,Alpha 2,Gold"])
        #expect(try project.plan("--offline")["undecided"].intValue == 1)
        let text = try project.penstock("plan", "--offline").output
        #expect(text.contains("Offline  nobody was asked") && text.contains("1  ? undecided"), "\(text)")
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company, ARR (EUR): pd}")
        #expect(try project.penstock("plan", "--offline").status == 78, "the map names a field that was not told")
    }

    @Test("A sample says that it is one, and what it comes to is marked as reckoned")
    func sample() throws {
        let project = try project((1...50).map { "k\($0),,Name \($0),Gold" })
        let plan = try project.plan("--rows", "10")
        #expect(plan.counts == "fetched 10, created 10")
        #expect(plan["sample"]["unread"]?.intValue == 40, "\(plan.data.prettyText)")
        let text = try project.penstock("plan", "--rows", "10").output
        #expect(text.contains("10 rows: a sample"), "\(text)")
        #expect(text.contains("Extrapolated from 10 rows to 50") && text.contains("about 50 to create"), "\(text)")
        let whole = try project.penstock("plan", "--rows", "100").output
        #expect(!whole.contains("sample"), "a sample of everything is everything")
    }
}
