// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Guards keep what people have written, field by field.
@Suite struct GuardTests {
    /// A project with the sync `orgs` over a CSV table of key, pd, company, tier.
    private func project(_ rows: [String], tier: String, insert: String, more: String = "") throws -> TemporaryProject {
        let project = try TemporaryProject()
        try write(rows, project)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: \(tier)}
            insert: \(insert)
            \(more)
            """)
        return project
    }

    private func write(_ rows: [String], _ project: TemporaryProject) throws {
        try project.csv("orgs", ["key,pd,company,tier"] + rows)
    }

    private func record(_ tier: String, _ project: TemporaryProject) throws {
        try project.server.create(
            ["name": .string("Old")], custom: tier.isEmpty ? [:] : ["Account tier": .string(tier)])
    }

    private func tiers(_ project: TemporaryProject) -> [String] {
        project.server.organizations.map {
            project.server.custom("Account tier", of: $0.id).replacing("null", with: "")
        }
    }

    private static let table: [(guard: String, clears: Bool, tiers: [String], conflicts: Int)] = [
        ("overwrite", false, ["Gold", "Gold", "Silver"], 0), ("overwrite", true, ["Gold", "Gold", ""], 0),
        ("if-empty", false, ["Gold", "Silver", "Silver"], 1), ("if-empty", true, ["Gold", "Silver", "Silver"], 2),
        ("if-unchanged-since-us", false, ["Gold", "Silver", "Silver"], 1),
        ("if-unchanged-since-us", true, ["Gold", "Silver", "Silver"], 2),
        ("never-null", false, ["Gold", "Gold", "Silver"], 0), ("never-null", true, ["Gold", "Gold", "Silver"], 0),
    ]

    @Test("Every guard holds what it must with every way to compare", arguments: ["auto", "ledger", "remote", "none"])
    func everyGuard(compare: String) throws {
        let clears = compare == "ledger" || compare == "remote"
        for row in Self.table where row.clears == clears {
            let project = try project(
                ["k1,1,A,Gold", "k2,2,B,Gold", "k3,3,C,"], tier: "{from: tier, guard: \(row.guard)}",
                insert: "{mode: Update, compare: \(compare), on_null: \(row.clears ? "clear" : "keep")}")
            for tier in ["", "Silver", "Silver"] { try record(tier, project) }
            let report = try project.runAsPlanned()
            #expect(report.count("updated") == 3, "\(row)")
            #expect(report.count("conflicts") == row.conflicts, "\(row)")
            #expect(report["conflict"].arrayValue?.count == row.conflicts)
            #expect(tiers(project) == row.tiers, "\(row)")
            #expect(project.server.names == ["A", "B", "C"], "the other fields go")
        }
    }

    @Test("What the sync wrote may be changed by it, and what a person wrote stays until it is taken back")
    func unchangedSinceUs() throws {
        let project = try project(
            ["k1,1,A,Gold"], tier: "tier", insert: "{mode: Update, guard: if-unchanged-since-us, compare: ledger}")
        try project.server.create(["name": .string("A")])
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        try write(["k1,1,A,Silver"], project)
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        #expect(tiers(project) == ["Silver"])
        try project.server.edit(1, [:], custom: ["Account tier": .string("Bronze")])
        try write(["k1,1,A,Platinum"], project)
        let held = try project.runAsPlanned()
        #expect(held.counts == "fetched 1, unchanged 1, conflicts 1")
        let conflict = held["conflict"].arrayValue?.first
        #expect(conflict?["live"]?.stringValue == "Bronze" && conflict?["ours"]?.stringValue == "Silver")
        #expect(conflict?["wanted"]?.stringValue == "Platinum" && conflict?["remote_id"]?.stringValue == "1")
        #expect(conflict?["field"]?.stringValue == "Account tier" && conflict?["key"]?.stringValue == "k1")
        let again = try project.runAsPlanned()
        #expect(again.counts == "fetched 1, unchanged 1, conflicts 1", "a row with a conflict is looked at again")
        #expect(tiers(project) == ["Bronze"])
        try project.server.edit(1, [:], custom: ["Account tier": .string("Silver")])
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        #expect(tiers(project) == ["Platinum"])
        let quiet = try project.runAsPlanned()
        #expect(quiet.counts == "fetched 1, unchanged 1")
        #expect(quiet.tokens == 10, "what the ledger knows costs nothing")
    }

    @Test("Records that the sync created are its own, and an emptied field is an edit too")
    func createdIsOurs() throws {
        let project = try project(
            ["k1,,A,Gold"], tier: "{from: tier, guard: if-unchanged-since-us}",
            insert: "{mode: Update, on_missing: create}")
        #expect(try project.runAsPlanned().counts == "fetched 1, created 1")
        try write(["k1,,A,Silver"], project)
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        try project.server.edit(1, [:], custom: ["Account tier": .null])
        try write(["k1,,B,Gold"], project)
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1, conflicts 1")
        #expect(tiers(project) == [""])
        #expect(project.server.names == ["B"])
    }

    @Test("A guard that is lifted lets go what it held")
    func lifted() throws {
        let project = try project(
            ["k1,1,A,Gold"], tier: "{from: tier, guard: if-empty}", insert: "{mode: Update}")
        try record("Silver", project)
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1, conflicts 1")
        let sent = try project.penstock("history", "show", "latest", "--requests", "--json").json["data"]?.arrayValue
        let fields = try #require(sent?.first?["fields"])
        #expect(fields["name"]?.stringValue == "A" && fields["Account tier"] == nil, "what is held is not sent")
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: tier}
            insert: {mode: Update}
            """)
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        #expect(tiers(project) == ["Gold"])
    }

    @Test("What an interrupted run was about to fill in is filled in by the next one")
    func interrupted() throws {
        let rows = (1...60).map { "k\($0),\($0),New \($0),Gold" }
        let sync = """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: {from: tier, guard: if-unchanged-since-us}}
            insert: {mode: Update}

            """
        let project = try TemporaryProject()
        try write(rows, project)
        for number in 1...60 { try record(number % 3 == 0 ? "Silver" : "", project) }
        // Rows are written down as about to be sent by the batch; of these only some are sent.
        try project.sync(sync + "limits: {tokens_per_run: 100}")
        #expect(try project.penstock("run", "orgs").status == 75)
        let first = tiers(project).filter { $0 == "Gold" }.count
        #expect(first > 0 && first < 40)
        try project.sync(sync)
        #expect(try project.penstock("run", "orgs").status == 0)
        let found = tiers(project)
        #expect((1...60).allSatisfy { found[$0 - 1] == ($0 % 3 == 0 ? "Silver" : "Gold") }, "\(found)")
    }

    @Test("Masked fields are dots in conflicts, in every output and file")
    func masked() throws {
        let project = try project(
            ["k1,1,A,Wanted-7731"], tier: "{from: tier, guard: if-empty}", insert: "{mode: Update}",
            more: "mask: [Account tier]")
        try record("Live-4412", project)
        let outputs = [
            try project.penstock("plan", "orgs").everything, try project.penstock("run", "orgs").everything,
            try project.penstock("history", "log", "latest").everything,
        ]
        #expect(outputs.allSatisfy { !$0.contains("7731") && !$0.contains("4412") })
        #expect(outputs[0].contains("stays •••") && outputs[1].contains("1 field held back by a guard"))
        #expect(outputs[2].contains("field.held"))
    }

    @Test("What is wrong with a guard is said at its place")
    func badValues() throws {
        let project = try project(["k1,1,A,Gold"], tier: "{from: tier, guard: if-emty}", insert: "{mode: Update}")
        let unknown = try project.penstock("validate")
        #expect(unknown.status == 78)
        #expect(unknown.everything.contains("syncs/orgs.yml:4:64") && unknown.everything.contains("if-empty"))
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: {from: company, guard: if-empty}}
            """)
        #expect(try project.penstock("validate").everything.contains("append-option"))
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: {from: pd, guard: if-empty}, name: company}
            insert: {mode: Update}
            """)
        #expect(try project.penstock("plan", "orgs").everything.contains("guard-not-allowed"))
    }

    @Test("What the destination did not take is not held for ours", arguments: ["match", "id"])
    func refusedIsNotOurs(by finder: String) throws {
        let project = try TemporaryProject()
        let (id, match) = finder == "id" ? ("id: pd, ", "") : ("", ", match: name")
        func sync(_ missing: String) throws {
            try project.sync(
                """
                source: {connection: files, table: orgs, key: key}
                map: {\(id)name: company, Account tier: {from: tier, guard: if-unchanged-since-us}}
                insert: {mode: Update, on_missing: \(missing)\(match)}
                rejects: {max: 10}
                """)
        }
        try sync("create")
        try write(["k1,,A,Gold"], project)
        #expect(try project.run().counts == "fetched 1, created 1")
        try sync("reject")
        try write(["k1,,A,Silver"], project)
        try project.server.play("status=404:method=PATCH:nth=1")
        let refused = try project.run()
        #expect(refused.count("rejected") == 1, "\(refused.result.everything)")
        // Somebody writes by hand what the sync could not write, and it stays.
        try project.server.edit(1, [:], custom: ["Account tier": .string("Silver")])
        try write(["k1,\(finder == "id" ? "1" : ""),A,Platinum"], project)
        let held = try project.run()
        #expect(held.count("conflicts") == 1, "\(held.result.everything)")
        #expect(tiers(project) == ["Silver"])
    }

    @Test("A part of an address that a person has added is an edit, and one that a map service has found is none")
    func partsOfAddresses() throws {
        let project = try TemporaryProject()
        func write(_ street: String) throws {
            try project.csv("orgs", ["key,pd,street"] + (1...4).map { "k\($0),\($0),\(street) \($0)" })
        }
        for compare in ["auto", "none"] {
            try project.sync(
                """
                source: {connection: files, table: orgs, key: key}
                map: {id: pd, address: street}
                insert: {mode: Update, guard: if-unchanged-since-us, compare: \(compare)}
                """)
            if compare == "auto" { for _ in 1...4 { try project.server.create(["name": .string("A")]) } }
            try write("Old \(compare)")
            _ = try project.penstock("run", "orgs", "--full-refresh")
            let server = project.server
            // Nobody has touched 1. 2 was worked out by the map service.
            server.locate(2, ["country": "Estonia", "locality": "Tallinn"], formatted: "Old 2, 10140 Tallinn, Estonia")
            for id in [3, 4] {
                server.locate(id, ["country": "Estonia"], formatted: "Old \(id), 10140 Tallinn, Estonia")
                var address = server.organization(id)?.properties["address"]?.objectValue ?? JSONObject()
                if id == 3 { address["country"] = .string("Austria") } else { address["locality"] = .string("Linz") }
                address["formatted_address"] = nil
                try server.edit(id, ["address": .object(address)])
            }
            // With `none` the address is sent as it is, too: what was added must survive that.
            if compare == "auto" { try write("New") }
            let report = try project.run()
            #expect(report.count("conflicts") == 2, "\(compare): \(report.data.prettyText)")
            let held = report["conflict"].arrayValue?.compactMap { $0["live"]?.stringValue } ?? []
            #expect(held.count == 2 && held[0].contains("country: Austria"), "\(held)")
            #expect(!held.contains { $0.contains("derived") })
            #expect(server.value("address", of: 3, "organization").contains("Austria"))
            #expect(server.value("address", of: 4, "organization").contains("Linz"))
            for id in 1...2 where compare == "auto" {
                #expect(server.value("address", of: id, "organization").contains("\"value\":\"New \(id)\""))
            }
            for id in 3...4 { try server.edit(id, ["address": .object(["value": .string("Old none \(id)")])]) }
        }
    }
}
