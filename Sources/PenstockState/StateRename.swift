// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Gives the state of a sync that nobody has open another name.
///
/// The state file moves in one step, and marks lie under both names while it does: whichever sync runs in between finds
/// its state gone, and is refused. Every step can be done again, so that a move that was cut short is finished by the
/// next one.
package final class StateRename {
    private let old: StateFolder
    private let new: StateFolder
    private let oldMarks: StateMarks
    private let newMarks: StateMarks
    // Held until the move is over.
    private let oldLock: StateLock
    private let newLock: StateLock

    private init(
        _ old: StateFolder, _ new: StateFolder, _ oldMarks: StateMarks, _ newMarks: StateMarks,
        oldLock: consuming StateLock, newLock: consuming StateLock
    ) {
        self.old = old
        self.new = new
        self.oldMarks = oldMarks
        self.newMarks = newMarks
        self.oldLock = oldLock
        self.newLock = newLock
    }

    /// A name and where the marks of the state of that name lie.
    package struct Place: Sendable {
        var sync: String
        var marks: StateMarks

        /// The state of `sync`.
        package init(sync: String, marks: StateMarks) {
            self.sync = sync
            self.marks = marks
        }
    }

    /// Takes the locks of both names, until this goes away.
    ///
    /// - Parameter isResumed: Whether an earlier move between the two names was cut short.
    /// - Throws: ``StateError``: `locked` where a run holds one, `cannotWrite` where there is a state of the new name
    ///   already; `damaged` and `outdated` where the state to be moved is not to be trusted. Nothing was moved.
    package static func begin(
        folder: String, from: Place, to: Place, owner: LockOwner, isResumed: Bool, allowsNetworkDisk: Bool = false
    ) throws(StateError) -> StateRename {
        let (old, new) = (try StateFolder(folder, sync: from.sync), try StateFolder(folder, sync: to.sync))
        try old.create()
        let isThere = try StateFolder.exists(old.database)
        if isThere {
            // Closes what a process left open, so that the file alone is the whole state.
            try StateStore.openForWriting(
                folder: folder, sync: from.sync, owner: owner, marks: from.marks, allowsNetworkDisk: allowsNetworkDisk
            ).close()
        } else if !isResumed {
            try from.marks.read().refuseMissing(old.database)
        }
        let oldLock = try StateLock(path: old.lock, owner: owner)
        let newLock = try StateLock(path: new.lock, owner: owner)
        if try StateFolder.hasContent(old.database + "-wal") { throw .locked(by: nil) }
        let isTaken = try StateFolder.exists(new.database)
        if isTaken, isThere || !isResumed {
            throw .cannotWrite(
                "There is a state of \(to.sync) already, \(new.database): move it away, or take another name.")
        }
        if !isResumed {
            guard try to.marks.read().isEmpty else {
                throw .cannotWrite(
                    "There was a state of \(to.sync) once: forget it with penstock state reset, or take another name.")
            }
        }
        return StateRename(old, new, from.marks, to.marks, oldLock: oldLock, newLock: newLock)
    }

    /// Whether there is a state to move, or one that was moved already.
    package var hasState: Bool {
        get throws(StateError) {
            if try StateFolder.exists(old.database) { return true }
            return try StateFolder.exists(new.database)
        }
    }

    /// Moves the state file and what lies beside it.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``; the move can be done again.
    package func move() throws(StateError) {
        guard try hasState else { return }
        let found = try oldMarks.read().marks
        if let newest = found.max(by: { $0.sequence < $1.sequence }) { try newMarks.replace(with: newest) }
        for suffix in companions + [".db"] {
            let (from, to) = ("\(old.path)/\(old.sync)\(suffix)", "\(new.path)/\(new.sync)\(suffix)")
            guard rename(from, to) == 0 || errno == ENOENT else { throw .system("Renaming", from, errno) }
        }
        // Left by a reader; without the file that it belonged to it says nothing.
        for suffix in ["-wal", "-shm"] { try StateFolder.remove(old.database + suffix) }
        try StateFolder.sync(new.path)
    }

    /// Forgets the old name.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``; it can be done again.
    package func finish() throws(StateError) {
        try oldMarks.retire(try oldMarks.read().marks)
        try oldMarks.forget()
        try StateFolder.remove(old.lock)
    }

    /// The endings of files that belong to a state: copies before migrations, the note of a run that nobody was told
    /// of, and what runs have added up for metrics.
    private var companions: [String] {
        [".untold", ".metrics", ".before-wal", ".before-shm", ".before"]
            + (1...StateSchema.version).map { ".db.v\($0).bak" }
    }
}
