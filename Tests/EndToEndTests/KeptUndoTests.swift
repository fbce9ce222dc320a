// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// The plan of an undo is kept, reviewed and applied like that of a run.
@Suite struct KeptUndoTests {
    /// A project whose sync has changed two records and created two.
    private func project(more: String = "", budget: String = "{burst: 100000, window: 2s}", records: Int = 2) throws
        -> TemporaryProject
    {
        let project = try TemporaryProject(budget: budget)
        try project.csv(
            "orgs",
            ["key,pd,company,tier"]
                + (1...records + 2).map { "k\($0),\($0 <= records ? "\($0)" : ""),New \($0),Gold" })
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: tier}
            insert: {mode: Update, on_missing: create, compare: remote}
            \(more)
            """)
        for number in 1...records {
            try project.server.create(
                ["name": .string("Old \(number)")], custom: ["Account tier": .string("Silver")])
        }
        #expect(try project.run().counts == "fetched \(records + 2), created 2, updated \(records)")
        return project
    }

    private func keep(_ project: TemporaryProject, _ options: String...) throws -> ProgramResult {
        let records = project.server.everything
        let result = try project.penstock(["undo", "latest", "-O", "back.plan"] + options)
        try #require(result.status == 0, "\(result.everything)")
        #expect(project.server.everything == records, "nothing is sent")
        return result
    }

    private func apply(_ project: TemporaryProject, _ options: String...) throws -> ProgramResult {
        try project.penstock(["undo", "--plan", "back.plan"] + options)
    }

    /// Applies the plan; what it cost is what the server counted.
    private func applied(_ project: TemporaryProject) throws -> JSON {
        let before = project.server.counters.tokensSpent
        let result = try apply(project, "--json")
        try #require(result.status == 0, "\(result.everything)")
        let data = try #require(result.json["data"])
        #expect(data["api"]?["tokens"]?.intValue == project.server.counters.tokensSpent - before)
        return data
    }

    private func expectStale(_ project: TemporaryProject, _ said: String) throws {
        let records = project.server.everything
        let result = try apply(project)
        #expect(result.status == 78 && result.errors.contains("error[stale-plan]"), "\(result.everything)")
        #expect(result.errors.contains(said), "\(said): \(result.errors)")
        #expect(project.server.everything == records, "nothing is sent")
    }

    @Test("A kept undo is shown and applied, and its summary has what was planned beside what came")
    func applied() throws {
        let project = try project()
        let kept = try keep(project)
        #expect(kept.output.contains("Kept back.plan"), "\(kept.output)")
        let mode = try FileManager.default.attributesOfItem(atPath: project.folder + "/back.plan")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let shown = try project.penstock("plan", "show", "back.plan")
        for text in [
            "New 1 → Old 1", "Gold → Silver", "- organization 3   k3", "penstock undo --plan back.plan", "delete 2 × 3",
        ] {
            #expect(shown.output.contains(text), "\(text): \(shown.output)")
        }
        let rows = try project.penstock("plan", "show", "back.plan", "-o", "jsonl").output.split(separator: "\n")
        #expect(rows.count == 5 && rows.count { $0.contains("\"action\":\"restore\"") } == 2, "\(rows)")
        let data = try applied(project)
        #expect(data["as_planned"]?.boolValue == true, "\(data.prettyText)")
        #expect(data["predicted"]?["tokens"] == data["api"]?["tokens"])
        #expect(project.server.names == ["Old 1", "Old 2"])
        try expectStale(project, "was applied by run \(data["run"]?.stringValue ?? "?"); nothing was sent now")
    }

    @Test("A kept undo that goes on with one that was begun without it counts as applied then")
    func resumed() throws {
        let project = try project()
        let id = try #require(
            try project.penstock("history", "list", "--json").json["data"]?.arrayValue?.first?["run"]?.stringValue)
        try project.server.play("status=401:method=PATCH:nth=2")
        #expect(try project.penstock("undo", id, "--yes").status == 77)
        try project.server.play()
        #expect(try project.penstock("undo", id, "-O", "back.plan").status == 0)
        let data = try applied(project)
        #expect(project.server.names == ["Old 1", "Old 2"])
        try expectStale(project, "was applied by run \(data["run"]?.stringValue ?? "?"); nothing was sent now")
    }

    @Test("The latest kept undo is found by that word, and is no plan of a run")
    func latest() throws {
        let project = try project()
        #expect(try project.penstock("undo", "--plan", "latest").status == 64)
        #expect(try project.penstock("undo", "latest", "-O", "latest").status == 0)
        #expect(try project.penstock("plan", "show", "orgs.undo").output.contains("New 2 → Old 2"))
        #expect(try project.penstock("run", "--plan", "latest").status == 64)
        let run = try project.penstock("run", "orgs", "--plan", ".penstock/plans/orgs.undo")
        #expect(run.status == 64 && run.errors.contains("is a plan of an undo"), "\(run.everything)")
        #expect(try project.penstock("plan", "orgs", "-O", "orgs.plan").status == 0)
        let undo = try project.penstock("undo", "--plan", "orgs.plan")
        #expect(undo.status == 64 && undo.errors.contains("is a plan of a run"), "\(undo.everything)")
        let applied = try project.penstock("undo", "--plan", "latest")
        #expect(applied.status == 0 && applied.output.contains("as it came"), "\(applied.everything)")
        #expect(project.server.names == ["Old 1", "Old 2"])
    }

    @Test("What was edited by hand since the plan survives: the record is left alone as a whole, and listed")
    func handEdits() throws {
        let project = try project(records: 3)
        try project.server.edit(3, ["name": .string("Seen by the plan")])
        _ = try keep(project)
        try project.server.edit(1, ["name": .string("By hand")])
        try project.server.edit(3, ["name": .string("New 3")])
        try project.server.edit(4, ["name": .string("Worked with")])
        let data = try applied(project)
        #expect(project.server.names == ["By hand", "Old 2", "New 3", "Worked with"], "\(data.prettyText)")
        #expect(project.server.custom("Account tier", of: 1).contains("Gold"), "the other field stays with it")
        let conflicts = data["conflict"]?.arrayValue?.map {
            "\($0["id"]?.stringValue ?? "") \($0["reason"]?.stringValue ?? "")"
        }
        #expect(
            conflicts == ["1 edited", "1 changed-since-plan", "3 changed-since-plan", "4 edited"],
            "\(data.prettyText)")
        #expect(data["as_planned"]?.boolValue == false)
        let again = try project.penstock("undo", data["undone"]?.stringValue ?? "", "--yes")
        #expect(again.status == 0, "\(again.everything)")
        #expect(project.server.names == ["By hand", "Old 2", "Old 3", "Worked with"])
    }

    /// A change after which the plan of an undo is no longer true.
    enum Change: String, CaseIterable { case undone, label, connection, destination, forgotten }

    @Test("The plan of an undo is refused after anything has changed that it was made from", arguments: Change.allCases)
    func refused(change: Change) throws {
        let project = try project()
        _ = try keep(project)
        switch change {
        case .undone:
            #expect(try project.penstock("undo", "latest", "--yes").status == 0)
            try expectStale(project, "was undone since")
        case .label:
            project.server.renameField("Account tier", to: "Tier of the account")
            try expectStale(project, "field Account tier of the destination has changed: was Account tier")
        case .connection:
            let text = try project.text("connections.yml")
            let place = try #require(text.range(of: "base_url: "))
            let line = text[place.lowerBound...].prefix { $0 != "\n" }
            try project.write(
                "connections.yml", text.replacingOccurrences(of: line, with: line + "/"))
            try expectStale(project, "base_url has changed")
        case .destination:
            try project.write(
                "syncs/orgs.yml",
                project.text("syncs/orgs.yml").replacingOccurrences(of: "organization", with: "deal")
                    .replacingOccurrences(of: "name: company", with: "title: company")
                    .replacingOccurrences(of: ", Account tier: tier", with: ""))
            let result = try apply(project)
            #expect(result.status != 0 && project.server.names.contains("New 1"), "\(result.everything)")
        case .forgotten:
            // The run itself is what the history has lost.
            let header = try project.text("back.plan").split(separator: "\n")[0]
            #expect(header.contains("\"undoes\""))
            let folder = project.folder + "/.penstock/state"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("orgs") {
                try FileManager.default.removeItem(atPath: folder + "/" + name)
            }
            let result = try apply(project)
            #expect(result.status == 78, "\(result.everything)")
        }
    }

    @Test("The plan of an undo that was changed or cut is refused")
    func damaged() throws {
        let project = try project()
        _ = try keep(project)
        let whole = try #require(FileManager.default.contents(atPath: project.folder + "/back.plan"))
        var changed = whole
        changed[whole.count / 2] ^= 1
        let records = project.server.everything
        for bytes in [changed, whole.dropLast(), whole.prefix(whole.count / 2), Data()] {
            try Data(bytes).write(to: URL(fileURLWithPath: project.folder + "/back.plan"))
            let result = try apply(project)
            #expect(result.status == 78 && result.errors.contains("error[plan-damaged]"), "\(result.everything)")
        }
        #expect(project.server.everything == records)
    }

    @Test("What is masked is masked in the file")
    func masked() throws {
        let project = try project(more: "mask: [name]")
        _ = try keep(project)
        let text = try project.text("back.plan")
        #expect(!text.contains("New 1") && !text.contains("Old 1") && !text.contains(TemporaryProject.token))
        #expect(text.contains("•••"))
        #expect(try applied(project)["as_planned"]?.boolValue == true)
        #expect(project.server.names == ["Old 1", "Old 2"])
    }

    @Test("An undo that is killed while it applies a plan goes on by the same words, and does nothing twice")
    func killed() throws {
        let project = try project(budget: "{burst: 8, window: 1s}", records: 20)
        _ = try keep(project)
        let before = project.server.writes
        let running = try project.start("undo", "--plan", "back.plan")
        try running.wait("it has sent some") { project.server.writes >= before + 8 }
        running.send(SIGKILL)
        #expect(try running.result().wasKilled)
        let result = try apply(project, "--json")
        #expect(result.status == 0, "\(result.everything)")
        #expect(try result.json["data"]?["resumed"]?.boolValue == true)
        #expect(project.server.names == (1...20).map { "Old \($0)" })
        #expect(project.server.writes == before + 20, "every record was put back once")
    }

    @Test("Words that go together in no way are refused")
    func words() throws {
        let project = try project()
        for (arguments, said) in [
            (["undo"], "Which run?"), (["undo", "latest", "--plan", "x"], "says itself which run"),
            (["undo", "latest", "-O", "x", "--yes"], "leave --yes out"),
            (["undo", "latest", "-O", ""], "-O is the path"),
            (["undo", "--plan", ""], "--plan is the path"), (["undo", "--plan", "none.plan"], "no-plan"),
            (["undo", "--plan", "x", "--dry-run"], "plan show FILE"),
        ] {
            let result = try project.penstock(arguments)
            #expect(result.status == 64 && result.errors.contains(said), "\(arguments): \(result.everything)")
        }
    }

    @Test("What has nothing in it is not undone, and nothing is asked or spent for it")
    func nothing() throws {
        let project = try project()
        _ = try keep(project)
        _ = try applied(project)
        // All of it is put back: a second plan of it has nothing in it.
        let first = try #require(try history(project).last)
        #expect(try project.penstock("undo", first, "-O", "back.plan").status == 0)
        let runs = try history(project)
        let spent = project.server.counters.tokensSpent
        let empty = try apply(project)
        #expect(empty.status == 64 && empty.errors.contains("error[undo-nothing]"), "\(empty.everything)")
        #expect(empty.errors.contains("back.plan puts nothing back and deletes nothing"), "\(empty.errors)")
        #expect(try history(project) == runs && project.server.counters.tokensSpent == spent)
        // An undo that finds nothing to do is a run all the same, and cannot be undone.
        let idle = try project.penstock("undo", first, "--yes")
        #expect(idle.status == 0 && !idle.output.dropLast(2).contains("\n\n\n"), "\(idle.everything)")
        let last = try #require(try history(project).first)
        let before = project.server.counters.tokensSpent
        for option in ["--dry-run", "--yes"] {
            let refused = try project.penstock("undo", last, option)
            #expect(refused.status == 64 && refused.errors.contains("error[undo-nothing]"), "\(refused.everything)")
            #expect(refused.errors.contains("run \(last) has changed nothing"), "\(refused.errors)")
        }
        #expect(try history(project).first == last && project.server.counters.tokensSpent == before)
    }

    /// The runs, newest first.
    private func history(_ project: TemporaryProject) throws -> [String] {
        try project.penstock("history", "list", "-o", "tsv").output.split(separator: "\n").dropFirst()
            .compactMap { $0.split(separator: "\t").first.map(String.init) }
    }
}
