// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// The right to be the one server of a project: `flock` on `.penstock/server.lock`.
///
/// The kernel gives it back when the process dies. The file stays, so that two processes never lock two files.
package final class LeaderLock {
    /// Why there is no lock.
    package enum Problem: Error {
        /// Another server of this project is at work, as it wrote into the file.
        case taken(pid: Int?, since: String?)
        /// The file cannot be used; a clause.
        case cannotUse(String)
    }

    private let descriptor: Int32

    /// Takes the lock at once.
    ///
    /// - Throws: ``Problem``.
    package init(path: String, startedAt: Int64) throws(Problem) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotUse("\(path) cannot be opened: \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = Self.owner(path)
            close(descriptor)
            throw .taken(pid: owner?["pid"]?.intValue, since: owner?["started_at"]?.stringValue)
        }
        let owner: JSONObject = ["pid": .integer(getpid()), "started_at": .string(startedAt.utcText)]
        let text = Array((JSON.object(owner).text + "\n").utf8)
        _ = ftruncate(descriptor, 0)
        // Who holds the lock is told by the kernel; the text is for people and may be missing.
        _ = pwrite(descriptor, text, text.count, 0)
        self.descriptor = descriptor
    }

    deinit {
        _ = ftruncate(descriptor, 0)
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func owner(_ path: String) -> JSON? {
        // A text that is not there yet, or no JSON, names nobody.
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try? JSON(parsing: [UInt8](data))  // As above.
    }
}
