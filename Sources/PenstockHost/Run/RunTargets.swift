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

    /// A record that a row goes to which needs nothing.
    struct Quiet {
        /// The row's position in the run.
        let number: Int64
        /// The record, as ``target(id:)`` says it.
        let target: Fingerprint
    }

    /// Makes every row a reject whose record an earlier row of the run has taken; rows come in the order of the run.
    ///
    /// - Parameters:
    ///   - quiet: Rows of the same batch that need nothing, in their order.
    ///   - matchTexts: The match values of a row of the batch, by which two rows would create one record each.
    /// - Returns: The places of those of `quiet` that are rejects, too.
    func claim(
        _ rows: inout [DecidedRow], _ quiet: [Quiet], _ matchTexts: (Int) -> [String]
    ) throws(RunStop) -> [Int] {
        var taken: [Int] = []
        var next = 0
        do {
            for index in rows.indices {
                while next < quiet.count, quiet[next].number < rows[index].number {
                    if try seen.insert(quiet[next].target) > 0 { taken.append(next) }
                    next += 1
                }
                try claim(&rows[index], matchTexts)
            }
            while next < quiet.count {
                if try seen.insert(quiet[next].target) > 0 { taken.append(next) }
                next += 1
            }
        } catch {
            throw .state(error)
        }
        return taken
    }

    private func claim(_ row: inout DecidedRow, _ matchTexts: (Int) -> [String]) throws(StateError) {
        let targets: [(text: String, digest: Fingerprint)] =
            switch row.fate {
            case .update(let id, _), .unchanged(let id, _): [(id, Self.target(id: id))]
            case .recovered: row.known?.remoteID.map { [($0, Self.target(id: $0))] } ?? []
            case .create, .maybeCreated, .undecided(nil):
                matchTexts(row.row).map { ($0, Self.digest("match " + $0)) }
            case .undecided(let id?): [(id, Self.target(id: id))]
            case .reread, .rejected, .skipped, .dropped: []
            }
        guard let text = try firstTaken(targets) else { return }
        switch row.fate {
        case .recovered, .maybeCreated: break
        default: row.fate = .rejected(taken(text))
        }
    }

    /// Takes all of the records, or none where one of them is taken already, which is returned.
    private func firstTaken(_ targets: [(text: String, digest: Fingerprint)]) throws(StateError) -> String? {
        for target in targets where try seen.contains(target.digest) { return target.text }
        for target in targets { _ = try seen.insert(target.digest) }
        return nil
    }

    /// What stands for the record of an id.
    static func target(id: String) -> Fingerprint {
        if let number = UInt64(id), String(number) == id { return target(number: number) }
        return digest("id " + id)
    }

    /// What stands for the record of an id that is a number in its shortest form.
    static func target(number: UInt64) -> Fingerprint {
        let low = number &* 0x9E37_79B9_7F4A_7C15
        return Fingerprint(low: low ^ low >> 32, high: (number ^ low >> 29) &* 0xBF58_476D_1CE4_E5B9)
    }

    private static func digest(_ text: String) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(text)
        return hasher.finish()
    }

    /// Why a row is a reject whose record is taken.
    func taken(_ value: String) -> RejectReason { Self.taken(value, field: field) }

    /// The code of such rejects.
    static let duplicateTarget = "duplicate-target"

    /// Why a row is a reject whose record, found by `value`, is taken.
    static func taken(_ value: String, field: String) -> RejectReason {
        RejectReason(
            stage: "check", code: duplicateTarget, field: field, value: value,
            message: "An earlier row of this run goes to the same record; the first one goes.")
    }
}
