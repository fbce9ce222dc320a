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
}
