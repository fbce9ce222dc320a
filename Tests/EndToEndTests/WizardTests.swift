// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// `penstock sync new` on a terminal and by options: the same file.
@Suite struct WizardTests {
    private static let rows = [
        "customer_no,company,segment,arr_eur,changed_at",
        "C-100,Nordwind GmbH,Mid,48000,2026-11-02 08:00:00", "C-101,Østerbro Kaffe ApS,SMB,9600,2026-11-02 09:00:00",
    ]

    private func project(_ lines: [String] = WizardTests.rows) throws -> TemporaryProject {
        let types = lines == Self.rows ? "{arr_eur: decimal, changed_at: timestamp}" : "{}"
        let project = try TemporaryProject(types: types)
        try project.csv("orgs", lines)
        try project.sql(
            "CREATE TABLE firms (id INTEGER PRIMARY KEY, firm TEXT); INSERT INTO firms VALUES (1, 'Alpha'), (2, 'Beta')"
        )
        return project
    }

    /// Answers everything up to the map: the destination, the object, and the table `orgs`.
    private func begin(_ terminal: TerminalProgram) throws {
        try terminal.answer("number [1]: ", "")
        try terminal.answer("number [1]: ", "organization")
        try terminal.answer("number [1]: ", "1")
        try terminal.answer("number [1]: ", "files")
        try terminal.answer("number [1]: ", "orgs")
        try terminal.answer("number [1]: ", "customer_no")
    }

    /// The words of the command that is printed below `Same without questions`, as a shell reads them.
    private func command(_ text: String, _ project: TemporaryProject) throws -> [String] {
        let behind = try #require(text.components(separatedBy: "Same without questions:\n").last)
        let command = try #require(behind.components(separatedBy: "\nNext:").first)
        let script = command.replacingOccurrences(of: "  penstock ", with: "printf '%s\\0' ")
        let words = try project.run(program: "/bin/sh", ["-c", script])
        #expect(words.status == 0, "\(words.errors)")
        return words.output.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// Runs the printed command, and holds the two files against each other.
    private func replay(_ terminal: TerminalProgram, _ name: String, _ project: TemporaryProject) throws {
        let file = "syncs/\(name).yml"
        let before = try project.text(file)
        let words = try command(terminal.text, project)
        try FileManager.default.removeItem(atPath: project.folder + "/" + file)
        let again = try project.penstock(words + ["--no-input"])
        #expect(again.status == 0, "\(again.errors)")
        #expect(try project.text(file) == before)
    }

    @Test("The seed's five steps with their defaults, and the printed command makes the same file")
    func defaults() throws {
        let project = try project()
        let terminal = try project.terminal("sync", "new")
        try begin(terminal)
        try terminal.answer("[accept]: ", "")
        try terminal.answer("number [1]: ", "")
        try terminal.answer("number [1]: ", "")
        try terminal.answer("number [1]: ", "")
        try terminal.answer("5/5 Name", "first")
        try terminal.answer("Title", "")
        try terminal.answer("Description", "")
        try terminal.answer("template too?", "")
        #expect(try terminal.end() == 0, "\(terminal.text)")
        #expect(
            try project.text("syncs/first.yml") == """
                version: 1

                # Credentials and object
                destination:
                  connection: crm
                  object: organization

                # Configuration
                source:
                  connection: files
                  table: orgs
                  key: customer_no
                map:
                  name: company
                  Segment: segment
                  Customer key: customer_no
                  ARR (EUR): arr_eur
                fetch:
                  mode: FULL
                insert:
                  mode: Append

                # Name and description
                name: first

                """)
        #expect(terminal.text.contains("Nothing has been sent."))
        try replay(terminal, "first", project)
        #expect(project.server.everything.filter { $0.contains("Nordwind") }.isEmpty)
        #expect(try project.penstock("validate", "--online").status == 0)
    }

    @Test("Update proposes to find records by what the source key fills")
    func likelyMatch() throws {
        let project = try project()
        let terminal = try project.terminal("sync", "new")
        try begin(terminal)
        try terminal.answer("[accept]: ", "")
        try terminal.answer("number [1]: ", "FULL")
        try terminal.answer("number [1]: ", "update")
        try terminal.answer("number [", "")
        try terminal.answer("number [1]: ", "create")
        try terminal.answer("number [1]: ", "keep")
        try terminal.answer("number [1]: ", "by hand")
        try terminal.answer("5/5 Name", "found")
        try terminal.answer("Title", "")
        try terminal.answer("Description", "")
        try terminal.answer("template too?", "")
        #expect(try terminal.end() == 0, "\(terminal.text)")
        #expect(try project.text("syncs/found.yml").contains("match: Customer key"), "\(terminal.text)")
    }

    @Test("Every turn that the steps can take")
    func everyTurn() throws {
        let project = try project()
        let terminal = try project.terminal("sync", "new", environment: ["TZ": "Europe/Berlin"])
        try begin(terminal)
        try terminal.answer("[accept]: ", "d 3")
        try terminal.answer("[accept]: ", "9")
        try terminal.answer("[accept]: ", "?")
        try terminal.answer("[accept]: ", "a")
        try terminal.answer("number, or type to filter: ", "visible")
        try terminal.answer("number: ", "=")
        try terminal.answer("Constant: ", "3")
        try terminal.answer("[accept]: ", "a")
        try terminal.answer("number, or type to filter: ", "account")
        try terminal.answer("number: ", "Account tier")
        try terminal.answer("number: ", "2")
        try terminal.answer("[accept]: ", "")
        try terminal.answer("number [1]: ", "2")
        try terminal.answer("number [1]: ", "changed_at")
        try terminal.answer("number [1]: ", "update")
        try terminal.answer("number [1]: ", "name")
        try terminal.answer("number [1]: ", "create")
        try terminal.answer("number [1]: ", "clear")
        try terminal.answer("number [1]: ", "cron")
        try terminal.answer("weekday [0 6 * * *]: ", "15 6 * * MON-FIR")
        try terminal.answer("weekday [0 6 * * *]: ", "15 6 * * MON-FRI")
        try terminal.answer("[Europe/Berlin]: ", "")
        try terminal.answer("5/5 Name", "../etc")
        try terminal.answer("5/5 Name", "second")
        try terminal.answer("Title", "It's \"ours\" → $HOME")
        try terminal.answer("Description", "会社 ÄÖ")
        try terminal.answer("template too?", "y")
        try terminal.answer("Name of the template", "")
        #expect(try terminal.end() == 0, "\(terminal.text)")
        #expect(terminal.text.contains("At 06:15, Monday to Friday."))
        #expect(terminal.text.contains("did you mean FRI") || terminal.text.contains("FIR"))
        let file = try project.text("syncs/second.yml")
        for line in [
            "visible_to: {value: \"3\"}", "Account tier: company", "mode: INCREMENTAL", "key: changed_at",
            "match: name", "on_missing: create", "on_null: clear", "cron: 15 6 * * MON-FRI",
            "timezone: Europe/Berlin", "title: It's \"ours\" → $HOME", "description: 会社 ÄÖ",
        ] { #expect(file.contains(line), "\(line) in:\n\(file)") }
        try FileManager.default.removeItem(atPath: project.folder + "/templates/second.yml")
        try replay(terminal, "second", project)
        #expect(try project.text("templates/second.yml").contains("cron: {type: cron, default: 15 6 * * MON-FRI}"))
        #expect(try project.penstock("validate").status == 0)
    }

    @Test("FULL + Append with a schedule asks, and yes is written down")
    func repetition() throws {
        let project = try project()
        for answer in ["y", ""] {
            let terminal = try project.terminal("sync", "new")
            try begin(terminal)
            try terminal.answer("[accept]: ", "")
            try terminal.answer("number [1]: ", "")
            try terminal.answer("number [1]: ", "")
            try terminal.answer("number [1]: ", "every")
            try terminal.answer("[1h]: ", "soon")
            try terminal.answer("[1h]: ", "")
            try terminal.answer("First start", "2026-12-01 06:00")
            try terminal.answer("Zone", "")
            try terminal.answer("5/5 Name", "again\(answer)")
            try terminal.answer("Title", "")
            try terminal.answer("Description", "")
            try terminal.answer("Keep it?", "orgs")
            try terminal.answer("Keep it?", answer)
            try terminal.answer("template too?", "")
            #expect(terminal.text.contains("      y or n\n"))
            #expect(try terminal.end() == 0, "\(terminal.text)")
            #expect(terminal.text.contains("about 2 new organization records on every run, 24 times a day"))
            let file = try project.text("syncs/again\(answer).yml")
            #expect(file.contains("repeat: allow") == (answer == "y"), "\(file)")
            #expect(file.contains("every: 1h\n  start: \"2026-12-01 06:00\"\n") == (answer == "y"), "\(file)")
            try replay(terminal, "again\(answer)", project)
        }
    }

    @Test("A new data model is tried before it is kept, and Ctrl-C leaves nothing")
    func newModel() throws {
        let project = try project()
        func reach(_ name: String) throws -> TerminalProgram {
            let terminal = try project.terminal("sync", "new")
            try terminal.answer("number [1]: ", "")
            try terminal.answer("number [1]: ", "")
            try terminal.answer("number [1]: ", "new Data Model")
            try terminal.answer("number [1]: ", "")
            try terminal.answer("     : ", "SELECT firm FROM frims;")
            try terminal.answer("     : ", "SELECT id, firm AS company_name")
            try terminal.answer("     : ", "FROM firms;")
            try terminal.answer("Name of the model", name)
            try terminal.answer("number [1]: ", "id")
            try terminal.wait(for: "[accept]: ")
            return terminal
        }
        let before = try project.snapshot()
        let stopped = try reach("firms")
        stopped.type("\u{03}")
        #expect(try stopped.end() == 130, "\(stopped.text)")
        #expect(try project.snapshot() == before)
        let terminal = try reach("firms")
        try terminal.answer("[accept]: ", "")
        for _ in 0..<3 { try terminal.answer("number [1]: ", "") }
        try terminal.answer("5/5 Name", "")
        try terminal.answer("Title", "")
        try terminal.answer("Description", "")
        try terminal.answer("template too?", "")
        #expect(try terminal.end() == 0, "\(terminal.text)")
        #expect(terminal.text.contains("no such table") && terminal.text.contains("ok, 2 columns: id, company_name"))
        #expect(
            try project.text("models/firms.sql")
                == "-- connection: base\nSELECT id, firm AS company_name\nFROM firms\n")
        try replay(terminal, "firms_to_crm", project)
    }

    @Test("A screen of 80 columns, names and samples of double width, and a terminal that can do nothing")
    func width() throws {
        let project = try project([
            "会社名前会社名前会社名前会社名前会社名前,company,segment",
            "株式会社東京データチャンネル株式会社東京データチャンネル,株式会社東京データチャンネル株式会社,Mid",
            "b,\u{1B}[31mred,SMB",
        ])
        for columns in [80, 60] as [UInt16] {
            let terminal = try project.terminal(
                "sync", "new", columns: columns, environment: ["TERM": "dumb", "NO_COLOR": "1"])
            for answer in ["", "", "1", "files", "orgs"] { try terminal.answer("number [1]: ", answer) }
            try terminal.answer("number [1]: ", "")
            try terminal.answer("[accept]: ", "a")
            try terminal.answer("number, or type to filter: ", "Account notes")
            try terminal.answer("number: ", "1")
            try terminal.wait(for: "[accept]: ")
            terminal.type("\u{03}")
            #expect(try terminal.end() == 130)
            #expect(!terminal.text.contains("\u{1B}"))
            for line in terminal.text.split(separator: "\n") {
                let narrow: Set<UInt32> = [0x2190, 0x2026]
                let wide = line.unicodeScalars.count { $0.value >= 0x1100 && !narrow.contains($0.value) }
                let width = line.unicodeScalars.count + wide
                #expect(width <= Int(columns), "\(line)")
            }
        }
    }

    @Test("Without a terminal a missing answer is refused and names its option")
    func noTerminal() throws {
        let project = try project()
        let base = ["sync", "new", "x", "--connection", "crm", "--object", "organization"]
        let table = ["--source-connection", "files", "--table", "orgs"]
        let map = ["--map", "name=company"]
        let cases: [(words: [String], says: String)] = [
            (["sync", "new"], "--connection is missing"), (Array(base.prefix(5)), "--object is missing"),
            (base, "--model or --table is missing"), (base + ["--source-connection", "files"], "--table is missing"),
            (base + table, "--map is missing"), (base + table + map + ["--fetch", "incremental"], "--key is missing"),
            (["sync", "new"] + base.dropFirst(3) + table + map, "NAME is missing"),
            (base + table + ["--map", "company"], "is not TARGET=COLUMN"),
            (base + table + map + map, "is mapped twice"),
            (base + table + map + ["--cron", "61 * * * *"], "--cron: "),
            (base + table + map + ["--every", "1h", "--start-at", "soon"], "--start-at: "),
            (base + table + map + ["--every", "1h", "--timezone", "Europe/Berln"], "--timezone: "),
            (base + table + map + ["--insert", "upsert"], "append or update"),
            (base + table + map + ["--key", "changed_at"], "--fetch incremental"),
            (["sync", "new", "x", "--connection", "crn"], "did you mean \"crm\"?"),
            (["sync", "new", "x", "--template", "nothing"], "there is no template"),
            (["sync", "new", "../x"] + base.dropFirst(3) + table + map, "cannot be the name of a sync"),
        ]
        let before = try project.snapshot()
        for (words, says) in cases {
            let result = try project.penstock(words)
            #expect(result.status == 64 && result.errors.contains(says), "\(words): \(result.status) \(result.errors)")
        }
        for (words, says) in [
            (base + table + ["--map", "nmae=company"], "did you mean \"name\"?"),
            (base + table + ["--map", "name=compny"], "did you mean \"company\"?"),
            (base + table + map + ["--insert", "update"], "Update needs the id"),
        ] {
            let result = try project.penstock(words)
            #expect(result.status == 78 && result.errors.contains(says), "\(words): \(result.status) \(result.errors)")
            #expect(result.errors.contains("nothing was written"), "\(result.errors)")
        }
        #expect(try project.snapshot() == before)
        let printed = try project.penstock(base + table + map + ["--print"])
        #expect(printed.status == 0 && printed.output.hasPrefix("version: 1\n"))
        #expect(try project.snapshot() == before)
        let made = try project.penstock(base + table + ["--auto", "--json"])
        let expected = ["penstock", "sync", "new", "x", "--connection"]
        #expect(
            try made.json["data"]?["command"]?.arrayValue?.prefix(5).compactMap(\.stringValue) == expected,
            "\(made.everything)")
        let again = try project.penstock(base + table + map)
        #expect(again.status == 64 && again.errors.contains("there is a sync \"x\" already"), "\(again.errors)")
    }
}
