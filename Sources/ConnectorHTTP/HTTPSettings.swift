// SPDX-License-Identifier: Apache-2.0

/// What holds for every request of a connection.
package struct HTTPSettings: Sendable, Hashable {
    /// How long one request may take in all, in milliseconds; this also ends answers that trickle in for ever.
    package var timeoutMilliseconds = 30_000
    /// How long a connection may take to be made, in milliseconds, TLS included.
    package var connectTimeoutMilliseconds = 10_000
    /// A file of certificates to trust instead of the system's, or nil.
    package var caFile: String?
    /// Whether `http://` is allowed besides `https://`; only for hosts on this machine.
    package var allowsPlainHTTP = false
    /// The `User-Agent` header.
    package var userAgent = "penstock"
    /// How many seconds a request may go on with less than a byte per second.
    ///
    /// It also ends the wait for an answer that does not begin, so a longer ``timeoutMilliseconds`` needs a longer time
    /// here.
    package var idleSeconds = 20
    /// The most bytes that an answer's body may have, after decompression.
    package var bodyBytesMax = 32 << 20
    /// The most bytes that an answer's header may have.
    package var headerBytesMax = 64 << 10

    /// Settings with the usual limits.
    package init() {}
}
