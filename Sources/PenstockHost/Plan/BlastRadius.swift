// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// What a run would do, counted while its rows are decided, and held against the sync's limits.
package struct BlastRadius: Sendable {
    /// A limit that would be exceeded.
    package struct Excess: Sendable, Hashable {
        /// The limit.
        package var name: BlastLimits.Name
        /// Where it lies.
        package var bound: BlastLimits.Bound
        /// What would happen, a clause.
        package var clause: String

        /// What would happen, and the limit.
        var said: String { "\(clause); limits.\(name.rawValue) is \(bound.text)" }
    }

    /// What becomes of the rows; those that an interrupted attempt has settled count as what became of them.
    package var counts = RunCounts()
    /// Values that become empty, by target.
    package private(set) var emptied: [Int: Int64] = [:]
    /// Of these, those of which it is not known whether they are empty already.
    package private(set) var emptiedUnseen: Int64 = 0
    /// What the run costs, or nil where that is not known yet.
    package var tokens: Int64?
    /// How many rows the last finished run has fetched, or nil.
    package var rowsBefore: Int64?

    private let names: [String]
    private let kinds: [DestinationField.Kind]

    /// Nothing yet.
    init(_ mapping: CompiledMapping) {
        names = mapping.targets.map(\.name)
        kinds = mapping.targets.map(\.field.kind)
    }

    /// Whether a row leaves no value in a target: what is blank is empty, as it is for guards.
    private func empties(_ mapped: MappedBatch, _ row: Int, _ target: Int) -> Bool {
        mapped.presence[row, target] && FieldEmptiness.isEmpty(mapped.columns[target], row, kinds[target])
    }

    /// Counts the rows of a chunk.
    mutating func add(_ chunk: DecidedChunk) {
        counts.add(chunk.quiet)
        for row in chunk.rows { add(row, chunk.mapped) }
    }

    private mutating func add(_ row: DecidedRow, _ mapped: MappedBatch) {
        if case .reread = row.fate { return }
        counts.fetched += 1
        switch row.fate {
        case .reread: break
        case .recovered(let outcome): counts.add(outcome)
        case .rejected: counts.rejected += 1
        case .skipped, .dropped: counts.skipped += 1
        case .unchanged: counts.unchanged += 1
        case .maybeCreated, .undecided: counts.unknown += 1
        case .create: counts.created += 1
        case .update(_, let changes?):
            counts.updated += 1
            for change in changes where !change.old.isBlank && empties(mapped, row.row, change.target) {
                emptied[change.target, default: 0] += 1
            }
        case .update(_, nil):
            counts.updated += 1
            for target in names.indices where empties(mapped, row.row, target) {
                emptied[target, default: 0] += 1
                emptiedUnseen += 1
            }
        }
    }

    /// Corrects what was counted of updates whose record is only looked at when they are sent, by what a plan has seen.
    mutating func correct(by seen: PlanMatch.Seen) {
        counts.updated -= seen.unplanned + seen.creates
        counts.unchanged += seen.unplanned
        counts.created += seen.creates
        for (target, number) in seen.notEmptied { emptied[target, default: 0] -= number }
        emptiedUnseen = max(0, emptiedUnseen - seen.looked)
    }

    /// The limits that would be exceeded, in the order of their names.
    package func excesses(_ limits: BlastLimits, _ mode: FetchDefinition.Mode) -> [Excess] {
        BlastLimits.Name.allCases.compactMap { name in
            guard let bound = limits.bound(name, mode), let clause = clause(name, bound) else { return nil }
            return Excess(name: name, bound: bound, clause: clause)
        }
    }

    private func clause(_ name: BlastLimits.Name, _ bound: BlastLimits.Bound) -> String? {
        func check(
            _ verb: String, _ number: Int64, _ noun: String, of whole: Int64, _ wholes: String = "rows"
        ) -> String? {
            guard bound.isExceeded(by: number, of: whole) else { return nil }
            let text = "it would \(verb) \(number) \(noun)\(number == 1 ? "" : "s")"
            guard case .basisPoints = bound, whole > 0 else { return text }
            return text + ", \(BlastLimits.Bound.basisPoints(number * 10_000 / whole).text) of \(whole) \(wholes)"
        }
        switch name {
        case .creates: return check("create", counts.created, "record", of: counts.fetched)
        case .updates: return check("change", counts.updated, "record", of: counts.fetched)
        case .changed: return check("send", counts.created + counts.updated, "row", of: counts.fetched)
        case .rejected: return check("reject", counts.rejected, "row", of: counts.fetched)
        case .tokens: return tokens.flatMap { check("spend", $0, "token", of: 0) }
        case .emptied: return emptiedClause { check("empty", $0, "value", of: $1, "records") }
        case .shrink:
            guard let rowsBefore, rowsBefore > 0, case .basisPoints(let points) = bound,
                counts.fetched * 10_000 < (10_000 - points) * rowsBefore
            else { return nil }
            let rows = counts.fetched == 1 ? "1 row" : "\(counts.fetched) rows"
            return "the source has \(rows), and had \(rowsBefore) in the last finished run"
        }
    }

    private func emptiedClause(_ check: (Int64, Int64) -> String?) -> String? {
        guard let most = emptied.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
            let text = check(most.value, counts.updated + counts.unchanged)
        else { return nil }
        let seen = emptiedUnseen > 0 ? "; whether some are empty already is not known" : ""
        return "\(text), in the field \(names[most.key])\(seen)"
    }

    /// How many rows must come before the source is large enough; nil where that does not matter.
    func rowsForShrink(_ limits: BlastLimits, _ mode: FetchDefinition.Mode) -> Int64? {
        guard let rowsBefore, case .basisPoints(let points)? = limits.bound(.shrink, mode) else { return nil }
        return ((10_000 - points) * rowsBefore + 9_999) / 10_000
    }
}
