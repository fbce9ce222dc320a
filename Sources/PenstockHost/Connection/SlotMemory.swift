// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// Remembers for the next process which slots of a burst limit are taken, so that a plan and the run right after it do
/// not exceed the limit together.
///
/// One small file per credential in a folder of this user alone. It is a courtesy: where it cannot be read or written,
/// the answers' own headers still correct the limiter.
package struct SlotMemory: Sendable {
    private let path: String

    /// The memory of the credential in these settings.
    ///
    /// - Parameter connector: The connector's id; two connectors never share a limit.
    package init(connector: String, settings: JSON) {
        var hasher = FingerprintHasher()
        hasher.combine(connector)
        hasher.combine(bytes: settings.utf8)
        let environment = ProcessInfo.processInfo.environment
        let base = environment["XDG_RUNTIME_DIR"].flatMap { $0.isEmpty ? nil : $0 + "/penstock" }
        path = (base ?? "\(NSTemporaryDirectory())penstock-\(getuid())") + "/slots-\(hasher.finish().hex)"
    }

    /// When the slots that others took are free again, in milliseconds since 1970-01-01T00:00:00Z.
    package var times: [Int64] {
        // Without a file, or with one that is not ours, nothing is known of others.
        guard let status = try? FileManager.default.attributesOfItem(atPath: path),
            (status[.ownerAccountID] as? NSNumber)?.uint32Value == getuid(),
            let text = try? String(contentsOfFile: path, encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").compactMap { Int64($0) }
    }

    /// Writes down when the slots that are taken now are free again, beside what others have written.
    ///
    /// - Parameter slots: How many there are; the latest times are kept.
    package func remember(_ occupied: [Int64], slots: Int) {
        let now = WallClock.milliseconds
        let others = Set(times).subtracting(occupied).filter { $0 > now }
        let kept = (occupied + others).sorted().suffix(slots)
        let folder = (path as NSString).deletingLastPathComponent
        // A courtesy that cannot be paid is left; see above.
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try? Data(kept.map { "\($0)\n" }.joined().utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// Removes the file.
    package func forget() {
        // What is not there need not be removed.
        try? FileManager.default.removeItem(atPath: path)
    }
}
