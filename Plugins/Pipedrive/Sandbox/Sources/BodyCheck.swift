// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What a body asks for, and what is wrong with it; holds no records, so that the store can change while it is around.
struct BodyOutcome {
    /// The properties that are to be set, as they are stored.
    fileprivate(set) var properties: [String: JSON] = [:]
    /// The custom fields to set; null clears one.
    fileprivate(set) var customFields: [String: JSON] = [:]
    /// Whether every custom field is to be cleared.
    fileprivate(set) var clearsCustomFields = false
    /// Seconds since 1970, where the body names `add_time`.
    fileprivate(set) var addTime: Int64?
    /// What is wrong, each "path: reason".
    fileprivate(set) var reasons: [String] = []
}

/// Checks the body of a create or an update against what the object takes, and collects every reason against it.
struct BodyCheck {
    let table: SandboxState.Table
    let users: UserDirectory
    /// The live organizations, which custom fields may point to.
    let organizationExists: (Int) -> Bool
    let creating: Bool

    private(set) var outcome = BodyOutcome()

    init(
        _ table: SandboxState.Table, users: UserDirectory, creating: Bool, organizationExists: @escaping (Int) -> Bool
    ) {
        self.table = table
        self.users = users
        self.creating = creating
        self.organizationExists = organizationExists
    }

    /// Checks the whole body.
    mutating func check(_ body: JSONObject) {
        if creating {
            for name in table.object.required where body[name] == nil { outcome.reasons.append("\(name): is required") }
        }
        for member in body {
            guard let property = table.object.property(member.key, creating: creating) else {
                outcome.reasons.append("\(member.key): Parameter '\(member.key)' is not allowed for this request")
                continue
            }
            if member.value.isNull, property.nullable {
                outcome.properties[member.key] = .null
            } else {
                check(member.value, property)
            }
        }
    }

    private mutating func check(_ value: JSON, _ property: SandboxObject.Property) {
        let name = property.name
        switch property.rule {
        case .text(let max): accept(text(value, name, max: max), name)
        case .integer: accept(value.intValue == nil ? .wrong("must be an integer") : .right(value), name)
        case .visibility:
            let isKnown = value.intValue.map { [1, 3, 5, 7].contains($0) } ?? false
            accept(isKnown ? .right(value) : .wrong("must be one of 1, 3, 5, 7"), name)
        case .owner:
            guard let id = value.intValue else { return accept(.wrong("must be an integer"), name) }
            accept(users.isActive(id) ? .right(value) : .wrong("User not found or not accessible."), name)
        case .optionList:
            guard let items = value.arrayValue else { return accept(.wrong("must be an array"), name) }
            let known = table.fields[name]?.optionIDs ?? []
            let wrong = items.first { item in item.intValue.map { !known.contains($0) } ?? true }
            accept(wrong.map { .wrong("Option \($0.text) does not exist") } ?? .right(value), name)
        case .option:
            guard let id = value.intValue else { return accept(.wrong("must be an integer"), name) }
            let isKnown = table.fields[name]?.optionIDs.contains(id) ?? false
            accept(isKnown ? .right(value) : .wrong("Option \(id) does not exist"), name)
        case .address: accept(AddressRule.check(value), name)
        case .timestamp:
            outcome.addTime = value.stringValue.flatMap { Timestamp.parse($0) }
            if outcome.addTime == nil { outcome.reasons.append("\(name): must be a date and time in RFC 3339") }
        case .customFields: checkCustomFields(value)
        }
    }

    private func text(_ value: JSON, _ name: String, max: Int) -> Checked {
        guard let text = value.stringValue else { return .wrong("must be a string") }
        guard text.unicodeScalars.count <= max else { return .wrong("must be at most \(max) characters long") }
        let isBlank = text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        if isBlank, table.object.required.contains(name) { return .wrong("must not be empty") }
        return .right(value)
    }

    private mutating func accept(_ checked: Checked, _ name: String) {
        switch checked {
        case .right(let value): outcome.properties[name] = value
        case .wrong(let reason): outcome.reasons.append("\(name): \(reason)")
        }
    }

    private mutating func checkCustomFields(_ value: JSON) {
        guard case .object(let members) = value else {
            return outcome.reasons.append("custom_fields: must be an object")
        }
        outcome.clearsCustomFields = members.isEmpty
        let userIDs = Set(users.users.map(\.id))
        let rule = CustomValueRule(
            object: table.object.name, userExists: { userIDs.contains($0) }, organizationExists: organizationExists)
        for member in members {
            guard let field = table.fields[member.key], field.isCustom else {
                outcome.reasons.append("custom_fields: Unknown key '\(member.key)'")
                continue
            }
            if member.value.isNull {
                outcome.customFields[member.key] = .null
                continue
            }
            switch rule.check(member.value, field) {
            case .right(let stored): outcome.customFields[member.key] = stored
            case .wrong(let reason): outcome.reasons.append("custom_fields: \(reason)")
            }
        }
    }
}
