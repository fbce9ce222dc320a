// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Commands that change syncs and templates: comments stay, nothing is lost, and what cannot be is refused.
@Suite struct SyncChangeTests {
    private static let file = """
        version: 1
        # where it goes
        destination: {connection: crm, object: organization}
        source: {connection: files, table: orgs, key: key}
        map:
          name: company   # the name
          Segment: {from: segment, option: label}
        insert: {mode: Update, match: name, on_missing: create}

        """

    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,segment,site", "k1,Alpha,Mid,a.example", "k2,Beta,SMB,b.example"])
        try project.csv("people", ["key,full_name,org", "p1,Ada,k1"])
        try project.write("syncs/orgs.yml", Self.file)
        try project.write(
            "syncs/people.yml",
            """
            version: 1
            destination: {connection: crm, object: person}
            source: {connection: files, table: people, key: key}
            map:
              name: full_name
              org_id: {from: org, link: orgs}   # by key
            insert: {mode: Update, match: name, on_missing: create}
            after: [orgs]

            """)
        return project
    }

    @Test("A renamed sync goes on where it stopped, and what names it follows")
    func rename() throws {
        let project = try project()
        try project.write(
            "penstock.yml",
            try project.text("penstock.yml")
                + "alerts:\n  page: {syncs: [orgs, people], command: [/bin/true]}   # at night\n")
        #expect(try project.penstock("run").status == 0)
        #expect(try project.penstock("sync", "rename", "orgs", "people").status == 64)
        #expect(try project.penstock("sync", "rename", "orgs", "a/b").status == 64)
        let result = try project.penstock("sync", "rename", "orgs", "firms")
        #expect(result.status == 0, "\(result.errors)")
        let people = try project.text("syncs/people.yml")
        #expect(people.contains("after: [firms]") && people.contains("link: firms}   # by key"), "\(people)")
        let alerts = try project.text("penstock.yml")
        #expect(alerts.contains("page: {syncs: [firms, people], command: [/bin/true]}   # at night"), "\(alerts)")
        let own = try project.text("syncs/firms.yml")
        #expect(own.contains("# where it goes") && own.contains("renamed_from: orgs"), "\(own)")
        let files = try project.everyFile().keys
        #expect(
            !files.contains { $0.contains("orgs") && !$0.contains("data/") && !$0.hasSuffix(".past") },
            "\(files.sorted())")
        #expect(try project.penstock("validate", "--online").status == 0)
        let run = try project.penstock("run", "--json")
        #expect(run.status == 0, "\(run.everything)")
        let counts = try run.json["data"]?.arrayValue?.map { $0["counts"]?["unchanged"]?.intValue }
        #expect(counts == [2, 1], "\(run.output)")
        #expect(try project.penstock("history", "list", "firms", "--json").json["data"]?.arrayValue?.count == 2)
        let taken = try project.penstock("sync", "copy", "firms", "orgs")
        #expect(taken.status == 64 && taken.errors.contains("its records are marked"), "\(taken.errors)")
    }

    @Test("A rename that is cut short is finished by the same command", arguments: [1, 2, 3])
    func cutShort(stage: Int) throws {
        let project = try project()
        #expect(try project.penstock("run").status == 0)
        let reference = try self.project()
        #expect(try reference.penstock("run").status == 0)
        #expect(try reference.penstock("sync", "rename", "orgs", "firms").status == 0)
        // What a process leaves that dies after its first steps, in their order.
        let state = project.folder + "/.penstock"
        try project.write(".penstock/rename", "orgs\nfirms\n")
        let files = FileManager.default
        if stage >= 1 { try files.copyItem(atPath: state + "/marks/orgs", toPath: state + "/marks/firms") }
        if stage >= 2 { try files.moveItem(atPath: state + "/state/orgs.db", toPath: state + "/state/firms.db") }
        if stage >= 3 { try project.write("syncs/people.yml", reference.text("syncs/people.yml")) }
        let other = try project.penstock("sync", "rename", "people", "persons")
        #expect(other.status == 64 && other.errors.contains("penstock sync rename orgs firms"), "\(other.errors)")
        if stage >= 2 {
            let run = try project.penstock("run", "orgs")
            #expect(run.status == 73 || run.status == 78, "\(run.everything)")
        }
        let result = try project.penstock("sync", "rename", "orgs", "firms")
        #expect(result.status == 0, "\(result.everything)")
        for file in ["syncs/firms.yml", "syncs/people.yml"] {
            #expect(try project.text(file) == reference.text(file), "stage \(stage)")
        }
        #expect(!files.fileExists(atPath: state + "/rename"))
        let run = try project.penstock("run", "--json")
        #expect(run.status == 0, "\(run.everything)")
        #expect(try run.json["data"]?.arrayValue?.first?["counts"]?["unchanged"]?.intValue == 2, "\(run.output)")
    }

    @Test("Where a file cannot be changed by a program, nothing is renamed")
    func rigid() throws {
        let project = try project()
        #expect(try project.penstock("run").status == 0)
        let people = try project.text("syncs/people.yml")
        try project.write(
            "syncs/people.yml",
            people.replacing("after: [orgs]", with: "after: &names [orgs]\nx-names: *names").replacing(
                "   # by key", with: ""))
        let result = try project.penstock("sync", "rename", "orgs", "firms")
        #expect(result.status == 78 && result.errors.contains("nothing was changed"), "\(result.everything)")
        let files = try project.everyFile().keys
        #expect(!files.contains { $0.contains("firms.db") || $0.hasSuffix("/rename") }, "\(files.sorted())")
        let run = try project.penstock("run")
        #expect(run.status == 0, "\(run.everything)")
    }

    @Test("While a run holds the state, its sync is neither renamed nor removed")
    func locked() throws {
        let project = try TemporaryProject { $0.latency = 400_000_000 }
        try project.csv("orgs", ["key,company"] + (0..<200).map { "k\($0),Company \($0)" })
        try project.write(
            "syncs/orgs.yml",
            Self.file.replacingOccurrences(of: "  Segment: {from: segment, option: label}\n", with: ""))
        let run = try project.start("run", "orgs")
        try run.wait("the run has begun") {
            FileManager.default.fileExists(atPath: project.folder + "/.penstock/state/orgs.db")
        }
        for words in [["sync", "rename", "orgs", "firms"], ["sync", "remove", "orgs", "--yes"]] {
            let result = try project.penstock(words)
            #expect(result.status == 75, "\(words): \(result.everything)")
            #expect(try project.text("syncs/orgs.yml").contains("name: company"))
        }
        run.send(SIGTERM)
        _ = try run.result()
    }

    @Test("Copy, enable, disable and remove")
    func others() throws {
        let project = try project()
        #expect(try project.penstock("run").status == 0)
        #expect(try project.penstock("sync", "copy", "orgs", "second").status == 0)
        let copy = try project.text("syncs/second.yml")
        #expect(copy.contains("name: company   # the name") && copy.contains("enabled: false"), "\(copy)")
        #expect(try project.penstock("sync", "copy", "orgs", "second").status == 64)
        #expect(try project.penstock("sync", "enable", "second").status == 0)
        #expect(try project.text("syncs/second.yml").contains("enabled: true"))
        #expect(try project.penstock("sync", "disable", "second").status == 0)
        #expect(try project.penstock("sync", "list").output.contains("second (off)"))
        let used = try project.penstock("sync", "remove", "orgs", "--yes")
        #expect(used.status == 64 && used.errors.contains("people"), "\(used.errors)")
        #expect(try project.penstock("sync", "remove", "people").status == 64)
        let settings = try project.text("penstock.yml")
        try project.write("penstock.yml", settings + "alerts: {page: {syncs: people, command: [/bin/true]}}\n")
        let told = try project.penstock("sync", "remove", "people", "--yes")
        #expect(told.status == 64 && told.errors.contains("alerts.page"), "\(told.errors)")
        try project.write("penstock.yml", settings)
        #expect(try project.penstock("sync", "remove", "people", "--yes").status == 0)
        let left = try project.everyFile().keys.filter { $0.contains("people") && !$0.contains("data/") }
        #expect(left.contains { $0.contains("people.db.removed-") } && !left.contains("syncs/people.yml"), "\(left)")
        try project.write("syncs/people.yml", try project.text("syncs/second.yml"))
        #expect(try project.penstock("run", "people").status == 0, "a new sync of the old name begins anew")
    }

    @Test("A sync is edited in a copy, and what is wrong is not kept")
    func edit() throws {
        let project = try project()
        project.environment["VISUAL"] = "sed -i s/Update/Updaet/"
        let wrong = try project.penstock("sync", "edit", "orgs")
        #expect(wrong.status == 78 && wrong.errors.contains("did you mean Update?"), "\(wrong.errors)")
        #expect(try project.text("syncs/orgs.yml") == Self.file)
        #expect(try project.text(".penstock/edit/orgs.yml").contains("Updaet"))
        project.environment["VISUAL"] = "sed -i 's/the name/its name/'"
        #expect(try project.penstock("sync", "edit", "orgs").status == 0)
        #expect(try project.text("syncs/orgs.yml") == Self.file.replacingOccurrences(of: "the name", with: "its name"))
        #expect(try project.text(".penstock/edit/orgs.yml.before").contains("Updaet"))
        // Ctrl-C in the editor reaches both; it is meant for the editor.
        project.environment["VISUAL"] =
            "kill -INT $PPID; sleep 0.2; kill -INT $PPID; sleep 0.2; sed -i 's/its name/a name/'"
        let interrupted = try project.penstock("sync", "edit", "orgs")
        #expect(interrupted.status == 0, "\(interrupted.everything)")
        #expect(try project.text("syncs/orgs.yml").contains("# a name"))
        project.environment["VISUAL"] = "true"
        #expect(try project.penstock("sync", "edit", "orgs").errors.contains("Nothing was changed."))
        project.environment["VISUAL"] = "false"
        #expect(try project.penstock("sync", "edit", "orgs").status == 1)
    }

    @Test("The map is changed by options, by proposals and at prompts, and checked against rows")
    func map() throws {
        let project = try project()
        #expect(try project.penstock("sync", "map", "orgs").status == 64)
        let set = try project.penstock(
            "sync", "map", "orgs", "--set", "visible_to={value: 3}", "--set", "name=company", "--unset", "Segment")
        #expect(set.status == 0, "\(set.errors)")
        var text = try project.text("syncs/orgs.yml")
        #expect(
            text.contains("name: company   # the name\n  visible_to: {value: 3}") && !text.contains("Segment"),
            "\(text)")
        #expect(try project.penstock("sync", "map", "orgs", "--unset", "nme").errors.contains("did you mean \"name\"?"))
        let wrong = try project.penstock("sync", "map", "orgs", "--set", "name={frm: company}")
        #expect(wrong.status == 78, "\(wrong.errors)")
        #expect(try project.text("syncs/orgs.yml") == text)
        #expect(try project.penstock("sync", "map", "orgs", "--auto").status == 0)
        text = try project.text("syncs/orgs.yml")
        #expect(text.contains("Segment: segment") && text.contains("website: site"), "\(text)")
        let good = try project.penstock("sync", "map", "orgs", "--check", "--json")
        #expect(good.status == 0, "\(good.everything)")
        try project.csv("orgs", ["key,company,segment,site", "k1,Alpha,Galactic,a.example", "k2,,SMB,b.example"])
        let bad = try project.penstock("sync", "map", "orgs", "--check", "--output", "tsv")
        #expect(bad.status == 65 && bad.output.contains("1 of 2: option-unknown"), "\(bad.everything)")
        let terminal = try project.terminal("sync", "map", "orgs")
        try terminal.answer("[accept]: ", "d 2")
        try terminal.answer("[accept]: ", "")
        #expect(try terminal.end() == 0, "\(terminal.text)")
        #expect(try !project.text("syncs/orgs.yml").contains("visible_to"))
    }

    @Test("A page in sentences")
    func describe() throws {
        let project = try project()
        try project.write(
            "syncs/orgs.yml", Self.file + "schedule: {cron: \"15 6 * * MON-FRI\", timezone: Europe/Berlin}\n")
        #expect(try project.penstock("run").status == 0)
        let page = try project.penstock("sync", "describe", "orgs").output.split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
        for sentence in [
            "At 06:15, Monday to Friday (Europe/Berlin), it reads every row of orgs (files), and updates the "
                + "organization in crm with the same name.", "A row without such a record creates one.",
            "Empty values leave the organization alone.", "finds the record", "by label", "next runs",
            "finished, 2 created", "30 days     1 run · 1 finished",
        ] { #expect(page.contains(sentence), "\(sentence)\n\(page)") }
        let json = try project.penstock("sync", "describe", "people", "--json").json
        #expect(json["kind"]?.stringValue == "sync.describe" && json["data"]?["runs_30_days"]?.intValue == 1)
        let resolved = try project.penstock("sync", "show", "orgs", "--resolved")
        #expect(resolved.status == 0 && resolved.output.contains("option"), "\(resolved.everything)")
    }

    @Test("A sync becomes a template, and a template a sync")
    func templates() throws {
        let project = try project()
        let saved = try project.penstock("sync", "save-template", "orgs", "--as", "by_name")
        #expect(saved.status == 0, "\(saved.errors)")
        #expect(try project.penstock("template", "new", "by_name", "--from", "orgs").status == 64)
        #expect(
            try project.text("templates/by_name.yml").contains(
                "connection: {type: connection, connector: pipedrive, default: crm}"))
        #expect(try project.penstock("template", "list").output.contains("connection, source, table"))
        #expect(try project.penstock("template", "show", "by_name").output.contains("connection (pipedrive)"))
        let used = try project.penstock("template", "use", "by_name", "again", "--param", "table=orgs")
        #expect(used.status == 0, "\(used.errors)")
        #expect(try project.text("syncs/again.yml").contains("table: orgs"))
        #expect(try project.text("syncs/again.yml").contains("template: by_name"))
        let wrong = try project.penstock("template", "use", "by_name", "more", "--param", "connection=files")
        #expect(wrong.status == 64 && wrong.errors.contains("connection of the connector pipedrive"), "\(wrong.errors)")
        try project.write(
            "templates/open.yml",
            """
            version: 1
            params:
              target: {type: connection, connector: pipedrive}
              how: {type: choice, choices: [keep, clear]}
              owner: {type: text, required: false}
            sync:
              destination: {connection: "{{target}}", object: organization}
              source: {connection: files, table: orgs}
              map: {name: company, "{{owner}}": key}
              insert: {mode: Update, match: name, on_null: "{{how}}"}

            """)
        let missing = try project.penstock("sync", "new", "x", "--template", "open", "--param", "target=crm")
        #expect(missing.status == 64 && missing.errors.contains("--param how=… is missing"), "\(missing.errors)")
        let terminal = try project.terminal("sync", "new", "x", "--template", "open", "--title", "By name")
        try terminal.answer("number [1]: ", "crm")
        try terminal.answer("number [1]: ", "clear")
        #expect(try terminal.end() == 0, "\(terminal.text)")
        let text = try project.text("syncs/x.yml")
        #expect(
            text.contains("on_null: clear") && text.contains("title: By name") && !text.contains("key\n"), "\(text)")
        #expect(try project.penstock("template", "remove", "open", "--yes").status == 0)
        #expect(try project.penstock("validate").status == 0)
    }
}
