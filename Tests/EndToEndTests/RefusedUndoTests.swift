// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// An undo whose values the destination does not take any more, and an undo of what the sync writes no more.
@Suite struct RefusedUndoTests {
    /// A project whose sync has moved two people to another organization and renamed them; the old one is gone then.
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject(budget: "{burst: 100000, window: 2s}")
        let old = try project.server.create(["name": .string("Old")])
        let new = try project.server.create(["name": .string("New")])
        var rows = ["key,pd,name,org"]
        for number in 1...2 {
            let id = try project.server.create(
                ["name": .string("Old \(number)"), "org_id": .integer(Int64(old))], of: "person")
            rows.append("k\(number),\(id),New \(number),\(new)")
        }
        try project.csv("people", rows)
        try project.sync(
            """
            source: {connection: files, table: people, key: key}
            map: {id: pd, name: name, org_id: org}
            insert: {mode: Update, compare: remote}
            """, object: "person")
        #expect(try project.run().counts == "fetched 2, updated 2")
        try project.server.delete(old)
        return project
    }

    @Test("A field that is refused keeps no other field of its record from being put back", arguments: [true, false])
    func otherFields(isKept: Bool) throws {
        let project = try project()
        let people = project.server.records("person").map(\.id)
        let orgs = people.map { project.server.value("org_id", of: $0, "person") }
        var words = ["undo", "latest", "--yes"]
        if isKept {
            #expect(try project.penstock("undo", "latest", "-O", "back.plan").status == 0)
            words = ["undo", "--plan", "back.plan"]
        }
        let before = project.server.counters.tokensSpent
        let result = try project.penstock(words)
        let spent = project.server.counters.tokensSpent - before
        #expect(result.status == 65, "\(result.everything)")
        #expect(people.map { project.server.value("name", of: $0, "person") } == ["Old 1", "Old 2"])
        #expect(people.map { project.server.value("org_id", of: $0, "person") } == orgs)
        let lines = result.output.split(separator: "\n")
        #expect(lines.first?.contains("undone in part") == true, "\(result.output)")
        let said = lines.filter { $0.contains("org_id: refused, and left as it is") }
        #expect(said.count == 2, "\(result.output)")
        #expect(result.output.contains("\(spent) tokens"), "\(spent): \(result.output)")
        let again = try project.penstock("undo", "latest", "--yes", "--json")
        #expect(again.status == 65)
        let counts = try #require(again.json["data"]?["counts"])
        #expect(counts["restored"]?.intValue == 0 && counts["refused"]?.intValue == 2, "\(counts.text)")
        #expect(try project.penstock("undo", "latest", "--yes").output.contains("not undone"))
    }

    @Test("An undo of records of another object than the sync writes now says so")
    func otherObject() throws {
        let project = try project()
        #expect(try project.penstock("undo", "latest", "-O", "back.plan").status == 0)
        let sync = try project.text("syncs/orgs.yml")
        try project.write(
            "syncs/orgs.yml",
            sync.replacing("object: person", with: "object: organization").replacing(", org_id: org", with: ""))
        let before = project.server.everything
        let kept = try project.penstock("undo", "--plan", "back.plan")
        #expect(kept.status == 78 && kept.errors.contains("error[stale-plan]"), "\(kept.everything)")
        #expect(kept.errors.contains("destination has changed"), "\(kept.errors)")
        let plain = try project.penstock("undo", "latest", "--yes")
        #expect(plain.status == 78 && plain.errors.contains("has written person"), "\(plain.everything)")
        // Nor does a run take the ids of people for those of organizations.
        for words in [["run"], ["plan"], ["run", "--full-refresh"]] {
            let run = try project.penstock(words)
            #expect(run.status == 78 && run.everything.contains("has written person until now"), "\(run.everything)")
        }
        #expect(project.server.everything == before)
        #expect(try project.penstock("state", "reset", "orgs", "--all", "--yes").status == 0)
        #expect(try project.penstock("plan").status == 0)
    }

    @Test("A delete that is refused leaves a row that is not sent as a new one")
    func refusedDelete() throws {
        let project = try TemporaryProject(budget: "{burst: 100000, window: 2s}")
        try project.csv("orgs", ["key,company,at", "1,One,5"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            fetch: {mode: INCREMENTAL, key: at}
            map: {name: company}
            insert: {mode: Append}
            """)
        #expect(try project.run().counts == "fetched 1, created 1")
        try project.server.play("status=403:method=DELETE:nth=1")
        let undone = try project.penstock("undo", "latest", "--yes")
        #expect(undone.status != 0, "\(undone.everything)")
        #expect(project.server.names == ["One"])
        #expect(try project.run().counts.contains("created") == false)
        #expect(project.server.names == ["One"])
    }

    @Test("A plan that is applied already says by which run")
    func applied() throws {
        let project = try project()
        #expect(try project.penstock("undo", "latest", "-O", "back.plan").status == 0)
        #expect(try project.penstock("undo", "--plan", "back.plan").status == 65)
        let again = try project.penstock("undo", "--plan", "back.plan")
        #expect(again.status == 78 && again.errors.contains("was applied by run"), "\(again.everything)")
    }
}
