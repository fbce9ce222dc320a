// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The shape of e-mail addresses, phone numbers and messenger accounts.
enum ContactRule {
    /// The list as it is answered: every element has a label, and one of them is primary.
    static func check(_ json: JSON) -> Checked {
        guard let items = json.arrayValue else { return .wrong("must be an array") }
        var values: [(value: String, isPrimary: Bool, label: String)] = []
        for item in items {
            guard let object = item.objectValue else { return .wrong("every element must be an object") }
            for member in object where !["value", "primary", "label"].contains(member.key) {
                return .wrong("Parameter '\(member.key)' is not allowed for this request")
            }
            guard let value = object["value"]?.stringValue else { return .wrong("'value' is required") }
            guard object["primary"].map({ $0.boolValue != nil }) ?? true else {
                return .wrong("'primary' must be a boolean")
            }
            guard object["label"].map({ $0.stringValue != nil }) ?? true else {
                return .wrong("'label' must be a string")
            }
            values.append((value, object["primary"]?.boolValue ?? false, object["label"]?.stringValue ?? "work"))
        }
        let marked = values.filter(\.isPrimary).count
        guard marked < 2 else { return .wrong("only one element may be primary") }
        if marked == 0, !values.isEmpty { values[0].isPrimary = true }
        return .right(
            .array(
                values.map {
                    .members(["value": .string($0.value), "primary": .bool($0.isPrimary), "label": .string($0.label)])
                }))
    }
}
