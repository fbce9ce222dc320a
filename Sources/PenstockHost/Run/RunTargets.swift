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
    /// - Parameter matchTexts: The match values of a row of the batch, by which two rows would create one record each.
    func claim(_ rows: inout [DecidedRow], _ matchTexts: (Int) -> [String]) throws(RunStop) {
        for index in rows.indices {
            let targets: [String] =
                switch rows[index].fate {
                case .update(let id, _), .unchanged(let id, _): ["id " + id]
                case .recovered: rows[index].known?.remoteID.map { ["id " + $0] } ?? []
                case .create, .maybeCreated: matchTexts(rows[index].row).map { "match " + $0 }
                case .reread, .rejected, .skipped, .dropped: []
                }
            guard let taken = try firstTaken(targets) else { continue }
            switch rows[index].fate {
            case .recovered, .maybeCreated: continue
            default: break
            }
            rows[index].fate = .rejected(Self.taken(String(taken.drop { $0 != " " }.dropFirst()), field: field))
        }
    }

    /// Takes all of the records, or none where one of them is taken already, which is returned.
    private func firstTaken(_ targets: [String]) throws(RunStop) -> String? {
        let digests = targets.map { target in
            var hasher = FingerprintHasher()
            hasher.combine(target)
            return hasher.finish()
        }
        do {
            for (target, digest) in zip(targets, digests) where try seen.contains(digest) { return target }
            for digest in digests { _ = try seen.insert(digest) }
        } catch {
            throw .state(error)
        }
        return nil
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
