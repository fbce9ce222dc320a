// SPDX-License-Identifier: Apache-2.0

import CCurl

/// A date in an HTTP header.
package enum HTTPDate {
    /// The first second of the year 10000: no date of ours has five digits in its year.
    private static let end: Int64 = 253_402_300_800

    /// Milliseconds since 1970-01-01T00:00:00Z, of the years 1970 to 9999; nil where the text is no such date.
    ///
    /// HTTP dates have whole seconds.
    package static func milliseconds(_ text: String) -> Int64? {
        let seconds = Int64(curl_getdate(text, nil))
        return (0..<end).contains(seconds) ? seconds * 1_000 : nil
    }
}
