// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// How creates are settled whose answer was lost: by a marker, by the whole record, or by a person.
@Suite struct DeliveryTests {
    private func project(
        rows: Int, insert: String, more: String = "", _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(configure)
        let text = try project.text("connections.yml").replacing("    budget:", with: "    timeout: 1\n    budget:")
        try project.write("connections.yml", text)
        try rowsOf(project, 1...rows)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            insert: \(insert)
            \(more)
            """)
        return project
    }

    private func rowsOf(_ project: TemporaryProject, _ numbers: ClosedRange<Int>) throws {
        try project.csv("orgs", ["key,company"] + numbers.map { "k\($0),Org \($0)" })
    }

    private func prepared(
        rows: Int, insert: String, more: String = "", _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws -> TemporaryProject {
        let project = try project(rows: rows, insert: insert, more: more, configure)
        let result = try project.penstock("connection", "prepare", "crm")
        try #require(result.status == 0 && result.output.contains("created"), "\(result.everything)")
        return project
    }

    private func markers(_ project: TemporaryProject) -> [String] {
        project.server.organizations.map { project.server.custom("Penstock key", of: $0.id) }
    }

    @Test("The marker field is created once, and the plan and the check name what it gives")
    func prepares() throws {
        let project = try project(rows: 2, insert: "{mode: Append}")
        #expect(try project.plan()["delivery"].stringValue == "by_match")
        #expect(try project.penstock("validate", "--online").output.contains("delivery by_match"))
        let first = try project.penstock("connection", "prepare", "crm", "--json")
        #expect(try first.json["data"]?.arrayValue?.first?["created"]?.boolValue == true)
        let again = try project.penstock("connection", "prepare", "crm", "organization", "--json")
        #expect(try again.json["data"]?.arrayValue?.first?["created"]?.boolValue == false)
        #expect(try project.plan()["delivery"].stringValue == "exactly_once")
        #expect(try project.penstock("plan").output.contains("Deliver  exactly_once"))
        #expect(try project.run().counts == "fetched 2, created 2")
        #expect(Set(markers(project)).count == 2 && !markers(project).contains(""))
        #expect(try project.penstock("connection", "prepare", "crm", "orgnization").status == 64)
        #expect(try project.penstock("connection", "prepare", "files").status == 64)
    }

    @Test("What cannot be had is refused before anything is sent")
    func refusesWhatCannotBeHad() throws {
        let project = try project(rows: 1, insert: "{mode: Append, delivery: exactly_once}")
        let run = try project.penstock("run")
        #expect(run.status == 78)
        #expect(run.errors.contains("error[delivery-marker]") && run.errors.contains("penstock connection prepare crm"))
        #expect(project.server.writes == 0)
        for (settle, code) in [("0s", "range"), ("601s", "range"), ("soon", "type")] {
            try project.sync(
                "source: {connection: files, table: orgs}\nmap: {name: company}\ninsert: {settle: \(settle)}")
            let found = try project.penstock("validate")
            #expect(found.status == 78 && found.everything.contains("error[\(code)]"), "\(settle): \(found.everything)")
        }
    }

    @Test(
        "Every second create is carried out and its answer cut, others come late or never: each row has one record",
        arguments: ["exactly_once", "by_match"], ["reset-after:every=2", "late=900ms:every=3", "reset-before:every=3"])
    func everySecond(delivery: String, fault: String) throws {
        let project = try prepared(rows: 24, insert: "{mode: Append, settle: 2s, delivery: \(delivery)}")
        try project.server.play(fault.replacing(":", with: ":method=POST:"))
        var report = try project.run()
        for _ in 0..<4 where report.status == 75 {
            try project.server.play()
            report = try project.run()
        }
        #expect(report.status == 0, "\(report.result.everything)")
        #expect(project.server.names.sorted() == (1...24).map { "Org \($0)" }.sorted())
        let marked = markers(project).filter { !$0.isEmpty }
        #expect(marked.count == (delivery == "exactly_once" ? 24 : 0) && Set(marked).count == marked.count)
    }

    @Test("A row that changed while its create was lost is found by its marker and brought up to date")
    func changedRow() throws {
        let project = try prepared(rows: 3, insert: "{mode: Update, on_missing: create, match: name, settle: 1s}")
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company}
            insert: {mode: Update, on_missing: create, settle: 1s}
            """)
        try project.csv("orgs", ["key,pd,company", "k1,,Org 1", "k2,,Org 2"])
        try project.server.play("reset-after:method=POST:nth=1")
        #expect(try project.run("--no-wait").counts == "fetched 2, created 1, unknown 1")
        try project.csv("orgs", ["key,pd,company", "k1,,Org one", "k2,,Org two"])
        try project.server.play()
        #expect(try project.run().status == 0)
        #expect(try project.run().status == 0)
        #expect(project.server.names.sorted() == ["Org one", "Org two"])
    }

    @Test("With at_most_once nothing is sent twice, and a person says what became of a row")
    func atMostOnce() throws {
        let project = try project(rows: 4, insert: "{mode: Append, settle: 1s, delivery: at_most_once}")
        try project.server.play("reset-after:method=POST:nth=1", "reset-before:method=POST:nth=2")
        let report = try project.run()
        #expect(report.counts == "fetched 4, created 2, unknown 2")
        #expect(report.status == 75)
        #expect(try project.run().counts == "fetched 4, created 2, unknown 2, recovered 2")
        #expect(project.server.writes == 4)
        let list = try project.penstock("reject", "resolve", "orgs", "--json").json["data"]?.arrayValue ?? []
        let keys = list.compactMap { $0["key"]?.stringValue }
        try #require(keys.count == 2)
        let isThere = try #require(project.server.organizations.first { $0.properties["name"] == .string("Org 1") })
        #expect(try project.penstock("reject", "resolve", "orgs", "--key", "nobody", "--drop").status == 64)
        #expect(try project.penstock("reject", "resolve", "orgs", "--adopt", "7").status == 64)
        let adopted = try project.penstock("reject", "resolve", "orgs", "--key", keys[0], "--adopt", "\(isThere.id)")
        #expect(adopted.status == 0, "\(adopted.everything)")
        #expect(try project.penstock("reject", "resolve", "orgs", "--all", "--resend").status == 0)
        try project.server.play()
        #expect(try project.run().counts == "fetched 4, created 4, recovered 3")
        #expect(project.server.names.sorted() == (1...4).map { "Org \($0)" })
        let none = try project.penstock("reject", "resolve", "orgs", "--json")
        #expect(try none.json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test("A row that a person drops is left out, now and later", arguments: ["Append", "Update, on_missing: create"])
    func drops(mode: String) throws {
        let project = try project(rows: 1, insert: "{mode: Append}")
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(mode == "Append" ? "" : "id: pd, ")name: company}
            insert: {mode: \(mode), delivery: at_most_once}
            """)
        try project.csv("orgs", ["key,pd,company", "k1,,Org 1", "k2,,Org 2"])
        try project.server.play("reset-after:method=POST:nth=1")
        #expect(try project.run().counts == "fetched 2, created 1, unknown 1")
        try project.server.play()
        #expect(try project.penstock("reject", "resolve", "orgs", "--all", "--drop").status == 0)
        #expect(try project.run().counts == "fetched 2, created 1, skipped 1, recovered 2")
        guard mode != "Append" else { return }
        #expect(try project.run().counts == "fetched 2, unchanged 1, skipped 1")
        #expect(project.server.organizations.count == 2)
    }

    @Test("A create that was lost before there were markers is found by its payload afterwards")
    func preparedAfterwards() throws {
        let project = try project(rows: 3, insert: "{mode: Append, settle: 1s}")
        try project.server.play("reset-after:method=POST:nth=2")
        #expect(try project.run("--no-wait").counts == "fetched 3, created 2, unknown 1")
        try project.server.play()
        #expect(try project.penstock("connection", "prepare", "crm").status == 0)
        let again = try project.run()
        #expect(again["delivery"].stringValue == "exactly_once")
        #expect(again.counts == "fetched 3, created 3, recovered 3")
        #expect(project.server.organizations.count == 3)
    }

    @Test("Equal rows that are lost in round after round have a record each")
    func equalRowsInRounds() throws {
        let project = try project(rows: 1, insert: "{mode: Append, settle: 1s}")
        try project.csv("orgs", ["key,company"] + (1...4).map { "k\($0),Same" })
        try project.server.play(
            "reset-before:method=POST:nth=1", "reset-before:method=POST:nth=2", "reset-before:method=POST:nth=6")
        #expect(try project.run().counts == "fetched 4, created 4")
        #expect(project.server.organizations.count == 4)
    }

    /// A project in which two syncs create three records each, of these objects, with the same names.
    private func twoSyncs(_ objects: (String, String)) throws -> TemporaryProject {
        let project = try TemporaryProject()
        for (name, object) in [("first", objects.0), ("second", objects.1)] {
            try project.csv(name, ["key,name"] + (1...3).map { "k\($0),Name \($0)" })
            try project.write(
                "syncs/\(name).yml",
                """
                source: {connection: files, table: \(name), key: key}
                destination: {connection: crm, object: \(object)}
                map: {name: name}
                insert: {mode: Append, delivery: by_match, settle: 1s}

                """)
        }
        let first = try project.penstock("run", "first")
        try #require(first.status == 0, "\(first.everything)")
        return project
    }

    @Test("A record of one object is not taken for another's because a record of another object has its id")
    func idsOfObjects() throws {
        let project = try twoSyncs(("organization", "person"))
        try project.server.play("reset-after:method=POST:nth=1", "reset-after:method=POST:nth=3")
        let second = try project.penstock("run", "second")
        #expect(second.status == 0 && second.output.contains("created"), "\(second.everything)")
        #expect(project.server.records("person").count == 3)
    }

    @Test("The record of another sync of the same object is not taken for that of a create that never arrived")
    func recordsOfOthers() throws {
        let project = try twoSyncs(("organization", "organization"))
        try project.server.play("reset-before:method=POST:nth=1", "reset-before:method=POST:nth=3")
        #expect(try project.penstock("run", "second").status == 0)
        #expect(project.server.organizations.count == 6)
    }

    @Test("A list that is none does not make a lost create absent")
    func oddList() throws {
        let project = try prepared(rows: 3, insert: "{mode: Append, settle: 1s}")
        try project.server.play("reset-after:method=POST:nth=2")
        #expect(try project.run("--no-wait").counts == "fetched 3, created 2, unknown 1")
        try project.server.play("garbage=no-id:method=GET:path=/api/v2/organizations")
        #expect(try project.run().status == 75)
        #expect(project.server.organizations.count == 3)
        try project.server.play()
        #expect(try project.run().counts == "fetched 3, created 3, recovered 3")
        #expect(project.server.organizations.count == 3)
    }

    @Test("A lost state is made anew from the markers, and no record is created twice")
    func rebuilds() throws {
        let project = try prepared(rows: 30, insert: "{mode: Append}")
        #expect(try project.run().counts == "fetched 30, created 30")
        try FileManager.default.removeItem(atPath: project.folder + "/.penstock/state")
        let refused = try project.penstock("run")
        #expect(refused.status == 73, "\(refused.everything)")
        #expect(project.server.writes == 31, "the field and the rows")
        let rebuilt = try project.penstock("state", "rebuild", "orgs", "--yes", "--no-wait")
        #expect(rebuilt.status == 0, "\(rebuilt.everything)")
        #expect(rebuilt.output.contains("30 of them found again"), "\(rebuilt.output)")
        try rowsOf(project, 1...33)
        #expect(try project.run().counts == "fetched 33, created 33, recovered 30")
        #expect(project.server.names.count == 33 && Set(project.server.names).count == 33)
    }

    @Test("The state of an upsert is made anew, and its rows are compared rather than created")
    func rebuildsUpserts() throws {
        let project = try prepared(rows: 1, insert: "{mode: Append}")
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company}
            insert: {mode: Update, on_missing: create}
            """)
        try project.csv("orgs", ["key,pd,company"] + (1...9).map { "k\($0),,Org \($0)" })
        #expect(try project.run().counts == "fetched 9, created 9")
        try FileManager.default.removeItem(atPath: project.folder + "/.penstock")
        #expect(try project.penstock("run").status == 73, "a project that was here is not a new one")
        #expect(try project.penstock("state", "rebuild", "orgs", "--no-wait").status == 0)
        #expect(try project.run().counts == "fetched 9, unchanged 9")
        #expect(project.server.organizations.count == 9)
    }

    @Test("Without markers a state cannot be made anew, and that is said")
    func cannotRebuild() throws {
        let project = try project(rows: 2, insert: "{mode: Append}")
        #expect(try project.run().status == 0)
        let result = try project.penstock("state", "rebuild", "orgs", "--yes", "--no-wait")
        #expect(result.status != 0 && result.errors.contains("carry no markers"), "\(result.everything)")
        #expect(try project.run().counts == "fetched 2, created 2", "the state is as it was")
    }

    @Test("Rejects go once more on command, and nothing else goes with them")
    func replays() throws {
        let project = try project(rows: 5, insert: "{mode: Append}")
        try project.server.play("status=422:method=POST:nth=2", "status=422:method=POST:nth=4")
        #expect(try project.run().counts == "fetched 5, created 3, rejected 2")
        try project.server.play()
        let dry = try project.penstock("reject", "replay", "orgs", "--dry-run", "--json").json["data"]?.arrayValue ?? []
        #expect(dry.compactMap { $0["rows"]?.intValue }.reduce(0, +) == 2)
        #expect(project.server.writes == 5)
        let none = try project.penstock("reject", "replay", "orgs", "--code", "nothing", "--json")
        #expect(try none.json["data"]?.arrayValue?.isEmpty == true)
        let one = try project.penstock("reject", "replay", "orgs", "--limit", "1", "--json")
        #expect(one.status == 0, "\(one.everything)")
        #expect(project.server.organizations.count == 4)
        #expect(try project.penstock("reject", "replay", "orgs").status == 0)
        #expect(project.server.names.sorted() == (1...5).map { "Org \($0)" })
        #expect(try project.penstock("reject", "list", "--json").json["data"]?.arrayValue?.isEmpty == true)
        // The next run is an ordinary one: it inserts everything again.
        #expect(try project.run().counts == "fetched 5, created 5")
    }

    @Test("A run that ended before it could say so is told of, and not repeated on top")
    func toldLater() throws {
        let project = try project(rows: 5, insert: "{mode: Append}")
        #expect(try project.run().counts == "fetched 5, created 5")
        // What a process leaves behind that is killed between the end of its run and its last word.
        try project.write(".penstock/state/orgs.untold", "0 1")
        let runs = project.folder + "/.penstock/runs"
        let run = try #require(try FileManager.default.contentsOfDirectory(atPath: runs).first)
        try FileManager.default.removeItem(atPath: "\(runs)/\(run)/run_results.json")
        try FileManager.default.removeItem(atPath: project.folder + "/.penstock/state/orgs.metrics")
        let told = try project.penstock("run")
        let results = try JSON(parsing: project.text(".penstock/runs/\(run)/run_results.json"))
        #expect(results["data"]?["told_later"]?.boolValue == true)
        let numbers = try JSON(parsing: project.text(".penstock/state/orgs.metrics"))
        #expect(numbers["rows"]?["created"]?.intValue == 5 && numbers["exit_code"]?.intValue == 0)
        #expect(numbers["last_success"]?.intValue != nil)
        // Numbers that were added before the process died are not added again.
        try project.write(".penstock/state/orgs.untold", "0 1")
        #expect(try project.penstock("run").status == 0)
        #expect(try project.text(".penstock/state/orgs.metrics") == numbers.text + "\n")
        #expect(told.status == 0 && told.output.contains("5 records created"), "\(told.everything)")
        #expect(project.server.organizations.count == 5)
        #expect(try project.run().counts == "fetched 5, created 5", "the one after it is a new run")
        #expect(try project.penstock("run", "orgs", "orgs").status == 0)
        #expect(project.server.organizations.count == 15, "a sync that is named twice runs once")
    }

    @Test("A frozen run keeps the others out, and ends its own work when it wakes up")
    func frozen() throws {
        let project = try project(rows: 60, insert: "{mode: Append, settle: 1s}") { $0.latency = 20_000_000 }
        let first = try project.start("run", "orgs")
        try first.wait("the run has not begun") { project.server.counters.created > 10 }
        first.send(SIGSTOP)
        let second = try project.penstock("run", "orgs")
        #expect(second.status == 75 && second.errors.contains("error[locked]"))
        first.send(SIGCONT)
        let ended = try first.result()
        #expect(ended.status == 0, "\(ended.everything)")
        #expect(project.server.names.count == 60 && Set(project.server.names).count == 60)
    }

    @Test("Records that carry one marker are told of although a later look at the records fails")
    func duplicatesAreTold() throws {
        let project = try prepared(rows: 2, insert: "{mode: Append, settle: 1s}")
        try project.server.play("reset-after:method=POST:nth=1", "reset-before:method=POST:nth=2")
        #expect(try project.run("--no-wait").counts == "fetched 2, unknown 2")
        let marker = try #require(markers(project).first)
        try project.server.create(["name": .string("Twin")], custom: ["Penstock key": .string(marker)])
        try project.server.play(
            "reset-before:method=POST:nth=1", "status=403:method=GET:path=/api/v2/organizations:nth=2")
        let report = try project.run()
        #expect(report["duplicates"].arrayValue?.first?.arrayValue?.count == 2, "\(report.data.prettyText)")
        #expect(report.count("unknown") == 1 && report.status != 0)
    }
}
