// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The shape of addresses, built-in and custom.
enum AddressRule {
    /// The parts, and their words in the names of subfields.
    static let parts: [(code: String, title: String)] = [
        ("value", "Address value"), ("country", "Country"), ("admin_area_level_1", "State/province"),
        ("admin_area_level_2", "County"), ("locality", "City"), ("sublocality", "District"),
        ("route", "Street/road name"), ("street_number", "House number"), ("subpremise", "Apartment/suite"),
        ("postal_code", "Postal code"),
    ]

    /// The address as it is answered: parts that were left out are null.
    static func check(_ json: JSON) -> Checked {
        guard case .object(let object) = json else { return .wrong("must be an object") }
        for member in object {
            guard parts.contains(where: { $0.code == member.key }) else {
                return .wrong("Parameter '\(member.key)' is not allowed for this request")
            }
            guard member.value.stringValue != nil || (member.value.isNull && member.key != "value") else {
                return .wrong("'\(member.key)' must be a string")
            }
        }
        guard let value = object["value"]?.stringValue else { return .wrong("'value' is required") }
        return .right(address(value, object))
    }

    /// An address of which only the full text is known.
    static func address(_ value: String) -> JSON { address(value, ["value": .string(value)]) }

    private static func address(_ value: String, _ object: JSONObject) -> JSON {
        var answer = JSONObject()
        for part in parts { answer.append(part.code, object[part.code] ?? .null) }
        answer.append("formatted_address", .string(value))
        return .object(answer)
    }
}

/// What a check says of a value.
enum Checked: Equatable {
    /// It is accepted, and stored so.
    case right(JSON)
    /// It is refused for this reason.
    case wrong(String)
}
