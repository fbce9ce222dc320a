// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockNotify
import PenstockProject
import PenstockState

/// Gives every run of a command its journal, and tells of runs in the words of OpenLineage where that is asked for.
final class RunRecorder {
    private let workspace: Workspace
    private let project: Project
    private let folders: RunFolders
    private lazy var lineage = LineageSender(
        project.lineage, file: lineageFile, environment: workspace.environment,
        sender: ChannelSender(root: project.root, environment: workspace.environment, version: Version.text))
    private var last: RunJournal?

    /// A file for events of OpenLineage that was asked for on the command line, absolute; or nil.
    var lineageFile: String?

    /// A recorder for the runs of one command.
    init(_ workspace: Workspace, _ project: Project) {
        self.workspace = workspace
        self.project = project
        folders = RunFolders(root: project.root)
    }

    /// The journal of a run that is about to begin.
    func journal(_ file: SyncFile, _ sync: OpenSync) throws -> RunJournal {
        var reporter: LineageReporter?
        if let lineage {
            reporter = LineageReporter(
                lineage, try workspace.setup(file, in: project), sync,
                namespace: project.lineage?.namespace ?? project.name)
        }
        let journal = RunJournal(file, object: sync.object.id, folders, project.history) { reporter?.take($0) }
        last = journal
        return journal
    }

    /// Takes up the journal of a run that was opened before others have run.
    func goOn(with journal: RunJournal) { last = journal }

    /// Takes note of a sync whose run failed, and leaves a note of one that could not even begin.
    func didFail(_ file: SyncFile, _ failure: CommandFailure) -> SyncFacts {
        let journal = last?.sync == file.name ? last : nil
        let begun = journal?.run?.id
        last = nil
        var facts = SyncFacts(sync: file.name, run: begun)
        // Later, or stopped by a person: nothing is wrong that somebody must look after.
        guard ![.tryLater, .interrupted, .terminated].contains(failure.exitCode) else { return facts }
        facts.due = .onTime
        if begun == nil {
            facts.run = folders.recordFailure(file.name, failure, id: journal?.announced)
            if let lineage, let run = facts.run { tellOfNothing(file, run, failure, lineage) }
            removeOldFailures()
        }
        facts.ending = SyncFacts.Ending(
            failure: failure.code.isEmpty ? "failed" : failure.code,
            message: failure.sentence.isEmpty ? "its run could not begin" : failure.sentence)
        return facts
    }

    /// Tells of a run that could not begin: the failure that is missed first.
    private func tellOfNothing(_ file: SyncFile, _ run: String, _ failure: CommandFailure, _ lineage: LineageSender) {
        // What cannot be opened may not be known either; the job alone is told of then.
        let setup = try? workspace.setup(file, in: project)
        for kind in [LineageEvent.Kind.start, .fail] {
            var event = LineageEvent(
                kind, at: WallClock.milliseconds, run: LineageEvent.uuid(run),
                jobNamespace: project.lineage?.namespace ?? project.name, jobName: file.name, version: Version.text)
            if let setup { (event.input, event.output) = LineageReporter.datasets(setup) }
            if kind == .fail { event.problem = failure.sentence.isEmpty ? "the run could not begin" : failure.sentence }
            lineage.send(event)
        }
    }

    /// Forgets notes that are older than is kept: a sync that never begins forgets nothing at the end of its runs.
    private func removeOldFailures() {
        guard folders.ids.count > project.history.runs, let folder = try? workspace.stateFolder() else { return }
        var known: Set<String> = []
        for file in project.syncs {
            // The runs of a state that cannot be read are no notes, and stay for that.
            guard let store = try? StateStore.openForReading(folder: folder, sync: file.name),
                let runs = try? store.runs(limit: .max)
            else { continue }
            known.formUnion(runs.map(\.id))
        }
        let now = WallClock.milliseconds
        for run in folders.expiredStrays(project.history, known: known, now: now)
        where folders.result(run)?["began"]?.boolValue == false {
            folders.remove(run)
        }
    }

    /// Waits until everything is told.
    func close() {
        guard let lineage else { return }
        for problem in lineage.close() { Terminal.writeError("warning[lineage]: \(problem)\n") }
    }
}
