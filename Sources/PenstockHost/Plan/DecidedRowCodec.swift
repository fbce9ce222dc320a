// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// Puts rows with what is to be done about them into a batch of their own, and takes them out again.
///
/// The Incremental Key is not among the columns: it stands in the row's own batch.
struct DecidedRowCodec {
    /// The row's place, identity and digests; then its fate, with the record and what else belongs to it.
    static let schema = Schema([
        Schema.Field("number", .int64, isNullable: false), Schema.Field("row", .int64, isNullable: false),
        Schema.Field("key", .bytes, isNullable: false), Schema.Field("key_text", .text, isNullable: false),
        Schema.Field("cursor", .text), Schema.Field("source", .bytes),
        Schema.Field("payload", .bytes), Schema.Field("known", .json), Schema.Field("fate", .int64, isNullable: false),
        Schema.Field("id", .text), Schema.Field("more", .json), Schema.Field("guards", .json),
    ])

    private let cursorIndex: Int?

    /// A codec for batches whose Incremental Key has this place, or that have none.
    init(cursorIndex: Int?) { self.cursorIndex = cursorIndex }

    // MARK: - Into a batch

    func encoded(_ rows: [DecidedRow]) -> RecordBatch {
        var batch = RecordBatch(Self.schema, capacity: rows.count)
        for row in rows {
            let fate = Self.parts(row.fate)
            batch.append([
                .int64(row.number), .int64(Int64(row.row)), .bytes(row.key.bytes), .text(row.keyText),
                row.cursorText.map { .text($0) } ?? .null, row.source.map { .bytes($0.bytes) } ?? .null,
                row.payload.map { .bytes($0.bytes) } ?? .null, row.known.map { .json(Self.json($0).text) } ?? .null,
                .int64(fate.tag.rawValue), fate.id.map { .text($0) } ?? .null,
                fate.more.map { .json($0.text) } ?? .null, Self.guards(row).map { .json($0.text) } ?? .null,
            ])
        }
        return batch
    }

    private enum Tag: Int64 {
        case reread, recovered, rejected, skipped, dropped, unchanged, unchangedKnown, maybeCreated, maybeCreatedAtFault
        case create, update, updateOfSome, undecided
    }

    private static func parts(_ fate: DecidedRow.Fate) -> (tag: Tag, id: String?, more: JSON?) {
        switch fate {
        case .reread: (.reread, nil, nil)
        case .recovered(let outcome): (.recovered, nil, .string(outcome.rawValue))
        case .rejected(let reason): (.rejected, nil, json(reason))
        case .skipped: (.skipped, nil, nil)
        case .dropped: (.dropped, nil, nil)
        case .unchanged(let id, let isKnown): (isKnown ? .unchangedKnown : .unchanged, id, nil)
        case .maybeCreated(nil): (.maybeCreated, nil, nil)
        case .maybeCreated(let fault?): (.maybeCreatedAtFault, nil, json(fault))
        case .create: (.create, nil, nil)
        case .update(let id, nil): (.update, id, nil)
        case .update(let id, let changes?):
            (
                .updateOfSome, id,
                .array(changes.map { .array([.integer($0.target), .string($0.old), .string($0.new)]) })
            )
        case .undecided(let id): (.undecided, id, nil)
        }
    }

    private static func json(_ reason: RejectReason) -> JSON {
        .array(
            [reason.stage, reason.code, reason.field, reason.value, reason.message].map { .string($0) } + [
                reason.remoteID.map { .string($0) } ?? .null, .integer(reason.httpStatus),
            ])
    }

    private static func json(_ known: KnownRow) -> JSON {
        let outcome =
            switch known.outcome {
            case .settled(let outcome): outcome.rawValue
            case .maybeCreated: "maybe"
            case .open: "open"
            }
        func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
        return .array([
            .string(outcome), .bool(known.isOfThisRun), .bool(known.isDropped), text(known.remoteID),
            text(known.payload?.hex), text(known.cursor), text(known.source?.hex),
        ])
    }

    // MARK: - Out of a batch

    /// The rows of ``encoded(_:)`` again, whose values are in `source`.
    func decoded(_ batch: RecordBatch, _ source: RecordBatch) -> [DecidedRow] {
        (0..<batch.rowCount).map { place in
            func text(_ column: Int) -> String? {
                batch.columns[column].isNull(place)
                    ? nil : String(decoding: batch.columns[column].byteSlice(place), as: UTF8.self)
            }
            func digest(_ column: Int) -> Fingerprint? { Fingerprint(bytes: batch.columns[column].byteSlice(place)) }
            let row = Int(batch.columns[1].int64s[place])
            let none = Fingerprint(low: 0, high: 0)
            var decided = DecidedRow(
                number: batch.columns[0].int64s[place], row: row, key: digest(2) ?? none, keyText: text(3) ?? "",
                cursor: cursorIndex.map { source.value(row, $0) } ?? .null, cursorText: text(4),
                source: batch.columns[5].isNull(place) ? nil : digest(5),
                payload: batch.columns[6].isNull(place) ? nil : digest(6),
                known: text(7).map(Self.known),
                fate: Self.fate(
                    Tag(rawValue: batch.columns[8].int64s[place]) ?? .skipped, text(9), Self.parsed(text(10))))
            if let guards = text(11) { Self.setGuards(Self.parsed(guards), &decided) }
            return decided
        }
    }

    private static func parsed(_ text: String?) -> JSON {
        // The batch has a checksum: what is read is what was written.
        text.flatMap { try? JSON(parsing: $0) } ?? .null
    }

    private static func fate(_ tag: Tag, _ id: String?, _ more: JSON) -> DecidedRow.Fate {
        switch tag {
        case .reread: .reread
        case .recovered: .recovered(more.stringValue.flatMap(RowOutcome.init(rawValue:)) ?? .skipped)
        case .rejected: .rejected(reason(more))
        case .skipped: .skipped
        case .dropped: .dropped
        case .unchanged: .unchanged(id: id ?? "", isKnown: false)
        case .unchangedKnown: .unchanged(id: id ?? "", isKnown: true)
        case .maybeCreated: .maybeCreated(fault: nil)
        case .maybeCreatedAtFault: .maybeCreated(fault: reason(more))
        case .create: .create
        case .update: .update(id: id ?? "", changes: nil)
        case .updateOfSome: .update(id: id ?? "", changes: (more.arrayValue ?? []).map(change))
        case .undecided: .undecided(id: id)
        }
    }

    private static func change(_ json: JSON) -> FieldChange {
        let parts = json.arrayValue ?? []
        return FieldChange(
            target: parts[0].intValue ?? 0, old: parts[1].stringValue ?? "", new: parts[2].stringValue ?? "")
    }

    private static func reason(_ json: JSON) -> RejectReason {
        let parts = json.arrayValue ?? []
        func text(_ place: Int) -> String { parts[place].stringValue ?? "" }
        return RejectReason(
            stage: text(0), code: text(1), field: text(2), value: text(3), message: text(4),
            remoteID: parts[5].stringValue, httpStatus: parts[6].intValue ?? 0)
    }

    private static func known(_ text: String) -> KnownRow {
        let parts = parsed(text).arrayValue ?? []
        let word = parts[0].stringValue ?? ""
        let outcome: KnownRow.Outcome =
            switch word {
            case "maybe": .maybeCreated
            case "open": .open
            default: RowOutcome(rawValue: word).map { .settled($0) } ?? .open
            }
        var known = KnownRow(
            outcome: outcome, isOfThisRun: parts[1].boolValue ?? false, remoteID: parts[3].stringValue,
            payload: parts[4].stringValue.flatMap(Fingerprint.init(hex:)), cursor: parts[5].stringValue,
            source: parts[6].stringValue.flatMap(Fingerprint.init(hex:)))
        known.isDropped = parts[2].boolValue ?? false
        return known
    }
}

// MARK: - What guards hold back, and what records hold

extension DecidedRowCodec {
    private static func guards(_ row: DecidedRow) -> JSON? {
        guard !row.conflicts.isEmpty || row.before != nil || row.held != nil else { return nil }
        let conflicts = row.conflicts.map { conflict in
            JSON.array([
                .integer(conflict.target), .string(conflict.editGuard.rawValue), .string(conflict.live),
                conflict.ours.map { .string($0) } ?? .null, .string(conflict.wanted),
            ])
        }
        let before = row.before.map { before in
            JSON.array(before.map { .array([.integer($0.key), json($0.value)]) })
        }
        return .array([.array(conflicts), before ?? .null, row.held.map { .string($0.hex) } ?? .null])
    }

    private static func setGuards(_ json: JSON, _ row: inout DecidedRow) {
        let parts = json.arrayValue ?? []
        row.conflicts = (parts[0].arrayValue ?? []).compactMap { json in
            let parts = json.arrayValue ?? []
            return parts[1].stringValue.flatMap(EditGuard.init(rawValue:)).map { editGuard in
                RecordComparison.Conflict(
                    target: parts[0].intValue ?? 0, editGuard: editGuard, live: parts[2].stringValue ?? "",
                    ours: parts[3].stringValue, wanted: parts[4].stringValue ?? "")
            }
        }
        if let before = parts[1].arrayValue {
            row.before = Dictionary(
                before.map { ($0.arrayValue?[0].intValue ?? 0, value($0.arrayValue?[1] ?? .null)) },
                uniquingKeysWith: { first, _ in first })
        }
        row.held = parts[2].stringValue.flatMap(Fingerprint.init(hex:))
    }

    private static func json(_ value: Value) -> JSON {
        let text: String
        switch value {
        case .null: return .null
        case .bool(let flag): text = flag ? "1" : "0"
        case .int64(let number), .date(let number), .time(let number), .timestamp(let number), .instant(let number):
            text = String(number)
        case .uint64(let number): text = String(number)
        case .float64(let number): text = String(number.bitPattern)
        case .decimal(let content), .text(let content), .json(let content): text = content
        case .bytes(let bytes): text = bytes.map { String($0) }.joined(separator: " ")
        }
        return .array([.string(value.type?.rawValue ?? ""), .string(text)])
    }

    private static func value(_ json: JSON) -> Value {
        guard let parts = json.arrayValue, let type = parts[0].stringValue.flatMap(DataType.init(rawValue:)),
            let text = parts[1].stringValue
        else { return .null }
        switch type {
        case .bool: return .bool(text == "1")
        case .int64: return .int64(Int64(text) ?? 0)
        case .date: return .date(Int64(text) ?? 0)
        case .time: return .time(Int64(text) ?? 0)
        case .timestamp: return .timestamp(Int64(text) ?? 0)
        case .instant: return .instant(Int64(text) ?? 0)
        case .uint64: return .uint64(UInt64(text) ?? 0)
        case .float64: return .float64(Double(bitPattern: UInt64(text) ?? 0))
        case .decimal: return .decimal(text)
        case .text: return .text(text)
        case .json: return .json(text)
        case .bytes: return .bytes(text.split(separator: " ").compactMap { UInt8($0) })
        }
    }
}
