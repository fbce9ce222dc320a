// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Something that a run has changed and that is left as it is.
package struct UndoConflict: Sendable, Hashable {
    /// Why it is left.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The record is gone.
        case gone
        /// The field, or the record that was created, was changed since.
        case edited
        /// A later run has written the record that this one created.
        case laterRun = "later-run"
        /// The destination has no such field any more, or one of another kind.
        case fieldGone = "field-gone"
        /// The field was empty, and cannot be emptied.
        case cannotClear = "cannot-clear"
        /// The field cannot be written.
        case readOnly = "read-only"
        /// The connector cannot delete records.
        case cannotDelete = "cannot-delete"
        /// The run deleted the record, and nothing here brings it back.
        case deleted
        /// The destination refused it.
        case refused
        /// The record is not as the plan saw it that is applied.
        case changedSincePlan = "changed-since-plan"
    }

    /// The source key for people.
    package var keyText: String
    /// The record.
    package var remoteID: String
    /// The field as the map spelled it; empty for the record as a whole.
    package var field: String
    /// Why it is left.
    package var reason: Reason
    /// What the field holds now, for people.
    package var live = ""
    /// What the run wrote, for people.
    package var written = ""
    /// What it held before, for people.
    package var before = ""
    /// The words of a refusal, or empty.
    package var message = ""
    /// The id of the later run, or empty.
    package var run = ""

    /// Why it is left, for people: a clause.
    ///
    /// - Parameter shown: A value as it is shown.
    package func sentence(_ shown: (String) -> String) -> String {
        switch reason {
        case .gone: "the record is gone"
        case .edited where field.isEmpty: "the record was changed since the run created it: it is not deleted"
        case .laterRun: "run \(run) has written the record since this one created it: it is not deleted"
        case .edited: "\(field): changed since. It holds \(shown(live)), the run wrote \(shown(written))"
        case .fieldGone: "\(field): the destination has no such field any more"
        case .cannotClear: "\(field): it was empty, and the destination cannot empty it"
        case .readOnly: "\(field): the destination does not let it be written"
        case .cannotDelete: "the connector cannot delete records"
        case .deleted: "the run deleted the record: bring it back at the destination"
        case .refused where field.isEmpty: "refused: \(message)"
        case .refused: "\(field): refused, and left as it is: \(message)"
        case .changedSincePlan: "the record is not as it was when the undo was planned: nothing of it is put back"
        }
    }
}

/// What is to be done about one record that a run has touched.
struct UndoItem: Sendable {
    /// A field that is put back.
    struct Field: Sendable, Hashable {
        var image: FieldImage
        var live: Value
    }

    /// What the run has done.
    var image: RecordImage
    /// The source key for people.
    var keyText: String
    /// The fields that are put back.
    var fields: [Field] = []
    /// Whether the record is deleted.
    var isDelete = false
    /// What is left as it is.
    var conflicts: [UndoConflict] = []
    /// Whether the record is gone.
    var isGone = false
    /// Whether somebody has changed the record since the sync did.
    var isTouched = false
    /// Its place among the records of the run, from 1.
    var place: Int64 = 0

    /// How much of what the run did is put back with ``fields``.
    var undone: RecordImage.Undone { !conflicts.isEmpty ? .inPart : isTouched ? .wholeOfEdited : .whole }

    /// Whether anything is sent.
    var hasWork: Bool { isDelete || !fields.isEmpty }
}

/// Decides what is put back of a record: only what still holds what the run wrote.
///
/// Performs nothing itself.
struct UndoDecider {
    private let fields: [String: DestinationField]
    private let run: ImageRun
    private let object: ObjectDescriptor
    private let canDelete: Bool
    /// The fields to read of every record.
    let keys: [String]

    /// How much later than the last change of ours a record may seem to be changed: answers carry whole seconds.
    private static let skewMilliseconds: Int64 = 2_000

    init(_ fields: [DestinationField], _ run: ImageRun, _ object: ObjectDescriptor, canDelete: Bool) {
        self.fields = Dictionary(fields.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        self.run = run
        self.object = object
        self.canDelete = canDelete
        var keys: [String] = []
        for field in run.fields where self.fields[field.key]?.kind == field.kind { keys.append(field.key) }
        for key in [object.createdAtField, object.updatedAtField]
        where !key.isEmpty && self.fields[key] != nil && !keys.contains(key) { keys.append(key) }
        self.keys = keys
    }

    /// What is to be done about a record.
    ///
    /// - Parameters:
    ///   - live: The record as it is; nil where it is gone.
    ///   - changes: What runs of the sync have done to it besides.
    func decide(_ image: RecordImage, _ keyText: String, _ live: RecordBatch?, _ changes: OwnChanges) -> UndoItem {
        var item = UndoItem(image: image, keyText: keyText)
        item.isGone = live == nil
        switch image.action {
        case .delete:
            item.conflicts = [conflict(item, .deleted)]
        case .create:
            guard let live else { return item }
            if !canDelete {
                item.conflicts = [conflict(item, .cannotDelete)]
            } else if let run = changes.laterRun {
                var later = conflict(item, .laterRun)
                later.run = run
                item.conflicts = [later]
            } else if isEdited(image, live, changes.lastAtMilliseconds) {
                item.conflicts = [conflict(item, .edited)]
            } else {
                item.isDelete = true
            }
        case .update:
            guard let live else {
                if !image.fields.isEmpty { item.conflicts = [conflict(item, .gone)] }
                return item
            }
            let age = age(live, changes.lastAtMilliseconds)
            item.isTouched = age.map { $0 > Self.skewMilliseconds } ?? false
            for field in image.fields { decide(field, live, isOurs: age.map { $0 <= 0 } ?? false, &item) }
        }
        return item
    }

    /// A record that is left as it is as a whole.
    func conflict(_ item: UndoItem, _ reason: UndoConflict.Reason) -> UndoConflict {
        UndoConflict(keyText: item.keyText, remoteID: item.image.remoteID, field: "", reason: reason)
    }

    /// - Parameter isOurs: Whether nobody has changed the record since a run of the sync did.
    private func decide(_ image: FieldImage, _ live: RecordBatch, isOurs: Bool, _ item: inout UndoItem) {
        guard let field = fields[image.field], field.kind == image.kind, let place = live.schema.index(of: image.field)
        else { return item.conflicts.append(conflict(item, image, nil, .fieldGone)) }
        let column = live.columns[place]
        let value = column.value(0).writable(image.kind)
        if RecordComparison.standing(image.before, over: .null, column, 0, image.kind) == .stands { return }
        let standing = RecordComparison.standing(image.after, over: image.before, column, 0, image.kind)
        guard standing == .stands || (standing == .unclear && isOurs) else {
            return item.conflicts.append(conflict(item, image, value, .edited))
        }
        if !field.isWritableOnUpdate {
            item.conflicts.append(conflict(item, image, value, .readOnly))
        } else if FieldEmptiness.isEmpty(image.before, image.kind), !field.isClearable {
            item.conflicts.append(conflict(item, image, value, .cannotClear))
        } else {
            item.fields.append(UndoItem.Field(image: image, live: value))
        }
    }

    private func conflict(
        _ item: UndoItem, _ image: FieldImage, _ live: Value?, _ reason: UndoConflict.Reason
    ) -> UndoConflict {
        var out = conflict(item, reason)
        out.field = name(image.field)
        let field = fields[image.field] ?? DestinationField(image.field, image.kind)
        out.live = live.map { FieldText.of($0, field) } ?? ""
        out.written = FieldText.of(image.after, field)
        out.before = FieldText.of(image.before, field)
        if let live, out.live == out.written {
            (out.live, out.written) = (FieldText.full(live, field), FieldText.full(image.after, field))
        }
        return out
    }

    /// A field as the map of the run spelled it.
    func name(_ key: String) -> String { run.fields.first { $0.key == key }?.name ?? key }

    /// The key of the field that the map of the run spelled so.
    func key(_ name: String) -> String { run.fields.first { $0.name == name }?.key ?? name }

    /// A value of a field for people.
    func text(_ value: Value, _ image: FieldImage) -> String {
        FieldText.of(value, fields[image.field] ?? DestinationField(image.field, image.kind))
    }

    /// Whether somebody has changed a record since the run created it.
    private func isEdited(_ image: RecordImage, _ live: RecordBatch, _ lastChange: Int64?) -> Bool {
        let columns = run.fields.map { field in live.schema.index(of: field.key).map { live.columns[$0] } }
        guard RecordMark.holds(image.mark, columns, 0, run.fields.map(\.kind)) else { return true }
        guard let created = instant(object.createdAtField, live), let updated = instant(object.updatedAtField, live),
            updated > created
        else { return false }
        // What later runs wrote was undone, or it would be theirs; that moved the time.
        return lastChange.map { updated / 1_000 > $0 + Self.skewMilliseconds } ?? true
    }

    /// How many milliseconds after the sync's last change a record was changed last; nil where nothing tells.
    private func age(_ live: RecordBatch, _ lastChange: Int64?) -> Int64? {
        guard let lastChange, let updated = instant(object.updatedAtField, live) else { return nil }
        return updated / 1_000 - lastChange
    }

    private func instant(_ key: String, _ live: RecordBatch) -> Int64? {
        guard !key.isEmpty, let place = live.schema.index(of: key), case .instant(let time) = live.value(0, place)
        else {
            return nil
        }
        return time
    }
}
