// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Open writers, as metadata of the schema of a stream.
extension OpenWriters {
    private static let hasWritersKey = "penstock.open_writers"
    private static let sinceKey = "penstock.open_writers_since"
    private static let localSinceKey = "penstock.open_writers_local"
    private static let clockKey = "penstock.open_writers_clock"

    /// The pairs of the metadata.
    var metadata: [(String, String)] {
        var pairs = [(Self.hasWritersKey, hasWriters ? "1" : "0")]
        if let since { pairs.append((Self.sinceKey, String(since))) }
        if let localSince { pairs.append((Self.localSinceKey, String(localSince))) }
        if let clock { pairs.append((Self.clockKey, String(clock))) }
        return pairs
    }

    /// What a stream's metadata say; nil where they say nothing of it.
    ///
    /// - Throws: ``DocumentError`` for a value that cannot be meant.
    init?(metadata: [String: String]) throws(DocumentError) {
        switch metadata[Self.hasWritersKey] {
        case nil: return nil
        case "0": self.init(hasWriters: false)
        case "1": self.init(hasWriters: true)
        case let other?: throw DocumentError(reason: "\(Self.hasWritersKey) is \(other), not 0 or 1")
        }
        since = try Self.time(metadata, Self.sinceKey)
        localSince = try Self.time(metadata, Self.localSinceKey)
        clock = try Self.time(metadata, Self.clockKey)
    }

    private static func time(_ metadata: [String: String], _ key: String) throws(DocumentError) -> Int64? {
        guard let text = metadata[key] else { return nil }
        guard let number = Int64(text) else { throw DocumentError(reason: "\(key) is \(text), not an integer") }
        return number
    }
}
