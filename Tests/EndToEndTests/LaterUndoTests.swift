// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// An undo keeps what later runs and people have written.
@Suite struct LaterUndoTests {
    private func project(_ lines: [String], map: String, insert: String, more: String = "", object: String) throws
        -> TemporaryProject
    {
        let project = try TemporaryProject(budget: "{burst: 100000, window: 2s}")
        try project.csv("orgs", lines)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(map)}
            insert: \(insert)
            \(more)
            """, object: object)
        return project
    }

    /// Undoes as planned; returns the document.
    private func undo(_ project: TemporaryProject, _ run: String) throws -> JSON {
        let plan = try project.penstock("undo", run, "--dry-run", "--json")
        let result = try project.penstock("undo", run, "--yes", "--json")
        try #require(result.status == 0, "\(result.everything)")
        let (planned, done) = (try plan.json["data"], try result.json["data"])
        #expect(planned?["counts"] == done?["counts"])
        return try #require(done)
    }

    private func counts(_ data: JSON) -> String {
        (data["counts"]?.objectValue?.members ?? []).filter { $0.value.intValue != 0 }
            .map { "\($0.key) \($0.value.text)" }.joined(separator: ", ")
    }

    @Test(
        "What a later run has written is not deleted with the run that created it, until that run is undone",
        arguments: ["auto", "none", "remote"])
    func laterRun(compare: String) throws {
        let project = try project(
            ["key,pd,company", "k1,,One", "k2,,Two"], map: "id: pd, name: company",
            insert: "{mode: Update, on_missing: create, compare: \(compare)}", more: "undo: on", object: "organization")
        let first = try project.run()["run"].stringValue ?? ""
        try project.csv("orgs", ["key,pd,company", "k1,,First"])
        let second = try project.run()["run"].stringValue ?? ""
        #expect(project.server.names == ["First", "Two"])
        let data = try undo(project, first)
        #expect(counts(data) == "records 2, deleted 1, left 1, conflicts 1")
        let conflict = data["conflict"]?.arrayValue?.first
        #expect(conflict?["reason"]?.stringValue == "later-run" && conflict?["run"]?.stringValue == second)
        #expect(project.server.names == ["First"])
        #expect(counts(try undo(project, second)) == "records 1, restored 1, restored_fields 1")
        #expect(counts(try undo(project, first)) == "records 2, deleted 1, as_before 1")
        #expect(project.server.names.isEmpty)
    }

    @Test("What a later run has sent again is that run's, also where it changed nothing", arguments: [true, false])
    func sentAgain(isEdited: Bool) throws {
        let project = try project(
            ["key,pd,company", "k1,,One"], map: "id: pd, name: company",
            insert: "{mode: Update, on_missing: create, compare: none}", more: "undo: on", object: "organization")
        let first = try project.run()["run"].stringValue ?? ""
        let second = try project.run()
        #expect(second.counts == "fetched 1, updated 1")
        if isEdited { try project.server.edit(1, ["name": .string("By hand")]) }
        #expect(counts(try undo(project, first)) == "records 1, left 1, conflicts 1")
        #expect(project.server.names == [isEdited ? "By hand" : "One"])
        guard !isEdited else { return }
        let data = try undo(project, second["run"].stringValue ?? "")
        #expect(counts(data) == "records 1, as_before 1", "it was looked at, and held all of it")
        #expect(counts(try undo(project, first)) == "records 1, deleted 1")
    }

    @Test("A label, a part of an address and a currency that were edited by hand survive")
    func parts() throws {
        let people = try project(
            ["key,pd,mail", "k1,1,a@new.example", "k2,2,b@new.example"], map: "id: pd, emails: mail",
            insert: "{mode: Update, compare: remote}", object: "person")
        for name in ["a", "b"] {
            let old: JSON = .object(["value": .string("\(name)@old.example"), "label": .string("home")])
            try people.server.create(["name": .string(name), "emails": .array([old])], of: "person")
        }
        _ = try people.run()
        let edited: JSON = .object(["value": .string("a@new.example"), "label": .string("home")])
        try people.server.edit(1, ["emails": .array([edited])], of: "person")
        let data = try undo(people, "latest")
        #expect(counts(data) == "records 2, restored 1, restored_fields 1, left 1, conflicts 1")
        #expect(data["conflict"]?.arrayValue?.first?["live"]?.stringValue == "a@new.example (home, primary)")
        #expect(people.server.value("emails", of: 1, "person").contains("a@new.example"))
        #expect(people.server.value("emails", of: 2, "person").contains("b@old.example"))
        #expect(people.server.value("emails", of: 2, "person").contains("home"))

        let firms = try project(
            ["key,pd,street", "k1,1,New 1", "k2,2,New 2"], map: "id: pd, address: street",
            insert: "{mode: Update, compare: remote}", object: "organization")
        for number in 1...2 {
            let old: JSON = .object(["value": .string("Old \(number)"), "country": .string("Germany")])
            try firms.server.create(["name": .string("Firm \(number)"), "address": old])
        }
        _ = try firms.run()
        let moved: JSON = .object(["value": .string("New 1"), "country": .string("Denmark")])
        try firms.server.edit(1, ["address": moved])
        // What the account's map service has found is no edit.
        firms.server.locate(2, ["country": "Estonia", "locality": "Tallinn"], formatted: "New 2, Tallinn, Estonia")
        #expect(counts(try undo(firms, "latest")) == "records 2, restored 1, restored_fields 1, left 1, conflicts 1")
        #expect(firms.server.value("address", of: 1, "organization").contains("Denmark"))
        #expect(firms.server.value("address", of: 2, "organization").contains("Germany"))
    }

    @Test("A run whose undo was undone can be undone again")
    func again() throws {
        let project = try project(
            ["key,pd,company", "k1,1,New 1", "k2,2,New 2", "k3,,New 3"], map: "id: pd, name: company",
            insert: "{mode: Update, on_missing: create, compare: remote}", object: "organization")
        for number in 1...2 { try project.server.create(["name": .string("Old \(number)")]) }
        let run = try project.run()["run"].stringValue ?? ""
        let back = try undo(project, run)["run"]?.stringValue ?? ""
        #expect(counts(try undo(project, back)) == "records 3, restored 2, restored_fields 2, left 1, conflicts 1")
        #expect(project.server.names == ["New 1", "New 2"])
        let data = try undo(project, run)
        #expect(counts(data) == "records 3, restored 2, restored_fields 2, as_before 1")
        #expect(data["undone_by"] == .array([]), "what had undone it was undone itself")
        #expect(project.server.names == ["Old 1", "Old 2"])
        let rest = try undo(project, run)
        #expect(counts(rest) == "records 3, as_before 3")
        #expect(rest["undone_by"] == .strings([data["run"]?.stringValue ?? ""]))
    }

    @Test("What match has read is kept without being asked for", arguments: ["ledger", "none"])
    func matched(compare: String) throws {
        let project = try project(
            ["key,company,tier", "k1,One,Gold", "k2,Two,Gold"], map: "name: company, Account tier: tier",
            insert: "{mode: Update, match: name, on_missing: create, compare: \(compare)}", object: "organization")
        try project.server.create(["name": .string("One")], custom: ["Account tier": .string("Silver")])
        #expect(try project.runAsPlanned().counts == "fetched 2, created 1, updated 1")
        let data = try undo(project, "latest")
        #expect(counts(data) == "records 2, restored 1, restored_fields 1, deleted 1")
        #expect(project.server.custom("Account tier", of: 1) == "Silver")
    }

    @Test("The latest run that changed nothing is not undone, and the last that changed something is named")
    func latest() throws {
        let project = try project(
            ["key,pd,company", "k1,1,New 1", "k2,,New 2"], map: "id: pd, name: company",
            insert: "{mode: Update, on_missing: create, compare: remote}", object: "organization")
        try project.server.create(["name": .string("Old 1")])
        let first = try project.run()["run"].stringValue ?? ""
        let second = try project.run()["run"].stringValue ?? ""
        let refused = try project.penstock("undo", "latest", "--yes")
        #expect(refused.status == 64 && refused.errors.contains("error[undo-nothing]"), "\(refused.everything)")
        #expect(refused.errors.contains("run \(second), the latest of orgs, has changed nothing"))
        #expect(refused.errors.contains("penstock undo \(first)"), "\(refused.errors)")
        #expect(project.server.names == ["New 1", "New 2"])
        let undone = try undo(project, first)
        let lines = try project.penstock("history", "list", "-o", "tsv").output.split(separator: "\n")
            .map { $0.split(separator: "\t").map(String.init) }
        let row = try #require(lines.first { $0.first == undone["run"]?.stringValue })
        #expect(row[2] == "undo" && Array(row.suffix(4)) == ["0", "1", "1", "0"], "\(lines)")
        #expect(lines.first { $0.first == first }?[2] == "run")
    }
}
