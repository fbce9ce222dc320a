// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Plans of several syncs that one command applies: together as they were reviewed, or not at all.
@Suite struct PlansTogetherTests {
    private static let companies = ["acme,,1,Acme", "beta,,2,Beta"]
    private static let people = ["p1,,1,Ann,acme", "p2,,2,Bob,beta"]
    private static let deals = ["d1,,1,Deal one,acme,p1", "d2,,2,Deal two,beta,p2"]

    private func project(
        insert: String = "{mode: Update, on_missing: create, settle: 1s}", fetch: String = "{mode: FULL}",
        _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(types: "{rid: integer, seq: integer}", configure)
        let id = insert.contains("Update") ? "id: rid, " : ""
        let syncs = [
            ("companies", "organization", "name: name"),
            ("a_people", "person", "name: name, org_id: {from: company, link: companies}"),
            (
                "a_deals", "deal",
                "title: name, org_id: {from: company, link: companies}, person_id: {from: person, link: a_people}"
            ),
        ]
        for (name, object, map) in syncs {
            try project.write(
                "syncs/\(name).yml",
                """
                source: {connection: files, table: \(name), key: key}
                destination: {connection: crm, object: \(object)}
                map: {\(id)\(map)}
                fetch: \(fetch)
                insert: \(insert)
                rejects: {max: 100%}

                """)
        }
        try write(project)
        return project
    }

    private func write(
        _ project: TemporaryProject, companies: [String] = Self.companies, people: [String] = Self.people,
        deals: [String] = Self.deals
    ) throws {
        try project.csv("companies", ["key,rid,seq,name"] + companies)
        try project.csv("a_people", ["key,rid,seq,name,company"] + people)
        try project.csv("a_deals", ["key,rid,seq,name,company,person"] + deals)
    }

    private func bySync(_ result: ProgramResult) throws -> [String: JSON] {
        let data = try #require(result.json["data"]?.arrayValue, "\(result.everything)")
        return Dictionary(uniqueKeysWithValues: data.map { ($0["sync"]?.stringValue ?? "", $0) })
    }

    /// Keeps the plans of all syncs, and returns what they cost together.
    @discardableResult
    private func plan(_ project: TemporaryProject, _ options: String...) throws -> Int {
        let result = try project.penstock(["plan", "-O", "latest", "--json"] + options)
        try #require(result.status == 0, "\(result.everything)")
        return try bySync(result).values.reduce(0) { $0 + ($1["cost"]?["tokens"]?.intValue ?? 0) }
    }

    /// Applies the plans, and makes sure that all came as planned, to the token.
    @discardableResult
    private func apply(
        _ project: TemporaryProject, costing tokens: Int, _ comment: Comment = ""
    ) throws -> [String: JSON] {
        let before = project.server.counters.tokensSpent
        let result = try project.penstock("run", "--plan", "latest", "--json")
        #expect(result.status == 0, "\(comment): \(result.everything)")
        #expect(project.server.counters.tokensSpent - before == tokens, comment)
        let reports = try bySync(result)
        for (sync, report) in reports {
            #expect(report["as_planned"]?.boolValue == true, "\(comment) \(sync): \(report.text)")
        }
        return reports
    }

    /// What of the last of the three plans is no longer true.
    enum Change: String, CaseIterable {
        case row, gone, new, key, map, state, limit, missing
    }

    @Test(
        "What would stop the last of several plans stops the first, before anything is sent", arguments: Change.allCases
    )
    func refused(change: Change) throws {
        let project = try project()
        let cost = try plan(project)
        let deals = Self.deals
        let file = try project.text("syncs/a_deals.yml")
        var (said, code, kind) = ("to be sent with other values than planned", Int32(78), "stale-plan")
        switch change {
        case .row: try write(project, deals: ["d1,,1,Deal three,acme,p1", deals[1]])
        case .gone:
            try write(project, deals: [deals[0]])
            said = "planned, and nothing is to be sent for it now"
        case .new:
            try write(project, deals: deals + ["d3,,3,Deal three,acme,p1"])
            said = "to be sent and not in the plan"
        case .key:
            try write(project, deals: ["d1,,1,Deal one,beta,p1", deals[1]])
        case .map:
            try project.write("syncs/a_deals.yml", file.replacing("title: name", with: "title: key"))
            said = "map: title has changed"
        case .state:
            #expect(try project.penstock("run", "a_deals").status == 0)
            said = "the state (last run) has changed"
        case .limit:
            try project.write("syncs/a_deals.yml", file + "limits: {creates: 1}\n")
            (said, code, kind) = ("it would create 2 records", 65, "limit-creates")
        case .missing:
            try FileManager.default.removeItem(atPath: project.folder + "/.penstock/plans/a_deals.plan")
            (said, code, kind) = ("there is no plan yet", 64, "no-plan")
        }
        let result = try project.penstock("run", "--plan", "latest", "--json")
        #expect(result.status == code && result.errors.contains(said), "\(result.everything)")
        #expect(project.server.writes == 0, "nothing is sent")
        let reports = try bySync(result)
        #expect(reports["a_deals"]?["error"]?["code"]?.stringValue == kind)
        for name in ["companies", "a_people"] {
            #expect(reports[name]?["error"]?["code"]?.stringValue == "not-applied", "\(result.output)")
            let sentence =
                "error[not-applied]: \(name): its plan was not applied: the plan of a_deals cannot be applied"
            #expect(result.errors.contains(sentence), "\(result.errors)")
        }
        guard [.row, .gone, .new, .key].contains(change) else { return }
        try write(project)
        try apply(project, costing: cost, "once it is mended")
        #expect(project.server.records("deal").count == 2)
    }

    @Test(
        "A parent's plan that is refused, by its rows or its limits, stops those that link to it", arguments: [78, 65])
    func refusedParent(code: Int32) throws {
        let project = try project()
        try plan(project)
        if code == 78 {
            try write(project, companies: ["acme,,1,Acme Ltd", Self.companies[1]])
        } else {
            try project.write("syncs/companies.yml", project.text("syncs/companies.yml") + "limits: {creates: 1}\n")
        }
        let result = try project.penstock("run", "--plan", "latest", "--json")
        let kind = code == 78 ? "stale-plan" : "limit-creates"
        #expect(result.status == code && result.errors.contains("error[\(kind)]: companies"), "\(result.everything)")
        let reports = try bySync(result)
        for name in ["a_people", "a_deals"] {
            #expect(reports[name]?["exit_code"]?.intValue == Int(code))
            let said = "\(name): its plan was not applied: the plan of companies cannot be applied; nothing was sent"
            #expect(result.errors.contains(said), "\(result.errors)")
        }
        #expect(project.server.writes == 0)
    }

    @Test("A parent that does not come to its end keeps those that link to it back, and the same words go on")
    func interrupted() throws {
        let project = try project()
        try plan(project)
        try project.server.play("status=401:method=POST:nth=2")
        let result = try project.penstock("run", "--plan", "latest", "--json")
        #expect(result.status == 77, "\(result.everything)")
        let reports = try bySync(result)
        for name in ["a_people", "a_deals"] {
            #expect(reports[name]?["error"]?["code"]?.stringValue == "not-applied", "\(result.output)")
            #expect(reports[name]?["exit_code"]?.intValue == 77)
        }
        #expect(
            result.errors.contains(
                "a_people: its plan was not applied: companies, which it links to, did not come to its end"))
        #expect(project.server.records("person").isEmpty && project.server.records("deal").isEmpty)
        try project.server.play()
        let again = try project.penstock("run", "--plan", "latest", "--json")
        #expect(again.status == 0, "\(again.everything)")
        for object in ["organization", "person", "deal"] {
            #expect(project.server.records(object).count == 2, "\(object)")
        }
        let ends = try bySync(again)
        for name in ["a_people", "a_deals"] { #expect(ends[name]?["as_planned"]?.boolValue == true, "\(again.output)") }
    }

    @Test("A run that is killed between two syncs is finished by the same words; what is applied is not applied again")
    func applied() throws {
        let project = try project()
        try plan(project)
        #expect(try project.penstock("run", "companies", "--plan", "latest").status == 0)
        let result = try project.penstock("run", "--plan", "latest", "--json")
        #expect(result.status == 0, "\(result.everything)")
        let reports = try bySync(result)
        #expect(reports["companies"]?["applied_before"]?.boolValue == true, "\(result.output)")
        #expect(reports["companies"]?["counts"]?["created"]?.intValue == 2)
        for name in ["a_people", "a_deals"] {
            #expect(reports[name]?["as_planned"]?.boolValue == true, "\(result.output)")
        }
        let writes = project.server.writes
        let again = try project.penstock("run", "--plan", "latest")
        #expect(again.status == 78, "\(again.everything)")
        #expect(again.errors.components(separatedBy: "was applied by run").count == 4, "\(again.errors)")
        #expect(project.server.writes == writes)
    }

    @Test("Rows that change while the syncs before them are sent go as they were reviewed")
    func changedMeanwhile() throws {
        let project = try project { $0.latency = 20 }
        let companies = (1...60).map { "c\($0),,\($0),Company \($0)" }
        try write(project, companies: companies, people: ["p1,,1,Ann,c1"], deals: [])
        try plan(project)
        let program = try project.start("run", "--plan", "latest", "--json")
        try program.wait("it sends") { project.server.writes >= 3 }
        try write(project, companies: companies, people: ["p1,,1,Eve,c2", "p2,,2,Bob,c2"], deals: [])
        let result = try program.result()
        #expect(result.status == 0, "\(result.everything)")
        let people = project.server.records("person")
        #expect(people.map { $0.properties["name"]?.stringValue } == ["Ann"], "what was looked at is what is sent")
        let next = try bySync(try project.penstock("plan", "--json"))
        #expect(next["a_people"]?["counts"]?["updated"]?.intValue == 1)
        #expect(next["a_people"]?["counts"]?["created"]?.intValue == 1)
    }

    @Test("What the destination refuses of a parent stops the plan behind it before it sends anything")
    func refusedByDestination() throws {
        let project = try project(insert: "{mode: Update, compare: none, on_missing: create}")
        try write(
            project, companies: ["acme,,1,Acme", "gone,77,2,Gone"], people: ["p1,,1,Ann,acme", "p2,,2,Bob,gone"],
            deals: [])
        let plan = try project.penstock("plan", "-O", "latest")
        let line = "of these, 1 refer to records that are changed first without a look at them (companies)"
        #expect(plan.output.contains(line), "\(plan.output)")
        #expect(try project.penstock("plan", "show", "a_people").output.contains(line))
        let planned = try bySync(try project.penstock("plan", "--json"))
        #expect(
            planned["a_people"]?["linked_unseen"]?.intValue == 1
                && planned["companies"]?["linked_unseen"]?.intValue == 0)
        let result = try project.penstock("run", "--plan", "latest", "--json")
        #expect(result.status == 78, "\(result.everything)")
        #expect(
            result.errors.contains("a_people: the plan") && result.errors.contains("row 2, key p2"), "\(result.errors)")
        #expect(project.server.records("person").isEmpty)
        #expect(project.server.records("organization").count == 1)
        // With a look that costs less than the update the plan knows it.
        try project.write(
            "syncs/companies.yml", project.text("syncs/companies.yml").replacing("compare: none, ", with: ""))
        let seen = try bySync(try project.penstock("plan", "--json"))
        #expect(
            seen["a_people"]?["counts"]?["rejected"]?.intValue == 1 && seen["a_people"]?["linked_unseen"]?.intValue == 0
        )
    }

    @Test("Incremental plans of both reach back to rows whose parents come now")
    func incremental() throws {
        let project = try project(insert: "{mode: Append}", fetch: "{mode: INCREMENTAL, key: seq}")
        let people = ["p1,,1,Ann,bad", "p2,,2,Bob,late", "p3,,3,Cid,acme"]
        try write(project, companies: ["acme,,1,Acme", "bad,,2,"], people: people, deals: [])
        try apply(project, costing: try plan(project))
        #expect(project.server.records("person").count == 1)
        try write(project, companies: ["acme,,1,Acme", "bad,,3,Mended", "late,,4,Late"], people: people, deals: [])
        try apply(project, costing: try plan(project))
        #expect(project.server.records("person").count == 3)
        let next = try bySync(try project.penstock("run", "--json"))
        #expect(next["a_people"]?["counts"]?["created"]?.intValue == 0)
    }

    @Test("Whatever parents and children are, all plans are applied as they were made", arguments: ["", "--guard"])
    func anything(option: String) throws {
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        var random = SeededNumbers(seed: seed)
        let project = try project()
        for number in 1...4 { try project.server.create(["name": .string("Old \(number)")]) }
        for round in 1...3 {
            let companies = (1...8).map { number in
                let id = number <= 4 && Bool.random(using: &random) ? "\(number)" : ""
                let name = Int.random(in: 0...4, using: &random) == 0 ? "" : "Company \(number) \(round % 2)"
                return "c\(number),\(number == 7 ? "99" : id),\(round),\(name)"
            }
            let people = (1...8).map { "p\($0),,\(round),Person \($0),c\(Int.random(in: 1...10, using: &random))" }
            let deals = (1...8).map { number in
                let (company, person) = (Int.random(in: 1...9, using: &random), Int.random(in: 1...9, using: &random))
                return "d\(number),,\(round),Deal \(number),c\(company),p\(person)"
            }
            try write(
                project, companies: round == 1 ? Array(companies.prefix(6)) : companies, people: people, deals: deals)
            let cost = option.isEmpty ? try plan(project) : try plan(project, option)
            try apply(project, costing: cost, "seed \(seed), round \(round) \(option)")
        }
    }

    @Test("A plan that goes on with a run is the plan of that run: the same words finish what is left")
    func resumed() throws {
        let project = try project()
        try project.server.play("status=401:method=POST:nth=2")
        #expect(try project.penstock("run", "companies").status == 77)
        try project.server.play()
        try plan(project)
        // One company is left; the second person fails.
        try project.server.play("status=401:method=POST:nth=3")
        let cut = try project.penstock("run", "--plan", "latest", "--json")
        #expect(cut.status == 77, "\(cut.everything)")
        #expect(project.server.records("organization").count == 2 && project.server.records("person").count == 1)
        try project.server.play()
        let again = try project.penstock("run", "--plan", "latest", "--json")
        #expect(again.status == 0, "\(again.everything)")
        #expect(try bySync(again)["companies"]?["applied_before"]?.boolValue == true, "\(again.output)")
        for object in ["organization", "person", "deal"] {
            #expect(project.server.records(object).count == 2, "\(object)")
        }
    }

    @Test("Of a sync whose plan is applied already nobody says that it was not, and its run is told of for good")
    func refusedLater() throws {
        let project = try project()
        try plan(project)
        #expect(try project.penstock("run", "companies", "--plan", "latest").status == 0)
        // What a process leaves that is killed before it can tell of its run.
        try project.write(".penstock/state/companies.untold", "0 1")
        try write(project, people: ["p1,,1,Ann Lee,acme", Self.people[1]])
        let result = try project.penstock("run", "--plan", "latest", "--json")
        #expect(result.status == 78 && result.errors.contains("error[stale-plan]: a_people"), "\(result.everything)")
        let reports = try bySync(result)
        #expect(reports["companies"]?["applied_before"]?.boolValue == true, "\(result.output)")
        #expect(reports["companies"]?["error"] == nil && reports["companies"]?["exit_code"]?.intValue == 0)
        #expect(reports["a_deals"]?["error"]?["code"]?.stringValue == "not-applied")
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/.penstock/state/companies.untold"))
    }
}
