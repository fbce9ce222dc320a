// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// An unfinished run is given up once the new one may begin, and not before.
@Suite struct AbandonTests {
    /// A project whose run was killed while its only create was on its way: the record is there, and nobody knows.
    private func killed() throws -> TemporaryProject {
        let project = try TemporaryProject()
        let text = try project.text("connections.yml").replacing("    budget:", with: "    timeout: 3\n    budget:")
        try project.write("connections.yml", text)
        try row("Alpha", project)
        try sync(project)
        try project.server.play("hang-after:method=POST:nth=1")
        let run = try project.start("run", "orgs")
        try run.wait("no record was created") { project.server.names.count == 1 }
        run.send(SIGKILL)
        #expect(try run.result().wasKilled)
        project.server.setFaults([])
        return project
    }

    private func row(_ name: String, _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,pd,company", "k1,,\(name)"])
    }

    private func sync(_ project: TemporaryProject, _ more: String = "") throws {
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company}
            insert: {mode: Update, on_missing: create, settle: 1s}
            \(more)
            """)
    }

    private func seal(_ project: TemporaryProject) throws {
        let plan = try project.penstock("plan", "orgs", "--new", "-O", "orgs.plan")
        try #require(plan.status == 0, "\(plan.everything)")
        #expect(try project.penstock("plan", "show", "orgs.plan").output.contains("+ organization   k1"))
    }

    @Test("A plan with --new is applied, and what is given up by it is said")
    func applied() throws {
        let project = try killed()
        try seal(project)
        let report = try project.run("--plan", "orgs.plan")
        #expect(report.status == 0 && report.counts == "fetched 1, created 1", "\(report.result.everything)")
        #expect(report.result.errors.contains("warning[run-abandoned]"), "\(report.result.errors)")
        #expect(project.server.names == ["Alpha", "Alpha"], "that is what --new means")
        #expect(try project.run().counts == "fetched 1, unchanged 1")
    }

    @Test("What is refused gives nothing up: the run is finished afterwards, and nothing goes twice")
    func refused() throws {
        let project = try killed()
        try sync(project, "limits: {creates: 0}")
        let limited = try project.penstock("run", "orgs", "--new")
        #expect(limited.status == 65 && limited.errors.contains("error[limit-creates]"), "\(limited.everything)")
        try sync(project)
        try seal(project)
        try row("Beta", project)
        let stale = try project.penstock("run", "orgs", "--plan", "orgs.plan")
        #expect(stale.status == 78 && stale.errors.contains("with other values than planned"), "\(stale.everything)")
        #expect(!(limited.errors + stale.errors).contains("run-abandoned"))
        #expect(project.server.writes == 1)
        try row("Alpha", project)
        let report = try project.run()
        #expect(report.counts == "fetched 1, created 1, recovered 1", "\(report.result.everything)")
        #expect(project.server.names == ["Alpha"])
    }

    @Test("The run of such a plan is finished by the plan, and not given up by it")
    func interrupted() throws {
        let project = try killed()
        try seal(project)
        try project.server.play("status=503:method=POST:nth=1")
        let first = try project.run("--plan", "orgs.plan", "--no-wait")
        #expect(first.status == 75 && first.result.errors.contains("run-abandoned"), "\(first.result.everything)")
        let second = try project.run("--plan", "orgs.plan")
        #expect(second.status == 0 && second.count("created") == 1, "\(second.result.everything)")
        #expect(second["run"] == first["run"] && !second.result.errors.contains("run-abandoned"))
    }
}
