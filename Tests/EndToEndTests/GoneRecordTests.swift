// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A record that only the ledger knew, and that somebody has deleted, is told of, and its row is not forgotten.
@Suite struct GoneRecordTests {
    @Test(
        "A row whose record is gone is a reject that says so, and the next run settles it",
        arguments: ["create", "skip", "reject"], ["FULL", "INCREMENTAL, key: at"])
    func gone(onMissing: String, fetch: String) throws {
        let project = try TemporaryProject(types: "{at: integer}")
        try project.csv("orgs", ["key,company,tier,at", "k1,Old 1,Gold,1", "k2,Old 2,Gold,2"])
        for number in 1...2 { try project.server.create(["name": .string("Old \(number)")]) }
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, Account tier: tier}
            fetch: {mode: \(fetch)}
            insert: {mode: Update, match: name, on_missing: \(onMissing)}
            rejects: {max: 10}
            """)
        #expect(try project.run().counts == "fetched 2, updated 2")
        try project.server.delete(1)
        try project.csv("orgs", ["key,company,tier,at", "k1,Old 1,Iron,3", "k2,Old 2,Iron,4"])
        let report = try project.run()
        #expect(report.counts == "fetched 2, updated 1, rejected 1", "\(report.result.everything)")
        #expect(report.rejects == "record-gone 1" && report.status == 0)
        let shown = try project.penstock("reject", "show", "orgs", "--json").output
        #expect(shown.contains("the next run looks for another one by name"), "\(shown)")
        #expect(try project.penstock("explain", "record-gone").status == 0)
        let next = try project.run()
        let became = ["create": "created", "skip": "skipped", "reject": "rejected"][onMissing] ?? ""
        #expect(next.count(became) == 1 && next.status == 0, "\(next.result.everything)")
        #expect(project.server.organizations.count == (onMissing == "create" ? 2 : 1))
        #expect(try project.run().count("created") == 0)
    }

    @Test("Another record that is found by the match is taken by the next run, and none is created")
    func another() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,tier", "k1,Old 1,Gold"])
        try project.server.create(["name": .string("Old 1")])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, Account tier: tier}
            insert: {mode: Update, match: name, on_missing: create}
            """)
        #expect(try project.run().counts == "fetched 1, updated 1")
        try project.server.delete(1)
        try project.server.create(["name": .string("Old 1")])
        try project.csv("orgs", ["key,company,tier", "k1,Old 1,Iron"])
        #expect(try project.run().status == 65)
        #expect(try project.run().counts == "fetched 1, updated 1")
        #expect(project.server.organizations.count == 1)
    }

    @Test("A run creates no more than its limits allow where records were deleted by hand", arguments: [true, false])
    func limited(isIncremental: Bool) throws {
        let project = try TemporaryProject(types: "{at: integer}")
        let mode = isIncremental ? "INCREMENTAL, key: at" : "FULL"
        func sync(_ limits: String) throws {
            try project.sync(
                """
                source: {connection: files, table: orgs, key: key}
                map: {id: pd, name: company}
                fetch: {mode: \(mode)}
                insert: {mode: Update, match: id, on_missing: create}
                rejects: {max: 10}
                limits: {\(limits)}
                """)
        }
        func rows(_ name: String, at: Int) throws {
            try project.csv("orgs", ["key,pd,company,at"] + (1...4).map { "k\($0),,\(name) \($0),\(at + $0)" })
        }
        try sync("shrink: off")
        try rows("Old", at: 0)
        #expect(try project.run().counts == "fetched 4, created 4")
        for id in [1, 2] { try project.server.delete(id) }
        try rows("New", at: 10)
        try sync("creates: 0")
        #expect(try project.penstock("plan").status == 0)
        let report = try project.run()
        #expect(report.counts == "fetched 4, updated 2, rejected 2", "\(report.result.everything)")
        #expect(report.rejects == "record-gone 2" && report.status == 0)
        let rejects = try project.penstock("reject", "show", "orgs", "--json").output
        #expect(rejects.contains("the next run creates one anew"))
        let plan = try project.penstock("plan", "--json")
        #expect(plan.status == 65 && plan.everything.contains("limit-creates"), "\(plan.everything)")
        #expect(try project.penstock("run").status == 65 && project.server.organizations.count == 2)
        try sync("creates: 2")
        #expect(try project.runAsPlanned().count("created") == 2)
        #expect(project.server.names.sorted() == ["New 1", "New 2", "New 3", "New 4"])
    }
}
