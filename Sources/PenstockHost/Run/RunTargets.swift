// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The records that the rows of a run go to: two rows for one record would overwrite each other, run after run.
final class RunTargets {
    private let seen: SeenKeys
    private let field: String

    /// No record is taken yet.
    ///
    /// - Parameter field: The target field that finds a record, for rejects.
    init(folder: String, field: String) {
        seen = SeenKeys(folder: folder, batchKeys: 32_768)
        self.field = field
    }

    /// Makes every row a reject whose record an earlier row of the run has taken; rows come in the order of the run.
    ///
    /// - Parameter matchText: The match value of a row of the batch, by which two rows would create one record each.
    func claim(_ rows: inout [DecidedRow], _ matchText: (Int) -> String?) throws(RunStop) {
        for index in rows.indices {
            let target: String? =
                switch rows[index].fate {
                case .update(let id, _), .unchanged(let id, _), .adopted(let id): "id " + id
                case .recovered: rows[index].known?.remoteID.map { "id " + $0 }
                case .create, .maybeCreated: matchText(rows[index].row).map { "match " + $0 }
                case .reread, .rejected, .skipped: nil
                }
            guard let target else { continue }
            var hasher = FingerprintHasher()
            hasher.combine(target)
            let before: Int
            do {
                before = try seen.insert(hasher.finish())
            } catch {
                throw .state(error)
            }
            guard before > 0 else { continue }
            if case .recovered = rows[index].fate { continue }
            rows[index].fate = .rejected(Self.taken(String(target.drop { $0 != " " }.dropFirst()), field: field))
        }
    }

    /// The code of such rejects.
    static let duplicateTarget = "duplicate-target"

    /// Why a row is a reject whose record, found by `value`, is taken.
    static func taken(_ value: String, field: String) -> RejectReason {
        RejectReason(
            stage: "check", code: duplicateTarget, field: field, value: value,
            message: "An earlier row of this run goes to the same record; the first one goes.")
    }
}
