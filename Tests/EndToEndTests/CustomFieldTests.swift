// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Every type of custom field on every object, from text in a CSV file to the exact JSON at the destination and back.
@Suite struct CustomFieldTests {
    /// The labels of the sandbox's custom fields by object, in the order of ``values``.
    private static let labels = [
        "organization": [
            "Segment", "Customer key", "ARR (EUR)", "Account tier", "Account notes", "Contract value",
            "Customer since", "Contract period", "Best time to call", "Opening hours", "Products", "Success manager",
            "Parent company", "Main contact", "Switchboard", "Billing address",
        ],
        "person": [
            "Seniority", "Contact key", "Score", "Tier code", "Bio", "Budget", "First met", "Absence", "Best hour",
            "Office hours", "Interests", "Account manager", "Former employer", "Reports to", "Direct line",
            "Home address",
        ],
        "deal": [
            "Source", "Deal key", "Discount", "Offer number", "Scope", "Setup fee", "Signed on", "Term",
            "Kick-off time", "Support hours", "Modules", "Engineer", "Reseller", "Decision maker", "Hotline",
            "Delivery address",
        ],
    ]
    private static let options = [
        "organization": ["Mid", "Sync", "Support"], "person": ["Senior", "Pricing", "Roadmap"],
        "deal": ["Fair", "Core", "Mobile"],
    ]

    /// A type's text in the source, what stands around the column in the map, and the value that is kept; `#0` to `#2`
    /// stand for the options, by label and by id.
    private static let values: [(type: String, text: String, entry: String, kept: String)] = [
        ("enum", "#0", "", "#0"),
        ("varchar", "K-1", "", #""K-1""#),
        ("double", "0.1000000000000000055", "", "0.1000000000000000055"),
        ("varchar_auto", "gold", "", #""gold""#),
        ("text", "Zoë", "", #""Zoë""#),
        (
            "monetary", "9007199254740993.10", "parts: {value: c_monetary, currency: {value: USD}}",
            #"{"value":9007199254740993.10,"currency":"USD"}"#
        ),
        ("date", "2024-02-29", "", #""2024-02-29""#),
        ("daterange", "2026-01-01/2026-12-31", "", #"{"value":"2026-01-01","until":"2026-12-31"}"#),
        ("time", "13:30", "", #"{"value":"13:30:00","timezone_id":null,"timezone_name":null}"#),
        (
            "timerange", "08:00/17:00", "",
            #"{"value":"08:00:00","until":"17:00:00","timezone_id":null,"timezone_name":null}"#
        ),
        ("set", "#2|#1", "split: '|'", "[#1,#2]"),
        ("user", "jonas@acme.example", "", "112"),
        ("org", "1", "", "1"),
        ("people", "1", "", "1"),
        ("phone", "+49 40 1", "", #""+49 40 1""#),
        (
            "address", "1 Main St", "",
            #"{"value":"1 Main St","country":null,"admin_area_level_1":null,"admin_area_level_2":null,"#
                + #""locality":null,"sublocality":null,"route":null,"street_number":null,"subpremise":null,"#
                + #""postal_code":null,"formatted_address":"1 Main St"}"#
        ),
    ]

    private func filled(_ text: String, _ replacement: (Int) -> String) -> String {
        (0...2).reduce(text) { $0.replacing("#\($1)", with: replacement($1)) }
    }

    @Test("Every type arrives exactly and comes back the same", arguments: ["organization", "person", "deal"])
    func everyType(object: String) throws {
        let project = try TemporaryProject()
        let labels = try #require(Self.labels[object])
        let options = try #require(Self.options[object])
        try project.server.create(["name": .string("Other")])
        try project.server.create(["name": .string("Other")], of: "person")
        if object != "deal" { try project.server.create(["name": .string("Other")], of: object) }
        let id = project.server.records(object).count + 1
        let texts = Self.values.map { filled($0.text) { options[$0] } }
        let columns = Self.values.map { "c_" + $0.type }
        try project.csv(
            "orgs",
            [(["key", "pd"] + columns).joined(separator: ","), (["k", "\(id)"] + texts).joined(separator: ",")])
        func sync(_ head: String, _ insert: String) throws {
            let entries = zip(labels, Self.values).map { label, value in
                let from =
                    value.entry.hasPrefix("parts") ? "" : "from: c_\(value.type)\(value.entry.isEmpty ? "" : ", ")"
                return "  \(label): {\(from)\(value.entry)}"
            }
            try project.sync(
                """
                source: {connection: files, table: orgs, key: key}
                map:
                  \(head)
                \(entries.joined(separator: "\n"))
                insert: \(insert)
                """, object: object)
        }
        let name = object == "deal" ? "title" : "name"
        try sync("\(name): {value: All}", "{mode: Append}")
        let created = try project.runAsPlanned()
        #expect(created.counts == "fetched 1, created 1", "\(created.result.everything)")
        #expect(created.tokens == 10 + 20 + 5, "fields, users, one record")
        for (label, value) in zip(labels, Self.values) {
            let code = project.server.fieldCode(label, of: object) ?? ""
            let kept = filled(value.kept) { option in
                let field = value.type == "enum" ? labels[0] : labels[10]
                return project.server.optionID(options[option], of: field, object: object).map(String.init) ?? "none"
            }
            #expect(project.server.record(id, of: object)?.customFields[code]?.text == kept, "\(value.type)")
        }
        try sync("id: pd", "{mode: Update, compare: remote}")
        #expect(try project.runAsPlanned().counts == "fetched 1, unchanged 1")
    }

    @Test("NULL clears every type where it is to", arguments: ["organization", "person", "deal"])
    func clears(object: String) throws {
        let project = try TemporaryProject()
        let labels = try #require(Self.labels[object])
        let name = object == "deal" ? "title" : "name"
        try project.server.create(
            [name: .string("A")],
            custom: [
                labels[1]: .string("K"), labels[2]: .integer(5),
                labels[5]: .object(["value": .integer(1), "currency": .string("EUR")] as JSONObject),
                labels[8]: .object(["value": .string("10:00:00")] as JSONObject),
                labels[10]: .array([
                    .integer(
                        project.server.optionID(Self.options[object]?[1] ?? "", of: labels[10], object: object) ?? 0)
                ]),
            ], of: object)
        try project.csv("orgs", ["key,pd,none", "k,1,"])
        let entries = labels.map { "  \($0): none" }.joined(separator: "\n")
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map:
              id: pd
            \(entries)
            insert: {mode: Update, on_null: clear}
            """, object: object)
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        #expect(project.server.record(1, of: object)?.customFields.isEmpty == true)
    }
}
