// SPDX-License-Identifier: Apache-2.0

/// A complete answer.
package struct HTTPResponse: Sendable, Hashable {
    /// The status.
    package var status: Int
    /// The headers, names in lower case.
    package var headers: [HTTPHeader]
    /// The body, decompressed.
    package var body: [UInt8]
    /// Whether it came over HTTP/2.
    package var isHTTP2 = false

    /// An answer.
    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header with this name, which must be in lower case.
    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The first header with this name as a number that is not negative, or nil.
    package func number(_ name: String) -> Int64? {
        guard let text = header(name), let number = Int64(text), number >= 0 else { return nil }
        return number
    }
}

/// What came of a request: a complete answer of any status, or why there is none.
package typealias HTTPOutcome = Result<HTTPResponse, HTTPFailure>

/// Why there is no complete answer.
package struct HTTPFailure: Error, Sendable, Hashable {
    /// What went wrong.
    package enum Cause: Sendable, Hashable {
        /// The host name is not known.
        case hostNotFound
        /// Nobody accepts connections there.
        case notConnected
        /// The certificate was made by nobody who is trusted.
        case certificateUnknown
        /// The certificate is out of date, or not valid yet.
        case certificateExpired
        /// The certificate is for another host.
        case certificateForOtherHost
        /// TLS could not be agreed on for another reason.
        case tls
        /// The file of trusted certificates cannot be read.
        case caFile
        /// It took too long.
        case timedOut
        /// The answer is larger than allowed.
        case tooLarge
        /// The connection broke, or what came back is not HTTP.
        case connectionLost
        /// A kept connection was dead and the request must not be repeated.
        case notRepeated
        /// The caller gave up.
        case cancelled
    }

    /// What went wrong.
    package var cause: Cause
    /// libcurl's number for it.
    package var code: Int32
    /// Whether the request provably never left this machine.
    package var wasNeverSent: Bool
    /// libcurl's own words, for the operator's log.
    package var detail: String

    /// A failure.
    package init(_ cause: Cause, code: Int32 = 0, wasNeverSent: Bool, detail: String = "") {
        self.cause = cause
        self.code = code
        self.wasNeverSent = wasNeverSent
        self.detail = detail
    }
}
