// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// Rows whose sending has come to an end together; nothing is made of them until somebody looks.
package struct DeliveredRows: Sendable {
    private enum Row: Sendable {
        case sent(Delivery.Item, DeliveryMachine.Ending)
        indirect case made(DeliveredRow)
    }

    private var rows: [Row] = []
    /// The places of those that were refused, and of those whose answer was lost.
    private var failures: [Int] = []
    private let targets: [CompiledMapping.Target]
    /// What a create and an update cost.
    private let costs: (create: Int64, update: Int64)

    /// No rows of `sync` yet.
    ///
    /// - Parameter capacity: How many are expected.
    init(_ sync: OpenSync, capacity: Int) {
        targets = sync.mapping.targets
        costs = (sync.object.costs.create, sync.object.costs.update)
        rows.reserveCapacity(capacity)
    }

    /// One row.
    init(_ row: DeliveredRow) {
        targets = []
        costs = (0, 0)
        rows = [.made(row)]
        if row.ending == .lost || row.ending == .outcome(.rejected) { failures = [0] }
    }

    /// How many there are.
    package var count: Int { rows.count }

    /// How many were refused or lost.
    package var failureCount: Int { failures.count }

    /// Adds a row; what the destination said of it holds no secrets.
    mutating func add(_ item: Delivery.Item, _ ending: DeliveryMachine.Ending) {
        if ending.isLost || ending.outcome == .rejected { failures.append(rows.count) }
        rows.append(.sent(item, ending))
    }

    /// The row at `place`, counted from 0.
    package subscript(_ place: Int) -> DeliveredRow {
        switch rows[place] {
        case .made(let row): row
        case .sent(let item, let ending): delivered(item.row, item, ending)
        }
    }

    /// Visits the rows that were refused, and those whose answer was lost.
    package func forEachFailure(_ body: (DeliveredRow) -> Void) {
        for place in failures { body(self[place]) }
    }

    private func delivered(
        _ row: DecidedRow, _ item: Delivery.Item, _ ending: DeliveryMachine.Ending
    ) -> DeliveredRow {
        let isCreate = ending.mode == .create
        let error = ending.result?.error
        var changed: [Int]?
        if case .update(_, let changes?) = row.fate { changed = changes.map(\.target) }
        return DeliveredRow(
            row: row.number, key: row.key, keyText: row.keyText, isCreate: isCreate,
            ending: ending.isLost ? .lost : .outcome(ending.outcome), remoteID: ending.remoteID ?? Delivery.id(of: row),
            httpStatus: ending.result?.httpStatus ?? 0,
            code: error.map { $0.vendorCode.isEmpty ? $0.code.description : $0.vendorCode } ?? "",
            message: error?.message ?? "", tokens: isCreate ? costs.create : costs.update,
            fields: SentFields(item.chunk, row.row, targets, changed: changed))
    }
}

extension DeliveryMachine.Ending {
    /// The record, where the destination has named it.
    var remoteID: String? {
        guard let id = result?.remoteID, !id.isEmpty else { return nil }
        return id
    }
}
