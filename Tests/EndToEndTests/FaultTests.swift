// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Whatever happens on the way, nothing is lost and nothing goes twice.
@Suite struct FaultTests {
    private func project(
        rows: Int, insert: String = "{mode: Append}", more: String = "", budget: String = "{burst: 100000, window: 2s}",
        _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(budget: budget, configure)
        try project.csv("orgs", ["key,pd,company"] + (1...rows).map { "k\($0),\($0),Org \($0)" })
        let id = insert.contains("Update") && !insert.contains("match") ? "id: pd, " : ""
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(id)name: company}
            insert: \(insert)
            \(more)
            """)
        return project
    }

    /// Makes the time short for which a lost create is waited for.
    private func hurry(_ project: TemporaryProject) throws {
        let text = try project.text("connections.yml").replacing("    budget:", with: "    timeout: 1\n    budget:")
        try project.write("connections.yml", text)
    }

    // MARK: - The network

    @Test(
        "A create whose answer is lost is asked about before it is sent again",
        arguments: ["reset-before", "reset-after", "status=503", "garbage=cut"])
    func lostAnswers(fault: String) throws {
        let project = try project(rows: 4, insert: "{mode: Append, settle: 1s}")
        try hurry(project)
        try project.server.play("\(fault):method=POST:nth=2")
        let report = try project.run("--no-wait")
        #expect(report.counts == "fetched 4, created 3, unknown 1")
        #expect(report.status == 75)
        #expect(report["status"].stringValue == "unfinished")
        let isCommitted = ["reset-after", "garbage=cut"].contains(fault)
        #expect(project.server.organizations.count == (isCommitted ? 4 : 3))
        #expect(project.server.writes == 4)
        let plan = try project.plan()
        let again = try project.run()
        // The plan cannot know whether it is there.
        #expect((plan["cost"]["tokens"]?.intValue ?? 0) + (isCommitted ? 0 : 5) == again.tokens)
        #expect(again.counts == "fetched 4, created 4, recovered \(isCommitted ? 4 : 3)")
        #expect(again.status == 0)
        #expect(project.server.writes == (isCommitted ? 4 : 5), "what was committed is not sent twice")
        #expect(project.server.names.sorted() == (1...4).map { "Org \($0)" })
    }

    @Test("A run waits for its own lost creates and ends with all of them settled")
    func waits() throws {
        let project = try project(rows: 12, insert: "{mode: Append, settle: 1s}")
        try hurry(project)
        try project.server.play("reset-after:method=POST:nth=2", "reset-before:method=POST:nth=5")
        let report = try project.run()
        #expect(report.counts == "fetched 12, created 12")
        #expect(report.status == 0)
        #expect(project.server.names.count == 12 && Set(project.server.names).count == 12)
    }

    @Test("An answer that never comes is given up after the connection's timeout")
    func hangs() throws {
        let project = try project(rows: 2, insert: "{mode: Update, compare: none}")
        for _ in 1...2 { try project.server.create(["name": .string("Old")]) }
        try hurry(project)
        try project.server.play("hang:method=PATCH:nth=1")
        let report = try project.run()
        #expect(report.counts == "fetched 2, updated 2")
        #expect(report["api"]["retries"]?.intValue == 1)
        try project.server.play("hang:path=/api/v2/organizationFields")
        let run = try project.penstock("run")
        #expect(run.status == 69 && run.errors.contains("error[timed-out]"), "\(run.errors)")
    }

    @Test("Of equal rows as many are found again as arrived")
    func equalRows() throws {
        let project = try project(rows: 1, insert: "{mode: Append, settle: 1s}")
        try hurry(project)
        try project.csv("orgs", ["key,pd,company"] + (1...4).map { "k\($0),,Same" })
        try project.server.play("reset-after:method=POST:nth=1", "reset-before:method=POST:nth=3")
        #expect(try project.run("--no-wait").counts == "fetched 4, created 2, unknown 2")
        #expect(project.server.organizations.count == 3)
        let again = try project.run()
        #expect(again.counts == "fetched 4, created 4, recovered 3")
        #expect(project.server.organizations.count == 4)
    }

    @Test("What is given up is said, and a new run starts from scratch")
    func abandons() throws {
        let project = try project(rows: 2, insert: "{mode: Update, on_missing: create, match: name}")
        try project.server.play("reset-after:method=POST:nth=1")
        #expect(try project.run("--no-wait").status == 75)
        let report = try project.run("--new")
        #expect(report.result.errors.contains("warning[run-abandoned]"))
        #expect(report.status == 0)
        #expect(project.server.names.sorted() == ["Org 1", "Org 2"])
    }

    @Test(
        "An update that fails for the moment is sent again", arguments: ["status=503", "reset-before", "reset-after"])
    func retriesUpdates(fault: String) throws {
        let project = try project(rows: 4, insert: "{mode: Update, compare: none}")
        for _ in 1...4 { try project.server.create(["name": .string("Old")]) }
        try project.server.play("\(fault):method=PATCH:count=2")
        let report = try project.run()
        #expect(report.counts == "fetched 4, updated 4")
        #expect(report.status == 0)
        #expect(report["api"]["retries"]?.intValue == 2)
        #expect(project.server.names == (1...4).map { "Org \($0)" })
    }

    @Test("A server that is down for good ends the run, and the next one finishes it")
    func outage() throws {
        let project = try project(rows: 3, insert: "{mode: Update, compare: none}")
        for _ in 1...3 { try project.server.create(["name": .string("Old")]) }
        try project.server.play("status=503:path=/api/v2/organizationFields")
        let down = try project.penstock("run", "orgs")
        #expect(down.status == 69, "\(down.everything)")
        #expect(project.server.writes == 3)
        try project.server.play()
        #expect(try project.run().counts == "fetched 3, updated 3")
    }

    // MARK: - Limits

    @Test("A refusal for too many requests is waited for")
    func tooManyRequests() throws {
        let project = try project(rows: 4)
        try project.server.play("status=429:method=POST:nth=2")
        let report = try project.run()
        #expect(report.counts == "fetched 4, created 4")
        #expect(report.status == 0)
        #expect(report["api"]["refused"]?.intValue == 1)
        #expect(report["api"]["tokens"]?.intValue == report.tokens, "a refusal costs nothing")
        #expect(project.server.names.sorted() == (1...4).map { "Org \($0)" })
    }

    @Test("The limit that the server names is kept, and nothing is refused")
    func burst() throws {
        let project = try project(rows: 14) { $0.burst = 10 }
        let report = try project.run()
        #expect(report.counts == "fetched 14, created 14")
        #expect(project.server.counters.burst429 == 0)
        #expect(project.server.counters.blocked403 == 0)
    }

    @Test("A run that uses the day's budget up ends politely, and the next day's run finishes it exactly")
    func dailyBudget() throws {
        let clock = ManualClock()
        let project = try project(rows: 10) {
            $0.clock = clock.clock
            $0.dailyTokens = 50
        }
        let report = try project.run()
        #expect(report.counts == "fetched 10, created 7, not_tried 3", "10 for the fields, 1 kept as a reserve")
        #expect(report.status == 75)
        #expect(report["message"].stringValue?.contains("budget") == true)
        #expect(project.server.counters.daily429 == 0)
        clock.advance(milliseconds: 86_400_000)
        let plan = try project.plan()
        #expect(plan["resumes"].boolValue == true)
        #expect(plan["cost"]["tokens"]?.intValue == 25)
        let rest = try project.run()
        #expect(rest.counts == "fetched 10, created 10, recovered 7")
        #expect(rest.status == 0)
        #expect(rest["resumed"].boolValue == true)
        #expect(rest.tokens == 10 + 15)
        #expect(project.server.names.sorted() == (1...10).map { "Org \($0)" }.sorted())
        #expect(try project.penstock("history", "list", "--json").json["data"]?.arrayValue?.count == 1)
    }

    @Test("A run keeps to its own limit of tokens, and the next one goes on")
    func tokensPerRun() throws {
        let project = try project(rows: 5, more: "limits: {tokens_per_run: 25}")
        let report = try project.run()
        #expect(report.counts == "fetched 5, created 3, not_tried 2")
        #expect(report.status == 75)
        #expect(report.tokens == 25)
        #expect(try project.run().counts == "fetched 5, created 5, recovered 3")
        #expect(project.server.names.sorted() == (1...5).map { "Org \($0)" })
    }

    // MARK: - The process

    @Test("After a kill in the middle the next run ends with every row there once")
    func kill() throws {
        let project = try project(rows: 300, insert: "{mode: Append, settle: 1s}") { $0.latency = 20_000_000 }
        try hurry(project)
        let first = try project.start("run", "orgs")
        try first.wait("the run has not come half way") { project.server.counters.created > 100 }
        first.send(SIGKILL)
        #expect(try first.result().wasKilled)
        let before = project.server.writes
        let report = try project.run()
        #expect(report["resumed"].boolValue == true)
        #expect(report.count("fetched") == 300 && report.count("created") == 300)
        #expect(report.status == 0)
        #expect(project.server.names.count == 300 && Set(project.server.names).count == 300)
        #expect(project.server.writes == 300, "nothing that had arrived is sent twice, \(before) had")
    }

    @Test(
        "A signal stops the run cleanly, and the next one finishes it",
        arguments: [(SIGTERM, Int32(143)), (SIGINT, Int32(130))])
    func signals(signal: Int32, status: Int32) throws {
        let project = try project(rows: 300) { $0.latency = 20_000_000 }
        let first = try project.start("run", "orgs")
        try first.wait("the run has not come half way") { project.server.counters.created > 60 }
        first.send(signal)
        let stopped = try first.result()
        #expect(stopped.status == status)
        #expect(!stopped.wasKilled)
        #expect(stopped.output.contains("unfinished"))
        let created = project.server.counters.created
        #expect(created < 300)
        let report = try project.run()
        #expect(report.counts == "fetched 300, created 300, recovered \(created)", "what was on its way was awaited")
        #expect(report.status == 0)
        #expect(Set(project.server.names).count == 300 && project.server.organizations.count == 300)
    }

    @Test("A plan that is stopped says so by its status")
    func stoppedPlan() throws {
        let project = try project(rows: 2) { $0.latency = 2_000_000_000 }
        let plan = try project.start("plan", "orgs")
        try plan.wait("the plan has not asked the server") { project.server.counters.requests > 0 }
        plan.send(SIGTERM)
        #expect(try plan.result().status == 143)
    }

    @Test("Nothing is undone or planned to be undone of a run that is at work")
    func undoBeside() throws {
        let project = try project(rows: 2) { $0.latency = 300_000_000 }
        let first = try project.start("run", "orgs")
        try first.wait("the run has not created anything") { project.server.writes > 0 }
        first.send(SIGSTOP)
        for words in [["--dry-run"], ["-O", "back.plan"], ["--yes"]] {
            let undo = try project.penstock(["undo", "latest"] + words)
            #expect(undo.status == 75 && undo.errors.contains("error[locked]"), "\(words): \(undo.everything)")
        }
        first.send(SIGCONT)
        #expect(try first.result().status == 0)
        #expect(try project.penstock("undo", "latest", "--dry-run").status == 0)
    }

    @Test("A second run of the same sync says who is at work, and touches nothing")
    func locking() throws {
        let project = try project(rows: 1) { $0.latency = 700_000_000 }
        let first = try project.start("run", "orgs")
        try first.wait("the run has not asked the server") { project.server.counters.requests > 0 }
        let second = try project.penstock("run", "orgs")
        #expect(second.status == 75)
        #expect(second.errors.contains("error[locked]"))
        #expect(second.errors.contains("\(first.id)"), "\(second.errors)")
        #expect(try project.penstock("state", "reset", "orgs", "--all", "--yes").status == 75)
        for look in [["history", "list"], ["reject", "list"], ["state", "show"], ["sync", "list"]] {
            #expect(try project.penstock(look).status == 0, "looking is allowed while a run is at work")
        }
        #expect(try first.result().status == 0)
        #expect(project.server.names == ["Org 1"])
    }
}
