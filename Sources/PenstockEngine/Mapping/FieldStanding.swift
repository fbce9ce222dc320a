// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How what a field holds stands to what was written there.
package enum FieldStanding: Sendable, Hashable {
    /// It is what was written, with nothing but what a destination adds by itself.
    case stands
    /// It is what was written, with parts that either the destination has added or somebody.
    case unclear
    /// It is something else.
    case edited
}

extension RecordComparison {
    /// Whether a field still holds what was written, more closely than ``isSame(_:_:_:_:_:)``: parts that were not
    /// written count too.
    ///
    /// - Parameters:
    ///   - before: What the field held before: parts that it had then need nobody to have added them.
    ///   - held: The column of what is held now, of the kind's type.
    package static func standing(
        _ written: Value, over before: Value, _ held: Column, _ row: Int, _ kind: DestinationField.Kind
    ) -> FieldStanding {
        guard isSame(written, held, row, kind) else { return .edited }
        guard kind.columnType == .json else { return .stands }
        func json(_ value: Value) -> JSON {
            guard case .json(let text) = value else { return .null }
            // What is no JSON was compared as a text above.
            return (try? JSON(parsing: text)) ?? .string(text)
        }
        return JSONComparison.standing(json(written), over: json(before), json(held.value(row)), kind)
    }
}

extension JSONComparison {
    /// The label of an e-mail address or phone number of which none was said.
    static let plainLabel = "work"

    /// How `held` stands to `written`, which is the same as far as parts of `written` go.
    static func standing(
        _ written: JSON, over before: JSON, _ held: JSON, _ kind: DestinationField.Kind
    ) -> FieldStanding {
        switch kind {
        case .contacts:
            return haveSameLabels(written.arrayValue ?? [], held.arrayValue ?? []) ? .stands : .edited
        case .address, .dateRange, .money, .time, .timeRange:
            guard let wrote = written.objectValue, let holds = held.objectValue else { return .stands }
            let derived = Set((holds[DestinationField.derivedParts]?.arrayValue ?? []).compactMap(\.stringValue))
            let added = holds.members.filter { member in
                !member.value.isNull && (wrote[member.key] ?? .null).isNull
                    && member.key != DestinationField.derivedParts && !derived.contains(member.key)
            }
            guard !added.isEmpty else { return .stands }
            // What is left out of an address or of two dates is empty; a currency and a time zone are filled in.
            guard kind != .address, kind != .dateRange else { return .edited }
            return added.allSatisfy { same($0.value, before[$0.key] ?? .null) } ? .stands : .unclear
        default: return .stands
        }
    }

    private static func haveSameLabels(_ written: [JSON], _ held: [JSON]) -> Bool {
        func label(_ json: JSON) -> String? { json["label"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
        var rest = held
        return written.allSatisfy { element in
            let wanted = label(element)
            let place = rest.firstIndex { other in
                guard other["value"] == element["value"],
                    (other["primary"]?.boolValue ?? false) == (element["primary"]?.boolValue ?? false)
                else { return false }
                return label(other).map { $0 == wanted ?? plainLabel } ?? (wanted == nil)
            }
            // Blank elements are not kept by every destination.
            guard let place else { return (element["value"]?.stringValue ?? "").isBlank }
            rest.remove(at: place)
            return true
        }
    }
}

extension Value {
    /// A value that was read back, as it could be written: without ``DestinationField/derivedParts``.
    package func writable(_ kind: DestinationField.Kind) -> Value {
        // What is no JSON has no members.
        guard kind == .address, case .json(let text) = self, let object = (try? JSON(parsing: text))?.objectValue,
            object[DestinationField.derivedParts] != nil
        else { return self }
        var kept = JSONObject()
        for member in object where member.key != DestinationField.derivedParts { kept.append(member.key, member.value) }
        return .json(JSON.object(kept).text)
    }
}

extension FieldText {
    /// The value with all that tells it from one that ``of(_:_:)`` shows by the same words.
    package static func full(_ value: Value, _ field: DestinationField) -> String {
        // What is no list of JSON has no more to it than is shown.
        guard field.kind == .contacts, case .json(let text) = value, let items = try? JSON(parsing: text).arrayValue
        else { return of(value, field) }
        return items.map { item in
            let label = item["label"]?.stringValue.map { [$0] } ?? []
            let words = label + (item["primary"]?.boolValue == true ? ["primary"] : [])
            let main = JSONComparison.display(item["value"] ?? item)
            return words.isEmpty ? main : "\(main) (\(words.joined(separator: ", ")))"
        }.joined(separator: ", ")
    }
}
