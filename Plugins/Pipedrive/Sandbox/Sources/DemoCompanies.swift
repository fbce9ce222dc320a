// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The twenty companies of the demo project, and how twelve of them stand in the CRM before the first run.
struct DemoCompany: Sendable {
    /// What the CRM says where it differs from the file; nil where it agrees.
    struct Difference: Sendable {
        var name: String?
        var segment: String?
        var arr: String?
        var owner: String?
        var address: String?
    }

    let key: String
    let name: String
    let segment: String
    let arr: String
    let owner: String
    let address: String
    /// Nil for a company that the CRM does not have.
    var inCRM: Difference?

    /// The line of the CSV file.
    var line: String { "\(key),\(name),\(segment),\(arr),\(owner),\"\(address)\"" }

    static let all: [DemoCompany] = [
        company(
            "ACME-001", "Nordwind GmbH", "Mid", "48000", "jonas", "Jungfernstieg 7, 20354 Hamburg",
            .init(segment: "SMB")),
        company(
            "ACME-002", "Østerbro Kaffe ApS", "SMB", "9600", "miko", "Østerbrogade 62, 2100 København",
            .init(owner: "jonas")),
        company(
            "ACME-003", "Initech Ltd", "Enterprise", "182500.5", "mara", "4 Fleet Street, London", .init(arr: "171000")),
        company("ACME-004", "Hooli B.V.", "Mid", "61200", "priya", "Oudegracht 120, 3511 Utrecht", .init()),
        company("ACME-005", "Umbrella Optics AG", "Enterprise", "240000", "tomas", "Bahnhofstrasse 21, 8001 Zürich"),
        company(
            "ACME-006", "Vandelay Imports S.A.", "SMB", "7200", "mara", "12 Rue de la Ré, 69002 Lyon",
            .init(address: "3 Quai Fulchiron, 69005 Lyon")),
        company("ACME-007", "Stark Ceramics Oy", "Mid", "35500", "jonas", "Aleksanterinkatu 15, 00100 Helsinki"),
        company(
            "ACME-008", "Wonka Foods Ltd", "Enterprise", "315000", "miko", "88 King Street, Manchester",
            .init(segment: "Mid", arr: "298000")),
        company(
            "ACME-009", "Tyrell Robotics GmbH", "Enterprise", "127400", "priya", "Hardenbergstraße 4, 10623 Berlin"),
        company(
            "ACME-010", "Soylent Foods B.V.", "SMB", "5400", "tomas", "Coolsingel 40, 3011 Rotterdam",
            .init(name: "Soylent Food BV")),
        company("ACME-011", "Wayne Mobility AG", "Enterprise", "405000", "mara", "Ringstrasse 2, 1010 Wien", .init()),
        company("ACME-012", "Cyberdyne Systems Ltd", "Mid", "52800", "jonas", "9 Canal Road, Leeds"),
        company(
            "ACME-013", "Aperture Analytics Oy", "Mid", "44100", "miko", "Tehtaankatu 27, 00150 Helsinki",
            .init(owner: "tomas")),
        company(
            "ACME-014", "Globex", "Galactic", "88000", "priya", "Praça do Comércio 1, 1100 Lisboa",
            .init(segment: "Enterprise")),
        company("ACME-015", "Duff Brewing S.A.", "SMB", "11300", "tomas", "5 Place Bellecour, 69002 Lyon"),
        company(
            "ACME-016", "Monarch Paper ApS", "SMB", "6100", "mara", "Vesterbrogade 3, 1620 København",
            .init(arr: "5900")),
        company("ACME-017", "Pied Piper Software GmbH", "Mid", "73900", "jonas", "Rosenthaler Straße 40, 10178 Berlin"),
        company(
            "ACME-018", "Gringott Finance AG", "Enterprise", "510000", "miko", "Paradeplatz 8, 8001 Zürich",
            .init(segment: "Mid")),
        company("ACME-019", "Blue Sun Logistics B.V.", "Mid", "39000", "priya", "Strandweg 10, 2586 Den Haag"),
        company("ACME-020", "Weyland Tools Oy", "SMB", "14700", "tomas", "Hämeenkatu 1, 33100 Tampere"),
    ]

    private static func company(
        _ key: String, _ name: String, _ segment: String, _ arr: String, _ owner: String, _ address: String,
        _ inCRM: Difference? = nil
    ) -> DemoCompany {
        DemoCompany(
            key: key, name: name, segment: segment, arr: arr, owner: "\(owner)@acme.example", address: address,
            inCRM: inCRM)
    }
}

extension SandboxState {
    /// Adds the companies that the demo project finds in the CRM.
    mutating func seedDemo() {
        let fields = tables[0].fields
        for (index, company) in DemoCompany.all.enumerated() {
            guard let crm = company.inCRM else { continue }
            var custom: [String: JSON] = [:]
            let segment = fields.labelled("Segment")
            let option = segment?.options?.first { $0.label == crm.segment ?? company.segment }
            if let segment, let option { custom[segment.code] = .integer(option.id) }
            if let key = fields.labelled("Customer key") { custom[key.code] = .string(company.key) }
            if let arr = fields.labelled("ARR (EUR)") { custom[arr.code] = .number(crm.arr ?? company.arr) }
            let email = crm.owner.map { "\($0)@acme.example" } ?? company.owner
            let owner = users.withEmail(email)?.id ?? UserDirectory.you
            let time: Int64 = 1_767_600_000 + Int64(index) * 3600
            _ = tables[0].store.create(
                [
                    "name": .string(crm.name ?? company.name), "owner_id": .integer(owner),
                    "visible_to": .integer(3), "label_ids": .array([.integer(1)]),
                    "address": AddressRule.address(crm.address ?? company.address),
                ], custom: custom, addTime: time, updateTime: time)
        }
    }
}
