// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Records are found by any field, as the sync says how its values are compared, through one index of all records.
@Suite struct MatchTests {
    /// A row's value, the rule of a match, and the number of the record it finds, or nil.
    struct Case: Sendable {
        var object = "person"
        var map: String
        var match: String
        var value: String
        var found: Int?
    }

    private static let persons: [JSONObject] = [
        [
            "name": .string("Zoë Müller"),
            "emails": .array([
                .object(["value": .string("zoe@alpha.example"), "primary": .bool(true)] as JSONObject),
                .object(["value": .string("Z.Mueller@Home.example")] as JSONObject),
            ]),
            "phones": .array([.object(["value": .string("+49 (0)40 123-45")] as JSONObject)]),
        ],
        [
            "name": .string("Ada Lovelace"),
            "emails": .array([.object(["value": .string("ada@beta.example")] as JSONObject)]),
            "phones": .array([.object(["value": .string("040 99")] as JSONObject)]),
        ],
    ]

    static let cases: [Case] = [
        Case(map: "emails: v, Bio: bio", match: "emails", value: "zoe@alpha.example", found: 1),
        Case(map: "emails: v, Bio: bio", match: "emails", value: " Z.MUELLER@home.example", found: 1),
        Case(map: "emails: v, Bio: bio", match: "emails", value: "zoe@beta.example"),
        Case(
            map: "emails: v, Bio: bio", match: "{field: emails, ignore_case: false}", value: "z.mueller@home.example"),
        Case(map: "Bio: bio", match: "{field: emails, from: v}", value: "ADA@beta.example", found: 2),
        Case(map: "Bio: bio", match: "{field: emails, as: domain, from: v}", value: "beta.example", found: 2),
        Case(
            map: "Bio: bio", match: "{field: emails, as: domain, from: v}", value: "https://www.Beta.example/x",
            found: 2),
        Case(map: "Bio: bio", match: "{field: phones, from: v}", value: "0049 40 12345", found: 1),
        Case(map: "Bio: bio", match: "{field: phones, from: v}", value: "04099", found: 2),
        Case(map: "Bio: bio", match: "{field: phones, from: v}", value: "+49 40 99"),
        Case(map: "name: v, Bio: bio", match: "name", value: "Zoe\u{308} Mu\u{308}ller ", found: 1),
        Case(map: "name: v, Bio: bio", match: "name", value: "ada lovelace"),
        Case(map: "name: v, Bio: bio", match: "{field: name, ignore_case: true}", value: "ADA LOVELACE", found: 2),
        Case(map: "name: v, Bio: bio", match: "{field: name, ignore_case: true}", value: "ZOË MÜLLER", found: 1),
    ]

    @Test("A record is found by what is the same as the sync says", arguments: cases)
    func finds(row: Case) throws {
        let project = try TemporaryProject()
        for person in Self.persons { try project.server.create(person, of: "person") }
        try project.csv("orgs", ["key,v,bio", "k1,\"\(row.value)\",found"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(row.map)}
            insert: {mode: Update, match: \(row.match), on_missing: skip}
            """, object: row.object)
        let found = row.found
        let report = try project.runAsPlanned()
        #expect(report.counts == (found == nil ? "fetched 1, skipped 1" : "fetched 1, updated 1"))
        #expect(report.tokens == 10 + 10 + (found == nil ? 0 : 5), "fields, all persons, one update")
        for id in 1...2 { #expect(project.server.custom("Bio", of: id, "person") == (id == found ? "found" : "")) }
        guard row.match.contains("from:") else { return }
        let mails = Self.persons.map { $0["emails"]?.arrayValue?.count }
        let after = project.server.records("person").map { $0.properties["emails"]?.arrayValue?.count }
        #expect(after == mails, "what only finds a record is not written")
    }

    @Test("Two records, or two values of two records, reject the row with both ids")
    func ambiguous() throws {
        let project = try TemporaryProject()
        for person in Self.persons { try project.server.create(person, of: "person") }
        try project.server.create(
            ["name": .string("Twin"), "emails": .array([.object(["value": .string("TWIN@a.example")] as JSONObject)])],
            of: "person")
        try project.server.create(
            ["name": .string("Twin"), "emails": .array([.object(["value": .string("twin@a.example")] as JSONObject)])],
            of: "person")
        try project.csv(
            "orgs",
            [
                "key,v", "k1,twin@a.example", "k2,zoe@alpha.example;ada@beta.example",
                "k3,ada@beta.example;new@x.example",
            ])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {emails: {from: v, split: ;}}
            insert: {mode: Update, match: emails}
            """, object: "person")
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 3, updated 1, rejected 2")
        #expect(report.rejects == "match-ambiguous 2")
        let shown = try project.penstock("reject", "show", "orgs", "--json").output
        #expect(shown.contains("Several records have this emails: 3 and 4."))
        #expect(shown.contains("Several records have a value of this emails: 1 and 2."))
    }

    @Test("A company is found by the domain of its website, and is not given another one")
    func domains() throws {
        let project = try TemporaryProject()
        for website in ["https://www.alpha.example/en", "beta.example", "none"] {
            try project.server.create(["name": .string("Old"), "website": .string(website)])
        }
        try project.csv("orgs", ["key,mail,company", "k1,ada@ALPHA.example,Alpha", "k2,http://beta.example:80,Beta"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            insert: {mode: Update, match: {field: website, as: domain, from: mail}, compare: remote}
            """)
        #expect(try project.runAsPlanned().counts == "fetched 2, updated 2")
        #expect(project.server.names == ["Alpha", "Beta", "Old"])
        #expect(project.server.value("website", of: 1, "organization") == "https://www.alpha.example/en")
        #expect(try project.runAsPlanned().counts == "fetched 2, unchanged 2")
    }

    @Test("A new record gets what it was looked for by")
    func createsWithFinder() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,mail,company", "k1,ada@x.example,Ada", "k2,ada@x.example,Ada again"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            insert: {mode: Update, match: {field: emails, from: mail}, on_missing: create}
            """, object: "person")
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 2, created 1, rejected 1")
        #expect(report.rejects == "duplicate-target 1")
        #expect(
            project.server.value("emails", of: 1, "person")
                == #"[{"value":"ada@x.example","primary":true,"label":"work"}]"#)
    }

    /// Every custom field by which records can be found, with a value of a record and the text of the row.
    private static let custom: [(label: String, value: JSON, text: String)] = [
        ("Customer key", .string("C-1"), " C-1 "), ("Account tier", .string("gold"), "gold"),
        ("Account notes", .string("a note"), "a note"), ("ARR (EUR)", .number("1.50"), "1.5"),
        ("Customer since", .string("2024-02-29"), "2024-02-29"),
        (
            "Contract period",
            .object(["value": .string("2026-01-01"), "until": .string("2026-12-31")] as JSONObject),
            "2026-01-01..2026-12-31"
        ),
        ("Segment", .integer(32), "Mid"), ("Success manager", .integer(112), "jonas@acme.example"),
        ("Parent company", .integer(1), "1"), ("Main contact", .integer(1), "1"),
        ("Switchboard", .string("+49 40 1"), "0049401"),
    ]

    @Test("Custom fields of every type whose values can be equal find records", arguments: custom.map(\.label))
    func customFields(label: String) throws {
        let item = try #require(Self.custom.first { $0.label == label })
        let project = try TemporaryProject()
        try project.server.create(["name": .string("Ada")], of: "person")
        try project.server.create(["name": .string("Other")])
        try project.server.create(["name": .string("Old")], custom: [label: item.value])
        try project.csv("orgs", ["key,v,company", "k1,\"\(item.text)\",New"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(label): v, name: company}
            insert: {mode: Update, match: \(label)}
            """)
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched 1, updated 1", "\(report.result.everything)")
        #expect(project.server.names == ["Other", "New"])
    }

    @Test(
        "A rule that means nothing for its field is refused",
        arguments: [
            ("{field: ARR (EUR), as: domain}", "ARR (EUR): v", "match-rule-not-allowed"),
            ("{field: ARR (EUR), ignore_case: true}", "ARR (EUR): v", "match-rule-not-allowed"),
            ("{field: website, as: domain, ignore_case: true}", "website: v", "match-rule"),
            ("{field: website, from: v}", "website: v", "duplicate-target"),
            ("{field: website, from: nothing}", "name: v", "unknown-column"),
            ("{field: Contract value}", "Contract value: v", "match-not-allowed"),
        ])
    func refused(match: String, map: String, code: String) throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,v", "k1,1"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {\(map)}
            insert: {mode: Update, match: \(match)}
            """)
        let result = try project.penstock("plan", "orgs")
        #expect(result.status == 78)
        #expect(result.everything.contains("error[\(code)]"), "\(result.everything)")
    }
}
