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
    /// The properties that the body names.
    fileprivate(set) var named: Set<String> = []
    /// A property that the account lacks the feature for, or nil.
    fileprivate(set) var withoutFeature: String?
}

/// Checks the body of a create or an update against what the object takes, and collects every reason against it.
struct BodyCheck {
    let table: SandboxState.Table
    let users: UserDirectory
    let sales: SalesDirectory
    let features: Set<SandboxFeature>
    /// The live records, to which references may point.
    let recordExists: (_ object: String, _ id: Int) -> Bool
    let creating: Bool

    private(set) var outcome = BodyOutcome()

    init(
        _ table: SandboxState.Table, _ state: SandboxState, creating: Bool,
        recordExists: @escaping (_ object: String, _ id: Int) -> Bool
    ) {
        self.table = table
        users = state.users
        sales = state.sales
        features = state.features
        self.creating = creating
        self.recordExists = recordExists
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
            outcome.named.insert(member.key)
            if let feature = property.feature, !features.contains(feature) {
                outcome.withoutFeature = outcome.withoutFeature ?? member.key
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
        case .contacts: accept(ContactRule.check(value), name)
        case .timestamp:
            outcome.addTime = value.stringValue.flatMap { Timestamp.parse($0) }
            if outcome.addTime == nil { outcome.reasons.append("\(name): must be a date and time in RFC 3339") }
        case .number, .boolean, .notTrue, .instant, .utcTime, .date, .choice, .currency:
            accept(scalar(value, property.rule), name)
        case .reference(let object): accept(reference(value, object), name)
        case .pipeline: accept(known(value, sales.pipelines.map(\.id), "Pipeline"), name)
        case .stage: accept(known(value, sales.stages.map(\.id), "Stage"), name)
        case .customFields: checkCustomFields(value)
        }
    }

    private func reference(_ value: JSON, _ object: String) -> Checked {
        guard let id = value.intValue else { return .wrong("must be an integer") }
        let noun = object.prefix(1).uppercased() + object.dropFirst()
        return recordExists(object, id) ? .right(value) : .wrong("\(noun) not found or not accessible.")
    }

    private func known(_ value: JSON, _ ids: [Int], _ noun: String) -> Checked {
        guard let id = value.intValue else { return .wrong("must be an integer") }
        return ids.contains(id) ? .right(value) : .wrong("\(noun) \(id) does not exist")
    }

    private func scalar(_ value: JSON, _ rule: SandboxObject.Rule) -> Checked {
        switch rule {
        case .number: return value.numberText == nil ? .wrong("must be a number") : .right(value)
        case .boolean: return value.boolValue == nil ? .wrong("must be a boolean") : .right(value)
        case .notTrue:
            return value == .bool(false) ? .right(value) : .wrong("a record is deleted by a DELETE request only")
        case .instant:
            guard let seconds = value.stringValue.flatMap({ Timestamp.parse($0) }) else {
                return .wrong("must be a date and time in RFC 3339")
            }
            return .right(.string(Timestamp.text(seconds)))
        case .utcTime:
            let text = value.stringValue ?? ""
            let seconds = text.contains("T") ? nil : Timestamp.parse(text.replacing(" ", with: "T") + "Z")
            return seconds == nil ? .wrong("must be a date and time as YYYY-MM-DD HH:MM:SS") : .right(value)
        case .date:
            let days = value.stringValue.flatMap { Timestamp.days($0) }
            return days == nil ? .wrong("must be a date as YYYY-MM-DD") : .right(value)
        case .choice(let words):
            let isKnown = value.stringValue.map(words.contains) ?? false
            return isKnown ? .right(value) : .wrong("must be one of \(words.joined(separator: ", "))")
        case .currency:
            let code = value.stringValue?.utf8.allSatisfy { (0x41...0x5A).contains($0) } ?? false
            return code && value.stringValue?.utf8.count == 3 ? .right(value) : .wrong("is not the code of a currency")
        default: return .wrong("cannot be checked")
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
            object: table.object.name, userExists: { userIDs.contains($0) }, recordExists: recordExists)
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
