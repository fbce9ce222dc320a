// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The exclusive right to write one state file: `flock` on `<sync>.lock`.
///
/// The kernel gives it back when the process dies. The file stays when the lock is given back; removing it would let
/// two processes lock two files of one name.
struct StateLock: ~Copyable {
    private let descriptor: Int32

    /// The length of the text, filled with spaces, so that one write replaces another as a whole.
    private static let textLength = 256

    /// Takes the lock at once and writes `owner` into the file.
    ///
    /// - Throws: ``StateError/locked(by:)`` where another process (or another store of this one) holds it;
    ///   ``StateError/cannotWrite(_:)`` where the file cannot be used. The lock is not held afterwards.
    init(path: String, owner: LockOwner) throws(StateError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("Opening the lock file", path, errno) }
        guard StateLock.take(descriptor) else {
            let code = errno
            let holder = code == EWOULDBLOCK ? StateLock.owner(descriptor) : nil
            Glibc.close(descriptor)
            throw code == EWOULDBLOCK ? .locked(by: holder) : .system("Locking", path, code)
        }
        var text = Array(owner.text.utf8)
        text += [UInt8](repeating: 0x20, count: max(0, StateLock.textLength - text.count))
        guard pwrite(descriptor, text, text.count, 0) == text.count, ftruncate(descriptor, off_t(text.count)) == 0
        else {
            let code = errno
            Glibc.close(descriptor)
            throw .system("Writing the lock file", path, code)
        }
        self.descriptor = descriptor
    }

    /// Takes the lock; false with `errno` where it cannot be had.
    private static func take(_ descriptor: Int32) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { return false }
        // Whoever only looks, as `check` does, has it for a moment.
        usleep(5_000)
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// Makes sure that nobody holds the lock, without a change to its file.
    ///
    /// - Throws: ``StateError/locked(by:)``; ``StateError/cannotWrite(_:)`` where the file cannot be looked at.
    static func check(path: String) throws(StateError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw .system("Opening the lock file", path, errno)
        }
        defer { Glibc.close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        throw .locked(by: StateLock.owner(descriptor))
    }

    deinit {
        // An owner's name left behind by a failed truncate misleads nobody: only a held lock is ever attributed.
        _ = ftruncate(descriptor, 0)
        // Closing alone is not enough: a child between fork and exec still has the descriptor, and the lock with it.
        flock(descriptor, LOCK_UN)
        Glibc.close(descriptor)
    }

    private static func owner(_ descriptor: Int32) -> LockOwner? {
        var buffer = [UInt8](repeating: 0, count: 4 * textLength)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? LockOwner(text: String(decoding: buffer.prefix(count), as: UTF8.self)) : nil
    }
}
