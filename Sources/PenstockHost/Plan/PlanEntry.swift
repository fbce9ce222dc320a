// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What a plan says of one row that a run would touch.
package struct PlanEntry: Sendable, Hashable {
    /// What would be done.
    package enum Action: String, Sendable, Hashable, CaseIterable {
        /// A record is created.
        case create
        /// A record is changed.
        case update
        /// It is asked about: its create was sent, and the answer was lost.
        case ask
        /// Whether there is anything to send cannot be known without asking the destination.
        case undecided
        /// The row is rejected.
        case reject
        /// The source no longer has the row; nothing is done to its record.
        case removed
        /// Fields of a record get back what they held before a run changed them; of an undo alone.
        case restore
        /// A record that a run has created is deleted; of an undo alone.
        case delete
        /// A field or a record that a run has changed stays as it is; of an undo alone.
        case leave
    }

    /// A field, with what it holds and what it is to hold.
    package struct Field: Sendable, Hashable {
        /// The target as the map spells it.
        package var name: String
        /// What the record holds, for people; nil where that is not known.
        package var old: String?
        /// What the row says, for people.
        package var new: String
        /// The digest of what the record holds, for a plan that is guarded; nil otherwise.
        package var before: String?

        /// A field.
        package init(name: String, old: String?, new: String, before: String? = nil) {
            self.name = name
            self.old = old
            self.new = new
            self.before = before
        }
    }

    /// What would be done.
    package var action: Action
    /// The row's position in the source, from 1; 0 where it has none.
    package var row: Int64
    /// The digest of the source key.
    package var key: Fingerprint
    /// The source key for people.
    package var keyText: String
    /// The record, or nil.
    package var remoteID: String?
    /// The digest of what would be sent; nil where nothing is.
    package var payload: Fingerprint?
    /// Whether the record was looked at, so that ``fields`` are those that differ.
    package var isCompared = false
    /// The fields that would be sent.
    package var fields: [Field] = []
    /// The fields that refer to records which linked syncs create first; ``payload`` then has keys in place of ids.
    package var linked: [String] = []
    /// Why it is rejected, or nil.
    package var reason: RejectReason?

    /// What a plan says of one row.
    package init(
        _ action: Action, row: Int64, key: Fingerprint, keyText: String, remoteID: String? = nil,
        payload: Fingerprint? = nil
    ) {
        self.action = action
        self.row = row
        self.key = key
        self.keyText = keyText
        self.remoteID = remoteID
        self.payload = payload
    }

    /// As it stands in a file, on one line.
    package var json: JSON {
        var object: JSONObject = [
            "action": .string(action.rawValue), "row": .integer(row), "key_digest": .string(key.hex),
            "key": .string(keyText),
        ]
        if let remoteID { object.append("id", .string(remoteID)) }
        if let payload { object.append("payload", .string(payload.hex)) }
        if isCompared { object.append("compared", .bool(true)) }
        if !fields.isEmpty {
            object.append(
                "fields",
                .array(
                    fields.map { field in
                        var members: JSONObject = ["field": .string(field.name)]
                        if let old = field.old { members.append("old", .string(old)) }
                        members.append("new", .string(field.new))
                        if let before = field.before { members.append("before", .string(before)) }
                        return .object(members)
                    }))
        }
        if !linked.isEmpty { object.append("linked", .strings(linked)) }
        if let reason {
            object.append("stage", .string(reason.stage))
            object.append("code", .string(reason.code))
            object.append("field", .string(reason.field))
            object.append("value", .string(reason.value))
            object.append("message", .string(reason.message))
        }
        return .object(object)
    }

    /// The entry on a line of a file; nil where the line is no entry.
    package init?(json: JSON) {
        guard let action = json["action"]?.stringValue.flatMap(Action.init(rawValue:)),
            let row = json["row"]?.intValue, let key = json["key_digest"]?.stringValue.flatMap(Fingerprint.init(hex:)),
            let keyText = json["key"]?.stringValue
        else { return nil }
        self.init(
            action, row: Int64(row), key: key, keyText: keyText, remoteID: json["id"]?.stringValue,
            payload: json["payload"]?.stringValue.flatMap(Fingerprint.init(hex:)))
        isCompared = json["compared"]?.boolValue ?? false
        linked = (json["linked"]?.arrayValue ?? []).compactMap(\.stringValue)
        fields = (json["fields"]?.arrayValue ?? []).map { field in
            Field(
                name: field["field"]?.stringValue ?? "", old: field["old"]?.stringValue,
                new: field["new"]?.stringValue ?? "", before: field["before"]?.stringValue)
        }
        if let code = json["code"]?.stringValue {
            reason = RejectReason(
                stage: json["stage"]?.stringValue ?? "", code: code, field: json["field"]?.stringValue ?? "",
                value: json["value"]?.stringValue ?? "", message: json["message"]?.stringValue ?? "",
                remoteID: remoteID)
        }
    }
}

/// What a plan does not show.
package struct PlanMask: Sendable, Hashable {
    /// The names or keys of the fields that are shown as dots.
    package var fields: Set<String>
    /// Whether the source key is shown as dots.
    package var hidesKey: Bool

    /// What stands for a value that is not shown.
    package static let dots = "•••"

    /// What a plan does not show.
    package init(fields: Set<String> = [], hidesKey: Bool = false) {
        self.fields = fields
        self.hidesKey = hidesKey
    }
}
