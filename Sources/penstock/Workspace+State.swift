// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
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

    /// Where the marks of a sync's state lie.
    func marks(of sync: String) throws -> StateMarks {
        StateMarks(project: try root.get(), sync: sync, userState: Self.userState(environment))
    }

    /// The folder of the user's own state, or nil where there is none.
    static func userState(_ environment: [String: String]) -> String? {
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.local/state" : nil }
        let named = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return named ?? home
    }

    /// Whether state may lie on a disk of the network.
    var allowsNetworkState: Bool { environment["PENSTOCK_ALLOW_NETWORK_STATE"] == "1" }

    /// Opens the state of a sync for writing, as a command with this name.
    ///
    /// - Throws: `StateError`.
    func stateForWriting(of sync: String, as command: String) throws -> StateStore {
        try StateStore.openForWriting(
            folder: try stateFolder(), sync: sync, owner: lockOwner(command), marks: try marks(of: sync),
            allowsNetworkDisk: allowsNetworkState)
    }

    /// Takes the lock of a state to put another file in its place, as a command with this name.
    ///
    /// - Throws: `StateError`.
    func stateReplacement(of sync: String, as command: String) throws -> StateReplacement {
        try StateReplacement.begin(
            folder: try stateFolder(), sync: sync, marks: try marks(of: sync), owner: lockOwner(command),
            allowsNetworkDisk: allowsNetworkState)
    }

    /// What another process is told that finds a state locked by a command with this name.
    func lockOwner(_ command: String) -> LockOwner {
        LockOwner(
            pid: ProcessInfo.processInfo.processIdentifier, runID: command,
            startedAtMilliseconds: WallClock.milliseconds)
    }

    /// Runs `body` with the state of a sync, unless it never ran; says where the state is not the newest.
    func withState(of file: SyncFile, _ body: (StateStore) throws -> Void) throws {
        let folder = try stateFolder()
        try reading(file.name) {
            do {
                _ = try StateStore.openForReading(folder: folder, sync: file.name, marks: try marks(of: file.name))
            } catch StateError.outdated(let sentence) {
                Terminal.writeError("warning[state-outdated]: \(file.name): \(sentence)\n")
            } catch let error as StateError where error.isDamage {
                // What can be read of it is shown below; where that is nothing, it fails there.
                Terminal.writeError("warning[state-damaged]: \(file.name): \(error.message)\n")
            }
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
