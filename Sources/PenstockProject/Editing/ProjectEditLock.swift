// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Keeps commands that change the files of one project from changing them at the same time.
package enum ProjectEditLock {
    /// Does `body`, which reads a file, changes its text and writes it, while no other command does; blocks until then.
    ///
    /// The lock goes with the process. Nobody asks a person anything while holding it.
    ///
    /// - Parameter root: The project's folder; the lock is `.penstock/edit.lock` there.
    /// - Throws: ``ProjectFileProblem`` where the lock cannot be had, and what `body` throws.
    package static func whileHeld<R>(_ root: String, _ body: () throws -> R) throws -> R {
        let path = "\(root)/.penstock/edit.lock"
        guard mkdir("\(root)/.penstock", 0o700) == 0 || errno == EEXIST else { throw problem(path) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw problem(path) }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw problem(path) }
        }
        return try body()
    }

    private static func problem(_ path: String) -> ProjectFileProblem {
        ProjectFileProblem(path: path, reason: String(cString: strerror(errno)))
    }
}
