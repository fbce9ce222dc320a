// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Plans that ask nobody: what was read of records last says the same, and what is not known any more is not told.
@Suite struct OfflinePlanTests {
    private static let file = ".penstock/cache/records/orgs.db"

    /// Records `Old 1`, `Old 2`, …, and a row for each id and name.
    private func project(
        records: Int, _ rows: [String], insert: String = "{mode: Update, compare: remote}",
        map: String = "{id: pd, name: company, Account tier: tier}"
    ) throws -> TemporaryProject {
        let project = try TemporaryProject()
        for number in stride(from: 1, through: records, by: 1) {
            try project.server.create(["name": .string("Old \(number)")])
        }
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
        try sync(project, insert, map)
        return project
    }

    private func sync(_ project: TemporaryProject, _ insert: String, _ map: String) throws {
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: \(map)\ninsert: \(insert)")
    }

    /// Plans offline; where the plan is alone, makes sure that nobody was asked.
    ///
    /// - Parameters:
    ///   - isAlone: Whether no request of somebody else can arrive meanwhile; with them nothing can be said of the
    ///     plan's own.
    ///   - status: What the plan exits with: 65 where a limit would stop the run.
    private func offline(
        _ project: TemporaryProject, _ options: String..., isAlone: Bool = true, status: Int32 = 0
    ) throws -> SyncReport {
        let requests = project.server.counters.requests
        let result = try project.penstock(["plan", "orgs", "--json", "--offline"] + options)
        #expect(result.status == status, "\(result.everything)")
        if isAlone { #expect(project.server.counters.requests == requests, "nobody is asked") }
        return try SyncReport(result, tokens: 0)
    }

    /// Plans with the destination and offline, and makes sure that the two are the same, row by row.
    private func same(_ project: TemporaryProject) throws -> SyncReport {
        let online = try project.plan("--diff", "all")
        let offline = try offline(project, "--diff", "all")
        #expect(offline.counts == online.counts && offline["undecided"].intValue == 0)
        #expect(offline.data["rejects"] == online.data["rejects"])
        #expect(offline.data["examples"] == online.data["examples"])
        #expect(online["records_read_at"] == .null && offline["records_read_at"].stringValue != nil)
        #expect(offline["fields_read_at"].stringValue != nil)
        return offline
    }

    @Test("Offline a plan says what it said when it asked, field by field", arguments: ["remote", "auto"])
    func sameAsOnline(compare: String) throws {
        let rows =
            (1...90).map { "k\($0),\($0),\($0 % 4 == 0 ? "New" : "Old") \($0),\($0 % 10 == 0 ? "Gold" : "")" }
            + ["k900,900,Nobody,"]
        let project = try project(records: 200, rows, insert: "{mode: Update, compare: \(compare)}")
        let plan = try same(project)
        #expect(plan.counts == "fetched 91, updated 27, unchanged 63, rejected 1" && plan.rejects == "not-found 1")
        let text = try project.penstock("plan", "--offline").output
        #expect(text.contains("ago, records as read ") && text.contains("Old 4"), "\(text)")
        // What happens at the destination is not known; what happens at the source is.
        try project.server.edit(1, ["name": .string("By hand")])
        try project.csv("orgs", ["key,pd,company,tier", "k1,1,Old 1,", "k2,2,Changed,", "k150,150,Old 150,"])
        let later = try offline(project)
        #expect(later.counts == "fetched 3, updated 1, unchanged 1" && later["undecided"].intValue == 1)
    }

    @Test("What a run has written is not told as it was before")
    func afterRun() throws {
        let rows = (1...12).map { "k\($0),\($0),\($0 <= 4 ? "New" : "Old") \($0)," }
        let project = try project(records: 12, rows)
        let first = try project.run()
        #expect(first.counts == "fetched 12, updated 4, unchanged 8")
        var plan = try offline(project)
        #expect(plan.counts == "fetched 12, unchanged 8" && plan["undecided"].intValue == 4)
        #expect(try same(project).counts == "fetched 12, unchanged 12")
        #expect(try project.run().counts == "fetched 12, unchanged 12")
        #expect(
            try offline(project).counts == "fetched 12, unchanged 12", "a run that writes nothing keeps what it read")
        // The ledger knows what was accepted, where the sync believes it.
        try sync(project, "{mode: Update}", "{id: pd, name: company, Account tier: tier}")
        try project.csv("orgs", ["key,pd,company,tier"] + rows + ["k13,13,Old 13,"])
        plan = try offline(project)
        #expect(plan.counts == "fetched 13, unchanged 12" && plan["undecided"].intValue == 1)
        #expect(try project.run().counts == "fetched 13, unchanged 12, rejected 1")
        try project.csv("orgs", ["key,pd,company,tier", "k1,1,Newer,", "k99,2,Other,", "k98,13,Old,"])
        plan = try offline(project, status: 65)
        #expect(plan.count("updated") == 2 && plan.rejects == "not-found 1", "\(plan.data.prettyText)")
        #expect(try project.penstock("undo", first["run"].stringValue ?? "", "--yes").status == 0)
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/" + Self.file))
    }

    @Test("Records are found by the list that was read, and what the run has made since is not called missing")
    func byList() throws {
        let project = try project(
            records: 5, ["k1,,Old 1,Gold", "k2,,Old 2,", "k3,,Third,", "k4,,Twin,"],
            insert: "{mode: Update, match: name, on_missing: create, compare: remote}",
            map: "{name: company, Account tier: tier}")
        for _ in 1...2 { try project.server.create(["name": .string("Twin")]) }
        let plan = try same(project)
        #expect(plan.counts == "fetched 4, created 1, updated 1, unchanged 1, rejected 1")
        #expect(plan.rejects == "match-ambiguous 1")
        #expect(try project.run().counts == plan.counts)
        // Old 1 was changed, Third created: other rows with these names would find them, whatever they hold now.
        try project.csv(
            "orgs",
            ["key,pd,company,tier", "k2,,Old 2,", "k5,,Old 1,", "k6,,Third,", "k7,,Old 5,Gold", "k8,,Fourth,"])
        let after = try offline(project)
        #expect(after.counts == "fetched 5, created 1, updated 1, unchanged 1, removed 2", "\(after.data.prettyText)")
        #expect(after["undecided"].intValue == 2)
        // The record that the run created is one that the list did not have.
        try project.csv("orgs", ["key,pd,company,tier", "k3,,Third,Gold", "k1,,Old 1,"])
        #expect(try offline(project)["undecided"].intValue == 2)
        #expect(try same(project).counts == "fetched 2, updated 1, unchanged 1, removed 1")
    }

    @Test("A run that is killed leaves nothing to look at, and neither does a plan beside it")
    func killed() throws {
        let project = try project(records: 200, (1...200).map { "k\($0),\($0),New \($0)," })
        #expect(try same(project).counts == "fetched 200, updated 200")
        // Half of the updates are carried out without anybody hearing of it.
        try project.server.play("hang-after:method=PATCH:every=2")
        let run = try project.start("run", "orgs")
        try run.wait("the run has not come half way") { project.server.counters.updated > 40 }
        #expect(try project.penstock("plan").status == 0)
        run.send(SIGKILL)
        #expect(try run.result().wasKilled)
        project.server.setFaults([])
        // What the run had sent may arrive behind its end.
        let plan = try offline(project, isAlone: false)
        #expect(plan["records_read_at"] == .null && plan.count("updated") == 0, "\(plan.data.prettyText)")
        #expect(plan["undecided"].intValue == 200 - plan.count("recovered"))
        #expect(try project.penstock("plan", "--offline").output.contains("no record was looked at"))
        #expect(try project.run().status == 0)
        #expect(try same(project).counts == "fetched 200, unchanged 200")
    }

    @Test("A file that is damaged is none, and the next plan makes it anew")
    func damaged() throws {
        let project = try project(records: 3, ["k1,1,Old 1,", "k2,2,New 2,"])
        _ = try same(project)
        let attributes = try FileManager.default.attributesOfItem(atPath: project.folder + "/" + Self.file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let folder = try FileManager.default.attributesOfItem(atPath: project.folder + "/.penstock/cache/records")
        #expect(folder[.posixPermissions] as? Int == 0o700)
        let whole = try Data(contentsOf: URL(fileURLWithPath: project.folder + "/" + Self.file))
        for bytes in [Data(repeating: 0x41, count: 20_000), whole.prefix(5_000), whole.prefix(10), Data()] {
            try bytes.write(to: URL(fileURLWithPath: project.folder + "/" + Self.file))
            let plan = try offline(project)
            #expect(plan.counts == "fetched 2" && plan["undecided"].intValue == 2)
            #expect(try same(project).counts == "fetched 2, updated 1, unchanged 1")
        }
        // A place where nothing can be kept keeps nobody from planning and running.
        try FileManager.default.removeItem(atPath: project.folder + "/.penstock/cache/records")
        try project.write(".penstock/cache/records", "no folder\n")
        #expect(try project.runAsPlanned().counts == "fetched 2, updated 1, unchanged 1")
        #expect(try offline(project)["undecided"].intValue == 2)
    }

    @Test("Records that were read for other fields, or elsewhere, are none")
    func changed() throws {
        let project = try project(records: 3, ["k1,1,Old 1,Old 2", "k2,2,New 2,Old 2"])
        _ = try same(project)
        try sync(project, "{mode: Update, compare: remote}", "{id: pd, name: company}")
        #expect(try offline(project)["undecided"].intValue == 2, "other fields")
        try sync(project, "{mode: Update, compare: remote}", "{id: pd, name: tier, Account tier: company}")
        #expect(try offline(project).counts == "fetched 2, updated 2", "the same fields from other columns")
        let connections = try project.text("connections.yml")
        try project.write("connections.yml", connections.replacingOccurrences(of: "127.0.0.1", with: "localhost"))
        #expect(try offline(project)["undecided"].intValue == 2, "another server")
        try project.write("connections.yml", connections)
        #expect(try offline(project)["undecided"].intValue == 0)
        #expect(try project.penstock("state", "reset", "orgs", "--all", "--yes").status == 0)
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/" + Self.file))
        _ = try same(project)
        #expect(try project.penstock("sync", "rename", "orgs", "firms").status == 0)
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/" + Self.file))
    }
}
