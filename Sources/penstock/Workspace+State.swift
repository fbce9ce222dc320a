// SPDX-License-Identifier: Apache-2.0

import PenstockProject
import PenstockState

extension Workspace {
    /// Runs `body` with the state of the sync called `name`, or of every sync where no name is given; passes over
    /// syncs that never ran.
    ///
    /// A state that cannot be read is told at once, and the others are gone through all the same.
    ///
    /// - Returns: The code to end with when what was read has been shown.
    /// - Throws: ``CommandFailure`` where there is no such sync.
    func forEachState(of name: String? = nil, _ body: (SyncFile, StateStore) throws -> Void) throws -> ExitCode {
        let (project, _) = try loadProject(resolves: false)
        var codes: [ExitCode] = []
        for file in try name.map({ [try sync($0, in: project)] }) ?? project.syncs {
            do {
                try withState(of: file) { try body(file, $0) }
            } catch let failure as CommandFailure {
                Terminal.writeError(failure.message + "\n")
                codes.append(failure.exitCode)
            }
        }
        return ExitCode.mostSevere(codes)
    }

    /// Runs `body` with the state of a sync, unless it never ran.
    func withState(of file: SyncFile, _ body: (StateStore) throws -> Void) throws {
        let folder = try stateFolder()
        try reading(file.name) {
            if let store = try StateStore.openForReading(folder: folder, sync: file.name) { try body(store) }
        }
    }

    /// Runs `body`; an error of the state becomes a failure that names the sync.
    func reading<R>(_ sync: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as StateError {
            throw CommandFailure(error, sync: sync)
        }
    }
}
