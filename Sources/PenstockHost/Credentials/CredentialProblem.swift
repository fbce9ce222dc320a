// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// Why a stored credential cannot be read or written, as an error that names the connection.
enum CredentialProblem {
    /// The stored credential cannot be used: somebody must act.
    static func unusable(_ connection: String, _ reason: String, detail: String = "") -> ConnectorError {
        ConnectorError(
            .unauthorized, "The stored credential of connection \(connection) \(reason).", detail: detail)
    }

    /// The system refused something: nothing was stored.
    static func system(_ connection: String, _ doing: String, _ path: String, _ code: Int32) -> ConnectorError {
        ConnectorError(
            .unavailable,
            "The credential of connection \(connection) cannot be stored: \(doing) \(path): "
                + "\(String(cString: strerror(code)))."
        )
    }
}
