// SPDX-License-Identifier: Apache-2.0

import CCurl

/// A date in an HTTP header.
package enum HTTPDate {
    /// Milliseconds since 1970-01-01T00:00:00Z, or nil where the text is no date; HTTP dates have whole seconds.
    package static func milliseconds(_ text: String) -> Int64? {
        let seconds = Int64(curl_getdate(text, nil))
        return seconds >= 0 ? seconds * 1_000 : nil
    }
}
