// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Persons and deals, from a source to exact records.
@Suite struct ObjectTests {
    private static let rows = [
        "k1,1,Alpha,Gold,10.5,2026-03-01 10:00:00", "k2,2,Beta,Silver,20,2026-03-01 10:00:00",
        "k3,3,Gamma,Bronze,30,2026-03-01 10:00:00", "k4,4,Delta,Gold,40,2026-03-01 10:00:00",
    ]
    private static let maps = [
        "person": "name: company, Tier code: tier, Score: arr",
        "deal": "title: company, Offer number: tier, value: arr",
    ]

    @Test(
        "What is planned is what happens", arguments: ["person", "deal"],
        Combination.all.filter { $0.source != .example })
    func runsAsPlanned(object: String, combination: Combination) throws {
        let project = try TemporaryProject(types: Rows.types)
        let isUpdate = combination.insert == .update
        let isFull = combination.fetch == .full
        let (name, tier, number) =
            object == "person" ? ("name", "Tier code", "Score") : ("title", "Offer number", "value")
        for record in 1...4 where isUpdate {
            let title = JSON.string(record == 2 ? "Beta" : "Old \(record)")
            var custom: [String: JSON] = [tier: .string(record == 2 ? "Silver" : "None")]
            custom[object == "person" ? "Contact key" : "Deal key"] = .string("kept \(record)")
            var body: JSONObject = [name: title, "owner_id": .integer(112)]
            let amount = JSON.number(record == 2 ? "20" : "1")
            if object == "person" { custom[number] = amount } else { body[number] = amount }
            try project.server.create(body, custom: custom, of: object)
        }
        try Rows(Self.rows).write(project, combination.source)
        try project.sync(
            """
            source: {connection: \(combination.source.connection), table: orgs, key: key}
            map: {\(isUpdate ? "id: pd, " : "")\(Self.maps[object] ?? "")}
            fetch: {mode: \(combination.fetch.rawValue)\(isFull ? "" : ", key: updated_at")}
            insert: {mode: \(combination.insert.rawValue)}
            """, object: object)
        let first = isUpdate ? ("fetched 4, updated 3, unchanged 1", 29) : ("fetched 4, created 4", 30)
        let second =
            !isFull
            ? ("reread 4", 10) : isUpdate ? ("fetched 4, unchanged 4", 10) : ("fetched 4, created 4", 30)
        let expected = [first, second]
        for (counts, tokens) in expected {
            let report = try project.runAsPlanned()
            #expect(report.status == 0, "\(report.result.errors)")
            #expect(report.counts == counts)
            #expect(report.tokens == tokens)
        }
        #expect(project.server.records(object).count == (isFull && !isUpdate ? 8 : 4))
        for id in 1...4 {
            let names = project.server.records(object).map { $0.properties[name]?.stringValue ?? "" }
            #expect(Set(names) == ["Alpha", "Beta", "Gamma", "Delta"])
            guard isUpdate else { continue }
            #expect(project.server.value(name, of: id, object) == ["Alpha", "Beta", "Gamma", "Delta"][id - 1])
            #expect(project.server.custom(tier, of: id, object) == ["Gold", "Silver", "Bronze", "Gold"][id - 1])
            let amount =
                object == "person"
                ? project.server.custom(number, of: id, object) : project.server.value(number, of: id, object)
            #expect(amount == ["10.5", "20", "30", "40"][id - 1])
            #expect(project.server.value("owner_id", of: id, object) == "112", "what is not mapped stays")
        }
        #expect(project.server.records("organization").isEmpty)
    }

    // MARK: - Persons

    /// A project with one person's row: key, name, mails, json.
    private func person(_ map: String, insert: String = "{mode: Append}", rows: [String]) throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,pd,name,mails,json"] + rows)
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: \(map)\ninsert: \(insert)", object: "person")
        return project
    }

    @Test(
        "Contacts come from one value, a list or JSON",
        arguments: [
            ("emails: mails", #"k1,,Ada,a@x.example,"#, #"[{"value":"a@x.example","primary":true,"label":"work"}]"#),
            (
                "emails: {from: mails, split: ;}", #"k1,,Ada,a@x.example; ;b@x.example,"#,
                #"[{"value":"a@x.example","primary":true,"label":"work"},"#
                    + #"{"value":"b@x.example","primary":false,"label":"work"}]"#
            ),
            (
                "phones: json",
                #"k1,,Ada,,"[{""value"":""+1"",""label"":""home""},{""value"":""+2"",""primary"":true}]""#,
                #"[{"value":"+1","primary":false,"label":"home"},{"value":"+2","primary":true,"label":"work"}]"#
            ),
        ])
    func contacts(entry: String, row: String, stored: String) throws {
        let project = try person("{name: name, \(entry)}", rows: [row])
        #expect(try project.runAsPlanned().counts == "fetched 1, created 1")
        let name = entry.hasPrefix("phones") ? "phones" : "emails"
        #expect(project.server.value(name, of: 1, "person") == stored)
        try project.csv("orgs", ["key,pd,name,mails,json", row.replacing("k1,,", with: "k1,1,")])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: name, \(entry)}
            insert: {mode: Update, compare: remote}
            """, object: "person")
        #expect(
            try project.runAsPlanned().counts == "fetched 1, unchanged 1",
            "labels and marks that the server added are no differences")
    }

    @Test("Two elements marked as primary reject the row")
    func twoPrimaries() throws {
        let marked = #""{""value"":""a@x"",""primary"":true}"#.dropFirst()
        let project = try person(
            "{name: name, emails: json}", rows: ["k1,,Ada,,\"[\(marked),\(marked.replacing("a@x", with: "b@x"))]\""])
        let report = try project.runAsPlanned()
        #expect(report.rejects == "list-invalid 1")
        #expect(project.server.records("person").isEmpty)
    }

    @Test("A field that the account lacks says what it needs")
    func missingFeature() throws {
        let project = try TemporaryProject { $0.features = [] }
        try project.csv("orgs", ["key,name,job", "k1,Ada,Engineer"])
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {name: name, job_title: job}", object: "person")
        let result = try project.penstock("plan", "orgs")
        #expect(result.status == 78)
        #expect(result.everything.contains("This account does not have it: it needs Contact Sync"))
        #expect(project.server.writes == 0)
    }

    // MARK: - Deals

    private func deal(_ map: String, insert: String = "{mode: Append}", rows: [String]) throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,pd,title,pipeline,stage,status,reason"] + rows)
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: \(map)\ninsert: \(insert)", object: "deal")
        return project
    }

    @Test("A stage is found by name within its pipeline")
    func stages() throws {
        let project = try deal(
            "{title: title, pipeline_id: pipeline, stage_id: stage}",
            rows: [
                "k1,,A,Sales,Qualified,,", "k2,,B,partners,Qualified,,", "k3,,C,2,6,,", "k4,,D,,Demo,,",
                "k5,,E,Sales,Onboarding,,", "k6,,F,Sales,5,,", "k7,,G,,Qualified,,", "k8,,H,Partners,,,",
            ])
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 8, created 5, rejected 3")
        #expect(report.tokens == 10 + 5 + 5 + 25, "fields, pipelines, stages, five deals")
        #expect(report.rejects == "option-ambiguous 1, option-unknown 2")
        let places = project.server.records("deal").map { record in
            ["title", "pipeline_id", "stage_id"].map { project.server.value($0, of: record.id, "deal") }.joined()
        }
        #expect(places.sorted() == ["A11", "B25", "C26", "D13", "H25"])
        let shown = try project.penstock("reject", "show", "orgs", "--json").output
        #expect(shown.contains(#"1 in \"Sales\", 5 in \"Partners\""#))
        #expect(shown.contains(#"One in \"Partners\" is called so."#))
        #expect(shown.contains(#"The option belongs to \"Partners\", and the row says \"Sales\"."#))
    }

    @Test("A constant stage is the one of the row's pipeline")
    func constantStage() throws {
        let project = try deal(
            "{title: title, pipeline_id: pipeline, stage_id: {value: Qualified}}",
            rows: ["k1,,A,Sales,,,", "k2,,B,Partners,,,"])
        #expect(try project.runAsPlanned().counts == "fetched 2, created 2")
        #expect(Set([1, 2].map { project.server.value("stage_id", of: $0, "deal") }) == ["1", "5"])
    }

    @Test("Pipelines are read only where they are mapped")
    func readsNoPipelines() throws {
        let project = try deal("{title: title}", rows: ["k1,,A,,,,"])
        #expect(try project.runAsPlanned().tokens == 15)
        #expect(project.server.counters.byRoute["GET /api/v2/stages"] == nil)
    }

    @Test("What depends on the status is held against it before anything is sent")
    func statuses() throws {
        let project = try deal(
            "{title: title, status: status, lost_reason: reason}",
            rows: [
                "k1,,A,,,lost,price", "k2,,B,,,Won,", "k3,,C,,,open,price", "k4,,D,,,,price", "k5,,E,,,deleted,",
            ])
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 5, created 2, rejected 3")
        #expect(report.rejects == "condition-unmet 2, option-unknown 1")
        let statuses = project.server.records("deal").map { project.server.value("status", of: $0.id, "deal") }
        #expect(statuses.sorted() == ["lost", "won"])
        #expect(project.server.counters.byStatus[400] == nil, "nothing is sent that would be refused")
    }

    @Test("A new deal cannot have a reason for losing without a status")
    func reasonWithoutStatus() throws {
        let project = try deal("{title: title, lost_reason: reason}", rows: ["k1,,A,,,,price"])
        let result = try project.penstock("plan", "orgs")
        #expect(result.status == 78)
        #expect(result.everything.contains("condition-not-mapped"))
    }

    @Test("A change goes together with what it depends on")
    func companions() throws {
        let log = TemporaryProject.scratchFile()
        let project = try TemporaryProject { $0.log = log }
        try project.csv("orgs", ["key,pd,title,pipeline,stage,status,reason", "k1,1,A,Sales,Demo,lost,price"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, title: title, pipeline_id: pipeline, stage_id: stage, status: status, lost_reason: reason}
            insert: {mode: Update, compare: remote}
            """, object: "deal")
        try project.server.create(
            ["title": .string("A"), "status": .string("lost"), "lost_reason": .string("late")], of: "deal")
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        #expect(
            try project.patches(log)
                == [#"{"pipeline_id":1,"stage_id":3,"status":"lost","lost_reason":"price"}"#])
    }

    @Test("An archived deal is found, and refuses a change that does not take it out", arguments: ["id", "Deal key"])
    func archived(match: String) throws {
        let project = try TemporaryProject(types: "{gone: boolean}")
        let find = match == "id" ? "id: pd" : "Deal key: key"
        func sync(_ more: String) throws {
            try project.sync(
                """
                source: {connection: files, table: orgs, key: key}
                map: {\(find), title: title\(more)}
                insert: {mode: Update, match: \(match), compare: remote, on_missing: reject}
                """, object: "deal")
        }
        try project.csv("orgs", ["key,pd,title,gone", "k1,1,New,false", "k2,2,New,false", "k3,3,Same,false"])
        for (number, title) in ["Old", "Old", "Same"].enumerated() {
            try project.server.create(
                ["title": .string(title), "is_archived": .bool(number > 0)],
                custom: ["Deal key": .string("k\(number + 1)")], of: "deal")
        }
        try sync("")
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 3, updated 1, unchanged 1, rejected 1")
        #expect(report.rejects == "record-locked 1")
        // Three by id cost one each; found by a field, the list of deals and that of archived ones are read.
        #expect(report.tokens == 10 + (match == "id" ? 3 : 10 + 20) + 5, "fields, deals, one update")
        try sync(", is_archived: gone")
        #expect(try project.runAsPlanned().counts == "fetched 3, updated 2, unchanged 1")
        #expect(project.server.value("title", of: 2, "deal") == "New")
        #expect(project.server.value("is_archived", of: 3, "deal") == "false")
    }
}
