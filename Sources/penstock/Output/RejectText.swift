// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject
import PenstockState

/// Rejects as text, with masked fields as dots.
enum RejectText {
    /// A reject in a few words.
    static func example(_ reject: RejectRecord, _ file: SyncFile) -> String {
        let value = value(reject, file)
        return "\(file.shownKey(reject.keyText)) \(reject.field)" + (value.isEmpty ? "" : " \"\(value)\"")
    }

    /// The value at fault.
    static func value(_ reject: RejectRecord, _ file: SyncFile) -> String {
        value(reject.value, of: reject.field, file)
    }

    /// A value at fault, or dots where its field is masked.
    static func value(_ value: String, of field: String, _ file: SyncFile) -> String {
        let isMasked = file.mask.contains(field) || file.maskedColumns.contains(field)
        return file.rejects.record != .full && isMasked && !value.isEmpty ? "•••" : value
    }

    /// The whole reject for programs.
    static func json(_ reject: RejectRecord, _ file: SyncFile) -> JSON {
        .object([
            "sync": .string(file.name), "row": .integer(reject.row), "key": .string(file.shownKey(reject.keyText)),
            "stage": .string(reject.stage), "code": .string(reject.code), "field": .string(reject.field),
            "value": .string(value(reject, file)), "message": .string(reject.message),
            "remote_id": reject.remoteID.map { .string($0) } ?? .null, "http": .integer(reject.httpStatus),
            "last_seen": .string(TimeDisplay.utc(reject.lastSeenMilliseconds)),
            "record": .object(record(reject, file)),
        ])
    }

    /// The row as it was fetched, as far as it is shown.
    static func record(_ reject: RejectRecord, _ file: SyncFile) -> JSONObject {
        // A record that is not JSON was damaged; the reject is then shown without it.
        guard file.rejects.record != .none, let object = (try? JSON(parsing: reject.record))?.objectValue else {
            return [:]
        }
        if file.rejects.record == .full { return object }
        let masked = Set(file.definition.map.filter { file.mask.contains($0.target) }.flatMap(\.columns))
        let keys = Set(file.definition.source.key)
        var shown = JSONObject()
        for member in object.members {
            if file.rejects.record == .keys, !keys.contains(member.key) { continue }
            shown.append(
                member.key, masked.contains(member.key) && !member.value.isNull ? .string("•••") : member.value)
        }
        return shown
    }
}

extension SyncFile {
    /// The source columns whose values fill masked fields.
    var maskedColumns: Set<String> {
        Set(definition.map.filter { mask.contains($0.target) }.flatMap(\.columns))
    }

    /// The text that stands for a row, as dots where it is, or holds, the value of a masked field.
    func shownKey(_ text: String) -> String {
        guard rejects.record != .full, !mask.isEmpty else { return text }
        let columns = maskedColumns
        let isFinder = definition.source.key.isEmpty && mask.contains(definition.insert.match)
        return isFinder || !columns.isDisjoint(with: definition.source.key) ? "•••" : text
    }
}
