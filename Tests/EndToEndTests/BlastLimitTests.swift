// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A run that would do more than its sync allows stops before anything is sent.
@Suite struct BlastLimitTests {
    private func project(_ limits: String, insert: String = "mode: Update, on_missing: create") throws
        -> TemporaryProject
    {
        let project = try TemporaryProject()
        try write(
            ["k1,1,Alpha,Gold", "k2,2,Beta,", "k3,3,Gamma,", "k4,,Delta,Gold", "k5,,Epsilon,Gold", "k6,77,Zeta,Gold"],
            project)
        try sync(limits, project, insert: insert)
        for number in 1...3 {
            try project.server.create(["name": .string("Old \(number)")], custom: ["Account tier": .string("Gold")])
        }
        return project
    }

    private func write(_ rows: [String], _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
    }

    private func sync(
        _ limits: String, _ project: TemporaryProject, insert: String = "mode: Update, on_missing: create"
    ) throws {
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: tier}
            insert: {\(insert), on_null: clear}
            rejects: {max: 10}
            limits: {\(limits)}
            """)
    }

    @Test(
        "Each limit stops a run by its own code, is seen by plan, and is passed once by its name",
        arguments: [
            ("creates", "1", "create 2 records"), ("creates", "20%", "create 2 records, 33.33% of 6 rows"),
            ("updates", "2", "change 3 records"), ("changed", "80%", "send 5 rows, 83.33% of 6"),
            ("emptied", "50%", "empty 2 values, 66.66% of 3 records, in the field Account tier"),
            ("rejected", "0", "reject 1 row"),
            ("tokens", "30", "spend "),
        ])
    func limit(name: String, bound: String, said: String) throws {
        let project = try project("\(name): \(bound)")
        let plan = try project.plan()
        #expect(plan["limits_exceeded"].arrayValue?.first?["limit"]?.stringValue == name)
        let planned = try project.penstock("plan")
        #expect(planned.status == 65, "a plan ends as its run would")
        #expect(planned.errors.contains("error[limit-\(name)]") && planned.errors.contains("syncs/orgs.yml:7:"))
        #expect(try project.penstock("plan", "orgs", "--rows", "2").status == 0, "a sample says nothing of all rows")
        let text = planned.output
        #expect(text.contains(said) && text.contains("--yes-really \(name)"), "\(text)")
        let writes = project.server.writes
        let stopped = try project.penstock("run", "orgs")
        #expect(stopped.status == 65, "\(stopped.everything)")
        #expect(stopped.errors.contains("error[limit-\(name)]") && stopped.errors.contains(said), "\(stopped.errors)")
        #expect(stopped.errors.contains("syncs/orgs.yml:7:"), "\(stopped.errors)")
        #expect(project.server.writes == writes, "nothing is sent")
        #expect(try project.penstock("explain", "limit-\(name)").status == 0)
        let other = name == "creates" ? "updates" : "creates"
        #expect(try project.penstock("run", "orgs", "--yes-really", other).status == 65)
        let passed = try project.run("--yes-really", name)
        #expect(passed.counts == "fetched 6, created 2, updated 3, rejected 1", "\(passed.result.everything)")
        #expect(passed["passed_limits"] == .strings([name]))
        let log = try project.penstock("history", "log", "latest").output
        #expect(log.contains("run.limit_passed") || log.contains("a limit is exceeded"), "\(log)")
    }

    @Test("Within its limits a run costs what the plan said")
    func within() throws {
        let project = try project("creates: 2, updates: 3, changed: 90%, emptied: 70%, rejected: 1, tokens: 1000")
        #expect(try project.runAsPlanned().counts == "fetched 6, created 2, updated 3, rejected 1")
    }

    @Test("Values that become empty are seen without looking at the records, too")
    func emptiedUnseen() throws {
        let project = try project("emptied: 10%", insert: "mode: Update, compare: none")
        try write(["k1,1,Alpha,Gold", "k2,2,Beta,", "k3,3,Gamma,"], project)
        let result = try project.penstock("run", "orgs")
        #expect(result.status == 65 && result.errors.contains("whether some are empty already is not known"))
    }

    @Test(
        "A blank text counts as empty, as it does for guards",
        arguments: ["remote", "none"], ["", "  ", "\u{00A0}"])
    func blank(compare: String, text: String) throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["pd,company,notes"] + (1...4).map { "\($0),Company \($0),\"\(text)\"" })
        for number in 1...4 {
            let notes: [String: JSON] = ["Account notes": .string("precious")]
            try project.server.create(["name": .string("Old \(number)")], custom: notes)
        }
        try project.sync(
            """
            source: {connection: files, table: orgs}
            map: {id: pd, name: company, Account notes: notes}
            insert: {mode: Update, on_null: clear, compare: \(compare)}
            limits: {emptied: 50%}
            """)
        let writes = project.server.writes
        let result = try project.penstock("run", "orgs")
        #expect(result.status == 65 && result.errors.contains("empty 4 values"), "\(result.everything)")
        #expect(project.server.writes == writes)
    }

    @Test("A source that shrinks by more than half stops a FULL run, unless that is meant")
    func shrinks() throws {
        let project = try project("rows: 100")
        try sync("", project)
        #expect(try project.run().count("fetched") == 6)
        try write(["k1,1,Alpha 2,Gold", "k2,2,Beta,"], project)
        let writes = project.server.writes
        let stopped = try project.penstock("run", "orgs")
        #expect(stopped.status == 65 && stopped.errors.contains("error[limit-shrink]"), "\(stopped.everything)")
        #expect(stopped.errors.contains("2 rows") && stopped.errors.contains("had 6"), "\(stopped.errors)")
        #expect(try project.penstock("plan").output.contains("limits.shrink"))
        try write([], project)
        #expect(try project.penstock("run", "orgs").status == 65)
        #expect(project.server.writes == writes)
        try write(["k1,1,Alpha 2,Gold", "k2,2,Beta,"], project)
        try sync("shrink: 70%", project)
        let smaller = try project.run()
        #expect(smaller.count("fetched") == 2 && smaller.count("updated") == 1, "\(smaller.counts)")
        try write(["k1,1,Alpha 3,Gold"], project)
        #expect(try project.run().count("updated") == 1, "half is not more than half")
        try write([], project)
        try sync("shrink: off", project)
        #expect(try project.run().status == 0)
    }

    @Test("A stopped run is no run: the next one begins anew, and its failure is told")
    func noRun() throws {
        let project = try project("creates: 1")
        #expect(try project.penstock("run", "orgs").status == 65)
        let list = try project.penstock("history", "list", "-o", "json").output
        #expect(list.contains("limit-creates") || list.contains("failed"), "\(list)")
        #expect(try project.penstock("status", "--check").status == 3)
        try sync("creates: 2", project)
        let report = try project.run()
        #expect(report["resumed"].boolValue == false && report.status == 0)
    }

    @Test("A limit that was passed holds for what finishes the run")
    func resumed() throws {
        let project = try TemporaryProject { $0.latency = 300 }
        try project.csv("orgs", ["key,pd,company,tier"] + (1...200).map { "k\($0),,Name \($0),Gold" })
        try sync("creates: 10", project, insert: "mode: Update, on_missing: create, settle: 1s")
        let program = try project.start("run", "orgs", "--yes-really", "creates")
        try program.wait("it sends") { project.server.writes >= 5 }
        program.send(9)
        _ = try program.result()
        let report = try project.run()
        #expect(report.status == 0 && report["passed_limits"] == .strings(["creates"]), "\(report.result.everything)")
        #expect(Set(project.server.names).count == 200 && project.server.names.count == 200)
    }

    @Test("On a schedule a limit fails every tick once, is told once by its name, and is over when it is raised")
    func scheduled() throws {
        let hook = try RawServer { _, _, _, _ in .json("{}") }
        defer { hook.stop() }
        let server = try ScheduledServer(rows: 3, ["orgs": "{every: 1h}"])
        let project = server.project
        try project.write(
            "penstock.yml",
            "version: 1\nproject: e2e\nalerts:\n"
                + "  ops: {on: [failure], webhook: {url: \"http://127.0.0.1:\(hook.port)\"}}\n")
        let file = try project.text("syncs/orgs.yml")
        try project.write("syncs/orgs.yml", file + "limits: {creates: 2}\n")
        let now = TimeText.instant(Int64(Date().timeIntervalSince1970) * 1_000_000)
        project.environment["PENSTOCK_TEST_CLOCK"] = "2026-10-17T00:00:00Z@3600@\(now)"
        try server.start()
        func ticks(_ code: Int) throws -> [JSON] {
            try server.ticks("orgs").filter { $0["state"]?.stringValue == "done" && $0["exit_code"]?.intValue == code }
        }
        try server.wait("three ticks have failed") { try ticks(65).count >= 3 }
        #expect(try ticks(65).allSatisfy { $0["attempts"]?.intValue == 1 }, "a tick is not tried again")
        #expect(project.server.organizations.isEmpty)
        let list = try project.penstock("history", "list", "--status", "failed", "--json").json["data"]?.arrayValue
        #expect((list?.count ?? 0) >= 3)
        #expect(try project.penstock("status").output.contains("failed"))
        try project.write("syncs/orgs.yml", file + "limits: {creates: 3}\n")
        try server.wait("a tick has run") { try !ticks(0).isEmpty }
        try server.wait("the end is told") { hook.requests.count >= 2 }
        #expect(try server.end(SIGTERM).status == 143)
        let told = try hook.requests.map { try JSON(parsing: String($0.drop { $0 != "{" })) }
        #expect(told.map { $0["state"]?.stringValue } == ["open", "resolved"], "\(told)")
        #expect(told.first?["cause"]?.stringValue == "limit-creates")
        #expect(told.first?["text"]?.stringValue?.contains("limits.creates is 2") == true, "\(told)")
    }

    @Test("A limit that is no limit is refused at its place, with what is meant")
    func badValues() throws {
        let project = try project("creates: many")
        let result = try project.penstock("validate")
        #expect(
            result.status == 78 && result.everything.contains("syncs/orgs.yml:7:19: error[type]"),
            "\(result.everything)")
        try sync("create: 5", project)
        #expect(try project.penstock("validate").everything.contains("did you mean \"creates\"?"))
        try sync("changed: 20", project)
        #expect(try project.penstock("validate").everything.contains("did you mean 20%?"))
        let word = try project.penstock("run", "orgs", "--yes-really", "create")
        #expect(word.status == 64 && word.errors.contains("Did you mean \"creates\"?"), "\(word.errors)")
    }
}
