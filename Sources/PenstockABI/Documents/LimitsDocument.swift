// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension RateLimit {
    /// The limits as they cross the boundary.
    static func document(_ limits: [RateLimit]) -> JSON { Document.list("limits", limits.map(\.document)) }

    /// The limits in a document.
    package static func list(document: JSON) throws(DocumentError) -> [RateLimit] {
        try document.decoded("limits") { item throws(DocumentError) in try RateLimit(document: item) }
    }

    private var document: JSON {
        var object: JSONObject = ["bucket": .string(bucket)]
        if let limit { object["limit"] = .integer(limit) }
        if let remaining { object["remaining"] = .integer(remaining) }
        if let windowMilliseconds { object["window_ms"] = .integer(windowMilliseconds) }
        if let resetsInMilliseconds { object["resets_in_ms"] = .integer(resetsInMilliseconds) }
        return .object(object)
    }

    private init(document: JSON) throws(DocumentError) {
        self.init(
            bucket: try document.text("bucket"), limit: try document.integer("limit").map(Int64.init),
            remaining: try document.integer("remaining").map(Int64.init),
            windowMilliseconds: try document.integer("window_ms").map(Int64.init),
            resetsInMilliseconds: try document.integer("resets_in_ms").map(Int64.init))
    }
}
