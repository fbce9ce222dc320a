// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The records that the rows of a run go to: two rows for one record would overwrite each other, run after run.
final class RunTargets {
    /// What stands for a record.
    enum Target: Sendable, Hashable {
        /// Its id, a number in its shortest form.
        case number(UInt64)
        /// The digest of another id, or of a value by which it will be found.
        case digest(Fingerprint)

        /// The record that a lost create may have made, which is found by this value.
        init(lost: String) { self = .digest(Self.digest("lost " + lost)) }

        /// The record with this id.
        init(id: String) {
            if let number = UInt64(id), String(number) == id {
                self = .number(number)
            } else {
                self = .digest(Self.digest("id " + id))
            }
        }

        /// The record that is found by this value.
        init(match: String) { self = .digest(Self.digest("match " + match)) }

        private static func digest(_ text: String) -> Fingerprint {
            var hasher = FingerprintHasher()
            hasher.combine(text)
            return hasher.finish()
        }

        /// The digest, for one that there is no room for among numbers.
        fileprivate var digest: Fingerprint {
            switch self {
            case .number(let number): Self.digest("id \(number)")
            case .digest(let digest): digest
            }
        }
    }

    private let seen: SeenKeys
    private let field: String
    private var numbers = NumberPages()

    /// No record is taken yet.
    ///
    /// - Parameter field: The target field that finds a record, for rejects.
    init(folder: String, field: String) {
        seen = SeenKeys(folder: folder, batchKeys: 32_768)
        self.field = field
    }

    /// Takes a record; false where it is taken already.
    private func take(_ target: Target) throws(StateError) -> Bool {
        if case .number(let number) = target, let isNew = numbers.insert(number) { return isNew }
        return try seen.insert(target.digest) == 0
    }

    private func isTaken(_ target: Target) throws(StateError) -> Bool {
        if case .number(let number) = target, let isTaken = numbers.contains(number) { return isTaken }
        return try seen.contains(target.digest)
    }

    /// A record that a row goes to which needs nothing.
    struct Quiet {
        /// The row's position in the run.
        let number: Int64
        /// The record.
        let target: Target
    }

    /// Makes every row a reject whose record an earlier row of the run has taken; rows come in the order of the run.
    ///
    /// - Parameters:
    ///   - quiet: Rows of the same batch that need nothing, in their order.
    ///   - matchTexts: The match values of a row of the batch, by which two rows would create one record each.
    ///   - namesRecord: Whether a row of the batch names its record by an id.
    /// - Returns: The places of those of `quiet` that are rejects, too.
    func claim(
        _ rows: inout [DecidedRow], _ quiet: [Quiet], _ matchTexts: (Int) -> [String], namesRecord: (Int) -> Bool
    ) throws(RunStop) -> [Int] {
        var taken: [Int] = []
        var next = 0
        do {
            for index in rows.indices {
                while next < quiet.count, quiet[next].number < rows[index].number {
                    if try !take(quiet[next].target) { taken.append(next) }
                    next += 1
                }
                try claim(&rows[index], matchTexts, namesRecord: namesRecord)
            }
            while next < quiet.count {
                if try !take(quiet[next].target) { taken.append(next) }
                next += 1
            }
        } catch {
            throw .state(error)
        }
        return taken
    }

    /// Makes a row a reject whose record an earlier row of the run has taken.
    func claim(
        _ row: inout DecidedRow, _ matchTexts: (Int) -> [String], namesRecord: (Int) -> Bool
    ) throws(StateError) {
        // What a row is found by may be the record that an earlier row's create has made, if its answer was lost.
        if row.fate.isChange, row.known?.remoteID == nil, !namesRecord(row.row) {
            for text in matchTexts(row.row) where try isTaken(Target(lost: text)) {
                return row.fate = .rejected(taken(text))
            }
        }
        if case .maybeCreated = row.fate {
            for text in matchTexts(row.row) { _ = try take(Target(lost: text)) }
        }
        let targets: [(text: String, target: Target)] =
            switch row.fate {
            case .update(let id, _), .unchanged(let id, _): [(id, Target(id: id))]
            case .recovered: row.known?.remoteID.map { [($0, Target(id: $0))] } ?? []
            case .create, .maybeCreated, .undecided(nil):
                matchTexts(row.row).map { ($0, Target(match: $0)) }
            case .undecided(let id?): [(id, Target(id: id))]
            case .reread, .rejected, .skipped, .dropped: []
            }
        guard let text = try firstTaken(targets) else { return }
        switch row.fate {
        case .recovered, .maybeCreated: break
        default: row.fate = .rejected(taken(text))
        }
    }

    /// Takes the records that stand for rows which do not go in this run.
    ///
    /// - Parameter id: The id by which a row names its record, or nil.
    /// - Throws: ``RunStop`` `state`.
    func hold(_ rows: [DecidedRow], _ id: (Int) -> String?) throws(RunStop) {
        do {
            for row in rows where row.known?.isAccepted ?? false {
                if let id = id(row.row) ?? row.known?.remoteID { _ = try take(Target(id: id)) }
            }
        } catch {
            throw .state(error)
        }
    }

    /// Takes all of the records, or none where one of them is taken already, which is returned.
    private func firstTaken(_ targets: [(text: String, target: Target)]) throws(StateError) -> String? {
        for (text, target) in targets where try isTaken(target) { return text }
        for (_, target) in targets { _ = try take(target) }
        return nil
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

extension DecidedRow.Fate {
    /// Whether the row is about a record that is there.
    fileprivate var isChange: Bool {
        switch self {
        case .update, .unchanged, .undecided(_?): true
        default: false
        }
    }
}
