// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension SandboxState {
    private static let firstWords = [
        "Nordwind", "Alpen", "Baltic", "Cobalt", "Delta", "Ember", "Fjord", "Granit", "Hanse", "Iris", "Juniper",
        "Kestrel", "Linden", "Meridian", "Nova", "Orchard", "Polar", "Quarry", "Rhein", "Sierra", "Tidal", "Umbra",
        "Vega", "Willow",
    ]
    private static let secondWords = [
        "Logistics", "Software", "Robotics", "Foods", "Energy", "Textiles", "Optics", "Media", "Pharma", "Tools",
        "Mobility", "Analytics", "Ceramics", "Systems", "Print", "Marine", "Paper",
    ]
    private static let forms = ["GmbH", "AG", "Ltd", "ApS", "B.V.", "S.A.", "Oy"]
    private static let places = [
        ("Hamburg", "20095", "Germany"), ("Tallinn", "10111", "Estonia"), ("København", "1050", "Denmark"),
        ("Wien", "1010", "Austria"), ("Lyon", "69001", "France"), ("Utrecht", "3511", "Netherlands"),
        ("Porto", "4000-322", "Portugal"), ("Kraków", "31-005", "Poland"),
    ]
    private static let owners = [101, 112, 118, 123, 130]

    /// Adds organizations whose names and values follow from their number alone.
    mutating func seedOrganizations(_ count: Int) {
        guard count > 0 else { return }
        let fields = tables[0].fields
        let segments = fields.labelled("Segment")?.options?.map(\.id) ?? []
        for number in 1...count {
            var custom: [String: JSON] = [:]
            func set(_ label: String, _ value: JSON) {
                if let field = fields.labelled(label) { custom[field.code] = value }
            }
            let padded = String(number)
            set("Customer key", .string("C-" + String(repeating: "0", count: max(0, 6 - padded.count)) + padded))
            if !number.isMultiple(of: 7), !segments.isEmpty {
                set("Segment", .integer(segments[number % segments.count]))
            }
            if !number.isMultiple(of: 5) { set("ARR (EUR)", .number("\(number * 37 % 9000 + 500).\(number % 9 + 1)")) }
            if number.isMultiple(of: 3) {
                set("Customer since", .string("20\(15 + number % 10)-0\(number % 9 + 1)-1\(number % 10)"))
            }
            if number.isMultiple(of: 4) { set("Switchboard", .string("+49 40 \(100_000 + number)")) }
            let added: Int64 = 1_735_689_600 + Int64(number) * 300
            _ = tables[0].store.create(
                Self.properties(number), custom: custom, addTime: added,
                updateTime: added + Int64(number % 13) * 86_400)
        }
    }

    private static func properties(_ number: Int) -> [String: JSON] {
        let words = firstWords.count * secondWords.count
        let round = number / words
        let name = [
            firstWords[number % firstWords.count], secondWords[number / firstWords.count % secondWords.count],
            forms[number % forms.count],
        ].joined(separator: " ")
        let place = places[number % places.count]
        let street = "\(firstWords[number * 5 % firstWords.count]) Street"
        let house = String(number % 180 + 1)
        var properties: [String: JSON] = [
            "name": .string(round == 0 ? name : "\(name) \(round + 1)"),
            "owner_id": .integer(owners[number % owners.count]), "visible_to": .integer(3),
            "label_ids": number.isMultiple(of: 6) ? .array([.integer(number % 4 + 1)]) : .array([]),
            "website": number.isMultiple(of: 2) ? .string("https://www.c\(number).example") : .null,
            "employee_count": number.isMultiple(of: 3) ? .integer(number % 900 + 5) : .null,
        ]
        guard !number.isMultiple(of: 9) else { return properties }
        let value = "\(street) \(house), \(place.1) \(place.0), \(place.2)"
        let address = JSON.members([
            "value": .string(value), "country": .string(place.2), "locality": .string(place.0),
            "route": .string(street), "street_number": .string(house), "postal_code": .string(place.1),
        ])
        if case .right(let stored) = AddressRule.check(address) { properties["address"] = stored }
        return properties
    }
}
