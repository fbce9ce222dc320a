// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A run is undone without undoing what people did since.
@Suite struct UndoTests {
    /// A project with the sync `orgs` over a CSV table of key, pd, company, tier, and so many records.
    private func project(
        rows: Int, insert: String, records: Int, more: String = "", budget: String = "{burst: 100000, window: 2s}"
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(budget: budget)
        let hasIDs = insert.contains("Update")
        try project.csv(
            "orgs",
            ["key,pd,company,tier"] + (1...rows).map { "k\($0),\($0 <= records ? "\($0)" : ""),New \($0),Gold" })
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(hasIDs ? "id: pd, " : "")name: company, Account tier: tier}
            insert: \(insert)
            \(more)
            """)
        for number in 0..<records {
            try project.server.create(
                ["name": .string("Old \(number + 1)")],
                custom: number % 2 == 0 ? ["Account tier": .string("Silver")] : [:])
        }
        return project
    }

    /// Undoes as planned; what the plan said it costs is what the server counted.
    private func undo(_ project: TemporaryProject, _ run: String = "latest") throws -> JSON {
        let records = project.server.everything
        let plan = try project.penstock("undo", run, "--dry-run", "--json")
        #expect(plan.status == 0, "\(plan.everything)")
        #expect(project.server.everything == records, "a plan sends nothing")
        let before = project.server.counters.tokensSpent
        let result = try project.penstock("undo", run, "--yes", "--json")
        #expect(result.status == 0, "\(result.everything)")
        let data = try #require(result.json["data"])
        let planned = try #require(plan.json["data"])
        #expect(planned["counts"] == data["counts"])
        #expect(planned["conflict"] == data["conflict"])
        let spent = project.server.counters.tokensSpent - before
        #expect(planned["cost"]?["tokens"]?.intValue == spent && data["api"]?["tokens"]?.intValue == spent)
        return data
    }

    private func counts(_ data: JSON) -> String {
        (data["counts"]?.objectValue?.members ?? []).filter { $0.value.intValue != 0 }
            .map { "\($0.key) \($0.value.text)" }.joined(separator: ", ")
    }

    private func tiers(_ project: TemporaryProject) -> [String] {
        project.server.organizations.map {
            project.server.custom("Account tier", of: $0.id).replacing("null", with: "")
        }
    }

    @Test("Edits by hand survive, everything else is put back", arguments: ["remote", "ledger", "none"])
    func handEdits(compare: String) throws {
        let project = try project(
            rows: 4, insert: "{mode: Update, compare: \(compare)}", records: 4,
            more: compare == "remote" ? "" : "undo: on")
        #expect(try project.runAsPlanned().counts == "fetched 4, updated 4")
        #expect(project.server.names == ["New 1", "New 2", "New 3", "New 4"])
        try project.server.edit(1, ["name": .string("By hand")])
        try project.server.edit(2, [:], custom: ["Account tier": .string("Iron")])
        try project.server.delete(4)
        let data = try undo(project)
        #expect(counts(data) == "records 4, restored 3, restored_fields 4, left 1, conflicts 3")
        #expect(project.server.names == ["By hand", "Old 2", "Old 3"])
        #expect(tiers(project) == ["Silver", "Iron", "Silver"])
        let reasons = data["conflict"]?.arrayValue?.map { $0["reason"]?.stringValue ?? "" }
        #expect(reasons == ["edited", "edited", "gone"])
        let edited = data["conflict"]?.arrayValue?.first
        #expect(edited?["live"]?.stringValue == "By hand" && edited?["written"]?.stringValue == "New 1")
        #expect(edited?["before"]?.stringValue == "Old 1" && edited?["key"]?.stringValue == "k1")
        let again = try undo(project)
        #expect(counts(again) == "records 4, as_before 1, left 3, conflicts 3", "nothing is done twice")
        let first = data["run"]?.stringValue ?? ""
        #expect(again["undone_by"] == .strings([first]))
        let undone = data["undone"]?.stringValue ?? ""
        for option in ["--dry-run", "--yes"] {
            let text = try project.penstock("undo", undone, option)
            #expect(text.output.contains("run \(undone) was undone by run \(first);"), "\(text.everything)")
            #expect(text.output.contains("nothing is left to do but what is left alone"), "\(text.everything)")
        }
        let entry = try project.penstock("history", "list", "--json").json["data"]?.arrayValue?.first
        #expect(entry?["kind"]?.stringValue == "undo" && entry?["status"]?.stringValue == "finished")
    }

    @Test("After an undo the next run sends the rows again")
    func sendsAgain() throws {
        let project = try project(rows: 2, insert: "{mode: Update, compare: remote}", records: 2)
        #expect(try project.runAsPlanned().counts == "fetched 2, updated 2")
        #expect(counts(try undo(project)) == "records 2, restored 2, restored_fields 4")
        #expect(project.server.names == ["Old 1", "Old 2"])
        #expect(tiers(project) == ["Silver", ""], "an empty field is empty again")
        #expect(try project.runAsPlanned().counts == "fetched 2, updated 2")
        #expect(project.server.names == ["New 1", "New 2"])
    }

    @Test("Records that the run created are deleted, unless somebody has changed them")
    func creates() throws {
        let project = try project(rows: 4, insert: "{mode: Update, on_missing: create}", records: 0)
        #expect(try project.runAsPlanned().counts == "fetched 4, created 4")
        try project.server.edit(2, ["name": .string("By hand")])
        try project.server.delete(3)
        let data = try undo(project)
        #expect(counts(data) == "records 4, deleted 2, as_before 1, left 1, conflicts 1")
        #expect(project.server.names == ["By hand"])
        #expect(project.server.counters.deleted == 3, "one of them by hand")
        let next = try project.runAsPlanned()
        #expect(next.counts == "fetched 4, created 3, unchanged 1", "what was deleted is forgotten")
    }

    @Test("An append is undone; what a later run wrote is that run's")
    func appends() throws {
        let project = try project(rows: 2, insert: "{mode: Append, repeat: allow}", records: 0)
        let first = try project.run()["run"].stringValue ?? ""
        _ = try project.run()
        #expect(project.server.names.count == 4)
        #expect(counts(try undo(project, first)) == "records 2, deleted 2")
        #expect(project.server.organizations.map(\.id) == [3, 4])
    }

    @Test("An undo that is killed goes on, and does nothing twice")
    func killed() throws {
        let project = try project(
            rows: 30, insert: "{mode: Update, on_missing: create, compare: remote}", records: 20,
            budget: "{burst: 8, window: 1s}")
        #expect(try project.run().counts == "fetched 30, created 10, updated 20")
        let before = project.server.writes
        let running = try project.start("undo", "latest", "--yes")
        try running.wait("it has sent some") { project.server.writes >= before + 8 }
        running.send(SIGKILL)
        #expect(try running.result().wasKilled)
        let result = try project.penstock("undo", "latest", "--yes", "--json")
        #expect(result.status == 0, "\(result.everything)")
        #expect(try result.json["data"]?["resumed"]?.boolValue == true)
        #expect(project.server.names == (1...20).map { "Old \($0)" })
        #expect(tiers(project) == (0..<20).map { $0 % 2 == 0 ? "Silver" : "" })
        #expect(project.server.writes == before + 20, "every record was put back once")
        #expect(project.server.counters.deleted == 10)
        #expect(counts(try undo(project)) == "records 30, as_before 30")
    }

    @Test("A run that is killed can be undone: what it overwrote is on disk before it is overwritten")
    func killedRun() throws {
        let project = try project(
            rows: 30, insert: "{mode: Update, compare: remote}", records: 30, budget: "{burst: 8, window: 1s}")
        let before = project.server.writes
        let running = try project.start("run", "orgs")
        try running.wait("it has sent some") { project.server.writes >= before + 10 }
        running.send(SIGKILL)
        #expect(try running.result().wasKilled)
        let result = try project.penstock("undo", "latest", "--yes")
        #expect(result.status == 0, "\(result.everything)")
        #expect(project.server.names == (1...30).map { "Old \($0)" })
        #expect(
            try project.penstock("history", "list", "--json").json["data"]?.arrayValue?.last?["status"]?.stringValue
                == "abandoned")
        #expect(try project.run().counts == "fetched 30, updated 30")
    }

    @Test("An undo can be undone, but for what it deleted")
    func undone() throws {
        let project = try project(rows: 3, insert: "{mode: Update, on_missing: create, compare: remote}", records: 2)
        #expect(try project.run().counts == "fetched 3, created 1, updated 2")
        let first = try undo(project)["run"]?.stringValue ?? ""
        #expect(project.server.names == ["Old 1", "Old 2"])
        let back = try undo(project, first)
        #expect(counts(back) == "records 3, restored 2, restored_fields 4, left 1, conflicts 1")
        #expect(back["conflict"]?.arrayValue?.first?["reason"]?.stringValue == "deleted")
        #expect(project.server.names == ["New 1", "New 2"])
    }

    @Test("Nothing is undone without being asked for, and nothing where nothing is kept")
    func refusals() throws {
        let project = try project(
            rows: 1, insert: "{mode: Update, compare: remote}", records: 1, more: "undo: off")
        _ = try project.run()
        let asked = try project.penstock("undo", "latest")
        #expect(asked.status == 64 && asked.errors.contains("--yes"))
        let kept = try project.penstock("undo", "latest", "--yes")
        #expect(kept.status == 65 && kept.errors.contains("undo-nothing"))
        #expect(try project.penstock("undo", "01ZZZ", "--yes").status == 64)
        #expect(project.server.names == ["New 1"])
    }

    /// Runs until so many records are named so, and kills the run, which has had no answer.
    private func kill(_ project: TemporaryProject, fault: String, at names: [String]) throws {
        let text = try project.text("connections.yml").replacing("    budget:", with: "    timeout: 3\n    budget:")
        try project.write("connections.yml", text)
        try project.server.play(fault)
        let run = try project.start("run", "orgs")
        try run.wait("nothing was written") { project.server.names == names }
        run.send(SIGKILL)
        #expect(try run.result().wasKilled)
        project.server.setFaults([])
    }

    @Test("What stood there first is put back although the run was killed on its way and the row has changed since")
    func killedOnItsWay() throws {
        let project = try project(
            rows: 1, insert: "{mode: Update, compare: ledger}", records: 1, more: "undo: on")
        try kill(project, fault: "hang-after:method=PATCH:nth=1", at: ["New 1"])
        try project.csv("orgs", ["key,pd,company,tier", "k1,1,Third,Gold"])
        #expect(try project.run().counts == "fetched 1, updated 1")
        let plan = try project.penstock("undo", "latest", "--dry-run").output
        #expect(plan.contains("Third → Old 1") && plan.contains("Gold → Silver"), "\(plan)")
        _ = try undo(project)
        #expect(project.server.names == ["Old 1"] && tiers(project) == ["Silver"])
    }

    @Test("A record that was created is undone once, although the end of the process took what the ledger said of it")
    func createdAndForgotten() throws {
        let project = try project(
            rows: 1, insert: "{mode: Append, settle: 1s}", records: 0, more: "undo: on")
        try kill(project, fault: "hang-after:method=POST:nth=1", at: ["New 1"])
        let files = FileManager.default
        let kept = project.folder + "-kept"
        defer { try? files.removeItem(atPath: kept) }  // A folder that stays behind does no harm.
        try files.createDirectory(atPath: kept, withIntermediateDirectories: true)
        for name in [".penstock", "home"] {
            try files.copyItem(atPath: "\(project.folder)/\(name)", toPath: "\(kept)/\(name)")
        }
        #expect(try project.run().counts == "fetched 1, created 1, recovered 1")
        // As if the process had ended between the two: what undoes it is on disk, what the ledger says of it is not.
        for suffix in ["", "-wal", "-shm"] {
            let images = ".penstock/state/orgs.before\(suffix)"
            // Not every one is there; a log that the killed run has left would be read over what was written since.
            try? files.removeItem(atPath: "\(kept)/\(images)")
            guard files.fileExists(atPath: "\(project.folder)/\(images)") else { continue }
            try files.copyItem(atPath: "\(project.folder)/\(images)", toPath: "\(kept)/\(images)")
        }
        for name in [".penstock", "home"] {
            try files.removeItem(atPath: "\(project.folder)/\(name)")
            try files.copyItem(atPath: "\(kept)/\(name)", toPath: "\(project.folder)/\(name)")
        }
        #expect(try project.run().counts == "fetched 1, created 1, recovered 1")
        #expect(counts(try undo(project)) == "records 1, deleted 1")
        #expect(project.server.names.isEmpty)
    }
}
