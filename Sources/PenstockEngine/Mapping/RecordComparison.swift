// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Compares rows as they should be with records as the destination has them.
package struct RecordComparison: Sendable {
    /// A field that is not as the row wants it.
    package struct Difference: Sendable, Hashable {
        /// The target's place in ``CompiledMapping/targets``.
        package let target: Int
        /// What the destination has, for people; empty for nothing.
        package let old: String
        /// What the row wants, for people; empty for nothing.
        package let new: String
        /// What the destination has.
        package let before: Value
    }

    /// A field that is not as the row wants it, and that its guard keeps as it is.
    package struct Conflict: Sendable, Hashable {
        /// The target's place in ``CompiledMapping/targets``.
        package let target: Int
        /// The guard that holds it.
        package let editGuard: EditGuard
        /// What the destination has, for people.
        package let live: String
        /// What the sync wrote last, for people; nil where it never wrote it, or that is not remembered.
        package let ours: String?
        /// What the row wants, for people; empty for nothing.
        package let wanted: String

        /// A field that is kept as it is.
        package init(target: Int, editGuard: EditGuard, live: String, ours: String?, wanted: String) {
            self.target = target
            self.editGuard = editGuard
            self.live = live
            self.ours = ours
            self.wanted = wanted
        }
    }

    private let targets: [CompiledMapping.Target]
    private let options: [OptionIndex]
    private let places: [Int?]

    /// A comparison with records of `schema`, whose columns are named by field key.
    ///
    /// A field without a column there counts as NULL.
    package init(_ mapping: CompiledMapping, records schema: Schema) {
        targets = mapping.targets
        options = mapping.plans.map(\.converter.options)
        places = mapping.targets.map { target in
            schema.index(of: target.field.key).flatMap {
                schema.fields[$0].type == target.field.kind.columnType ? $0 : nil
            }
        }
    }

    /// The fields that the row sets and the record has differently, in the order of the map.
    ///
    /// - Parameters:
    ///   - isWhole: Whether the field that only finds records counts too, as for a record that was created.
    ///   - isSentWhole: Whether fields are sent that do not differ: parts that somebody has added to a value whose
    ///     guard needs the record are a difference then, because they would be lost.
    package func differences(
        _ mapped: MappedBatch, _ row: Int, _ records: RecordBatch, _ recordRow: Int, isWhole: Bool = false,
        isSentWhole: Bool = false
    ) -> [Difference] {
        var out: [Difference] = []
        for (place, target) in targets.enumerated() where mapped.presence[row, place] {
            if target.isFinderOnly && !isWhole { continue }
            let new = mapped.columns[place]
            guard let column = places[place] else {
                if !new.isNull(row) {
                    out.append(Difference(target: place, old: "", new: display(new, row, place), before: .null))
                }
                continue
            }
            let old = records.columns[column]
            let kind = target.field.kind
            if Self.isSame(new, row, old, recordRow, kind) {
                guard isSentWhole, target.editGuard.needsRecord, kind.columnType == .json,
                    Self.standing(new.value(row), over: .null, old, recordRow, kind) == .edited
                else { continue }
            }
            out.append(
                Difference(
                    target: place, old: display(old, recordRow, place), new: display(new, row, place),
                    before: old.value(recordRow).writable(kind)))
        }
        return out
    }

    /// What a sync has written into a field.
    package struct Written: Sendable {
        /// What it wrote last, as far as that is known; nil where it never did.
        package let last: Value?
        /// What it was about to write then, which may have arrived or may never have left; nil for nothing.
        package let next: Value?

        /// What was written, of which at least one is there.
        package init(last: Value?, next: Value?) {
            self.last = last
            self.next = next
        }
    }

    /// The differences that the guards of their fields hold back.
    ///
    /// - Parameter written: What was written into the target at a place, or nil for nothing.
    package func conflicts(
        _ differences: [Difference], _ records: RecordBatch, _ recordRow: Int, written: (Int) -> Written?
    ) -> [Conflict] {
        differences.compactMap { difference in
            let place = difference.target
            let editGuard = targets[place].editGuard
            guard editGuard.needsRecord, let column = places[place] else { return nil }
            let kind = targets[place].field.kind
            let live = records.columns[column]
            let isEmpty = FieldEmptiness.isEmpty(live, recordRow, kind)
            var ours: Written?
            switch editGuard {
            case .ifEmpty where isEmpty: return nil
            case .ifUnchangedSinceUs:
                ours = written(place)
                // What was only about to be written may never have left: the field may be empty as it was before.
                if ours?.last == nil && isEmpty { return nil }
                // Parts that somebody has added to what was written are an edit, too.
                let values = [ours?.last, ours?.next].compactMap { $0 }
                if values.contains(where: { Self.standing($0, over: .null, live, recordRow, kind) != .edited }) {
                    return nil
                }
            default: break
            }
            return Conflict(
                target: place, editGuard: editGuard, live: difference.old,
                ours: (ours?.last ?? ours?.next).map { display($0, place) }, wanted: difference.new)
        }
    }

    private func display(_ value: Value, _ target: Int) -> String {
        var one = Column(targets[target].field.kind.columnType, capacity: 1)
        one.append(value)
        return display(one, 0, target)
    }

    /// Whether a wanted value and one of the destination are the same for a field of `kind`.
    ///
    /// Where the wanted value leaves parts open (parts of an address, the currency, a time zone, a label), the
    /// destination's are passed over.
    /// - Precondition: Both columns have the kind's column type.
    package static func isSame(
        _ wanted: Column, _ row: Int, _ held: Column, _ heldRow: Int, _ kind: DestinationField.Kind
    ) -> Bool {
        switch kind.columnType.layout {
        case .int64:
            if wanted.isNull(row) || held.isNull(heldRow) { return wanted.isNull(row) == held.isNull(heldRow) }
            return wanted.int64s[row] == held.int64s[heldRow]
        default: break
        }
        let isJSON = kind.columnType == .json
        let wantedIsNull = wanted.isNull(row)
        if wantedIsNull || held.isNull(heldRow) {
            if wantedIsNull, held.isNull(heldRow) { return true }
            guard isJSON else { return false }
        } else if wanted.byteSlice(row) == held.byteSlice(heldRow) {
            return true
        }
        guard isJSON || kind == .number else { return false }
        let wantedText = String(decoding: wanted.byteSlice(row), as: UTF8.self)
        let heldText = String(decoding: held.byteSlice(heldRow), as: UTF8.self)
        if kind == .number {
            guard let first = DecimalText(wantedText), let second = DecimalText(heldText) else { return false }
            return first == second
        }
        return JSONComparison.isSame(json(wantedText), json(heldText), kind)
    }

    /// NULL is the JSON `null`; what is not JSON is a text, so that it differs from everything that is.
    private static func json(_ text: String) -> JSON {
        guard !text.isEmpty else { return .null }
        do { return try JSON(parsing: text) } catch { return .string(text) }
    }

    /// A value of target `target` for people: options by label, compound values in a few words; empty for NULL.
    package func display(_ column: Column, _ row: Int, _ target: Int) -> String {
        let value = column.value(row)
        let text = CellText.of(value)
        switch targets[target].field.kind {
        case .option, .user:
            return options[target].label(ofID: text).map { "\($0) (\(text))" } ?? text
        case .options:
            guard let ids = Self.json(text).arrayValue else { return text }
            return ids.map { element in
                let id = element.stringValue ?? element.numberText ?? element.text
                return options[target].label(ofID: id).map { "\($0) (\(id))" } ?? id
            }.joined(separator: ", ")
        case .texts:
            return Self.json(text).arrayValue?.map { $0.stringValue ?? $0.text }.joined(separator: ", ") ?? text
        case .money, .dateRange, .time, .timeRange, .address, .contacts: return JSONComparison.display(Self.json(text))
        case .reference: return PlannedRecord.shown(text)
        case .id, .text, .number, .integer, .boolean, .date, .instant, .json: return text
        }
    }
}
