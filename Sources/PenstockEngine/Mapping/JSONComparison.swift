// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Compares the JSON of compound values by what they mean.
enum JSONComparison {
    /// Whether a wanted value and one of the destination are the same for a field of `kind`.
    static func isSame(_ wanted: JSON, _ held: JSON, _ kind: DestinationField.Kind) -> Bool {
        if isNothing(wanted, kind) || isNothing(held, kind) { return isNothing(wanted, kind) == isNothing(held, kind) }
        switch kind {
        case .options: return Set(texts(wanted)) == Set(texts(held))
        case .texts: return texts(wanted) == texts(held)
        case .contacts: return contactsAreSame(wanted.arrayValue ?? [wanted], held.arrayValue ?? [held])
        case .money, .address, .dateRange: return partsAreSame(wanted, held, same)
        case .time, .timeRange:
            return partsAreSame(wanted, held) { time($0) == time($1) }
        default: return same(wanted, held)
        }
    }

    /// Whether the text of a value says nothing, as people see it.
    static func isEmpty(_ text: String, _ kind: DestinationField.Kind) -> Bool {
        guard !text.isEmpty else { return true }
        // What is no JSON is a text, which is something.
        guard let json = try? JSON(parsing: text) else { return false }
        if isNothing(json, kind) { return true }
        switch json {
        case .string(let text): return text.isBlank
        case .array(let items): return items.isEmpty
        case .object(let object): return object["value"]?.stringValue?.isBlank ?? object.isEmpty
        default: return false
        }
    }

    /// Whether a destination means "no value" by this.
    private static func isNothing(_ json: JSON, _ kind: DestinationField.Kind) -> Bool {
        switch (kind, json) {
        case (_, .null): true
        case (.json, _): false
        case (.contacts, .array(let items)): items.allSatisfy(isBlankContact)
        case (_, .array(let items)): items.isEmpty
        case (_, .object(let object)): object["value"]?.isNull ?? true
        default: false
        }
    }

    private static func isBlankContact(_ json: JSON) -> Bool {
        (json.stringValue ?? json["value"]?.stringValue ?? "").isBlank
    }

    private static func texts(_ json: JSON) -> [String] {
        (json.arrayValue ?? [json]).map {
            $0.stringValue ?? $0.numberText.flatMap(DecimalText.init)?.canonicalText ?? $0.text
        }
    }

    /// Compares the parts that the wanted value has.
    private static func partsAreSame(_ wanted: JSON, _ held: JSON, _ isSame: (JSON, JSON) -> Bool) -> Bool {
        guard let object = wanted.objectValue else { return same(wanted, held) }
        return object.members.allSatisfy { isSame($0.value, held[$0.key] ?? .null) }
    }

    /// A time of day in one spelling; other texts stay as they are.
    private static func time(_ json: JSON) -> JSON {
        guard let text = json.stringValue, let microseconds = TimeText.parseTime(text) else { return json }
        return .string(TimeText.time(microseconds))
    }

    /// Whether the lists have the same elements; which one is primary is said by the elements, not by their order.
    private static func contactsAreSame(_ wanted: [JSON], _ held: [JSON]) -> Bool {
        let wanted = wanted.filter { !isBlankContact($0) }
        var rest = held.filter { !isBlankContact($0) }
        guard wanted.count == rest.count else { return false }
        return wanted.allSatisfy { element in
            guard let place = rest.firstIndex(where: { isSameContact(element, $0) }) else { return false }
            rest.remove(at: place)
            return true
        }
    }

    private static func isSameContact(_ wanted: JSON, _ held: JSON) -> Bool {
        guard wanted["value"] == held["value"] else { return false }
        guard (wanted["primary"]?.boolValue ?? false) == (held["primary"]?.boolValue ?? false) else { return false }
        return wanted["label"].map { $0 == held["label"] } ?? true
    }

    /// Whether two values are the same: numbers by value, objects whatever the order of their members.
    static func same(_ a: JSON, _ b: JSON) -> Bool {
        switch (a, b) {
        case (.number(let first), .number(let second)):
            guard let x = DecimalText(first), let y = DecimalText(second) else { return first == second }
            return x == y
        case (.array(let first), .array(let second)):
            return first.count == second.count && zip(first, second).allSatisfy { same($0, $1) }
        case (.object(let first), .object(let second)):
            return first.count == second.count
                && first.members.allSatisfy { member in second[member.key].map { same(member.value, $0) } ?? false }
        default: return a == b
        }
    }

    /// A value for people: the parts of an object, main one first, or the elements of a list.
    static func display(_ json: JSON) -> String {
        switch json {
        case .null: return ""
        case .string(let text): return text
        case .array(let items): return items.map { display($0["value"] ?? $0) }.joined(separator: ", ")
        case .object(let object):
            guard let main = object["value"] else { return json.text }
            if let until = object["until"] { return "\(display(main)) to \(display(until))" }
            let rest = object.members.filter {
                $0.key != "value" && $0.key != DestinationField.derivedParts && !$0.value.isNull
            }
            if rest.count == 1, rest[0].key == "currency" { return "\(display(main)) \(display(rest[0].value))" }
            let parts = rest.map { "\($0.key): \(display($0.value))" }.joined(separator: ", ")
            return parts.isEmpty ? display(main) : "\(display(main)) (\(parts))"
        case .bool, .number: return json.text
        }
    }
}
