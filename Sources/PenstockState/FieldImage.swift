// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A field of a record that was changed: what it held, and what it was given.
package struct FieldImage: Sendable, Hashable {
    /// The field's key.
    package var field: String
    /// What the field held then: with another kind its values mean something else.
    package var kind: DestinationField.Kind
    /// What it held.
    package var before: Value
    /// What it was given.
    package var after: Value

    /// A field that was changed.
    package init(field: String, kind: DestinationField.Kind, before: Value, after: Value) {
        self.field = field
        self.kind = kind
        self.before = before
        self.after = after
    }

    /// A value as it is stored.
    package static func json(_ value: Value) -> JSON {
        switch value {
        case .null, .uint64, .float64, .bytes: .null
        case .bool(let flag): .bool(flag)
        case .int64(let number), .date(let number), .time(let number), .timestamp(let number), .instant(let number):
            .integer(number)
        case .decimal(let text), .text(let text), .json(let text): .string(text)
        }
    }

    /// The value that ``json(_:)`` has stored for a field of `kind`; nil where it is none.
    package static func value(_ json: JSON, _ kind: DestinationField.Kind) -> Value? {
        if json.isNull { return .null }
        switch kind.columnType {
        case .bool: return json.boolValue.map { .bool($0) }
        case .int64: return json.intValue.map { .int64(Int64($0)) }
        case .date: return json.intValue.map { .date(Int64($0)) }
        case .instant: return json.intValue.map { .instant(Int64($0)) }
        case .decimal: return json.stringValue.map { .decimal($0) }
        case .json: return json.stringValue.map { .json($0) }
        default: return json.stringValue.map { .text($0) }
        }
    }

    var stored: JSON {
        .array([.string(field), .string(kind.rawValue), Self.json(before), Self.json(after)])
    }

    init?(stored: JSON) {
        guard let items = stored.arrayValue, items.count == 4, let field = items[0].stringValue,
            let kind = items[1].stringValue.flatMap(DestinationField.Kind.init(rawValue:)),
            let before = Self.value(items[2], kind), let after = Self.value(items[3], kind)
        else { return nil }
        self.init(field: field, kind: kind, before: before, after: after)
    }
}

/// A record that a run has changed, created or deleted, as far as it takes to undo it.
package struct RecordImage: Sendable, Hashable {
    /// What the run did with the record.
    package enum Action: Int64, Sendable, Hashable {
        /// It changed fields.
        case update = 1
        /// It created it.
        case create = 2
        /// It deleted it.
        case delete = 3
    }

    /// How much of what a run did with a record was put back.
    package enum Undone: Int64, Sendable, Hashable {
        /// A part, or nothing yet.
        case inPart = 0
        /// All of it.
        case whole = 1
        /// All of it, and somebody had edited other fields of the record before.
        case wholeOfEdited = 2
    }

    /// Its place among the images.
    package var position: Int64 = 0
    /// The number of the run.
    package var run: Int64
    /// The digest of the source key.
    package var key: Fingerprint
    /// The record's id.
    package var remoteID: String
    /// What the run did with it.
    package var action: Action
    /// The fields that were changed; none for a record that was created.
    package var fields: [FieldImage]
    /// What a record that was created was given, as a mark; empty for others.
    package var mark: [UInt8]
    /// When that was done, in milliseconds since 1970 by the other side's clock; 0 where it is not known to be done.
    package var doneAtMilliseconds: Int64
    /// How much of it was put back since.
    package var undone = Undone.inPart
    /// Whether all of it was put back since.
    package var isUndone: Bool { undone != .inPart }

    /// A record that a run has changed.
    package init(
        run: Int64, key: Fingerprint, remoteID: String, action: Action, fields: [FieldImage] = [], mark: [UInt8] = [],
        doneAtMilliseconds: Int64 = 0
    ) {
        self.run = run
        self.key = key
        self.remoteID = remoteID
        self.action = action
        self.fields = fields
        self.mark = mark
        self.doneAtMilliseconds = doneAtMilliseconds
    }

    /// The image with the fields of a later one put over its own.
    ///
    /// A field that held what it had been given before was held by us: what it held before that stays.
    func merged(with later: RecordImage) -> RecordImage {
        var out = self
        for var field in later.fields {
            if let known = out.fields.first(where: { $0.field == field.field && $0.kind == field.kind }),
                FieldImage.json(known.after) == FieldImage.json(field.before)
            {
                field.before = known.before
            }
            out.fields.removeAll { $0.field == field.field }
            out.fields.append(field)
        }
        out.remoteID = later.remoteID
        out.doneAtMilliseconds = max(doneAtMilliseconds, later.doneAtMilliseconds)
        out.undone = .inPart
        return out
    }
}

/// What runs of a sync have done to one record.
package struct OwnChanges: Sendable, Hashable {
    /// When the last of them changed it, in milliseconds since 1970 by the other side's clock; nil where none did.
    package var lastAtMilliseconds: Int64?
    /// The id of the last run that wrote it behind the one in question and was not undone; nil for none.
    package var laterRun: String?

    /// What runs of a sync have done to one record.
    package init(lastAtMilliseconds: Int64? = nil, laterRun: String? = nil) {
        self.lastAtMilliseconds = lastAtMilliseconds
        self.laterRun = laterRun
    }
}

/// A run of which images are kept.
package struct ImageRun: Sendable, Hashable {
    /// The number of the run.
    package var number: Int64
    /// The id of the run.
    package var id: String
    /// The object whose records it wrote.
    package var object: String
    /// The fields that it wrote, in the order in which marks count them.
    package var fields: [Field]
    /// The number of the run that it undoes, or nil.
    package var undoes: Int64?

    /// A field that a run wrote.
    package struct Field: Sendable, Hashable {
        /// The field's key.
        package var key: String
        /// The field as the map spelled it.
        package var name: String
        /// What it held.
        package var kind: DestinationField.Kind

        /// A field that a run wrote.
        package init(key: String, name: String, kind: DestinationField.Kind) {
            self.key = key
            self.name = name
            self.kind = kind
        }
    }

    /// A run of which images are kept.
    package init(number: Int64, id: String, object: String, fields: [Field], undoes: Int64? = nil) {
        self.undoes = undoes
        self.number = number
        self.id = id
        self.object = object
        self.fields = fields
    }
}

/// One change of what is kept for undoing runs.
package enum ImageChange: Sendable, Hashable {
    /// A run of which images are to come.
    case run(ImageRun)
    /// A record is about to be changed or deleted, or was created.
    case record(RecordImage)
    /// A record was found that the run has created earlier, whether that is known or not.
    case found(RecordImage)
    /// A change was carried out, at this time by the other side's clock in milliseconds since 1970.
    case done(run: Int64, key: Fingerprint, at: Int64)
    /// A value is about to be written into a field of which it is remembered what was written.
    case writing(key: Fingerprint, field: String, JSON)
    /// A field holds a value that was written, or that was to be written and stood there.
    case wrote(key: Fingerprint, field: String, JSON)
    /// What was about to be written into the fields of a row was refused.
    case refused(key: Fingerprint)
    /// What was written into a field is remembered no longer.
    case forget(key: Fingerprint, field: String)
    /// The record at this place was put back, as a whole or in part.
    ///
    /// Where that undoes an undo, the run that this one had undone is no longer undone for the record.
    case undone(position: Int64, RecordImage.Action, RecordImage.Undone)
}
