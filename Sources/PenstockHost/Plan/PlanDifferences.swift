// SPDX-License-Identifier: Apache-2.0

/// In what the rows of a run are not those of a plan: how many in each way, and the first of them.
struct PlanDifferences: Sendable {
    /// A way in which rows are not as planned.
    enum Kind: String, Sendable, CaseIterable {
        /// The plan has them, and the run has nothing to send.
        case settled = "planned, and nothing is to be sent for it now"
        /// The run has them, and the plan does not.
        case added = "to be sent and not in the plan"
        /// Both have them with other values.
        case values = "to be sent with other values than planned"
        /// Both have them, and something else is done.
        case action = "to become something else than planned"
        /// They were planned behind another sync's rows, which have come to nothing there.
        case linked = "planned with a record that another sync creates first, and that is not there"
    }

    /// How many differences of one kind are named.
    private static let examplesMax = 3

    private let hidesKey: Bool
    private var found: [Kind: (count: Int64, examples: [(row: Int64, text: String)])] = [:]

    /// No difference yet.
    init(_ mask: PlanMask) { hidesKey = mask.hidesKey }

    /// Whether there are any of this kind.
    func has(_ kind: Kind) -> Bool { found[kind] != nil }

    /// Takes note of a row, in whatever order rows come.
    ///
    /// - Parameter what: What there is about it, a word or a clause.
    mutating func note(_ kind: Kind, row: Int64, keyText: String, _ what: String) {
        found[kind, default: (0, [])].count += 1
        let examples = found[kind]?.examples ?? []
        let place = examples.firstIndex { $0.row > row } ?? examples.count
        guard place < Self.examplesMax else { return }
        let key = hidesKey ? PlanMask.dots : keyText
        found[kind]?.examples.insert((row, "row \(row), key \(key) (\(what))"), at: place)
        if examples.count == Self.examplesMax { found[kind]?.examples.removeLast() }
    }

    /// Takes note of a row that refers to a record which is not there.
    mutating func noteLink(row: Int64, keyText: String, _ reason: String) {
        note(.linked, row: row, keyText: keyText, String(reason.prefix { $0 != ";" && $0 != "." }))
    }

    /// A clause for each kind of difference; empty where there is none.
    var clauses: [String] {
        Kind.allCases.compactMap { kind in
            guard let (count, examples) = found[kind] else { return nil }
            let more = count > Int64(examples.count) ? ", and \(count - Int64(examples.count)) more" : ""
            return "\(count) \(count == 1 ? "row is" : "rows are") \(kind.rawValue): "
                + "\(examples.map(\.text).joined(separator: "; "))\(more)"
        }
    }
}
