// SPDX-License-Identifier: Apache-2.0

import Foundation
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

    /// A project with a FULL sync whose fields are guarded, and a finished run of so many rows that changed nothing.
    ///
    /// - Parameter others: How many records of others have smaller ids, so that reading the list is the dearer way.
    private func ordinary(_ count: Int, behind others: Int) throws -> TemporaryProject {
        let project = try TemporaryProject(budget: "{burst: 50, window: 1s}")
        try write(count, "Old", behind: others, project)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company}
            insert: {mode: Update, compare: remote, guard: if-unchanged-since-us}
            """)
        for _ in 0..<others { try project.server.create(["name": .string("Another")]) }
        for number in 1...count { try project.server.create(["name": .string("Old \(number)")]) }
        #expect(try project.run().counts == "fetched \(count), unchanged \(count)")
        let file = try project.text("syncs/orgs.yml")
        try project.write("syncs/orgs.yml", file.replacing("compare: remote", with: "compare: ledger"))
        return project
    }

    private func write(_ count: Int, _ word: String, behind others: Int, _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,pd,company"] + (1...count).map { "k\($0),\(others + $0),\(word) \($0)" })
    }

    @Test(
        "Where the usual limit counts half of the rows first, their guarded fields are looked at right before they go")
    func countedFirst() throws {
        let others = 3_500
        let project = try ordinary(600, behind: others)
        try write(600, "New", behind: others, project)
        let writes = project.server.writes
        let running = try project.start("run", "orgs", "--json")
        try running.wait("it has sent some") { project.server.writes >= writes + 5 }
        // In the half that is counted, and further on than what is looked at when the first rows go.
        try project.server.edit(others + 290, ["name": .string("By hand")])
        let report = try SyncReport(try running.result(), tokens: 0)
        #expect(report.counts == "fetched 600, updated 599, unchanged 1, conflicts 1", "\(report.result.everything)")
        #expect(project.server.names.contains("By hand") && project.server.names.count { $0.hasPrefix("New ") } == 599)
    }

    @Test("A source that shrinks by more than half stops a run with guarded fields before anything is looked at")
    func shrunk() throws {
        let project = try ordinary(10, behind: 0)
        try write(4, "New", behind: 0, project)
        let writes = project.server.writes
        let result = try project.penstock("run", "orgs")
        #expect(result.status == 65 && result.errors.contains("error[limit-shrink]"), "\(result.everything)")
        #expect(
            result.errors.contains("the source has 4 rows, and had 10 in the last finished run"), "\(result.errors)")
        #expect(project.server.writes == writes)
        let passed = try project.run("--yes-really", "shrink")
        #expect(passed.count("fetched") == 4 && passed.count("updated") == 4, "\(passed.counts)")
    }

    @Test("A guarded run that is killed goes on, and leaves nothing alone that it has sent itself")
    func killed() throws {
        let count = 120
        let project = try project(
            (1...count).map { "k\($0),\($0),New \($0),Gold" }, compare: "none", budget: "{burst: 20, window: 1s}")
        for number in 1...count { try project.server.create(["name": .string("Old \(number)")]) }
        try seal(project)
        let writes = project.server.writes
        let running = try project.start("run", "orgs", "--plan", "orgs.plan", "--json")
        try running.wait("it has sent some") { project.server.writes >= writes + 25 }
        running.send(SIGKILL)
        _ = try running.result()
        let report = try apply(project)
        #expect(report.result.status == 0 && report.count("rejected") == 0, "\(report.result.everything)")
        #expect(project.server.names == (1...count).map { "New \($0)" })
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

    @Test("A row that is refused and sent again is looked at again first")
    func refusedMeanwhile() throws {
        let project = try project(["k1,1,New,Gold"], compare: "none")
        try project.server.create(["name": .string("Old")])
        try seal(project)
        let report = try run(project, "orgs.plan") { try project.server.edit(1, ["name": .string("By hand")]) }
        #expect(report.counts == "fetched 1, rejected 1", "\(report.result.everything)")
        #expect(report.rejects == "changed-since-plan 1")
        #expect(project.server.names == ["By hand"])
    }

    @Test("A field that is edited while its row waits to be sent again is held back")
    func heldMeanwhile() throws {
        let project = try project(["k1,1,New,Gold"], compare: "auto", more: ", guard: if-unchanged-since-us")
        try project.server.create(["name": .string("New")])
        try write(["k1,1,New,Silver"], project)
        #expect(try project.run().counts == "fetched 1, updated 1")
        try write(["k1,1,Newer,Gold"], project)
        let report = try run(project, nil) {
            try project.server.edit(1, [:], custom: ["Account tier": .string("By hand")])
        }
        #expect(report.counts == "fetched 1, updated 1, conflicts 1", "\(report.result.everything)")
        #expect(report["conflict"].arrayValue?.first?["live"]?.stringValue == "By hand")
        #expect(project.server.names == ["Newer"] && project.server.custom("Account tier", of: 1) == "By hand")
        #expect(try project.run().counts == "fetched 1, unchanged 1, conflicts 1")
    }

    /// Runs, and does something while the first update waits to be sent again.
    private func run(
        _ project: TemporaryProject, _ plan: String?, _ meanwhile: () throws -> Void
    ) throws -> SyncReport {
        // Its answer says to wait for a second.
        try project.server.play("status=429:nth=1:method=PATCH")
        let writes = project.server.writes
        let words = ["run", "orgs", "--json"] + (plan.map { ["--plan", $0] } ?? [])
        let running = try RunningProgram(words, in: project.folder, environment: project.variables)
        try running.wait("it was refused") { project.server.writes > writes }
        try meanwhile()
        return try SyncReport(try running.result(), tokens: 0)
    }

    @Test(
        "An update whose answer was lost is found in its record, and not taken for an edit",
        arguments: ["auto", "none"])
    func lostAnswer(compare: String) throws {
        let project = try project(["k1,1,New,Gold", "k2,2,New,Gold"], compare: compare)
        for name in ["Old 1", "Old 2"] { try project.server.create(["name": .string(name)]) }
        try seal(project)
        try project.server.play("status-after=503:nth=1:method=PATCH")
        let writes = project.server.writes
        let report = try apply(project)
        #expect(report.counts == "fetched 2, updated 2", "\(report.result.everything)")
        #expect(project.server.names == ["New", "New"])
        #expect(project.server.writes == writes + 2, "what has arrived is not sent again")
        let undone = try project.penstock("undo", "latest", "--yes")
        #expect(undone.status == 0 && project.server.names == ["Old 1", "Old 2"], "\(undone.everything)")
    }

    /// A sync that finds records by the field `Customer key`, and has created one for each row.
    private func matching(_ rows: [String], compare: String) throws -> TemporaryProject {
        let project = try TemporaryProject()
        try writeMatching(rows, project)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {Customer key: code, name: company}
            insert: {mode: Update, match: Customer key, on_missing: create, compare: \(compare)}
            rejects: {max: 10}
            """)
        #expect(try project.run().counts == "fetched \(rows.count), created \(rows.count)")
        return project
    }

    private func writeMatching(_ rows: [String], _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,code,company"] + rows)
    }

    @Test(
        "A record that match finds in place of one that is gone is updated as planned, and guarded like others",
        arguments: ["auto", "none"])
    func moved(compare: String) throws {
        let project = try matching((1...5).map { "k\($0),c\($0),Old \($0)" }, compare: compare)
        try writeMatching((1...5).map { "k\($0),c\($0),New \($0)" }, project)
        for number in 1...3 {
            try project.server.delete(number)
            try project.server.create(
                ["name": .string("By hand \(number)")], custom: ["Customer key": .string("c\(number)")])
        }
        try seal(project)
        let same = try apply(project)
        #expect(same.counts == "fetched 5, updated 5", "\(same.result.everything)")
        #expect(same["as_planned"].boolValue == true && same["predicted"]["tokens"]?.intValue == same.tokens)
        #expect(project.server.names == (4...5).map { "New \($0)" } + (1...3).map { "New \($0)" })
        // The records that are updated now are 6, 7 and 8.
        try writeMatching((1...5).map { "k\($0),c\($0),Newer \($0)" }, project)
        for number in 1...3 {
            try project.server.delete(number + 5)
            try project.server.create(
                ["name": .string("Again \(number)")], custom: ["Customer key": .string("c\(number)")])
        }
        try seal(project)
        try project.server.edit(9, ["name": .string("Edited")])
        try project.server.delete(10)
        let report = try apply(project)
        #expect(report.counts == "fetched 5, updated 3, rejected 2", "\(report.result.everything)")
        #expect(report.rejects == "changed-since-plan 2")
        #expect(project.server.names == ["Newer 4", "Newer 5", "Edited", "Newer 3"])
    }

    @Test("Two rows do not go to one record where match finds it in place of one that is gone")
    func twice() throws {
        let project = try matching(["k1,c1,One"], compare: "none")
        try project.server.delete(1)
        try project.server.create(["name": .string("By hand")], custom: ["Customer key": .string("c1")])
        try writeMatching(["k1,c1,Uno", "k2,c1,Due"], project)
        try seal(project)
        let report = try apply(project)
        #expect(report.counts == "fetched 2, updated 1, rejected 1", "\(report.result.everything)")
        #expect(report.rejects == "duplicate-target 1")
        #expect(report["as_planned"].boolValue == true && project.server.names == ["Due"])
    }
}
