// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockState

/// The state file of a sync that cannot be used as it is.
struct DamagedState {
    private let folder: String
    private let sync: String

    /// The state file of `sync`.
    init(folder: String, sync: String) {
        self.folder = folder
        self.sync = sync
    }

    /// Gives the file and those that belong to it another name, so that the sync starts with nothing.
    ///
    /// - Returns: The file's new path.
    /// - Throws: ``CommandFailure``: 75 where another process has the state open, 73 where it cannot be moved.
    func moveAside() throws -> String {
        let lock = open("\(folder)/\(sync).lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        defer { if lock >= 0 { close(lock) } }
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw CommandFailure(StateError.locked(by: nil), sync: sync)
        }
        let path = "\(folder)/\(sync).db"
        let digits = TimeDisplay.utc(WallClock.milliseconds).filter { $0 != "-" && $0 != ":" }
        let kept = "\(path).damaged-\(digits)"
        // The journal first: a file without its journal still opens, a journal beside another file does harm.
        for suffix in ["-wal", "-shm", ""] {
            guard rename(path + suffix, kept + suffix) == 0 || errno == ENOENT else {
                throw CommandFailure(
                    .cannotWrite, code: "cannot-write", "\(path)\(suffix) cannot be moved to \(kept)\(suffix)")
            }
        }
        return kept
    }
}

extension StateError {
    /// Whether what the file holds is at fault, and not access to it.
    var isAboutContent: Bool {
        switch self {
        case .damaged, .newer: true
        case .locked, .older, .cannotWrite, .ambiguousRun, .internal: false
        }
    }
}
