// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Gives each row its identity: its source key, or, where there is none, its content and how often it came before.
final class SourceKeys {
    /// The identity of a row, or why it has none.
    struct Identity {
        /// The digest that stands for the row in the ledger and among rejects.
        var key: Fingerprint
        /// The key for people.
        var text: String
        /// Why the row cannot be identified; it is then a reject.
        var fault: RejectReason?
    }

    /// By what a row is known.
    enum Kind {
        /// By its source key, or by what finds its record: no two rows of a run may share it.
        case key
        /// By nothing, because a part of its source key is NULL.
        case none
        /// By its content, and how often that came before.
        case content
    }

    /// What the rows of a batch are known by.
    struct Found {
        /// The digest of each row's key, or of its content.
        var digests: [Fingerprint]
        /// By what each row is known; empty where that is the key for all of them.
        var kinds: [Kind] = []

        /// By what the row at `place` is known.
        func kind(_ place: Int) -> Kind { kinds.isEmpty ? .key : kinds[place] }
    }

    /// Whether rows have a source key.
    var hasColumns: Bool { !columns.isEmpty }

    private let columns: [Int]
    private let names: [String]
    private let seen: SeenKeys
    /// Keys that are one integer, as far as there is room.
    private var seenNumbers = NumberPages()
    private let contentOrder: [Int]
    private let finderField: String
    /// Whether a row without a source key is known by what finds its record.
    private let hasFinder: Bool
    /// Whether no two rows can have one key, so that nobody has to look.
    private let isUnique: Bool

    /// Keys over the columns called `names` of what is read.
    ///
    /// Without names, rows are known by what finds their record, else by their content, whatever the order of columns.
    ///
    /// - Parameters:
    ///   - insert: Says what finds a record.
    ///   - isUnique: Whether the source promises that no two rows have one key.
    ///   - seen: The keys that came before.
    init(_ schema: Schema, names: [String], insert: InsertDefinition, isUnique: Bool, seen: SeenKeys) {
        self.isUnique = isUnique
        finderField = insert.match
        hasFinder = names.isEmpty && insert.mode == .update
        columns = names.compactMap(schema.index(of:))
        self.names = names
        self.seen = seen
        contentOrder = schema.fields.indices.sorted {
            schema.fields[$0].name.utf8.lexicographicallyPrecedes(schema.fields[$1].name.utf8)
        }
    }

    /// What `rows` of a batch are known by, made column by column.
    func found(_ rows: [Int], of batch: RecordBatch, _ mapped: MappedBatch) -> Found {
        let isWhole = rows.count == batch.rowCount
        let all = batch.fingerprints(of: columns.isEmpty ? contentOrder : columns)
        var found = Found(digests: isWhole ? all : rows.map { all[$0] })
        if columns.isEmpty {
            found.kinds = [Kind](repeating: .content, count: rows.count)
            guard hasFinder else { return found }
            for (place, row) in rows.enumerated() {
                guard let finder = finder(mapped, row) else { continue }
                var hasher = FingerprintHasher()
                hasher.combine(finder)
                found.digests[place] = hasher.finish()
                found.kinds[place] = .key
            }
        } else if columns.contains(where: { batch.columns[$0].nullCount > 0 }) {
            let parts = columns.map { batch.columns[$0] }
            found.kinds = rows.map { row in parts.contains { $0.isNull(row) } ? .none : .key }
        }
        return found
    }

    /// What finds the record of a row without a source key: its id, else its match value; nil with Append.
    private func finder(_ mapped: MappedBatch, _ row: Int) -> String? {
        guard hasFinder, !mapped.isRejected(row) else { return nil }
        return mapped.idText(row) ?? mapped.matchText(row)
    }

    /// The digests of whole rows.
    func contents(_ batch: RecordBatch, _ rows: [Int]) -> [Fingerprint] {
        if rows.count == batch.rowCount { return batch.fingerprints(of: contentOrder) }
        return batch.withPointers(of: contentOrder) { RowDigests.whole($0, of: rows) }
    }

    /// The numbers that are the source keys of a batch's rows; nil where keys are something else.
    func numbers(of batch: RecordBatch) -> [Int64]? {
        guard columns.count == 1, batch.columns[columns[0]].type == .int64 else { return nil }
        return batch.columns[columns[0]].int64s
    }

    /// Counts a row, and says how often its like came before; every row of a run must be counted once, in order.
    ///
    /// A row whose key the ledger knows needs no counting: `match` says whether it came before.
    ///
    /// - Parameter number: What ``numbers(of:)`` says of it.
    /// - Throws: ``StateError``.
    func count(
        _ digest: Fingerprint, _ kind: Kind, _ match: LedgerMatch, _ number: Int64?, content: () -> Fingerprint
    ) throws(StateError) -> Int {
        if kind == .key, !match.isKnown, !isUnique, let number,
            let isNew = seenNumbers.insert(UInt64(bitPattern: number))
        {
            return isNew ? 0 : 1
        }
        switch kind {
        case .key where match.isKnown || isUnique: return match.wasMatchedBefore ? 1 : 0
        case .key, .content: return try seen.insert(digest)
        case .none: return try seen.insert(Self.derived(content(), "null", 0))
        }
    }

    /// The identity of a row.
    ///
    /// - Parameters:
    ///   - digest: What ``found(_:of:_:)`` says of it.
    ///   - before: What ``count(_:_:_:content:)`` said of it.
    func identity(
        _ batch: RecordBatch, _ row: Int, _ mapped: MappedBatch, _ kind: Kind, _ digest: Fingerprint, before: Int,
        content: Fingerprint, number: Int64
    ) -> Identity {
        switch kind {
        case .content:
            return Identity(
                key: before == 0 ? content : Self.derived(content, "copy", before), text: "row \(number)")
        case .none:
            let null = columns.firstIndex { batch.columns[$0].isNull(row) }
            return Identity(
                key: Self.derived(content, "null", before), text: keyText(batch, row),
                fault: RejectReason(
                    stage: "key", code: "key-null", field: null.map { names[$0] } ?? "",
                    message: "The source key is NULL, so the row cannot be told from others."))
        case .key:
            let finder = columns.isEmpty ? finder(mapped, row) ?? "" : nil
            let text = finder ?? keyText(batch, row)
            guard before > 0 else { return Identity(key: digest, text: text) }
            return Identity(
                key: Self.duplicate(of: digest, content), text: text,
                fault: finder.map { RunTargets.taken($0, field: finderField) }
                    ?? RejectReason(
                        stage: "key", code: "duplicate-key", field: names.joined(separator: ", "), value: text,
                        message: "An earlier row of this run has the same source key; the first one goes."))
        }
    }

    /// The digest that stands for a row with this content that comes after another one with the same key.
    static func duplicate(of key: Fingerprint, _ content: Fingerprint) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(content.low)
        hasher.combine(content.high)
        return derived(key, hasher.finish().hex, 0)
    }

    /// The source key of a row for people; for rows that have one.
    func keyText(_ batch: RecordBatch, _ row: Int) -> String {
        if columns.count == 1, batch.columns[columns[0]].type == .int64, !batch.columns[columns[0]].isNull(row) {
            return String(batch.columns[columns[0]].int64s[row])
        }
        let texts = columns.map { index -> String in
            let value = batch.value(row, index)
            return value.isNull ? "NULL" : SourceRowText.text(of: value)
        }
        return texts.joined(separator: ", ")
    }

    private static func derived(_ base: Fingerprint, _ label: String, _ number: Int) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(base.low)
        hasher.combine(base.high)
        hasher.combine(label)
        hasher.combine(UInt64(number))
        return hasher.finish()
    }
}
