// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState

/// Remembers which runs have begun and not been told of: a process that dies between the end of its run and its last
/// word leaves a note, so that whoever runs again is told of that run and does not get another one on top.
///
/// The note is a small file beside the state, with the number of the last run that was finished before, and the
/// process.
final class RunReceipts {
    private var notes: [(path: String, text: String)] = []

    /// The run that an earlier process has finished without telling anybody, or nil.
    func untold(_ folder: String, _ sync: String, _ store: StateStore) throws -> RunRecord? {
        // Without a note everything was told.
        guard let text = try? String(contentsOfFile: Self.path(folder, sync), encoding: .utf8),
            let before = text.split(separator: " ").first.flatMap({ Int64($0) }),
            let last = try store.lastRun(), last.status == .finished, last.number > before,
            last.kind != StateStore.undoKind
        else { return nil }
        return last
    }

    /// Leaves the note for a run that begins; call it while the state is open for writing.
    func begin(_ folder: String, _ sync: String, _ store: StateStore) throws {
        let finished = try store.runs(limit: 2).first { $0.status == .finished }?.number ?? 0
        let text = "\(finished) \(ProcessInfo.processInfo.processIdentifier)"
        let path = Self.path(folder, sync)
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        // A note that cannot be left is left out: the run itself says what is wrong with the disk.
        if isMade { notes.append((path, text)) }
    }

    /// Takes the notes away: everything is told.
    ///
    /// The last thing that a process does.
    func close() {
        for note in notes where (try? String(contentsOfFile: note.path, encoding: .utf8)) == note.text {
            unlink(note.path)  // Somebody else's note, or none, is not ours to remove.
        }
        notes = []
    }

    private static func path(_ folder: String, _ sync: String) -> String { "\(folder)/\(sync).untold" }
}
