// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A state file that is gone, old or damaged: refused with the way out, nothing sent, never a second record.
@Suite struct StateFileTests {
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company"] + (1...5).map { "k\($0),Org \($0)" })
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        #expect(try project.run("--limit", "3").counts == "fetched 3, created 3")
        return project
    }

    private func remove(_ path: String, _ project: TemporaryProject) throws {
        try FileManager.default.removeItem(atPath: project.folder + "/" + path)
    }

    private func keep(_ path: String, as copy: String, _ project: TemporaryProject) throws {
        try FileManager.default.copyItem(
            atPath: project.folder + "/" + path, toPath: project.folder + "/" + copy)
    }

    /// Runs and plans, and makes sure that both are refused with the ways out and ask nobody.
    private func isRefused(_ project: TemporaryProject) throws {
        let code = "state-outdated"
        let requests = project.server.counters.requests
        for command in ["run", "plan", "run"] {
            let result = try project.penstock(command, "orgs")
            #expect(result.status == 73, "\(command): \(result.everything)")
            #expect(result.errors.contains("error[\(code)]: orgs: "), "\(result.errors)")
            for way in ["rebuild orgs", "import orgs FILE", "reset orgs --all"] {
                #expect(result.errors.contains("penstock state " + way), "\(result.errors)")
            }
        }
        let check = try project.penstock("state", "check", "orgs", "--json")
        #expect(check.status == 73)
        #expect(try check.json["data"]?.arrayValue?.first?["state"]?.stringValue == code)
        #expect(project.server.writes == 3)
        #expect(project.server.counters.requests == requests, "nobody is asked anything")
    }

    @Test("A state that is whole is said to be whole")
    func whole() throws {
        let project = try project()
        let check = try project.penstock("state", "check", "--json")
        #expect(check.status == 0, "\(check.everything)")
        let state = try #require(try check.json["data"]?.arrayValue?.first)
        #expect(state["state"]?.stringValue == "ok" && state["rows"]?.intValue == 4 && state["run"]?.intValue == 1)
        #expect(try project.penstock("state", "check").output.contains("ok"))
    }

    @Test("A state that was deleted is refused", arguments: ["state/orgs.db", "state", ""])
    func deleted(path: String) throws {
        let project = try project()
        try remove(".penstock/" + path, project)
        try isRefused(project)
        for look in [["state", "show"], ["history", "list"], ["reject", "list"]] {
            let result = try project.penstock(look)
            #expect(result.status == 0 && result.errors.contains("warning[state-outdated]: orgs"), "\(result.errors)")
        }
        let reset = try project.penstock("state", "reset", "orgs", "--all", "--yes")
        #expect(reset.status == 0, "\(reset.everything)")
        #expect(try project.run().counts == "fetched 5, created 5", "a fresh start, as it was asked for")
    }

    @Test("An old backup that was put back is refused", arguments: ["state/orgs.db", ""])
    func oldBackup(path: String) throws {
        let project = try project()
        try keep(".penstock/" + path, as: "backup", project)
        #expect(try project.penstock("state", "reset", "orgs", "--rejects", "--yes").status == 0)
        try remove(".penstock/" + path, project)
        try keep("backup", as: ".penstock/" + path, project)
        try isRefused(project)
    }

    @Test("A damaged file is refused", arguments: ["a bit", "garbage", "cut"])
    func damaged(how: String) throws {
        let project = try project()
        let url = URL(fileURLWithPath: project.folder + "/.penstock/state/orgs.db")
        var data = try Data(contentsOf: url)
        switch how {
        case "a bit": data[data.count / 2] ^= 4
        case "garbage": data = Data(repeating: 0x41, count: data.count)
        default: data = data.prefix(data.count - 4_096)
        }
        try data.write(to: url)
        let run = try project.penstock("run")
        #expect(run.status == 73 && run.errors.contains("error[state-damaged]"), "\(run.errors)")
        #expect(project.server.writes == 3)
        #expect(try Data(contentsOf: url) == data, "a file that is refused is as it was")
    }

    @Test("A state of a Penstock before 0.1.0, and an export of one, is refused, and never read as one without rows")
    func outgrown() throws {
        let project = try project()
        #expect(try project.penstock("state", "export", "orgs", "kept.state").status == 0)
        let url = URL(fileURLWithPath: project.folder + "/.penstock/state/orgs.db")
        var data = try Data(contentsOf: url)
        // The version, in the header of a SQLite file.
        #expect(data[60..<64].elementsEqual([0, 0, 0, 4]))
        data[63] = 3
        try data.write(to: url)
        let requests = project.server.counters.requests
        for command in [
            ["run"], ["plan"], ["run", "--new"], ["state", "show"], ["state", "rebuild", "orgs", "--yes"],
        ] {
            let result = try project.penstock(command)
            #expect(result.status == 73, "\(command): \(result.everything)")
            #expect(
                result.errors.contains("error[state]: orgs: The state of this sync has version 3"), "\(result.errors)")
            #expect(result.errors.contains("penstock state reset orgs --all"), "\(result.errors)")
        }
        #expect(try project.penstock("state", "check").status == 73)
        #expect(project.server.writes == 3 && project.server.counters.requests == requests)
        #expect(try Data(contentsOf: url) == data, "a file that is refused is as it was")
        let export = URL(fileURLWithPath: project.folder + "/kept.state")
        let bytes = try Data(contentsOf: export)
        let head = String(decoding: bytes.prefix(1_024), as: UTF8.self)
        let older = head.replacingOccurrences(of: #""format":2"#, with: #""format":1"#)
            .replacingOccurrences(of: #""version":4"#, with: #""version":3"#)
        try (Data(older.utf8) + bytes.dropFirst(1_024)).write(to: export)
        let imported = try project.penstock("state", "import", "orgs", "kept.state", "--yes")
        #expect(imported.status == 73 && imported.errors.contains("has version 3"), "\(imported.errors)")
        let reset = try project.penstock("state", "reset", "orgs", "--all", "--yes")
        #expect(reset.status == 0 && reset.errors.contains("the file is kept as"), "\(reset.everything)")
        #expect(try project.run().counts == "fetched 5, created 5", "a fresh start, as it was asked for")
    }

    @Test("An export is imported again, also in place of a newer state, and what that means is said")
    func exportAndImport() throws {
        let project = try project()
        let neighbours = ["kept.state.copy", "kept.state.part"].map { project.folder + "/" + $0 }
        for file in neighbours { try Data("mine".utf8).write(to: URL(fileURLWithPath: file)) }
        let export = try project.penstock("state", "export", "orgs", "kept.state")
        #expect(export.status == 0, "\(export.everything)")
        for file in neighbours { #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine") }
        let names = try FileManager.default.contentsOfDirectory(atPath: project.folder)
        #expect(names.filter { $0.contains("penstock-") } == [])
        #expect(try project.penstock("state", "export", "orgs", "kept.state").status == 64, "it is not overwritten")
        #expect(try project.penstock("state", "export", "orgs", "kept.state", "--yes").status == 0)
        try remove(".penstock", project)
        try isRefused(project)
        let wrong = try project.penstock("state", "import", "orgs", "data/orgs.csv", "--yes")
        #expect(wrong.status == 73 && wrong.errors.contains("export-damaged"), "\(wrong.errors)")
        let asked = try project.penstock("state", "import", "orgs", "kept.state")
        #expect(asked.status == 64 && asked.errors.contains("--yes"), "\(asked.errors)")
        let done = try project.penstock("state", "import", "orgs", "kept.state", "--yes")
        #expect(done.status == 0, "\(done.everything)")
        #expect(try project.penstock("state", "check").status == 0)
        let runs = try project.penstock("history", "list", "--status", "ok", "--json").json["data"]?.arrayValue
        #expect(runs?.count == 1, "beside those that were refused")
        #expect(try project.run("--limit", "1").status == 0)
        let older = try project.penstock("state", "import", "orgs", "kept.state")
        #expect(older.status == 64 && older.errors.contains("another state file"), "\(older.errors)")
        let again = try project.penstock("state", "import", "orgs", "kept.state", "--yes")
        #expect(again.status == 0 && again.errors.contains("orgs.db.replaced-"), "\(again.everything)")
        #expect(try project.penstock("plan").status == 0)
    }

    @Test("An export that is not what was written, or of another sync, is refused")
    func foreignExport() throws {
        let project = try project()
        #expect(try project.penstock("state", "export", "orgs", "kept.state").status == 0)
        let url = URL(fileURLWithPath: project.folder + "/kept.state")
        let bytes = try Data(contentsOf: url)
        for place in [20, 600, 1_023, 1_500, bytes.count - 9] {
            var flipped = bytes
            flipped[place] ^= 1
            try flipped.write(to: url)
            let result = try project.penstock("state", "import", "orgs", "kept.state", "--yes")
            #expect(result.status == 73, "byte \(place): \(result.everything)")
        }
        try bytes.write(to: url)
        try project.write("syncs/other.yml", try project.text("syncs/orgs.yml"))
        let other = try project.penstock("state", "import", "other", "kept.state", "--yes")
        #expect(other.status == 64 && other.errors.contains("holds the state of orgs"), "\(other.errors)")
        #expect(try project.penstock("state", "check").status == 0)
    }

    @Test("A disk that is full ends the run, nothing is sent without its intent, and the next run goes on")
    func fullDisk() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company"] + (1...200).map { "k\($0),Org \($0)" })
        let text = try project.text("connections.yml").replacing("    budget:", with: "    timeout: 1\n    budget:")
        try project.write("connections.yml", text)
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {name: company}\ninsert: {settle: 1s}")
        // No file may grow beyond 128 KiB: the log of the state does after some rows.
        let words = "trap '' XFSZ; ulimit -f 256; exec \(Program.penstock) run orgs"
        let full = try project.run(program: "/bin/sh", ["-c", words])
        #expect(full.status == 73 && full.errors.contains("error[state]: orgs: "), "\(full.everything)")
        #expect(project.server.writes < 200)
        #expect(try project.penstock("state", "check").status == 0, "the state is whole")
        let rest = try project.run()
        #expect(rest.count("created") == 200 && rest.status == 0)
        #expect(project.server.organizations.count == 200)
        #expect(Set(project.server.names).count == project.server.names.count, "no row is there twice")
    }

    @Test("What finishes a limited run takes no more rows than the run may have", arguments: [nil, "1"])
    func remembersItsLimit(more: String?) throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company"] + (1...9).map { "k\($0),Org \($0)" })
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            insert: {mode: Append}
            limits: {tokens_per_run: 30}
            """)
        let first = try project.run("--limit", "6")
        #expect(first.status == 75 && first.counts == "fetched 6, created 4, not_tried 2")
        #expect(try project.plan().counts == "fetched 2, created 2, recovered 4")
        if let more {
            #expect(try project.run("--limit", more).status == 75)
        }
        let last = try project.run()
        #expect(last.status == 0)
        #expect(last.counts.hasPrefix("fetched 6, created 6"))
        #expect(project.server.names.sorted() == (1...6).map { "Org \($0)" })
    }
}
