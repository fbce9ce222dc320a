// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Rows as the destination is to have them.
package struct MappedBatch: Sendable {
    /// A row that cannot be sent, and why.
    package struct Rejected: Sendable, Hashable {
        /// The row, counted from 0.
        package let row: Int
        /// The first thing wrong with it, in the order of the map.
        package let reject: RowReject
    }

    /// How many rows there are, rejected ones included.
    package let rowCount: Int
    /// One column per target, in the types of ``CompiledMapping/fieldSchema``; what stands where the presence is
    /// false means nothing.
    package internal(set) var columns: [Column]
    /// Which fields each row sets; none in a rejected row.
    package internal(set) var presence: Presence
    /// The rows that cannot be sent, in their order.
    package internal(set) var rejects: [Rejected]
    /// Rows that can update a record but cannot become a new one, because a required field is NULL; in their order.
    ///
    /// There is at most one per row. They are for ``InsertDefinition/OnMissing/create``; with Append such rows are
    /// among ``rejects``.
    package internal(set) var createRejects: [Rejected]
    /// Per row, a digest of the keys and values of the fields it sets.
    ///
    /// It is what the ledger compares and stores: the order of the map does not matter, nor how a number is
    /// written (`1.50` is `1.5`). That of a rejected row means nothing.
    package internal(set) var payloads: [Fingerprint]

    let match: CompiledMapping.Match
    let matching: MatchTexts?
    /// The records' ids, as texts or as integers.
    var ids: Column?
    var isRejected: [Bool]
    /// The target that only finds records, or nil: an update does not set it.
    let finder: Int?

    /// Whether row `row` is a reject.
    package func isRejected(_ row: Int) -> Bool { isRejected[row] }

    /// Per row, whether it is a reject.
    package var rejectedRows: [Bool] { isRejected }

    /// The id of the record that row `row` is to update, or nil where the row has none.
    package func idText(_ row: Int) -> String? {
        guard let ids, !ids.isNull(row) else { return nil }
        if ids.type == .int64 { return String(ids.int64s[row]) }
        return String(decoding: ids.byteSlice(row), as: UTF8.self)
    }

    /// What finds the record of row `row` where that is not the id: the texts of its match field, several where that
    /// is a list; none where the row has nothing to look for.
    package func matchTexts(_ row: Int) -> [String] {
        guard case .target(let target) = match, let matching, presence[row, target] else { return [] }
        return matching.texts(columns[target], row)
    }

    /// The texts of ``matchTexts(_:)`` as one, for people and for the identity of rows; nil where there are none.
    package func matchText(_ row: Int) -> String? {
        let texts = matchTexts(row)
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }

    /// Whether an update of row `row` sets no field.
    package func changesNothing(_ row: Int) -> Bool { presence.isEmpty(row, besides: finder) }
}

extension MappedBatch {
    /// Row `row` alone, so that the other rows need not be kept for its sake.
    package func row(_ row: Int) -> MappedBatch { selecting([row]) }

    /// Some of the rows, in ascending order, so that the others need not be kept for their sake.
    package func selecting(_ rows: [Int]) -> MappedBatch {
        let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        func kept(_ rejected: [Rejected]) -> [Rejected] {
            rejected.compactMap { reject in places[reject.row].map { Rejected(row: $0, reject: reject.reject) } }
        }
        var chosen = Presence(rowCount: rows.count, targetCount: presence.targetCount)
        for (place, row) in rows.enumerated() {
            for target in 0..<presence.targetCount where presence[row, target] { chosen[place, target] = true }
        }
        return MappedBatch(
            rowCount: rows.count, columns: columns.map { $0.selecting(rows) }, presence: chosen,
            rejects: kept(rejects), createRejects: kept(createRejects), payloads: rows.map { payloads[$0] },
            match: match, matching: matching, ids: ids.map { $0.selecting(rows) },
            isRejected: rows.map { isRejected[$0] }, finder: finder)
    }
}
