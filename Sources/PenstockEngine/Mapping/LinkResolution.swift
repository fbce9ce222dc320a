// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the source key of another sync's row stands for.
package enum LinkResolution: Sendable, Hashable {
    /// The record with this id.
    case record(String)
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
        case .blocked(let reason): throw CellFault(.linkBlocked, reason)
        case .missing(let reason): throw CellFault(.linkMissing, reason)
        }
    }
}
