// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the source key of another sync's row stands for.
package enum LinkResolution: Sendable, Hashable {
    /// The record with this id.
    case record(String)
    /// A record that is not there yet: the run of the other sync, which goes first, would create it.
    ///
    /// Only plans have such ones, with the source key for people; nothing is ever sent for them.
    case planned(String)
    /// A row that has no record, with the reason as a sentence.
    ///
    /// The row that refers to it is a reject, and goes by itself once the other one does.
    case blocked(String)
    /// No row, with what that may come from as a sentence.
    case missing(String)
}

/// Finds what a source key of another sync stands for.
package typealias LinkResolver = (_ sync: String, _ key: Value) -> LinkResolution

extension RowReject.Code {
    /// The codes of rows that wait for a row of another sync.
    package static let links: Set<RowReject.Code> = [.linkBlocked, .linkMissing]
}

extension LinkResolution {
    /// The id, or the fault of the cell.
    func converted() throws(CellFault) -> Converted {
        switch self {
        case .record(let id): return .value(.text(id))
        case .planned(let key): return .value(.text(PlannedRecord.text(key)))
        case .blocked(let reason): throw CellFault(.linkBlocked, reason)
        case .missing(let reason): throw CellFault(.linkMissing, reason)
        }
    }
}

/// What stands in a plan for a record that is not there yet.
package enum PlannedRecord {
    /// No id begins with it.
    private static let mark = "\u{1}"

    /// What stands for the record of the row with this source key.
    static func text(_ key: String) -> String { mark + key }

    /// Whether a value stands for such a record.
    static func isOne(_ value: Value) -> Bool {
        guard case .text(let text) = value else { return false }
        return text.hasPrefix(mark)
    }

    /// A text for people, which may stand for such a record.
    static func shown(_ text: String) -> String { text.hasPrefix(mark) ? "new: " + text.dropFirst(mark.count) : text }
}

extension CompiledMapping {
    /// The targets in which a row refers to records that are not there yet, by their places.
    package func plannedLinks(_ mapped: MappedBatch, _ row: Int) -> [Int] {
        plans.indices.filter { target in
            plans[target].link != nil && mapped.presence[row, target]
                && PlannedRecord.isOne(mapped.columns[target].value(row))
        }
    }
}
