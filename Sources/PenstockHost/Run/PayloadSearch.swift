// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Looks for the records of lost creates by all that was sent.
///
/// Records that a sync of the project knows as its own are nobody else's, of the same object and connection.
struct PayloadSearch {
    /// The fields to read back, besides the id: the marker, then those that were sent, then when a record was created,
    /// or else the one that rows find their records by.
    let fields: [String]
    private let owners: [StateStore]
    private let comparison: RecordComparison
    private let creationColumn: Int?
    private let matching: MatchTexts?
    private let matchColumn: Int

    /// - Parameters:
    ///   - own: The state of the sync, or nil where no row has to be looked for by what was sent.
    ///   - marker: The field that holds markers, or nil; it is the first one that is read.
    init(
        _ sync: OpenSync, _ own: StateStore?, _ stateFolder: String, marker: DestinationField?
    ) throws(RunStop) {
        let first = marker.map { [$0] } ?? []
        let sent = own == nil ? [] : sync.mapping.targets.map(\.field)
        let createdAt = sync.object.createdAtField
        let knowsCreation = own != nil && !createdAt.isEmpty && !sent.contains { $0.key == createdAt }
        let match = Self.match(sync)
        let alone = sent.isEmpty ? match.map { [$0.field.key] } ?? [] : []
        fields = (first + sent).map(\.key) + (knowsCreation ? [createdAt] : []) + alone
        matching = match?.texts
        matchColumn = 1 + first.count + (sent.isEmpty ? 0 : match?.target ?? 0)
        let schema = Schema(
            [Schema.Field("id", .text, isNullable: false)]
                + (first + sent).map { Schema.Field($0.key, $0.kind.columnType) })
        comparison = RecordComparison(sync.mapping, records: schema)
        creationColumn = knowsCreation ? fields.count : nil
        owners =
            try own.map { own throws(RunStop) in
                [own] + (try OtherStates.open(in: stateFolder, beside: sync))
            } ?? []
    }

    private static func match(_ sync: OpenSync) -> (target: Int, field: DestinationField, texts: MatchTexts)? {
        guard sync.definition.insert.mode == .update, case .target(let target) = sync.mapping.match,
            let texts = sync.mapping.matching
        else { return nil }
        return (target, sync.mapping.targets[target].field, texts)
    }

    /// What rows find a record by; none where they do not look for records.
    func matchTexts(_ records: RecordBatch, _ place: Int) -> [String] {
        matching?.texts(records.columns[matchColumn], place) ?? []
    }

    /// Ends the search.
    func close() { for owner in owners.dropFirst() { owner.close() } }

    /// Whether a record of the sync's object is known to belong to a row of a sync.
    ///
    /// - Throws: ``RunStop`` `state`.
    func isOwned(_ id: String) throws(RunStop) -> Bool {
        do {
            for owner in owners where try owner.owns(remoteID: id) { return true }
        } catch {
            throw .state(error)
        }
        return false
    }

    /// Whether a record has everything that a row would have sent.
    func isSame(_ sent: MappedBatch, _ records: RecordBatch, _ place: Int) -> Bool {
        comparison.differences(sent, 0, records, place, isWhole: true).isEmpty
    }

    /// Whether a record may have been created by the request of `intent`: not where it is older.
    func isNewEnough(
        _ records: RecordBatch, _ place: Int, _ intent: LedgerEntry.Intent?, _ skew: Int64
    ) -> Bool {
        guard let creationColumn, let sentAt = intent?.serverTimeMilliseconds,
            case .instant(let created) = records.value(place, creationColumn)
        else { return true }
        return created / 1_000 >= sentAt - skew
    }
}
