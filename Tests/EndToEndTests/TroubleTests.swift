// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// What a person meets when something is not as it should be: the right place, the next step, and nothing sent.
@Suite struct TroubleTests {
    private static let good = "source: {connection: files, table: orgs, key: key}\nmap: {name: company}"

    private func project(_ sync: String = good) throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha", "k2,Beta"])
        try project.sync(sync)
        return project
    }

    @Test("A run whose results have no place sends nothing")
    func resultsHaveNoPlace() throws {
        let project = try project()
        #expect(try project.run("--limit", "1").counts == "fetched 1, created 1")
        let runs = project.folder + "/.penstock/runs"
        try FileManager.default.removeItem(atPath: runs)
        try project.write(".penstock/runs", "a file where a folder belongs")
        let blocked = try project.penstock("run")
        #expect(blocked.status == 73 && blocked.errors.contains("nothing was sent"), "\(blocked.everything)")
        #expect(project.server.writes == 1)
        try FileManager.default.removeItem(atPath: runs)
        #expect(try project.run().status == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: runs)
        #expect(left.count == 1, "the try leaves nothing behind: \(left)")
    }

    @Test("A damaged state is moved aside when everything is to be forgotten")
    func damagedState() throws {
        let project = try project()
        #expect(try project.run().status == 0)
        let state = project.folder + "/.penstock/state"
        for suffix in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: state + "/orgs.db" + suffix) {
            try FileManager.default.removeItem(atPath: state + "/orgs.db" + suffix)
        }
        try project.write(".penstock/state/orgs.db", "this is no database, whatever it was before")
        let run = try project.penstock("run")
        #expect(run.status == 73 && run.errors.contains("penstock state reset orgs --all"), "\(run.errors)")
        #expect(try project.penstock("state", "reset", "orgs", "--ledger", "--yes").status == 73)
        let shown = try project.penstock("state", "show", "--json")
        #expect(shown.status == 73 && shown.errors.contains("state-damaged"), "\(shown.errors)")
        #expect(try shown.json["kind"]?.stringValue == "state.show", "what can be read is shown all the same")
        let reset = try project.penstock("state", "reset", "orgs", "--all", "--yes")
        #expect(reset.status == 0 && reset.errors.contains("orgs.db.damaged-"), "\(reset.errors)")
        let files = try FileManager.default.contentsOfDirectory(atPath: state)
        let kept = try #require(files.first { $0.hasPrefix("orgs.db.damaged-") })
        #expect(try project.text(".penstock/state/\(kept)").hasPrefix("this is no database"))
        #expect(try project.run().counts == "fetched 2, created 2")
    }

    @Test("An export that cannot be written leaves no half of itself")
    func exportHasNoPlace() throws {
        let project = try project("source: {connection: files, table: orgs, key: key}\nmap: {name: company, id: key}")
        try project.csv("orgs", ["key,company", "k1,"])
        try project.sync(Self.good)
        #expect(try project.penstock("run").status == 65)
        let nowhere = try project.penstock("reject", "export", "orgs", "--out", "missing/rejects.csv")
        #expect(nowhere.status == 73, "\(nowhere.everything)")
        try FileManager.default.createDirectory(atPath: project.folder + "/taken", withIntermediateDirectories: true)
        #expect(try project.penstock("reject", "export", "orgs", "--out", "taken").status == 73)
        let files = try FileManager.default.contentsOfDirectory(atPath: project.folder)
        #expect(!files.contains { $0.contains(".part") }, "\(files)")
        let lines = try project.penstock("reject", "export", "orgs", "--output", "jsonl").output.split(separator: "\n")
        #expect(try lines.map { try JSON(parsing: String($0))["code"]?.stringValue } == ["required-empty"])
    }

    @Test(
        "A value of an option is not taken for a command",
        arguments: [
            (["-C", ".", "run", "--limit", "abc"], "abc"), (["-C", ".", "state", "reset", "orgs"], "--watermark"),
            (["--output=json", "-P", "x", "rnu"], "did you mean \"penstock run\"?"),
            (["--bogus", "3", "run"], "--bogus"),
        ])
    func optionValues(words: [String], message: String) throws {
        let result = try Program.run(words, in: FileManager.default.temporaryDirectory.path)
        #expect(result.status == 64)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(result.errors.contains("has no command") == words.contains("rnu"), "\(result.errors)")
    }

    @Test("A plan goes on after a sync that does not fit, and every sync has its document")
    func planGoesOn() throws {
        let project = try project()
        try project.write(
            "syncs/bad.yml",
            """
            version: 1
            destination: {connection: crm, object: organization}
            source: {connection: files, table: orgs}
            map: {name: nothing}

            """)
        for command in ["plan", "run"] {
            let result = try project.penstock(command, "--json")
            #expect(result.status == 78)
            let syncs = try result.json["data"]?.arrayValue ?? []
            #expect(syncs.map { $0["sync"]?.stringValue } == ["bad", "orgs"], "\(command)")
            #expect(syncs.first?["status"]?.stringValue == "failed" && syncs.first?["exit_code"]?.intValue == 78)
            #expect(syncs.first?["error"]?["code"]?.stringValue == "unknown-column")
            let message = syncs.first?["error"]?["message"]?.stringValue ?? ""
            #expect(message.hasPrefix("syncs/bad.yml:4:13: "), "\(message)")
            #expect(syncs.last?["counts"]?["created"]?.intValue == 2)
        }
    }

    @Test("A file that is not there is shown at the setting that names it", arguments: ["files", "base"])
    func missingFile(connection: String) throws {
        let project = try project("source: {connection: \(connection), table: orgs, key: key}\nmap: {name: company}")
        let text = try project.text("connections.yml").replacing("./data/", with: "./gone/")
            .replacing("./base.db", with: "./gone.db")
        try project.write("connections.yml", text)
        let place = connection == "files" ? "connections.yml:3:33: error[" : "connections.yml:4:35: error["
        for command in ["validate", "plan", "run"] {
            let result = try project.penstock(command)
            #expect(result.status == 78, "\(command)")
            #expect(result.everything.contains(place), "\(command): \(result.everything)")
        }
        #expect(project.server.writes == 0)
    }

    @Test("A file with another delimiter is recognised by its only column")
    func otherDelimiter() throws {
        let project = try project()
        try project.csv("orgs", ["key;company;owner", "k1;Alpha;112"])
        let result = try project.penstock("validate")
        #expect(result.status == 78)
        #expect(
            result.output.contains("the file seems to be separated by \";\": set delimiter in connections.yml"),
            "\(result.output)")
    }

    @Test("A test of a connection shows no secret, wherever it stands")
    func checkIsRedacted() throws {
        let project = try project()
        project.environment["FOLDER_TOKEN"] = "canary-folder-word"
        let text = try project.text("connections.yml").replacing(
            "./data/*.csv", with: "\"./${env:FOLDER_TOKEN}/*.csv\"")
        try project.write("connections.yml", text)
        for words in [["connection", "test"], ["connection", "test", "--json"], ["connection", "discover", "files"]] {
            let result = try project.penstock(words)
            #expect(result.status == 78, "\(words): \(result.everything)")
            #expect(result.everything.contains("••••"), "\(words): \(result.everything)")
            #expect(!result.everything.contains("canary-folder-word"))
        }
    }

    @Test("init names the setting that the connector misses although it is not always required")
    func initNeedsAddress() throws {
        let project = try project()
        let words = [
            "init", "fresh", "--source", "csv", "--source-set", "path=data", "--destination", "pipedrive",
            "--destination-set", "api_token=${env:CRM_TOKEN}", "--no-input",
        ]
        let missing = try project.penstock(words)
        #expect(
            missing.status == 64 && missing.errors.contains("--destination-set company_domain="), "\(missing.errors)")
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/fresh"))
    }

    @Test("The summary says what becomes of unknown rows, and that a limit was reached")
    func summaryExplains() throws {
        let project = try project()
        let limited = try project.penstock("run", "--limit", "1")
        #expect(limited.output.contains("stopped after 1 row, as asked"), "\(limited.output)")
        try project.server.play("reset-before:method=POST:nth=1")
        let unknown = try project.penstock("run", "--new", "--no-wait")
        #expect(unknown.status == 75)
        #expect(unknown.output.contains("The next run looks for it at the destination, once"), "\(unknown.output)")
    }
}
