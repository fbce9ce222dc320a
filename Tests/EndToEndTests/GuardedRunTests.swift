// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// A guarded run looks at a record right before it is changed, and not at all of them before the first one.
@Suite struct GuardedRunTests {
    private func project(
        _ rows: [String], compare: String, budget: String = "{burst: 100000, window: 2s}", more: String = ""
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(budget: budget)
        try write(rows, project)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: tier}
            insert: {mode: Update, compare: \(compare)\(more)}
            rejects: {max: 10}
            """)
        return project
    }

    private func write(_ rows: [String], _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
    }

    private func seal(_ project: TemporaryProject) throws {
        let result = try project.penstock("plan", "orgs", "--guard", "-O", "orgs.plan")
        try #require(result.status == 0, "\(result.everything)")
    }

    private func apply(_ project: TemporaryProject) throws -> SyncReport {
        let before = project.server.counters.tokensSpent
        let result = try project.penstock("run", "orgs", "--plan", "orgs.plan", "--json")
        return try SyncReport(result, tokens: project.server.counters.tokensSpent - before)
    }

    @Test("An edit while the run is at work is found for rows that are not written yet")
    func editedMeanwhile() throws {
        let count = 205
        let project = try project(
            (1...count).map { "k\($0),\($0),New \($0),Gold" }, compare: "none", budget: "{burst: 20, window: 1s}")
        for number in 1...count { try project.server.create(["name": .string("Old \(number)")]) }
        try seal(project)
        let writes = project.server.writes
        let before = project.server.counters.tokensSpent
        let running = try project.start("run", "orgs", "--plan", "orgs.plan", "--json")
        try running.wait("it has sent some") { project.server.writes >= writes + 5 }
        try project.server.edit(count - 1, ["name": .string("By hand")])
        let report = try SyncReport(try running.result(), tokens: project.server.counters.tokensSpent - before)
        #expect(report.counts == "fetched 205, updated 204, rejected 1", "\(report.result.everything)")
        #expect(report.rejects == "changed-since-plan 1")
        #expect(project.server.names.contains("By hand"))
        // The server has counted the edit by hand, too, which costs as much as the update that was not sent.
        #expect(report["predicted"]["tokens"]?.intValue == report.tokens)
    }

    @Test(
        "Without an edit a guarded run costs what was planned, however the sync compares",
        arguments: ["auto", "ledger", "remote", "none"])
    func asPlanned(compare: String) throws {
        func rows(_ word: String) -> [String] {
            (1...130).map { "k\($0),\($0),\($0 % 3 == 0 ? word : "Same") \($0),Gold" }
        }
        let project = try project(rows("New"), compare: compare)
        for number in 1...130 { try project.server.create(["name": .string("Old \(number)")]) }
        for word in ["New", "Newer"] {
            try write(rows(word), project)
            try seal(project)
            let report = try apply(project)
            #expect(report.status == 0 && report["as_planned"].boolValue == true, "\(report.data.prettyText)")
            #expect(report["predicted"]["tokens"]?.intValue == report.tokens, "\(report.data.prettyText)")
        }
        #expect(project.server.names.count { $0.hasPrefix("Newer ") } == 43)
    }

    @Test("A row for which nothing was to be sent is left alone where its record has changed since")
    func unplanned() throws {
        let rows = ["k1,1,One,Gold", "k2,2,Two,Gold"]
        let project = try project(rows, compare: "ledger")
        for name in ["Old 1", "Old 2"] { try project.server.create(["name": .string(name)]) }
        #expect(try project.run().counts == "fetched 2, updated 2")
        // What the ledger does not know: somebody has made the same change by hand.
        try write(["k1,1,Uno,Gold", "k2,2,Due,Gold"], project)
        try project.server.edit(1, ["name": .string("Uno")])
        try project.write("syncs/orgs.yml", project.text("syncs/orgs.yml") + "\nlimits: {updates: 1}\n")
        try seal(project)
        let kept = try apply(project)
        #expect(kept.counts == "fetched 2, updated 1, unchanged 1", "\(kept.result.everything)")
        #expect(kept["as_planned"].boolValue == true && kept["predicted"]["tokens"]?.intValue == kept.tokens)
        try write(["k1,1,Un,Gold", "k2,2,Deux,Gold"], project)
        try project.server.edit(1, ["name": .string("Un")])
        try seal(project)
        try project.server.edit(1, ["name": .string("By hand")])
        let report = try apply(project)
        #expect(report.counts == "fetched 2, updated 1, rejected 1", "\(report.result.everything)")
        #expect(report.rejects == "changed-since-plan 1")
        #expect(project.server.names == ["By hand", "Deux"])
    }

    @Test("A record that was gone is created as planned; one that is gone since is left to the next run")
    func gone() throws {
        let project = try project(["k1,,One,Gold", "k2,,Two,Gold"], compare: "ledger", more: ", on_missing: create")
        #expect(try project.run().counts == "fetched 2, created 2")
        try write(["k1,,Uno,Gold", "k2,,Due,Gold"], project)
        try project.server.delete(1)
        try seal(project)
        try project.server.delete(2)
        let report = try apply(project)
        #expect(report.counts == "fetched 2, created 1, rejected 1", "\(report.result.everything)")
        #expect(report.rejects == "changed-since-plan 1")
        #expect(project.server.names == ["Uno"])
        #expect(try project.run().counts == "fetched 2, created 1, unchanged 1")
    }
}
