// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// Why something stored cannot be read or written, as an error that names it: `credential of connection crm`.
enum CredentialProblem {
    /// What is stored cannot be used: somebody must act.
    static func unusable(_ subject: String, _ reason: String, detail: String = "") -> ConnectorError {
        ConnectorError(.unauthorized, "The stored \(subject) \(reason).", detail: detail)
    }

    /// The system refused something: nothing was stored.
    static func system(_ subject: String, _ doing: String, _ path: String, _ code: Int32) -> ConnectorError {
        ConnectorError(
            .unavailable, "The \(subject) cannot be stored: \(doing) \(path): \(String(cString: strerror(code))).")
    }
}
