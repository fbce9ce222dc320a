// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A plan in a file is applied exactly as it stands there, or not at all.
@Suite struct SealedPlanTests {
    private static let rows = ["k1,1,Alpha,Gold", "k2,2,Beta,Gold", "k3,,Gamma,Gold", "k4,9,Delta,Gold"]

    private func project(_ more: String = "", map: String = "name: company, Account tier: tier") throws
        -> TemporaryProject
    {
        let project = try TemporaryProject()
        try write(Self.rows, project)
        try sync(project, more, map: map)
        for name in ["Old 1", "Old 2"] { try project.server.create(["name": .string(name)]) }
        return project
    }

    private func write(_ rows: [String], _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
    }

    private func sync(_ project: TemporaryProject, _ more: String = "", map: String) throws {
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, \(map)}
            insert: {mode: Update, on_missing: create}
            rejects: {max: 10}
            \(more)
            """)
    }

    private func seal(_ project: TemporaryProject, _ options: String...) throws {
        let result = try project.penstock(["plan", "orgs", "-O", "orgs.plan"] + options)
        try #require(result.status == 0, "\(result.everything)")
    }

    private func apply(_ project: TemporaryProject, _ options: String...) throws -> ProgramResult {
        try project.penstock(["run", "orgs", "--plan", "orgs.plan"] + options)
    }

    @Test("A plan is applied, and its summary has what was planned beside what came")
    func applied() throws {
        let project = try project()
        try seal(project)
        let mode = try FileManager.default.attributesOfItem(atPath: project.folder + "/orgs.plan")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let shown = try project.penstock("plan", "show", "orgs.plan")
        #expect(shown.status == 0)
        for text in ["~ organization 1   k1", "+ organization   k3", "! row 4   k4", "create 1 × 5", "Old 1 → Alpha"] {
            #expect(shown.output.contains(text), "\(text): \(shown.output)")
        }
        let before = project.server.counters.tokensSpent
        let report = try SyncReport(
            try apply(project, "--json"), tokens: project.server.counters.tokensSpent - before)
        #expect(report.counts == "fetched 4, created 1, updated 2, rejected 1")
        #expect(report["as_planned"].boolValue == true, "\(report.data.prettyText)")
        #expect(report["predicted"]["tokens"]?.intValue == report.tokens)
        #expect(project.server.names.sorted() == ["Alpha", "Beta", "Gamma"])
        let again = try apply(project)
        #expect(again.status == 78 && again.errors.contains("error[stale-plan]"), "\(again.everything)")
        let run = report["run"].stringValue ?? "?"
        #expect(again.errors.contains("was applied by run \(run); nothing was sent now"), "\(again.errors)")
        #expect(project.server.names.count == 3)
    }

    @Test("A plan is stale once the ledger that it goes by was forgotten", arguments: ["--ledger", "--all"])
    func reset(what: String) throws {
        let project = try project()
        #expect(try project.run().count("created") == 1)
        try seal(project)
        #expect(try project.penstock("state", "reset", "orgs", what, "--yes").status == 0)
        let before = project.server.counters.tokensSpent
        let result = try apply(project)
        #expect(result.status == 78 && result.errors.contains("the state was reset since"), "\(result.everything)")
        #expect(project.server.counters.tokensSpent - before < 50)
        try seal(project)
        #expect(try project.penstock("state", "reset", "orgs", "--rejects", "--yes").status == 0)
        #expect(try apply(project).errors.contains("stale") == false)
    }

    @Test("A plan that is kept as the latest is found by that word, and shown by the sync's name")
    func latest() throws {
        let project = try project()
        #expect(try project.penstock("run", "--plan", "latest").status == 64)
        #expect(try project.penstock("plan", "-O", "latest").status == 0)
        #expect(try project.penstock("plan", "show", "orgs").output.contains("+ organization   k3"))
        let run = try project.penstock("run", "--plan", "latest")
        #expect(run.status == 0 && run.output.contains("as it came"), "\(run.everything)")
    }

    /// A change after which a plan is no longer true, and what is said of it.
    enum Change: String, CaseIterable {
        case value, gone, new, key, fault, map, insert, connection, label, run
    }

    @Test("A plan is refused after anything has changed that it was made from", arguments: Change.allCases)
    func refused(change: Change) throws {
        let project = try project()
        try seal(project)
        var said = "not in the plan"
        switch change {
        case .value:
            try write(["k1,1,Alpha,Silver"] + Self.rows.dropFirst(), project)
            said = "with other values than planned"
        case .gone:
            try write(Array(Self.rows.dropFirst()), project)
            said = "nothing is to be sent for it now: row 1, key k1 (update)"
        case .new: try write(Self.rows + ["k5,,Epsilon,Gold"], project)
        case .key: try write(["k0,1,Alpha,Gold"] + Self.rows.dropFirst(), project)
        case .fault:
            try write(["k1,one,Alpha,Gold"] + Self.rows.dropFirst(), project)
            said = "something else than planned: row 1, key k1 (update, now reject)"
        case .map:
            try sync(project, map: "name: tier, Account tier: tier")
            said = "map: name has changed"
        case .insert:
            try sync(project, map: "name: company, Account tier: tier")
            try project.write(
                "syncs/orgs.yml", project.text("syncs/orgs.yml").replacing("create}", with: "create, on_null: clear}"))
            said = "insert has changed"
        case .connection:
            try project.write(
                "connections.yml", project.text("connections.yml").replacing("types: {}", with: "types: {tier: text}"))
            said = "connection files: types has changed"
        case .label:
            project.server.renameField("Account tier", to: "Tier of the account")
            try sync(project, map: "name: company, Tier of the account: tier")
            said = "map: Account tier is gone"
        case .run:
            #expect(try project.penstock("run", "orgs").status == 0)
            said = "the state (last run) has changed"
        }
        let writes = project.server.writes
        let result = try apply(project)
        #expect(result.status == 78, "\(result.everything)")
        #expect(result.errors.contains("error[stale-plan]") && result.errors.contains(said), "\(result.errors)")
        #expect(project.server.writes == writes, "nothing is sent")
    }

    @Test("A plan is refused with another connector, which is named")
    func otherConnector() throws {
        let project = try project()
        let folder = project.folder + "/connectors"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Program.folder.appendingPathComponent("libpenstock-csv.so").path,
            toPath: folder + "/libpenstock-csv.so")
        project.environment["PENSTOCK_CONNECTOR_PATH"] = folder
        try seal(project)
        let file = try #require(FileHandle(forWritingAtPath: folder + "/libpenstock-csv.so"))
        try file.seekToEnd()
        try file.write(contentsOf: Data("another build".utf8))
        try file.close()
        let writes = project.server.writes
        let result = try apply(project)
        #expect(result.status == 78 && result.errors.contains("connector csv has changed"), "\(result.everything)")
        #expect(project.server.writes == writes)
    }

    @Test("A plan that was changed or cut is refused")
    func damaged() throws {
        let project = try project()
        try seal(project)
        let whole = try #require(FileManager.default.contents(atPath: project.folder + "/orgs.plan"))
        var changed = whole
        changed[whole.count / 2] ^= 1
        for bytes in [changed, whole.dropLast(), whole.prefix(whole.count / 2), Data(), Data("{}\n".utf8)] {
            try Data(bytes).write(to: URL(fileURLWithPath: project.folder + "/orgs.plan"))
            for result in [try apply(project), try project.penstock("plan", "show", "orgs.plan")] {
                #expect(result.status == 78 && result.errors.contains("error[plan-damaged]"), "\(result.everything)")
            }
        }
        #expect(project.server.writes == 2, "what the test has made")
    }

    @Test("With a guard, a record that was edited since is left alone, and the others go")
    func guarded() throws {
        let project = try project()
        try seal(project, "--guard")
        try project.server.edit(1, ["name": .string("By hand")])
        let result = try apply(project, "--json")
        let report = try SyncReport(result, tokens: 0)
        #expect(report.counts == "fetched 4, created 1, updated 1, rejected 2", "\(result.everything)")
        #expect(report.rejects == "changed-since-plan 1, not-found 1")
        #expect(project.server.names.sorted() == ["Beta", "By hand", "Gamma"])
    }

    @Test("A guard looks at records that the ledger vouches for, too", arguments: ["ledger", "none", "auto"])
    func guardedLedger(compare: String) throws {
        let project = try project()
        try project.write(
            "syncs/orgs.yml",
            project.text("syncs/orgs.yml").replacing("mode: Update", with: "mode: Update, compare: \(compare)"))
        try write(Array(Self.rows.prefix(2)), project)
        #expect(try project.penstock("run", "orgs").status == 0)
        try write(["k1,1,Alpha 2,Gold", "k2,2,Beta 2,Gold"], project)
        try seal(project, "--guard")
        try project.server.edit(2, ["name": .string("By hand")])
        let before = project.server.counters.tokensSpent
        let report = try SyncReport(
            try apply(project, "--json"), tokens: project.server.counters.tokensSpent - before)
        #expect(report.counts == "fetched 2, updated 1, rejected 1", "\(report.result.everything)")
        #expect(report["predicted"]["tokens"]?.intValue == report.tokens + 5, "but for the update that was not sent")
        #expect(project.server.names.sorted() == ["Alpha 2", "By hand"])
    }

    @Test("What is masked is masked in the file")
    func masked() throws {
        let project = try project("mask: [name]")
        try seal(project)
        let text = try project.text("orgs.plan")
        #expect(!text.contains("Alpha") && !text.contains("Old 1") && !text.contains(TemporaryProject.token))
        #expect(text.contains("•••"))
        #expect(try apply(project).status == 0)
    }

    @Test("A run that is killed while it applies a plan is finished by the same words, and nothing comes twice")
    func killed() throws {
        let project = try TemporaryProject { $0.latency = 20 }
        try project.csv("orgs", ["key,pd,company,tier"] + (1...60).map { "k\($0),,Name \($0),Gold" })
        try sync(project, map: "name: company, Account tier: tier")
        try project.write(
            "syncs/orgs.yml", project.text("syncs/orgs.yml").replacing("create}", with: "create, settle: 1s}"))
        try seal(project)
        let program = try project.start("run", "orgs", "--plan", "orgs.plan")
        try program.wait("it sends") { project.server.writes >= 5 }
        program.send(SIGKILL)
        _ = try program.result()
        let result = try apply(project)
        #expect(result.status == 0, "\(result.everything)")
        #expect(project.server.names.count == 60 && Set(project.server.names).count == 60)
    }

    @Test("A row whose create was on its way when the run was killed is held against the plan like any other")
    func changedWhileLost() throws {
        let project = try TemporaryProject { $0.latency = 300 }
        let rows = (1...60).map { "k\($0),,Name \($0),Gold" }
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
        try sync(project, map: "name: company, Account tier: tier")
        try project.write(
            "syncs/orgs.yml", project.text("syncs/orgs.yml").replacing("create}", with: "create, settle: 1s}"))
        try seal(project)
        let program = try project.start("run", "orgs", "--plan", "orgs.plan")
        try program.wait("it sends") { project.server.writes >= 1 }
        program.send(SIGKILL)
        _ = try program.result()
        try project.csv(
            "orgs", ["key,pd,company,tier"] + rows.map { $0.replacingOccurrences(of: "Gold", with: "Silver") })
        let result = try apply(project)
        #expect(result.status == 78 && result.errors.contains("with other values than planned"), "\(result.everything)")
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
        #expect(try apply(project).status == 0)
        #expect(project.server.names.count == 60 && Set(project.server.names).count == 60)
    }

    @Test("Rows that come in another order are the same rows")
    func otherOrder() throws {
        let project = try project()
        let rows = (1...40).map { "k\($0),,Name \($0),Gold" }
        try write(rows, project)
        try seal(project)
        try write(rows.suffix(25) + rows.prefix(15).reversed(), project)
        let result = try apply(project)
        #expect(result.status == 0 && result.output.contains("as it came"), "\(result.everything)")
        #expect(project.server.names.count == 42)
    }

    @Test(
        "A record that is gone since is left to the next run, and the run of the plan is finished",
        arguments: ["match: name", "on_missing: create"])
    func goneRecord(how: String) throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,tier", "k1,Old 1,Gold", "k2,Old 2,Gold"])
        let id = how.contains("match") ? "" : "id: pd, "
        if !id.isEmpty { try project.csv("orgs", ["key,pd,company,tier", "k1,,Old 1,Gold", "k2,,Old 2,Gold"]) }
        let create = how.contains("match") ? ", on_missing: create" : ""
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(id)name: company, Account tier: tier}
            insert: {mode: Update, compare: ledger, \(how)\(create)}
            rejects: {max: 10}
            """)
        #expect(try project.penstock("run", "orgs").status == 0)
        let head = id.isEmpty ? "key,company,tier" : "key,pd,company,tier"
        let gap = id.isEmpty ? "" : ","
        try project.csv("orgs", [head, "k1,\(gap)Old 1,Iron", "k2,\(gap)Old 2,Iron"])
        try seal(project)
        try project.server.delete(2)
        let report = try SyncReport(try apply(project, "--json"), tokens: 0)
        #expect(report.counts == "fetched 2, updated 1, rejected 1", "\(report.result.everything)")
        #expect(report.rejects == "changed-since-plan 1" && report.status == 0)
        #expect(project.server.organizations.count == 1, "nothing is created that was not planned")
        let next = try SyncReport(try project.penstock("run", "orgs", "--json"), tokens: 0)
        #expect(next.counts == "fetched 2, created 1, unchanged 1", "\(next.result.everything)")
    }

    @Test("A run behind a plan that met a record that is gone meets its row again, with INCREMENTAL too")
    func goneRecordBehindTheWatermark() throws {
        let project = try TemporaryProject(types: "{at: integer}")
        try project.csv("orgs", ["key,company,tier,at", "k1,Old 1,Gold,1", "k2,Old 2,Gold,2"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, Account tier: tier}
            fetch: {mode: INCREMENTAL, key: at}
            insert: {mode: Update, compare: ledger, match: name, on_missing: create}
            rejects: {max: 10}
            """)
        #expect(try project.penstock("run", "orgs").status == 0)
        // The row of the record that is deleted is not the newest one.
        try project.csv("orgs", ["key,company,tier,at", "k1,Old 1,Iron,3", "k2,Old 2,Iron,4"])
        try seal(project)
        try project.server.delete(1)
        let report = try SyncReport(try apply(project, "--json"), tokens: 0)
        #expect(report.rejects == "changed-since-plan 1" && report.status == 0, "\(report.result.everything)")
        let next = try SyncReport(try project.penstock("run", "orgs", "--json"), tokens: 0)
        #expect(next.count("created") == 1 && next.status == 0, "\(next.result.everything)")
        #expect(project.server.organizations.count == 2)
    }

    @Test("A plan that met a record that is gone is finished by the same words after an interruption")
    func goneRecordAndInterruption() throws {
        let project = try TemporaryProject { $0.latency = 20 }
        func rows(_ tier: String) -> [String] { ["key,company,tier"] + (1...60).map { "k\($0),Name \($0),\(tier)" } }
        try project.csv("orgs", rows("Gold"))
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, Account tier: tier}
            insert: {mode: Update, compare: ledger, match: name, on_missing: create}
            rejects: {max: 100}
            """)
        #expect(try project.penstock("run", "orgs").status == 0)
        try project.csv("orgs", rows("Iron"))
        try seal(project)
        try project.server.delete(2)
        let before = project.server.writes
        let program = try project.start("run", "orgs", "--plan", "orgs.plan")
        try program.wait("it sends") { project.server.writes >= before + 12 }
        program.send(SIGTERM)
        _ = try program.result()
        let report = try SyncReport(try apply(project, "--json"), tokens: 0)
        #expect(report.status == 0, "\(report.result.everything)")
        #expect(report.count("updated") == 59 && report.count("rejected") == 1, "\(report.result.everything)")
        #expect(report.rejects == "changed-since-plan 1")
        #expect(project.server.organizations.count == 59, "nothing is created that was not planned")
    }

    @Test("The plan of an interrupted run counts what is settled, as its run does, and says so")
    func resumed() throws {
        let project = try TemporaryProject { $0.latency = 20 }
        try project.csv("orgs", ["key,pd,company,tier"] + (1...60).map { "k\($0),,Name \($0),Gold" })
        try sync(project, map: "name: company, Account tier: tier")
        try project.write(
            "syncs/orgs.yml", project.text("syncs/orgs.yml").replacing("create}", with: "create, settle: 1s}"))
        let program = try project.start("run", "orgs")
        try program.wait("it sends") { project.server.writes >= 10 }
        program.send(SIGTERM)
        _ = try program.result()
        let text = try project.penstock("plan", "orgs").output
        let plan = try SyncReport(try project.penstock("plan", "orgs", "-O", "orgs.plan", "--json"), tokens: 0)
        let settled = try #require(plan["settled"]["created"]?.intValue, "\(plan.result.everything)")
        #expect(settled >= 1 && plan.count("created") + settled == 60, "\(plan.data.prettyText)")
        #expect(text.contains("an interrupted run is finished first; the"), "\(text)")
        let report = try SyncReport(try apply(project, "--json"), tokens: 0)
        #expect(report.status == 0 && report.count("created") == 60, "\(report.result.everything)")
        #expect(report["predicted"]["counts"]?["created"]?.intValue == 60)
        #expect(report["as_planned"].boolValue == true, "\(report.data.prettyText)")
    }

    @Test("Words that name no file are refused, and say what is meant")
    func emptyWords() throws {
        let project = try project()
        for (arguments, said) in [
            (["run", "orgs", "--plan", ""], "--plan is the path of a file that \"plan -O\" has written, or latest"),
            (["plan", "orgs", "-O", ""], "-O is the path of a file, or latest"),
        ] {
            let result = try project.penstock(arguments)
            #expect(result.status == 64 && result.errors.contains(said), "\(result.everything)")
        }
        let none = try project.penstock("history", "log", "latest", "--sync", "orgs")
        #expect(none.status == 64 && none.errors.contains("nothing of orgs has run yet"), "\(none.everything)")
        #expect(try project.penstock("run", "orgs").status == 0)
        #expect(try project.penstock("history", "log", "latest", "--sync", "orgs").status == 0)
        #expect(try project.penstock("history", "show", "latest", "--sync", "orgs").status == 0)
        let other = try project.penstock("history", "log", "latest", "--sync", "org")
        #expect(other.status == 64 && other.errors.contains("orgs"), "\(other.everything)")
    }

    @Test("One document with all rows is the same text as if it were made at once")
    func document() throws {
        let project = try project()
        try write((1...700).map { "k\($0),\($0 <= 2 ? "\($0)" : ""),\"Name \($0) \"\"quoted\"\"\",Gold" }, project)
        try project.write(
            "syncs/more.yml", project.text("syncs/orgs.yml").replacing("table: orgs", with: "table: none"))
        for options in [["--diff", "all"], ["--diff", "2"]] {
            let result = try project.penstock(["plan", "-o", "json"] + options)
            let document = try result.json
            #expect(document.prettyText == result.output)
            #expect(document["data"]?.arrayValue?.count == 2, "the sync that cannot be planned has its place")
            let rows = document["data"]?.arrayValue?.last?["examples"]?.arrayValue
            #expect(rows?.count == (options[1] == "all" ? 700 : 4), "\(result.everything.prefix(2_000))")
        }
        try seal(project)
        let shown = try project.penstock("plan", "show", "orgs.plan", "-o", "json")
        let kept = try shown.json
        #expect(kept.prettyText == shown.output && kept["data"]?.arrayValue?.count == 1)
    }

    @Test("Options that a plan holds itself are refused beside it")
    func options() throws {
        let project = try project()
        try seal(project)
        #expect(try apply(project, "--limit", "1").status == 64)
        #expect(try project.penstock("plan", "orgs", "-O", "x.plan", "--rows", "1").status == 64)
        #expect(try project.penstock("plan", "orgs", "-O", "x.plan", "--offline").status == 64)
        #expect(try project.penstock("run", "orgs", "--plan", "none.plan").status == 64)
        #expect(try project.penstock("plan", "orgs", "--diff", "some").status == 64)
    }

    @Test("Rows that a plan does not have are counted, and not kept")
    func manyNewRows() throws {
        let project = try project()
        try seal(project)
        func peak(_ more: Int) throws -> Int {
            let text = String(repeating: "x", count: 200)
            try write(Self.rows + (1...more).map { "n\($0),,New \($0) \(text),Gold" }, project)
            let run = try project.start("run", "orgs", "--plan", "orgs.plan")
            var kilobytes = 0
            while run.isRunning {
                // The process may have ended since.
                let status = (try? String(contentsOfFile: "/proc/\(run.id)/status", encoding: .utf8)) ?? ""
                let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
                if let size = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }) {
                    kilobytes = max(kilobytes, size)
                }
                usleep(2_000)
            }
            let result = try run.result()
            #expect(result.status == 78, "\(result.errors)")
            #expect(result.errors.contains("\(more) rows are to be sent and not in the plan"), "\(result.errors)")
            return kilobytes
        }
        let few = try peak(20_000)
        let many = try peak(100_000)
        print("a plan without \(20_000) rows: \(few) KB; without \(100_000): \(many) KB")
        #expect(many - few < 45_000)
    }
}
