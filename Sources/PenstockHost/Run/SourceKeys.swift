// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Gives each row its identity: its source key, or, where there is none, its content and how often it came before.
struct SourceKeys {
    /// The identity of a row, or why it has none.
    struct Identity {
        /// The digest that stands for the row in the ledger and among rejects.
        var key: Fingerprint
        /// The key for people.
        var text: String
        /// Why the row cannot be identified; it is then a reject.
        var fault: RejectReason?
        /// Whether an earlier row of the run had the same source key.
        var isRepeat = false
    }

    private let columns: [Int]
    private let names: [String]
    private let seen: SeenKeys
    private let contentOrder: [Int]
    private let finderField: String

    /// Keys over the columns called `names` of what is read.
    ///
    /// Without names, rows are known by what finds their record, else by their content, whatever the order of columns.
    ///
    /// - Parameter finderField: The target field that finds a record, for rejects.
    init(_ schema: Schema, names: [String], finderField: String, seen: SeenKeys) {
        self.finderField = finderField
        columns = names.compactMap(schema.index(of:))
        self.names = names
        self.seen = seen
        contentOrder = schema.fields.indices.sorted {
            schema.fields[$0].name.utf8.lexicographicallyPrecedes(schema.fields[$1].name.utf8)
        }
    }

    /// The digests of a batch's rows.
    struct Digests {
        /// Of the whole rows.
        let contents: [Fingerprint]
        /// Of their source keys; empty where there is none.
        let keys: [Fingerprint]
        /// Whether any part of a source key is NULL.
        let mayLackKeys: Bool
    }

    /// The digests of the rows of `batch`, made column by column.
    func digests(_ batch: RecordBatch) -> Digests {
        Digests(
            contents: batch.fingerprints(of: contentOrder),
            keys: columns.isEmpty ? [] : batch.fingerprints(of: columns),
            mayLackKeys: columns.contains { batch.columns[$0].nullCount > 0 })
    }

    /// The identity of row `row` of `batch`; every row of a run must be asked for exactly once, in order.
    ///
    /// - Parameter finder: What finds the row's record, where the sync updates records; nil otherwise.
    func identity(
        _ batch: RecordBatch, _ row: Int, _ digests: Digests, number: Int64, finder: String?
    ) throws(StateError) -> Identity {
        let content = digests.contents[row]
        if columns.isEmpty, let finder {
            var hasher = FingerprintHasher()
            hasher.combine(finder)
            let identity = try keyed(hasher.finish(), content, text: finder)
            return identity.fault == nil
                ? identity
                : Identity(key: identity.key, text: finder, fault: RunTargets.taken(finder, field: finderField))
        }
        guard !columns.isEmpty else {
            let before = try seen.insert(content)
            return Identity(key: before == 0 ? content : Self.derived(content, "copy", before), text: "row \(number)")
        }
        let text = keyText(batch, row)
        if digests.mayLackKeys, let null = columns.firstIndex(where: { batch.columns[$0].isNull(row) }) {
            let before = try seen.insert(Self.derived(content, "null", 0))
            return Identity(
                key: Self.derived(content, "null", before), text: text,
                fault: RejectReason(
                    stage: "key", code: "key-null", field: names[null],
                    message: "The source key is NULL, so the row cannot be told from others."))
        }
        return try keyed(digests.keys[row], content, text: text)
    }

    private func keyed(_ key: Fingerprint, _ content: Fingerprint, text: String) throws(StateError) -> Identity {
        let before = try seen.insert(key)
        guard before > 0 else { return Identity(key: key, text: text) }
        return Identity(
            key: Self.duplicate(of: key, content), text: text,
            fault: RejectReason(
                stage: "key", code: "duplicate-key", field: names.joined(separator: ", "), value: text,
                message: "An earlier row of this run has the same source key; the first one goes."),
            isRepeat: true)
    }

    /// The digest that stands for a row with this content that comes after another one with the same key.
    static func duplicate(of key: Fingerprint, _ content: Fingerprint) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(content.low)
        hasher.combine(content.high)
        return derived(key, hasher.finish().hex, 0)
    }

    private func keyText(_ batch: RecordBatch, _ row: Int) -> String {
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
