// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// What is said of records that refer to each other, before any of them is there.
@Suite struct PlannedLinkTests {
    private struct Insert {
        var text: String
        var map = ""

        static let append = Insert(text: "{mode: Append}")
        static let update = Insert(text: "{mode: Update, on_missing: create}", map: "id: rid, ")
    }

    private func project(
        _ companies: [String], _ people: [String], insert: Insert = .update, fetch: String = "{mode: FULL}"
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(types: "{rid: integer, seq: integer}")
        try write(companies, people, project)
        try project.write(
            "syncs/companies.yml",
            """
            source: {connection: files, table: companies, key: key}
            destination: {connection: crm, object: organization}
            map: {\(insert.map)name: name}
            fetch: \(fetch)
            insert: \(insert.text)
            rejects: {max: 100%}

            """)
        try project.write(
            "syncs/a_people.yml",
            """
            source: {connection: files, table: people, key: key}
            destination: {connection: crm, object: person}
            map: {\(insert.map)name: name, org_id: {from: company, link: companies}}
            fetch: \(fetch)
            insert: \(insert.text)
            rejects: {max: 100%}

            """)
        return project
    }

    private func write(_ companies: [String], _ people: [String], _ project: TemporaryProject) throws {
        try project.csv("companies", ["key,rid,seq,name"] + companies)
        try project.csv("people", ["key,rid,seq,name,company"] + people)
    }

    private func bySync(_ result: ProgramResult) throws -> [String: JSON] {
        let data = try #require(result.json["data"]?.arrayValue, "\(result.everything)")
        return Dictionary(uniqueKeysWithValues: data.map { ($0["sync"]?.stringValue ?? "", $0) })
    }

    private static let names = ["created", "updated", "unchanged", "rejected", "skipped", "fetched"]

    /// Plans both syncs, runs them, and holds what came against what was planned.
    private func runAsPlanned(_ project: TemporaryProject, _ comment: Comment = "") throws -> [String: JSON] {
        let records = project.server.everything
        let plan = try project.penstock("plan", "--json", "--diff", "all")
        #expect(project.server.everything == records, comment)
        let before = project.server.counters.tokensSpent
        let run = try project.penstock("run", "--json")
        let spent = project.server.counters.tokensSpent - before
        let planned = try bySync(plan)
        let came = try bySync(run)
        for sync in ["companies", "a_people"] {
            for name in Self.names {
                #expect(planned[sync]?["counts"]?[name] == came[sync]?["counts"]?[name], "\(sync) \(name) \(comment)")
            }
            #expect(planned[sync]?["rejects"] == came[sync]?["rejects"], "\(sync) \(comment)")
            let tokens = came[sync]?["api"]?["tokens"]
            #expect(planned[sync]?["cost"]?["tokens"] == tokens, "\(sync) \(comment)")
        }
        let all = planned.values.reduce(0) { $0 + ($1["cost"]?["tokens"]?.intValue ?? 0) }
        #expect(all == spent, comment)
        return planned
    }

    @Test("Rows whose parents are only planned are the creates that they will be, and nothing else is said of the rest")
    func children() throws {
        let project = try project(
            ["acme,,1,Acme", "bad,,2,", "7,,3,Seven"],
            ["p1,,1,Ann,acme", "p2,,2,Bob,bad", "p3,,3,Cid,none", "p4,,4,Dan,7", "p5,,5,Eve,"])
        let text = try project.penstock("plan", "--diff", "all")
        #expect(text.status == 0, "\(text.everything)")
        #expect(
            text.output.contains("of these, 2 refer to records that are created first: companies"), "\(text.output)")
        #expect(text.output.contains("org_id: new: companies acme"), "\(text.output)")
        #expect(text.output.contains("Its row in companies was rejected (required-empty)"), "\(text.output)")
        let alone = try project.penstock("plan", "a_people", "--json")
        #expect(try bySync(alone)["a_people"]?["counts"]?["rejected"]?.intValue == 4, "\(alone.output)")
        let hint = try project.penstock("plan", "a_people").output
        #expect(hint.contains("would create first: penstock plan companies a_people"), "\(hint)")
        let planned = try runAsPlanned(project)
        #expect(planned["a_people"]?["linked"]?.intValue == 2)
        let rows = planned["a_people"]?["examples"]?.arrayValue ?? []
        let ann = rows.first { $0["key"]?.stringValue == "p1" }
        #expect(ann?["linked"] == .strings(["org_id"]))
        #expect(ann?["values"]?["org_id"]?.stringValue == "new: companies acme")
        try write(
            ["acme,,1,Acme", "bad,,5,Mended", "7,,3,Seven", "new,,6,New"],
            ["p1,,7,Ann,new", "p2,,2,Bob,bad", "p3,,3,Cid,none", "p4,,4,Dan,7", "p5,,5,Eve,"], project)
        let second = try runAsPlanned(project)
        #expect(second["a_people"]?["counts"]?["updated"]?.intValue == 1, "Ann has another company")
        #expect(second["a_people"]?["counts"]?["created"]?.intValue == 1, "Bob's company was mended")
    }

    @Test("Incremental runs reach back to rows whose parents are planned now, in the plan as in the run")
    func incremental() throws {
        let project = try project(
            ["acme,,1,Acme", "bad,,2,"], ["p1,,1,Ann,bad", "p2,,2,Bob,late", "p3,,3,Cid,acme"], insert: .append,
            fetch: "{mode: INCREMENTAL, key: seq}")
        _ = try runAsPlanned(project)
        try write(
            ["acme,,1,Acme", "bad,,3,Mended", "late,,4,Late"], ["p1,,1,Ann,bad", "p2,,2,Bob,late", "p3,,3,Cid,acme"],
            project)
        let second = try runAsPlanned(project)
        #expect(second["a_people"]?["counts"]?["created"]?.intValue == 2)
    }

    @Test("Whatever parents and children are, the plan of both is what the run of both does")
    func anything() throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        for scenario in 0..<4 {
            var random = SeededNumbers(seed: seed &+ UInt64(scenario))
            let project = try project([], [], insert: scenario % 2 == 0 ? .update : .append)
            for number in 1...6 { try project.server.create(["name": .string("Old \(number)")]) }
            for round in 1...3 {
                let companies = (1...12).map { number in
                    let id = number <= 6 && Bool.random(using: &random) ? "\(number)" : ""
                    let name = Int.random(in: 0...4, using: &random) == 0 ? "" : "Company \(number) \(round % 2)"
                    return "c\(number),\(number == 7 ? "99" : id),\(round),\(name)"
                }
                let people = (1...20).map { number in
                    "p\(number),,\(round),Person \(number),c\(Int.random(in: 1...14, using: &random))"
                }
                let few = round == 1 ? Array(companies.prefix(8)) : companies
                try write(few, people, project)
                _ = try runAsPlanned(project, "seed \(seed), scenario \(scenario), round \(round)")
            }
        }
    }

    @Test("A parent whose run would not begin gives its children nothing, and says why")
    func limited() throws {
        let project = try project(["acme,,1,Acme"], ["p1,,1,Ann,acme"])
        try project.write("syncs/companies.yml", project.text("syncs/companies.yml") + "limits: {creates: 0}\n")
        let plan = try project.penstock("plan", "--diff", "all")
        #expect(plan.output.contains("The run of companies would not begin (limits.creates)"), "\(plan.everything)")
        let run = try project.penstock("run", "--json")
        #expect(try bySync(run)["a_people"]?["counts"]?["rejected"]?.intValue == 1, "\(run.everything)")
    }

    @Test("Plans of both are kept and applied one behind the other, and the child's only behind its parent's")
    func sealed() throws {
        let project = try project(["acme,,1,Acme", "old,,2,Old"], ["p1,,1,Ann,acme", "p2,,2,Bob,old"])
        #expect(try project.penstock("plan", "-O", "latest").status == 0)
        let early = try project.penstock("run", "a_people", "--plan", "latest")
        #expect(early.status == 78, "\(early.everything)")
        #expect(early.errors.contains("planned with a record that another sync creates first"), "\(early.errors)")
        #expect(early.errors.contains("what it refers to goes first: penstock run companies"), "\(early.errors)")
        #expect(project.server.records("person").isEmpty)
        let run = try project.penstock("run", "--plan", "latest", "--json")
        #expect(run.status == 0, "\(run.everything)")
        for report in try bySync(run).values { #expect(report["as_planned"]?.boolValue == true, "\(report.text)") }
        let ids = project.server.records("organization").map { JSON.integer($0.id) }
        #expect(project.server.records("person").map { $0.properties["org_id"] } == ids)
    }

    @Test("A child's plan is refused where the row names another parent, or the parent came to nothing")
    func sealedThenChanged() throws {
        let project = try project(["acme,,1,Acme", "late,,2,Late"], ["p1,,1,Ann,acme", "p2,,2,Bob,late"])
        #expect(try project.penstock("plan", "-O", "latest").status == 0)
        try write(["acme,,1,Acme", "late,,2,"], ["p1,,1,Ann,acme", "p2,,2,Bob,late"], project)
        #expect(try project.penstock("run", "companies").status == 0)
        let nothing = try project.penstock("run", "a_people", "--plan", "latest")
        #expect(
            nothing.status == 78 && nothing.errors.contains("was rejected (required-empty)"), "\(nothing.everything)")
        try write(["acme,,1,Acme", "late,,2,Late"], ["p1,,1,Ann,late", "p2,,2,Bob,late"], project)
        #expect(try project.penstock("run", "companies").status == 0)
        let other = try project.penstock("run", "a_people", "--plan", "latest")
        #expect(other.status == 78 && other.errors.contains("with other values than planned"), "\(other.everything)")
        #expect(project.server.records("person").isEmpty)
    }
}
