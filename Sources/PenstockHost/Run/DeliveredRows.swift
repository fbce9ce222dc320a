// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// Rows whose sending has come to an end together; nothing is made of them until somebody looks.
package struct DeliveredRows: Sendable {
    private let items: [Delivery.Item]
    private let endings: [DeliveryMachine.Ending]
    /// The one row, where it is of another kind.
    private let made: DeliveredRow?
    /// The places of those that were refused, and of those whose answer was lost.
    private let failures: [Int]
    private let targets: [CompiledMapping.Target]
    /// What a create and an update cost.
    private let costs: (create: Int64, update: Int64)

    /// Those of `endings` that the destination said something about, or has lost.
    ///
    /// - Parameters:
    ///   - items: The rows of `endings`, one by one.
    ///   - redacted: What the destination said of a row without what must not be shown.
    init(
        _ sync: OpenSync, _ items: [Delivery.Item], _ endings: [DeliveryMachine.Ending],
        redacted: (ConnectorError) -> ConnectorError
    ) {
        targets = sync.mapping.targets
        costs = (sync.object.costs.create, sync.object.costs.update)
        made = nil
        if endings.allSatisfy({ $0.result != nil && $0.result?.error == nil && !$0.isLost }) {
            // Most of all; nothing is copied.
            (self.items, self.endings) = (items, endings)
            failures = []
            return
        }
        let told = endings.indices.filter { endings[$0].isLost || endings[$0].result != nil }
        self.items = told.map { items[$0] }
        self.endings = told.map { endings[$0].redacted(by: redacted) }
        failures = told.indices.filter { endings[told[$0]].isLost || endings[told[$0]].outcome == .rejected }
    }

    /// One row.
    init(_ row: DeliveredRow) {
        targets = []
        costs = (0, 0)
        (items, endings) = ([], [])
        made = row
        failures = row.ending == .lost || row.ending == .outcome(.rejected) ? [0] : []
    }

    /// How many there are.
    package var count: Int { made == nil ? items.count : 1 }

    /// How many were refused or lost.
    package var failureCount: Int { failures.count }

    /// The row at `place`, counted from 0.
    package subscript(_ place: Int) -> DeliveredRow {
        made ?? delivered(items[place].row, items[place], endings[place])
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
        return DeliveredRow(
            row: row.number, key: row.key, keyText: row.keyText, isCreate: isCreate,
            ending: ending.isLost ? .lost : .outcome(ending.outcome), remoteID: ending.remoteID ?? Delivery.id(of: row),
            httpStatus: ending.result?.httpStatus ?? 0,
            code: error.map { $0.vendorCode.isEmpty ? $0.code.description : $0.vendorCode } ?? "",
            message: error?.message ?? "", tokens: isCreate ? costs.create : costs.update,
            fields: SentFields(item.chunk, row.row, targets, only: isCreate ? nil : row.updated(of: targets)))
    }
}

extension DeliveryMachine.Ending {
    /// The same, with what the destination said as `redact` leaves it.
    fileprivate func redacted(by redact: (ConnectorError) -> ConnectorError) -> Self {
        guard var result, let error = result.error else { return self }
        result.error = redact(error)
        return Self(row: row, mode: mode, outcome: outcome, result: result)
    }

    /// The record, where the destination has named it.
    var remoteID: String? {
        guard let id = result?.remoteID, !id.isEmpty else { return nil }
        return id
    }
}
