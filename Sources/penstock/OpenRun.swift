// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// A sync that is open at both ends, with its state open for writing: ready to be run once.
final class OpenRun {
    /// The sync as it is in the project.
    let file: SyncFile
    /// Both connections.
    let sync: OpenSync
    /// The connectors of both connections, with the digests of their files.
    let libraries: [(descriptor: ConnectorDescriptor, sha256: String)]
    /// Its state.
    let store: StateStore
    /// Writes down what happens.
    let journal: RunJournal
    /// Runs it.
    let runner: SyncRunner
    /// How long opening it took.
    let opening: Duration

    private let telling: RunTelling

    /// A sync that is ready to be run with these options.
    init(
        _ file: SyncFile, _ sync: OpenSync, _ libraries: [(descriptor: ConnectorDescriptor, sha256: String)],
        _ store: StateStore, _ journal: RunJournal, _ options: RunOptions, opening: Duration, _ global: GlobalOptions
    ) {
        self.file = file
        self.sync = sync
        self.libraries = libraries
        self.store = store
        self.journal = journal
        self.opening = opening
        let telling = RunTelling(file, journal, global)
        self.telling = telling
        runner = SyncRunner(sync, store: store, options: options) { telling.take($0) }
    }

    /// Does `body` with the runner and shows meanwhile how it goes on; what it throws names the sync.
    ///
    /// - Throws: ``CommandFailure``.
    func showing<R>(_ body: (SyncRunner) throws -> R) throws -> R {
        telling.begin()
        defer { telling.end() }
        do {
            return try body(runner)
        } catch RunStop.refused(let refusal) {
            throw CommandFailure(refusal, file)
        } catch {
            throw CommandFailure(stopping: error, sync: file.name)
        }
    }

    /// What this run would leave, for those that link to it; nothing yet.
    func records() -> PlannedRecords { PlannedRecords(keyColumns: sync.keyColumns) }

    /// Closes everything; what was not run has changed nothing.
    func close() {
        runner.close()
        sync.close()
        store.close()
    }
}

/// Tells of a run while it goes on: in its journal and on the terminal.
private final class RunTelling {
    private let file: SyncFile
    private let journal: RunJournal
    private let options: GlobalOptions
    private var display: ProgressDisplay?

    init(_ file: SyncFile, _ journal: RunJournal, _ options: GlobalOptions) {
        self.file = file
        self.journal = journal
        self.options = options
    }

    func begin() { display = ProgressDisplay(file.name, options) }

    func end() {
        display?.end()
        display = nil
    }

    func take(_ event: RunEvent) {
        journal.take(event)
        switch event {
        case .progress(let progress): display?.show(progress)
        case .gaveUp(let run):
            display?.end()
            announceAbandoned(run)
        default: break
        }
    }

    /// Says what is given up by `--new`, or by a plan that was made with it.
    private func announceAbandoned(_ run: RunRecord) {
        let isWholeAppend = file.definition.fetch.mode == .full && file.definition.insert.mode == .append
        let what =
            isWholeAppend ? "all rows are inserted anew, those that it inserted too" : "its open rows are sent anew"
        Terminal.writeError(
            "warning[run-abandoned]: \(file.name): run \(run.id) is given up; \(what), and a row whose fate is "
                + "unknown may then exist twice\n")
    }
}
