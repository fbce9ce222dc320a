// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A bad row is rejected with its reason and stops no good one.
@Suite struct RejectTests {
    private static let columns = "key,pd,company,owner,segment,arr,since,visible"

    /// Planted rows, each with the code that it is to be rejected with; an empty code is a good row.
    private static let planted: [(row: String, code: String)] = [
        ("k01,,Good,101,SMB,10.5,2026-01-01,3", ""), ("k02,,\"\",101,SMB,1,2026-01-01,3", "required-empty"),
        ("k03,,   ,101,SMB,1,2026-01-01,3", "required-empty"), ("k04,,,101,SMB,1,2026-01-01,3", "required-empty"),
        ("k05,,Nobody's,640,SMB,1,2026-01-01,3", "owner-invalid"),
        ("k06,,Inactive,140,SMB,1,2026-01-01,3", "owner-invalid"),
        ("k07,,By mail,jonas@acme.example,SMB,1,2026-01-01,3", ""),
        ("k08,,Option,101,Galactic,1,2026-01-01,3", "option-unknown"),
        ("k09,,Comma,101,SMB,\"12,5\",2026-01-01,3", "not-a-number"),
        ("k10,,Day,101,SMB,1,2026-02-30,3", "not-a-date"),
        ("k11,,\(String(repeating: "x", count: 256)),101,SMB,1,2026-01-01,3", "too-long"),
        ("k12,,Visible,101,SMB,1,2026-01-01,4", "option-unknown"),
        ("k01,,Twice,101,SMB,1,2026-01-01,3", "duplicate-key"), (",,No key,101,SMB,1,2026-01-01,3", "key-null"),
        ("k13,,Ragged,101", "source-value"), ("k14,,Last,112,Mid,2,2026-01-02,7", ""),
    ]

    private func project(_ rows: [String], rejects: String = "{max: 0}", insert: String = "{mode: Append}") throws
        -> TemporaryProject
    {
        let project = try TemporaryProject()
        try project.csv("orgs", [Self.columns] + rows)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map:
              name: company
              owner_id: owner
              Segment: {from: segment, option: label}
              ARR (EUR): arr
              Customer since: since
              visible_to: visible
            insert: \(insert)
            rejects: \(rejects)
            """)
        return project
    }

    @Test("Planted bad rows are rejected with the right code, and every good row arrives")
    func plantedRows() throws {
        let project = try project(Self.planted.map(\.row))
        let report = try project.runAsPlanned()
        let bad = Self.planted.filter { !$0.code.isEmpty }
        #expect(report.counts == "fetched 16, created 3, rejected \(bad.count)")
        #expect(report.status == 65)
        #expect(project.server.names.sorted() == ["By mail", "Good", "Last"])
        let jonas = project.server.organizations.first { $0.properties["name"] == .string("By mail") }
        #expect(jonas?.properties["owner_id"] == .integer(112))
        let expected = Dictionary(grouping: bad, by: \.code).map { "\($0.key) \($0.value.count)" }.sorted()
        #expect(report.rejects == expected.joined(separator: ", "))
        #expect(project.server.writes == 3, "bad rows are found before anything is sent")

        let shown = try project.penstock("reject", "show", "orgs", "--limit", "100", "--json").json["data"]
        let byRow = (shown?.arrayValue ?? []).map { ($0["row"]?.intValue ?? 0, $0["code"]?.stringValue ?? "") }
            .sorted { $0.0 < $1.0 }.map { "\($0.0) \($0.1)" }
        let wanted = Self.planted.enumerated().filter { !$0.element.code.isEmpty }
            .map { "\($0.offset + 1) \($0.element.code)" }
        #expect(byRow == wanted)
        let owner = (shown?.arrayValue ?? []).first { $0["key"]?.stringValue == "k05" }
        #expect(owner?["field"]?.stringValue == "owner_id" && owner?["value"]?.stringValue == "640")
        let listed = try project.penstock("reject", "list", "orgs", "--json").json["data"]?.arrayValue ?? []
        #expect(listed.map { "\($0["code"]?.stringValue ?? "") \($0["rows"]?.text ?? "")" }.sorted() == expected)

        let exported = try project.penstock("reject", "export", "orgs", "--out", "rejects.csv")
        #expect(exported.status == 0)
        let lines = try project.text("rejects.csv").split(separator: "\n")
        #expect(lines.count == bad.count + 1)
        #expect(lines.first?.contains("company") == true && lines.first?.contains("_code") == true)
        #expect(lines.contains { $0.contains("Galactic") && $0.contains("option-unknown") })
    }

    @Test("An update is checked by the same rules")
    func updateRules() throws {
        let project = try TemporaryProject()
        for number in 1...4 { try project.server.create(["name": .string("Old \(number)")]) }
        try project.csv(
            "orgs",
            [
                "key,pd,company,owner", "k1,1,New 1,112", "k2,2,New 2,640", "k3,,New 3,112", "k4,99,New 4,112",
                "k5,x,N,112",
            ])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, owner_id: owner}
            insert: {mode: Update, compare: remote}
            """)
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 5, updated 1, rejected 4")
        #expect(report.rejects == "id-missing 1, not-an-id 1, not-found 1, owner-invalid 1")
        #expect(project.server.names == ["New 1", "Old 2", "Old 3", "Old 4"])
        #expect(project.server.counters.created == 4, "only what the test created")
    }

    @Test(
        "Rejects within the limit are no failure",
        arguments: [("0", Int32(65)), ("1", 65), ("2", 0), ("49%", 65), ("50%", 0)])
    func limits(max: String, status: Int32) throws {
        let good = "k1,,A,101,SMB,1,2026-01-01,3"
        let rows = [good, good.replacing("k1", with: "k2"), "k3,,,101,SMB,1,,3", "k4,,B,640,SMB,1,,3"]
        let project = try project(rows, rejects: "{max: \(max)}")
        let report = try project.run()
        #expect(report.counts == "fetched 4, created 2, rejected 2")
        #expect(report.status == status)
        #expect(report["status"].stringValue == "finished")
    }

    /// A project whose second row the server refuses with 400: its website is longer than the server takes.
    private func refused() throws -> TemporaryProject {
        let project = try TemporaryProject()
        for number in 1...2 { try project.server.create(["name": .string("Old \(number)")]) }
        try writeWebsites(project, String(repeating: "w", count: 300))
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, website: site}
            insert: {mode: Update}
            """)
        let report = try project.run()
        #expect(report.counts == "fetched 2, updated 1, rejected 1")
        #expect(report.status == 65)
        let reject = try project.penstock("reject", "show", "orgs", "--json").json["data"]?.arrayValue?.first
        #expect(reject?["http"]?.intValue == 400 && reject?["field"]?.stringValue == "website")
        #expect(reject?["stage"]?.stringValue == "deliver")
        let again = try project.runAsPlanned()
        #expect(again.counts == "fetched 2, unchanged 1, rejected 1")
        #expect(again.tokens == 10, "a refused row is not sent again")
        return project
    }

    private func writeWebsites(_ project: TemporaryProject, _ site: String) throws {
        try project.csv("orgs", ["key,pd,company,site", "k1,1,New 1,https://a.example", "k2,2,New 2,\(site)"])
    }

    @Test("A refused row goes again when it changes")
    func refusedRowChanges() throws {
        let project = try refused()
        try writeWebsites(project, "https://b.example")
        #expect(try project.runAsPlanned().counts == "fetched 2, updated 1, unchanged 1")
        #expect(project.server.organization(2)?.properties["website"] == .string("https://b.example"))
        #expect(try project.penstock("reject", "list", "--json").json["data"]?.arrayValue?.isEmpty == true)
    }

    @Test("A refused row goes again when the mapping changes")
    func mappingChanges() throws {
        let project = try refused()
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company}
            insert: {mode: Update}
            """)
        let report = try project.run()
        #expect(report.counts == "fetched 2, updated 2")
        #expect(project.server.names == ["New 1", "New 2"])
    }

    @Test("A refused row goes again when the fields change")
    func fieldsChange() throws {
        let project = try refused()
        let body = JSONObject(dictionaryLiteral: ("field_name", .string("New")), ("field_type", .string("varchar")))
        let request = SandboxRequest(
            method: "POST", target: "/api/v2/organizationFields", token: TemporaryProject.token,
            contentType: "application/json", body: JSON.object(body).utf8)
        try #require(project.server.reply(to: request).answer.status == 200)
        let before = project.server.counters.byRoute["PATCH /api/v2/organizations/{id}"] ?? 0
        #expect(try project.run().counts == "fetched 2, unchanged 1, rejected 1")
        #expect(project.server.counters.byRoute["PATCH /api/v2/organizations/{id}"] == before + 1)
    }

    @Test("A reject that is damaged ends the run, and no other reason is made up for it")
    func damagedReject() throws {
        let project = try refused()
        // Without its marks a file is not held against what it was when it was closed.
        for marks in [".penstock/marks", "home/.local/state/penstock/marks"] {
            try FileManager.default.removeItem(atPath: project.folder + "/" + marks)
        }
        try project.sql("UPDATE reject SET message = 'Nothing of it is true.'", in: ".penstock/state/orgs.db")
        for command in ["plan", "run"] {
            let result = try project.penstock(command, "orgs")
            #expect(result.status == 73 && result.errors.contains("error[state-damaged]"), "\(result.everything)")
        }
    }
}
