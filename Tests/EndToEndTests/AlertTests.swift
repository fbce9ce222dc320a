// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// People are told of what goes wrong: once, and when it is over.
@Suite struct AlertTests {
    private func project(_ rule: String, schedule: String = "") throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            insert: {mode: Update, match: name, on_missing: create}
            \(schedule)
            """)
        try project.write("penstock.yml", "version: 1\nproject: e2e\nalerts:\n  ops: {\(rule)}\n")
        return project
    }

    private static func server() throws -> RawServer { try RawServer { _, _, _, _ in .json("{}") } }

    private func told(_ server: RawServer) throws -> [String] {
        try server.requests.map { request in
            let json = try JSON(parsing: String(request.drop { $0 != "{" }))
            return ["state", "on", "cause"].map { json[$0]?.stringValue ?? "" }.joined(separator: " ")
        }
    }

    @Test("A failure is told once, and its end; a secret in the address is in no output")
    func failure() throws {
        let server = try Self.server()
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/${env:HOOK_TOKEN}"
        let project = try project("on: [failure], webhook: {url: \"\(url)\"}")
        project.environment["HOOK_TOKEN"] = "canary-hook-31f0"
        let token = project.environment["CRM_TOKEN"]
        project.environment["CRM_TOKEN"] = "wrong"
        for _ in 1...3 { #expect(try project.penstock("run").status == 77) }
        #expect(try told(server) == ["open failure unauthorized"])
        #expect(try project.penstock("alert", "list").output.contains("orgs failed"))
        project.environment["CRM_TOKEN"] = token
        #expect(try project.penstock("run").status == 0)
        #expect(try told(server) == ["open failure unauthorized", "resolved failure unauthorized"])
        #expect(try project.penstock("alert", "test", "ops").status == 0)
        #expect(try told(server).last == "test  test")
        try project.expectNothing(of: "canary-hook-31f0")
    }

    @Test("A project that cannot be run is told like a failure of its syncs")
    func badProject() throws {
        let server = try Self.server()
        defer { server.stop() }
        let project = try project("on: [failure], webhook: {url: \"http://127.0.0.1:\(server.port)\"}")
        let text = try project.text("syncs/orgs.yml")
        try project.write("syncs/orgs.yml", text + "fetch: {mode: INCREMENTL}\n")
        #expect(try project.penstock("run").status == 78)
        #expect(try told(server) == ["open failure enum"])
        try project.write("syncs/orgs.yml", text)
        #expect(try project.penstock("run").status == 0)
        #expect(try told(server).last == "resolved failure enum")
    }

    @Test("A channel that fails changes no exit code, is said, and gets the alert later")
    func deadChannel() throws {
        let project = try project("on: [rejects], rejects: 0, command: [./tell.sh]")
        try project.csv("orgs", ["key,company", "k1,Alpha", "k2,"])
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {name: company}\n"
                + "insert: {mode: Update, match: name, on_missing: create}\nrejects: {max: 5}\n")
        let first = try project.penstock("run")
        #expect(first.status == 0)
        #expect(first.errors.contains("warning[alert]: alert ops: command (./tell.sh): there is no program ./tell.sh"))
        #expect(try project.penstock("alert", "list").output.contains("there is no program"))
        #expect(try project.penstock("alert", "test", "ops").status == 69)
        try project.write("tell.sh", "#!/bin/sh\necho \"$PENSTOCK_ALERT_MESSAGE\" >> told\n")
        chmod(project.folder + "/tell.sh", 0o700)
        #expect(try project.penstock("alert", "test", "ops").status == 0)
        #expect(try project.text("told") == "[e2e] this is a test of the alert ops\n")
        #expect(try project.penstock("alert", "test", "opps").errors.contains("did you mean \"ops\"?"))
    }

    @Test("A sync that is overdue is told once, however many look at the same time")
    func overdue() throws {
        let server = try Self.server()
        defer { server.stop() }
        let project = try project(
            "on: [overdue], overdue: 0s, webhook: {url: \"http://127.0.0.1:\(server.port)\"}",
            schedule: "schedule: {every: 1m}")
        func change(before seconds: Double) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -seconds)],
                ofItemAtPath: project.folder + "/syncs/orgs.yml")
        }
        func since() throws -> JSON? {
            try project.penstock("status", "--json").json["data"]?.arrayValue?.first?["overdue_since"]
        }
        try change(before: 300)
        #expect(try since()?.isNull == true, "a run may be a little late")
        try change(before: 3_600)
        #expect(try since()?.stringValue != nil)
        let looks = try (0..<4).map { _ in try project.start("status", "--check") }
        for look in looks { #expect(try look.result().status == 3) }
        #expect(try told(server) == ["open overdue overdue"])
        let text = try project.penstock("status").output
        #expect(text.contains("overdue") && text.contains("it should have run at"), "\(text)")
    }

    @Test("A process that dies while it tells leaves the alert to the next one")
    func killedWhileTelling() throws {
        let project = try project("on: [failure], timeout: 60s, command: [./tell.sh]")
        try project.write(
            "tell.sh", "#!/bin/sh\necho \"$PENSTOCK_ALERT_ID\" >> told\n[ -e quick ] || exec sleep 30\n")
        chmod(project.folder + "/tell.sh", 0o700)
        project.environment["CRM_TOKEN"] = "wrong"
        let run = try project.start("run", "--quiet")
        // The file is there once the program has begun.
        try run.wait("the alert is being told") { (try? project.text("told").isEmpty) == false }
        run.send(SIGKILL)
        #expect(try run.result().wasKilled)
        try project.write("quick", "")
        for _ in 1...2 { #expect(try project.penstock("run").status == 77) }
        let ids = try project.text("told").split(separator: "\n")
        #expect(ids.count == 2 && Set(ids).count == 1, "once by the one that died, once after it, as one message")
    }

    @Test("A run that failed and one that never came are seen by a probe")
    func status() throws {
        let project = try project("on: [failure], command: [/bin/true]")
        #expect(try project.penstock("status", "--check").status == 0)
        #expect(try project.penstock("status").output.contains("never"))
        #expect(try project.run().status == 0)
        let good = try project.penstock("status", "--json").json["data"]?.arrayValue?.first
        #expect(good?["state"]?.stringValue == "ok" && good?["attention"]?.boolValue == false)
        project.environment["CRM_TOKEN"] = "wrong"
        #expect(try project.penstock("run").status == 77)
        #expect(try project.penstock("status", "--check").status == 3)
        let bad = try project.penstock("status", "--json").json["data"]?.arrayValue?.first
        #expect(bad?["state"]?.stringValue == "failed" && bad?["last_success"]?.isNull == false)
        #expect(try project.penstock("status", "--watch").status == 64)
        #expect(try project.penstock("status", "--watch", "--check").status == 64)
    }
}
