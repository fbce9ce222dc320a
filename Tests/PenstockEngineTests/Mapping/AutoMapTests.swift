// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct AutoMapTests {
    private static let segments = ["SMB", "Mid", "Enterprise"].enumerated().map {
        FieldOption(id: String($0.offset + 31), label: $0.element)
    }
    private static let users = [
        FieldOption(id: "112", label: "Mara", aliases: ["mara@acme.example"]),
        FieldOption(id: "118", label: "Jonas", aliases: ["jonas@acme.example"]),
    ]

    static let fields: [DestinationField] = [
        DestinationField("id", .id, label: "ID", isWritableOnCreate: false, isWritableOnUpdate: false),
        DestinationField("owner_id", .user, label: "Owner", options: users),
        DestinationField("add_time", .instant, label: "Organization created"),
        DestinationField("address", .address, label: "Address"),
        DestinationField("name", .text, label: "Name", isRequiredOnCreate: true, lengthMax: 255),
        DestinationField("emails", .contacts, label: "Email", content: .email),
        DestinationField("phones", .contacts, label: "Phone", content: .phone),
        DestinationField("website", .text, label: "Website", content: .url),
        DestinationField(
            "won_deals", .integer, label: "Won deals", isWritableOnCreate: false, isWritableOnUpdate: false),
        DestinationField(String(repeating: "a1", count: 20), .number, label: "ARR (EUR)", isCustom: true),
        DestinationField(
            String(repeating: "b2", count: 20), .option, label: "Segment", isCustom: true, options: segments),
        DestinationField(String(repeating: "c3", count: 20), .date, label: "Renewal date", isCustom: true),
        DestinationField(String(repeating: "d4", count: 20), .text, label: "Twin", isCustom: true),
        DestinationField(String(repeating: "e5", count: 20), .text, label: "Twin", isCustom: true),
        DestinationField("label_ids", .options, label: "Labels", options: segments),
    ]

    private static func texts(_ name: String, _ samples: String..., isKey: Bool = false) -> AutoMap.Column {
        AutoMap.Column(name, .text, samples: samples.map { .text($0) }, isKey: isKey)
    }

    private func proposals(_ columns: [AutoMap.Column], object: String = "organization") -> [AutoMap.Proposal] {
        AutoMap(
            fields: Self.fields, columns: columns, subject: AutoMap.Subject(object: object, system: ["harbour"])
        ).proposals()
    }

    /// What is proposed for one column, as `target exact|likely|unlikely`.
    private func proposal(_ column: AutoMap.Column) -> String {
        proposals([column]).first.map { "\($0.target) \($0.confidence.rawValue)" } ?? "nothing"
    }

    @Test(
        "Names, types and samples together",
        arguments: [
            (texts("name", "Nordwind"), "name exact"), (texts("company_name", "Nordwind"), "name likely"),
            (texts("company", "Nordwind"), "name likely"), (texts("Firma", "Nordwind"), "nothing"),
            (AutoMap.Column("harbour_org_id", .int64, samples: [.int64(8_812)]), "id exact"),
            (AutoMap.Column("id", .int64, samples: [.int64(1)], isKey: true), "id unlikely"),
            (texts("account_id", "A-7"), "nothing"),
            (AutoMap.Column("arr_eur", .decimal, samples: [.decimal("48000.50")]), "ARR (EUR) exact"),
            (texts("arrEur", "48000"), "ARR (EUR) exact"), (texts("arr_eur", "a lot"), "nothing"),
            (AutoMap.Column("arr_eur", .date, samples: [.date(7)]), "nothing"),
            (texts("segment", "Mid", "SMB"), "Segment exact"), (texts("kind", "Mid", "SMB"), "Segment likely"),
            (texts("segment", "1", "2"), "Segment exact"),
            (AutoMap.Column("owner_hb_user_id", .int64, samples: [.int64(118)]), "owner_id likely"),
            (texts("owner", "mara@acme.example"), "owner_id exact"), (texts("rep", "Mara"), "nothing"),
            (texts("contact_mails", "a@b.example;c@d.example"), "emails likely"),
            (texts("reach_me_at", "a@b.example"), "emails likely"), (texts("email", "none"), "nothing"),
            (texts("tel", "+49 40 1234567"), "phones likely"), (texts("tel", "n/a"), "nothing"),
            (texts("homepage", "https://nordwind.example"), "website likely"),
            (AutoMap.Column("created_at", .instant, samples: [.instant(0)]), "add_time unlikely"),
            (texts("created_at", "soon"), "nothing"), (texts("won_deals", "7"), "nothing"),
            (AutoMap.Column("photo", .bytes, samples: [.bytes([1])]), "nothing"),
            (AutoMap.Column("name", .bytes), "nothing"), (texts("adresse", "Fleet Street 4"), "address likely"),
            (texts("地址", "東京"), "nothing"), (AutoMap.Column("renewal_date", .date), "Renewal date exact"),
        ])
    func eachColumn(column: AutoMap.Column, expected: String) {
        #expect(proposal(column) == expected)
    }

    @Test func everyColumnAndFieldIsProposedOnce() {
        let columns = [
            Self.texts("name", "Nordwind"), Self.texts("company_name", "Nordwind"), Self.texts("company", "Nordwind"),
            Self.texts("email", "a@b.example"), Self.texts("email_2", "c@d.example"),
            Self.texts("mail", "e@f.example"), Self.texts("name", "twice"),
        ]
        let found = proposals(columns)
        #expect(Set(found.map(\.column)).count == found.count)
        #expect(Set(found.map(\.target)).count == found.count)
        #expect(found.map(\.target) == ["name", "emails"])
        #expect(found.map(\.column) == ["name", "email"])
    }

    @Test("The same proposals whatever the order, and those of a new record first")
    func deterministic() {
        let columns = [
            Self.texts("labels", "Mid,SMB"), Self.texts("segment", "Mid"), Self.texts("company", "Nordwind"),
            AutoMap.Column("harbour_id", .int64, samples: [.int64(7)]), Self.texts("address", "Fleet Street 4"),
        ]
        let found = proposals(columns)
        #expect(found.map(\.target) == ["id", "name", "address", "label_ids", "Segment"])
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            let shuffled = proposals(columns.shuffled(using: &generator))
            #expect(shuffled.map(\.column) == found.map(\.column) && shuffled.map(\.target) == found.map(\.target))
        }
        #expect(found.first { $0.target == "label_ids" }?.split == ",")
    }

    @Test func unknownOptionsAreCounted() {
        let found = proposals([Self.texts("segment", "Mid", "Galactic", "Tiny", "Mid")])
        #expect(found.map(\.reason) == ["same name, 2 values unknown"])
    }

    @Test func whatIsMappedIsNotProposedAgain() {
        let columns = [Self.texts("name", "Nordwind"), Self.texts("company_name", "Nordwind")]
        let map = AutoMap(fields: Self.fields, columns: columns, subject: AutoMap.Subject(object: "organization"))
        #expect(map.proposals(without: (["name"], [])).isEmpty)
        #expect(map.proposals(without: ([], ["name"])).map(\.column) == ["company_name"])
    }

    @Test func aLabelThatSeveralFieldsBearIsNamedByCode() {
        #expect(proposals([Self.texts("twin", "x")]).map(\.target) == [String(repeating: "d4", count: 20)])
    }

    @Test("No proposal is of a type that cannot be converted", arguments: DataType.allCases)
    func types(type: DataType) throws {
        let columns = MappingFixture.fields.map { AutoMap.Column($0.key, type) }
        let found = AutoMap(
            fields: MappingFixture.fields, columns: columns, subject: AutoMap.Subject(object: "thing")
        ).proposals()
        let source = Schema(columns.map { Schema.Field($0.name, type) })
        for proposal in found {
            let field = MappingFixture.fields[proposal.field]
            guard field.kind != .id, field.isWritableOnUpdate else { continue }
            let problems = MappingFixture.problems(
                [MapEntry(target: proposal.target, from: proposal.column)],
                InsertDefinition(mode: .update, match: proposal.target), source: source)
            #expect(!problems.contains { $0.code == .typeMismatch || $0.code == .zoneMissing }, "\(proposal)")
        }
    }
}
