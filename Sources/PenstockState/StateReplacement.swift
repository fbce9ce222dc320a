// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Puts another file, or none, in place of the state file of a sync that nobody has open.
package final class StateReplacement {
    private let place: StateFolder
    private let marks: StateMarks
    private let owner: LockOwner
    // Held until the replacement is over.
    private let lock: StateLock

    private init(_ place: StateFolder, _ marks: StateMarks, _ owner: LockOwner, lock: consuming StateLock) {
        self.place = place
        self.marks = marks
        self.owner = owner
        self.lock = lock
    }

    /// Takes the lock of the state of `sync`, until this goes away; makes its folder where it is missing.
    ///
    /// - Throws: ``StateError``: `locked`, `cannotWrite`.
    package static func begin(
        folder: String, sync: String, marks: StateMarks, owner: LockOwner, allowsNetworkDisk: Bool = false
    ) throws(StateError) -> StateReplacement {
        let place = try StateFolder(folder, sync: sync)
        try place.create()
        if !allowsNetworkDisk { try place.refuseNetworkDisk() }
        return StateReplacement(place, marks, owner, lock: try StateLock(path: place.lock, owner: owner))
    }

    /// Gives the file and those that belong to it another name, and forgets its marks: the sync starts with nothing.
    ///
    /// - Parameter word: What the new name says of the file, with the time, for example `damaged-20260101T100000Z`.
    /// - Returns: The file's new path, or nil where there was no file.
    /// - Throws: ``StateError/cannotWrite(_:)``; what was not moved yet is where it was, and is refused as before.
    package func startAnew(keepingAs word: String) throws(StateError) -> String? {
        let past = try marks.read().marks
        let kept = try moveAside(word)
        try marks.retire(past)
        try marks.forget()
        return kept
    }

    /// Puts the state of an export in place, under a new identity; the file that was there is kept.
    ///
    /// The export is opened, brought up to date and looked through before anything is moved.
    ///
    /// - Returns: The new path of the file that was there, or nil where there was none.
    /// - Throws: ``StateError``; the state is as it was, or, after a failure half way, gone and refused: import again.
    package func install(_ archive: StateArchive, keepingAs word: String) throws -> String? {
        let draftFolder = "\(place.path)/.import-\(place.sync)"
        let draft = try StateFolder(draftFolder, sync: place.sync)
        try StateReplacement.clear(draft)
        try draft.create()
        defer {
            // What is left of a failed import is cleared by the next one.
            try? StateReplacement.clear(draft)
        }
        try archive.extract(to: draft.database)
        let store = try StateStore.openForWriting(
            folder: draftFolder, sync: place.sync, owner: owner, allowsNetworkDisk: true)
        do {
            defer { store.close() }
            _ = try store.inspect()
            try store.renewIdentity()
        }
        let mark = try StateMark(ofClosedFile: draft.database)
        let past = try marks.read().marks
        let kept = try moveAside(word)
        guard rename(draft.database, place.database) == 0 else {
            throw StateError.system("Renaming", draft.database, errno)
        }
        try StateFolder.sync(place.path)
        try marks.retire(past)
        try marks.replace(with: mark)
        return kept
    }

    private func moveAside(_ word: String) throws(StateError) -> String? {
        guard try StateFolder.exists(place.database) else { return nil }
        let kept = "\(place.database).\(word)"
        // The journal first: a file without its journal still opens, a journal beside another file does harm.
        for suffix in ["-wal", "-shm", ""] {
            let path = place.database + suffix
            guard rename(path, kept + suffix) == 0 || errno == ENOENT else {
                throw .system("Renaming", path, errno)
            }
        }
        try StateFolder.sync(place.path)
        return kept
    }

    private static func clear(_ draft: StateFolder) throws(StateError) {
        for suffix in ["", "-wal", "-shm"] { try StateFolder.remove(draft.database + suffix) }
        try StateFolder.remove(draft.lock)
        for version in 1..<StateSchema.version { try StateFolder.remove(draft.backup(version: version)) }
        guard rmdir(draft.path) == 0 || errno == ENOENT else { throw .system("Removing", draft.path, errno) }
    }
}
