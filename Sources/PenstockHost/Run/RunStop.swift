// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState

/// Why a plan or run cannot go on.
///
/// What was settled before stays settled.
package enum RunStop: Error, Sendable {
    /// A connector could not do what it was asked.
    case connector(ConnectorError, connection: String, doing: String)
    /// The state cannot be read or written.
    case state(StateError)
    /// What was read ahead cannot be kept, or not be read back; the state is not concerned.
    case spool(StateError)
    /// What the run would do is not what was planned, or more than the sync's limits allow; nothing was sent.
    case refused(RunRefusal)
}

extension RunStop {
    /// The kind of stop, for example `unauthorized`.
    package var code: String {
        switch self {
        case .connector(let error, _, _): error.code.description
        case .state: "state"
        case .spool: "spool"
        case .refused(let refusal): refusal.code
        }
    }

    /// One sentence.
    package var sentence: String {
        switch self {
        case .connector(let error, let connection, let doing): "\(connection), while \(doing): \(error.message)"
        case .state(let error), .spool(let error): error.message
        case .refused(let refusal): refusal.sentence
        }
    }
}
