// SPDX-License-Identifier: Apache-2.0

import CCurl

/// The headers of requests in libcurl's form; it lives at least as long as the requests that use it.
final class HeaderLines {
    /// The headers.
    let headers: [HTTPHeader]
    /// libcurl's list of them.
    let list: UnsafeMutablePointer<curl_slist>?

    /// The headers in libcurl's form.
    init(_ headers: [HTTPHeader]) {
        self.headers = headers
        // Waiting for "100 Continue" costs a round trip or a second.
        var list = curl_slist_append(nil, "Expect:")
        for header in headers { list = curl_slist_append(list, "\(header.name): \(header.value)") }
        self.list = list
    }

    deinit { curl_slist_free_all(list) }
}
