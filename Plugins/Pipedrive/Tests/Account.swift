// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import PipedriveConnector

/// An account with one custom field of each type that can be made.
enum Account {
    static let types = [
        "varchar", "varchar_auto", "text", "phone", "double", "monetary", "date", "daterange", "time", "timerange",
        "enum", "set", "user", "org", "people", "address",
    ]

    /// The code of the custom field of a type: 40 hexadecimal digits.
    static func code(_ type: String) -> String {
        let digits = type.utf8.map { String($0, radix: 16) }.joined()
        return String((digits + String(repeating: "0", count: 40)).prefix(40))
    }

    /// The account's list of definitions: the custom fields, two of the vendor's, and a type that nobody knows.
    static let listing: [JSON] =
        types.map { type in
            let hasOptions = type == "enum" || type == "set"
            return definition(
                "My \(type)", code(type), type, isCustom: true, option: hasOptions ? (.integer(31), "Gold") : nil)
        } + [
            definition("Website", "website", "varchar"),
            definition("Visibility", "visible_to", "visible_to", option: (.string("3"), "All")),
            definition("Odd", code("odd"), "billing_frequency", isCustom: true),
        ]

    private static func definition(
        _ name: String, _ code: String, _ type: String, isCustom: Bool = false, option: (JSON, String)? = nil
    ) -> JSON {
        let options: JSON? = option.map { id, label in
            let option: JSONObject = ["id": id, "label": .string(label)]
            return .array([.object(option)])
        }
        let definition: JSONObject = [
            "field_name": .string(name), "field_code": .string(code), "field_type": .string(type),
            "is_custom_field": .bool(isCustom), "options": options ?? .null,
        ]
        return .object(definition)
    }

    static let fields = PipedriveFields(.organization, listing: listing)

    static func api(_ host: TestHost = TestHost()) throws -> PipedriveAPI {
        let settings: JSONObject = ["company_domain": .string("acme"), "api_token": .string("tok-123")]
        return try PipedriveAPI(ConnectorSettings(.object(settings), PipedriveConnector.settings), host: host)
    }
}
