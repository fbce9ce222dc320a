// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Every command does what its help says, for people and for programs.
@Suite struct CommandTests {
    /// Every command, as it is typed.
    private static let commands = [
        "init", "validate", "plan", "run", "demo", "sandbox", "connector", "connector list", "connector show",
        "connection", "connection list", "connection test", "connection discover", "connection add", "connection show",
        "connection edit", "connection remove", "connection query", "connection login", "connection logout", "secret",
        "secret list", "secret set", "secret check", "secret remove", "model", "model list",
        "connection add", "connection edit", "connection login", "connection logout", "connection query",
        "connection remove", "connection show", "secret", "secret list", "secret set", "secret check", "secret remove",
        "model preview", "model new", "model show", "model check", "sync", "sync list", "sync show", "reject",
        "sync new", "sync map", "sync copy", "sync rename", "sync remove", "sync enable", "sync disable", "sync edit",
        "sync describe", "sync save-template", "template", "template list", "template show", "template new",
        "template use", "template remove",
        "reject list", "reject show", "reject export", "history", "history list", "history show", "history log",
        "history compare", "history prune", "why", "status", "alert", "alert list", "alert test", "state",
        "state show", "state reset", "explain", "completion", "doctor", "manual",
    ]

    /// A command with arguments, the name of its document, and a word of what it prints for people.
    private static let looks: [(command: String, kind: String, word: String)] = [
        ("connector list", "connector.list", "pipedrive"), ("connector show pipedrive", "connector.show", "api_token"),
        ("connector show csv", "connector.show", "delimiter"),
        ("connection list", "connection.list", "${env:CRM_TOKEN}"),
        ("connection show crm", "connection.show", "••••"), ("secret list", "secret.list", "CRM_TOKEN"),
        ("secret check", "secret.check", "yes (25 characters)"), ("connection test", "connection.test", "crm"),
        ("connection test crm", "connection.test", "Mara"),
        ("connection discover files", "connection.discover", "orgs"),
        ("connection discover files orgs", "connection.discover", "company"),
        ("connection discover base", "connection.discover", "unused"),
        ("connection discover crm organization", "connection.discover", "ARR (EUR)"),
        ("model list", "model.list", "loud"), ("model preview loud --limit 1", "model.preview", "ALPHA"),
        ("model show loud", "model.show", "upper"), ("model check", "model.check", "company"),
        ("sync list", "sync.list", "files · orgs"), ("sync show orgs", "sync.show", "company"),
        ("reject list", "reject.list", "owner-invalid"), ("reject show orgs", "reject.show", "640"),
        ("reject export orgs", "reject.export", "Nobody"), ("history list", "history.list", "finished"),
        ("history show latest", "history.show", "created"), ("history log latest", "history.log", "run.closed"),
        ("history show latest --requests", "history.requests", "create organization"),
        ("history compare latest latest", "history.compare", "tokens"),
        ("why orgs k1", "why", "was created on"),
        ("status", "status", "orgs"), ("alert list", "alert.list", "RULE"), ("state show", "state.show", "orgs"),
        ("explain", "explain", "option-unknown"), ("explain owner-invalid", "explain", "active user"),
        ("explain exit-codes", "explain", "75"), ("doctor", "doctor", "connectors"),
        ("validate", "validate", "no problem"),
        ("validate --online", "validate", "no problem"), ("plan", "plan", "Planning orgs"),
        ("plan --limit 1", "plan", "Planning orgs"), ("run", "run", "fetched"),
    ]

    /// A project with a sync, a model, and a run with one reject.
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,owner", "k1,Alpha,112", "k2,Nobody's,640"])
        try project.sql(
            "CREATE TABLE orgs (key TEXT PRIMARY KEY, company TEXT); INSERT INTO orgs VALUES ('k1', 'Alpha')")
        try project.write(
            "models/loud.sql", "-- connection: base\nSELECT key, upper(company) AS company FROM orgs\n")
        try project.write("penstock.yml", "version: 1\nproject: e2e\nalerts: {ops: {command: [/bin/true]}}\n")
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, owner_id: owner}
            insert: {mode: Update, match: name, on_missing: create}
            rejects: {max: 1}
            """)
        #expect(try project.run().counts == "fetched 2, created 1, rejected 1")
        return project
    }

    @Test("Every command answers people and programs")
    func looks() throws {
        let project = try project()
        for (command, kind, word) in Self.looks {
            let words = command.split(separator: " ").map(String.init)
            for format in ["table", "tsv"] {
                let text = try project.penstock(words + ["--output", format])
                #expect(text.status == 0, "\(command): \(text.everything)")
                #expect(text.output.contains(word), "\(command): \(text.output)")
                #expect(!text.everything.contains("\u{1B}"), "\(command): no colour in a pipe")
            }
            let result = try project.penstock(words + ["--json"])
            #expect(result.status == 0, "\(command): \(result.errors)")
            let json = try result.json
            #expect(json["kind"]?.stringValue == kind, "\(command)")
            #expect(json["schema_version"]?.stringValue == "1.0", "\(command)")
            #expect(json["data"] != nil, "\(command)")
            #expect(json["data"]?.arrayValue?.isEmpty != true || kind == "validate", "\(command)")
        }
        let reset = try project.penstock("state", "reset", "orgs", "--rejects", "--yes", "--json").json
        #expect(reset["kind"]?.stringValue == "state.reset" && reset["data"]?["sync"]?.stringValue == "orgs")
        #expect(try project.penstock("reject", "list", "--json").json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test("Every command's help has an example", arguments: commands)
    func help(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let result = try Program.run(words + ["--help"], in: FileManager.default.temporaryDirectory.path)
        #expect(result.status == 0)
        #expect(result.output.contains("Example: penstock"), "\(result.output)")
        #expect(result.output.contains("USAGE: penstock"))
    }

    @Test("The command alone tells how to start, and the version is a version")
    func root() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let help = try Program.run(["--help"], in: folder)
        #expect(help.status == 0 && help.output.contains("penstock demo"))
        let version = try Program.run(["--version"], in: folder)
        #expect(version.output.split(separator: ".").count == 3)
    }

    @Test("A completion script is printed for each shell", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) throws {
        let result = try Program.run(["completion", shell], in: FileManager.default.temporaryDirectory.path)
        #expect(result.status == 0)
        #expect(result.output.contains("penstock") && result.output.contains("detailed-exitcode"))
        #expect(try Program.run(["completion", "tcsh"], in: "/").status == 64)
    }

    @Test("A project is started by flags alone, and is valid")
    func initialises() throws {
        let project = try TemporaryProject()
        let words = [
            "init", "new", "--name", "fresh", "--source", "csv", "--source-set", "path=data", "--destination",
            "pipedrive", "--destination-set", "api_token=${env:CRM_TOKEN}", "--destination-set",
            "base_url=\(project.server.baseURL)", "--no-input",
        ]
        let result = try project.penstock(words)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try project.penstock("-C", "new", "validate").status == 0)
        #expect(try project.penstock("-C", "new", "connection", "test", "crm").status == 0)
        #expect(try project.penstock(words).status == 64, "a project is not overwritten")
        let json = try project.penstock(words.map { $0 == "new" ? "other" : $0 } + ["--json"]).json
        #expect(json["kind"]?.stringValue == "init" && json["schema_version"] != nil)
        let missing = try project.penstock("init", "third", "--source", "csv", "--no-input")
        #expect(missing.status == 64 && missing.errors.contains("--source-set path="), "\(missing.errors)")
        let literal = try project.penstock(
            "init", "third", "--source", "csv", "--source-set", "path=data", "--destination", "pipedrive",
            "--destination-set", "api_token=abc")
        #expect(literal.status == 64 && literal.errors.contains("${env:NAME}"))
    }

    @Test("The sandbox says where it listens, and stops when it is told to", arguments: [SIGTERM, SIGINT])
    func sandbox(signal: Int32) throws {
        let folder = FileManager.default.temporaryDirectory.path
        let sandbox = try RunningProgram(["sandbox", "--seed-organizations", "3", "--token", "t"], in: folder)
        try sandbox.wait("the sandbox does not listen") { try sandbox.outputSoFar.contains("\n") }
        #expect(try sandbox.outputSoFar.hasPrefix("listening on http://127.0.0.1:"))
        sandbox.send(signal)
        let result = try sandbox.result()
        #expect(result.status == 0 && !result.wasKilled, "\(result)")
    }

    @Test("Every code of a row or a map can be explained")
    func explains() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let known = Set(try Program.run(["explain"], in: folder).output.split(separator: "\n").map(String.init))
        let mapping = ExampleConnector.package.appendingPathComponent("Sources/PenstockEngine/Mapping")
        for file in ["RowReject.swift", "MappingProblem.swift"] {
            let text = try String(contentsOf: mapping.appendingPathComponent(file), encoding: .utf8)
            let codes = text.matches(of: /case [a-zA-Z]+ = "([a-z-]+)"/).map { String($0.1) }
            #expect(codes.count > 10, "\(file)")
            #expect(codes.filter { !known.contains($0) } == [], "\(file)")
        }
        for code in ["field-renamed", "connector-changed", "not-found", "fetch-key-null", "match-ambiguous"] {
            #expect(known.contains(code), "\(code)")
        }
    }

    @Test("What is named twice or nowhere is refused with a usage error")
    func usage() throws {
        let project = try project()
        for words in [
            ["connector", "show", "cvs"], ["connection", "test", "cmr"], ["model", "preview", "lod"],
            ["history", "show", "01ZZZ"], ["explain", "owner-invald"], ["state", "reset", "orgs"],
            ["state", "reset", "orgs", "--all"], ["run", "--limit", "0"],
            ["connection", "discover", "crm", "organisation"],
        ] {
            let result = try project.penstock(words)
            #expect(result.status == 64, "\(words): \(result.everything)")
            #expect(result.output.isEmpty && !result.errors.isEmpty, "\(words)")
        }
    }
}
