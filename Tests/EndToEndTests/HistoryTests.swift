// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// What ran can be looked at later, from what is kept here.
@Suite struct HistoryTests {
    private func project(_ more: String = "", rows: Int = 3, latency: Int64 = 0) throws -> TemporaryProject {
        let project = try TemporaryProject { $0.latency = latency }
        try project.csv("orgs", ["key,company,arr"] + (1...rows).map { "k\($0),Org \($0),1\($0)" } + ["kx,Bad,x"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, ARR (EUR): arr}
            insert: {mode: Update, match: name, on_missing: create}
            rejects: {max: 1}
            \(more)
            """)
        return project
    }

    private func lines(_ result: ProgramResult) throws -> [JSON] {
        try #require(try result.json["data"]?.arrayValue, "\(result.everything)")
    }

    private func events(_ project: TemporaryProject, _ run: String) throws -> [String] {
        try lines(project.penstock("history", "log", run, "--json")).map { $0["event"]?.stringValue ?? "" }
    }

    @Test("A run leaves its events and what it sent, for its user alone, with masked fields as dots")
    func logs() throws {
        let project = try project("mask: [ARR (EUR)]")
        let report = try project.run()
        let run = try #require(report["run"].stringValue)
        let found = try events(project, run)
        #expect(found.first == "run.began" && found.last == "run.closed")
        #expect(found.contains("row.rejected") && found.contains("run.ended"))
        for file in ["events.jsonl", "requests.jsonl"] {
            let path = "\(project.folder)/.penstock/runs/\(run)/\(file)"
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(file)")
        }
        let sent = try lines(project.penstock("history", "show", "latest", "--requests", "--json"))
        #expect(sent.map { $0["key"]?.stringValue } == ["k1", "k2", "k3"])
        #expect(sent.allSatisfy { $0["result"]?.stringValue == "created" && $0["tokens"]?.intValue == 5 })
        #expect(Set(sent.compactMap { $0["remote_id"]?.stringValue }).count == 3)
        #expect(sent.first?["fields"]?["name"]?.stringValue == "Org 1")
        #expect(sent.first?["fields"]?["ARR (EUR)"]?.stringValue == "•••")
        try project.expectNothing(of: TemporaryProject.token)
    }

    @Test("What was sent is not written down where that is switched off")
    func switchedOff() throws {
        let project = try project()
        try project.write("penstock.yml", "version: 1\nproject: e2e\nhistory: {requests: false}\n")
        let run = try #require(try project.run()["run"].stringValue)
        #expect(!FileManager.default.fileExists(atPath: "\(project.folder)/.penstock/runs/\(run)/requests.jsonl"))
        #expect(try events(project, run).last == "run.closed")
    }

    @Test("The summary is shown again, by id, by its beginning, and as latest")
    func show() throws {
        let project = try project()
        let run = try #require(try project.run()["run"].stringValue)
        _ = try project.run()
        let page = try project.penstock("history", "show", run.lowercased()).output
        for word in ["ok, 1 rejected", run, "created", "3", "not-a-number", "tokens", "exit code   0"] {
            #expect(page.contains(word), "\(word): \(page)")
        }
        let summary = try project.penstock("history", "show", run, "--json").json["data"]?["summary"]
        #expect(summary?["counts"]?["created"]?.intValue == 3)
        let both = try project.penstock("history", "show", "0")
        #expect(both.status == 64 && both.errors.contains("ambiguous-run") && both.errors.contains(run))
        let last = run.hasSuffix("Z") ? "Y" : "Z"
        let near = try project.penstock("history", "show", run.dropLast() + last)
        #expect(near.status == 64 && near.errors.contains("did you mean \(run)?"), "\(near.errors)")
        let compared = try project.penstock("history", "compare", run, "latest", "--json").json["data"]?.arrayValue
        let created = compared?.first { $0["what"]?.stringValue == "created" }
        #expect(created?["difference"]?.intValue == -3)
    }

    @Test("Runs are found by how they ended and when, and those that could not begin are among them")
    func list() throws {
        let project = try project()
        _ = try project.run()
        project.environment["CRM_TOKEN"] = "wrong"
        #expect(try project.penstock("run", "orgs").status == 77)
        func ids(_ words: String...) throws -> [String] {
            try lines(project.penstock(["history", "list", "--json"] + words)).map { $0["result"]?.stringValue ?? "" }
        }
        #expect(try ids() == ["failed", "ok"])
        #expect(try ids("--status", "failed") == ["failed"])
        #expect(try ids("--status", "ok", "--since", "1h") == ["ok"])
        #expect(try ids("--status", "partial") == [])
        #expect(try ids("--limit", "1") == ["failed"])
        let page = try project.penstock("history", "show", "latest").output
        #expect(page.contains("it could not begin"), "\(page)")
        #expect(try project.penstock("history", "list", "--since", "soon").status == 64)
        #expect(try project.penstock("history", "list", "--status", "good").status == 64)
    }

    @Test("The list fits into a terminal, with every time whole", arguments: [false, true])
    func narrowList(hasUndo: Bool) throws {
        let project = try project()
        _ = try project.run()
        if hasUndo { #expect(try project.penstock("undo", "latest", "--yes").status == 0) }
        let program = try TerminalProgram(
            ["-C", project.folder, "history", "list"], environment: project.variables)
        #expect(try program.end() == 0)
        let lines = program.text.split(separator: "\n").map(String.init)
        let runs = lines.filter { $0.contains("orgs") }
        #expect(runs.count == (hasUndo ? 2 : 1), "\(program.text)")
        #expect(runs.allSatisfy { $0.contains(/\s\d\d-\d\d \d\d:\d\d\s/) }, "\(program.text)")
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(program.text)")
        #expect(lines.contains { $0.contains("KIND") } == hasUndo, "\(program.text)")
        let piped = try project.penstock("history", "list", "-o", "tsv").output
        #expect(piped.hasPrefix("RUN\tSYNC\tKIND\tSTATUS\tSTARTED\tFETCHED\tCREATED\tUPDATED\tDELETED\tREJECTED\n"))
    }

    @Test("Old runs are forgotten at the end of a run, with their files")
    func retention() throws {
        let project = try project()
        try project.write("penstock.yml", "version: 1\nproject: e2e\nhistory: {runs: 2}\n")
        for _ in 1...4 { _ = try project.run() }
        #expect(try lines(project.penstock("history", "list", "--json")).count == 2)
        let folders = try FileManager.default.contentsOfDirectory(atPath: project.folder + "/.penstock/runs")
        #expect(folders.count == 2, "\(folders)")
        let dry = try project.penstock("history", "prune", "--dry-run")
        #expect(dry.output.contains("Nothing") || dry.output.split(separator: "\n").count == 1)
        project.environment["CRM_TOKEN"] = "wrong"
        for _ in 1...4 { try project.penstock("run", "orgs") }
        // Those that could not begin are forgotten as well, even where none begins any more.
        #expect(try lines(project.penstock("history", "list", "--json")).count == 4)
        try project.write("penstock.yml", "version: 1\nproject: e2e\nhistory: {runs: 1}\n")
        #expect(try lines(project.penstock("history", "prune", "--json")).count == 1)
        #expect(try project.penstock("state", "check").status == 0)
    }

    @Test("A log is followed until the run's process is done with it")
    func follow() throws {
        let project = try project(rows: 400, latency: 5_000_000)
        let run = try project.start("run", "orgs", "--quiet")
        let log = project.folder + "/.penstock/runs"
        // A folder that is not there yet has no runs.
        try run.wait("the run begins") {
            ((try? FileManager.default.contentsOfDirectory(atPath: log)) ?? []).contains {
                FileManager.default.fileExists(atPath: "\(log)/\($0)/events.jsonl")
            }
        }
        let followed = try project.penstock("history", "log", "latest", "-f", "-o", "jsonl")
        #expect(followed.status == 0)
        let last = try JSON(parsing: String(followed.output.split(separator: "\n").last ?? ""))
        #expect(last["event"]?.stringValue == "run.closed")
        #expect(try run.result().status == 0)
    }
}
