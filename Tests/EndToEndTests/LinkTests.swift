// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Records that refer to each other by the keys of their source rows.
@Suite struct LinkTests {
    private func project(
        companies: String, people: String, fetch: String = "{mode: FULL}", insert: String = "{mode: Append}"
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(types: companies.contains("seq") ? "{seq: integer}" : "{}")
        let id = insert.contains("Update") ? "id: rid, " : ""
        try project.write("data/companies.csv", companies)
        try project.write("data/people.csv", people)
        try project.write(
            "syncs/companies.yml",
            """
            source: {connection: files, table: companies, key: key}
            destination: {connection: crm, object: organization}
            map: {\(id)name: name}
            fetch: \(fetch)
            insert: \(insert)

            """)
        try project.write(
            "syncs/a_people.yml",
            """
            source: {connection: files, table: people, key: key}
            destination: {connection: crm, object: person}
            map: {\(id)name: name, org_id: {from: company, link: companies}}
            fetch: \(fetch)
            insert: \(insert)

            """)
        return project
    }

    private func counts(_ result: ProgramResult) throws -> [String: JSON] {
        var counts: [String: JSON] = [:]
        for run in try result.json["data"]?.arrayValue ?? [] {
            counts[run["sync"]?.stringValue ?? ""] = run["counts"]
        }
        return counts
    }

    @Test("A map with a link is checked but for the link, which is said")
    func checkedMap() throws {
        let project = try project(
            companies: "key,name\nacme,Acme\n", people: "key,name,company\np1,Ann,acme\np2,,acme\n")
        let result = try project.penstock("sync", "map", "a_people", "--check", "-o", "tsv")
        #expect(result.status == 65, "\(result.everything)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("name\t") && $0.contains("1 of 2: required-empty") }, "\(result.output)")
        #expect(lines.contains { $0.hasPrefix("org_id\t") && $0.contains("not checked") }, "\(result.output)")
    }

    @Test("One command runs the parents first, and children find them by their own key")
    func inOrder() throws {
        let project = try project(
            companies: "key,name\nacme,Acme\n7,Seven\n", people: "key,name,company\np1,Ann,acme\np2,Bob,7\np3,Cid,\n")
        let result = try project.penstock("run", "-o", "json")
        #expect(result.status == 0, "\(result.everything)")
        let companies = project.server.records("organization")
        let people = project.server.records("person")
        let ids = Dictionary(
            uniqueKeysWithValues: companies.map { ($0.properties["name"]?.stringValue ?? "", JSON.integer($0.id)) })
        try #require(people.map { $0.properties["name"]?.stringValue } == ["Ann", "Bob", "Cid"])
        #expect(people[0].properties["org_id"] == ids["Acme"] && people[1].properties["org_id"] == ids["Seven"])
        #expect(people[2].properties["org_id"]?.isNull ?? true, "NULL refers to nothing")
    }

    @Test(
        "A row whose parent was rejected is blocked by it, and goes by itself later",
        arguments: ["FULL", "INCREMENTAL"])
    func blocked(mode: String) throws {
        let isFull = mode == "FULL"
        let project = try project(
            companies: "key,rid,seq,name\nacme,,1,Acme\nbad,,2,\n",
            people: "key,rid,seq,name,company\np1,,1,Ann,bad\np2,,2,Bob,none\np3,,3,Cid,acme\n",
            fetch: isFull ? "{mode: FULL}" : "{mode: INCREMENTAL, key: seq}",
            insert: isFull ? "{mode: Update, on_missing: create, compare: ledger}" : "{mode: Append}")
        let first = try project.penstock("run", "-o", "json")
        #expect(first.status == 65, "\(first.everything)")
        let rejects = try project.penstock("reject", "show", "a_people", "-o", "json").output
        #expect(rejects.contains("link-blocked") && rejects.contains("link-missing"))
        #expect(rejects.contains("required-empty"), "it says why its parent was rejected")
        #expect(project.server.records("person").compactMap { $0.properties["name"]?.stringValue } == ["Cid"])
        let companies = "key,rid,seq,name\nacme,,1,Acme\nbad,,3,Mended\nnone,,4,Late\n"
        try project.write("data/companies.csv", companies)
        let second = try project.penstock("run", "-o", "json")
        #expect(second.status == 0, "\(second.everything)")
        let people = project.server.records("person")
        #expect(people.compactMap { $0.properties["name"]?.stringValue }.sorted() == ["Ann", "Bob", "Cid"])
        #expect(people.allSatisfy { $0.properties["org_id"]?.intValue != nil })
        #expect(try project.penstock("reject", "list", "a_people", "-o", "json").output.contains("link-") == false)
    }

    @Test(
        "A link that cannot be followed is an error at its place",
        arguments: [
            ("org_id: {from: company, link: compnies}", "unknown-sync", "did you mean"),
            ("org_id: {value: \"1\", link: companies}", "link-target", "from: COLUMN"),
            ("name: {from: company, link: companies}", "link-not-allowed", "refers to no record"),
            ("org_id: {from: company, link: a_people}", "after-cycle", "waits for itself"),
        ])
    func refused(entry: String, code: String, words: String) throws {
        let project = try project(companies: "key,name\nacme,Acme\n", people: "key,name,company\np1,Ann,acme\n")
        let text = try project.text("syncs/a_people.yml")
            .replacing("org_id: {from: company, link: companies}", with: entry)
            .replacing("name: name, name:", with: "name:")
        try project.write("syncs/a_people.yml", text)
        let result = try project.penstock("validate", "--online")
        #expect(result.status == 78, "\(result.everything)")
        #expect(
            result.everything.contains("error[\(code)]") && result.everything.contains(words), "\(result.everything)")
    }
}
