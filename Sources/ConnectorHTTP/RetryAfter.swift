// SPDX-License-Identifier: Apache-2.0

/// The `Retry-After` header.
package enum RetryAfter {
    /// How long to wait, in milliseconds, or nil where the text says nothing that can be read.
    ///
    /// - Parameters:
    ///   - text: Seconds, or an HTTP date.
    ///   - now: Milliseconds since 1970-01-01T00:00:00Z, for dates; one that has passed means 0.
    package static func milliseconds(_ text: String, now: Int64) -> Int64? {
        if let seconds = Int64(text) {
            return seconds >= 0 && seconds < Int64.max / 1_000 ? seconds * 1_000 : nil
        }
        return HTTPDate.milliseconds(text).map { max(0, $0 - now) }
    }
}
