// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// The runs of several plans that one command applies: all of them are looked at before the first one begins.
final class PlannedRuns {
    private var ready: [String: OpenRun] = [:]
    private var applied: [String: RunRecord] = [:]
    private var refused: (sync: String, failure: CommandFailure)?
    private var failures: [String: CommandFailure] = [:]
    private var unfinished: [String: ExitCode] = [:]
    private var names: [String] = []

    /// Takes note that the plans of these syncs are applied, so that what becomes of one matters to the others.
    func begin(_ syncs: [String]) { names = syncs }

    /// Keeps a run until its turn.
    func add(_ run: OpenRun) { ready[run.file.name] = run }

    /// The run of a sync that was looked at and is yet to begin; nil where there is none.
    func run(_ sync: String) -> OpenRun? { ready[sync] }

    /// The run of a sync that was looked at, whose turn it is; nil where there is none.
    func take(_ sync: String) -> OpenRun? { ready.removeValue(forKey: sync) }

    /// Takes note of a run that has applied its plan before.
    func add(_ run: RunRecord, of sync: String) { applied[sync] = run }

    /// The run that has applied the plan of a sync before; nil where there is none.
    func applied(_ sync: String) -> RunRecord? { applied[sync] }

    /// Forgets runs that have applied their plans before: there is no other, so that nothing is left to be finished.
    func forgetApplied() { applied = [:] }

    /// How many of the runs have applied their plans before.
    var appliedCount: Int { applied.count }

    /// Takes note that a plan cannot be applied, so that none is.
    func refuse(_ sync: String, _ failure: CommandFailure) {
        failures[sync] = failure
        if refused == nil { refused = (sync, failure) }
    }

    /// Whether a plan cannot be applied.
    var isRefused: Bool { refused != nil }

    /// Takes note of how the run of a sync has ended.
    func note(_ sync: String, _ code: ExitCode, isFinished: Bool) {
        if !names.isEmpty, !isFinished { unfinished[sync] = code }
    }

    /// Why the run of a sync must not begin, by what is known of the others; nil where it may.
    func objection(to file: SyncFile) -> CommandFailure? {
        if applied[file.name] != nil { return nil }
        if let failure = failures[file.name] { return failure }
        if let refused {
            return Self.notApplied(
                refused.failure.exitCode, file, "the plan of \(refused.sync) cannot be applied; nothing was sent",
                "all of them are applied, or none; to plan all again: penstock plan "
                    + "\(names.joined(separator: " ")) -O \(PlanFiles.latest)")
        }
        guard let parent = file.links.first(where: { unfinished[$0] != nil }), let code = unfinished[parent] else {
            return nil
        }
        return Self.notApplied(
            code, file, "\(parent), which it links to, did not come to its end; nothing was sent for \(file.name)",
            "once that is mended, the same command goes on: what is applied already is not applied again")
    }

    private static func notApplied(
        _ code: ExitCode, _ file: SyncFile, _ why: String, _ note: String
    ) -> CommandFailure {
        CommandFailure(code, code: "not-applied", "\(file.name): its plan was not applied: \(why)", notes: [note])
    }

    /// Closes what has not been run.
    func close() {
        for run in ready.values { run.close() }
        ready = [:]
    }
}

extension SyncExecution {
    /// Looks at the runs of several plans before the first of them begins: each is as planned, or none begins.
    ///
    /// What each run does is decided here, to the last row; those behind others count on what these are to create. What
    /// stands in the way is kept in ``planned``.
    func lookAhead(_ files: [SyncFile], _ lock: LockFile, _ wait: BudgetWait?) {
        planned.begin(files.map(\.name))
        openAll(files, lock, wait, passesApplied: true)
        if planned.appliedCount == files.count {
            // Nothing is left of an earlier command: these plans are as old as any that was applied.
            planned.forgetApplied()
            openAll(files, lock, wait, passesApplied: false)
        }
        var parents: [String: PlannedRecords] = [:]
        for (place, file) in files.enumerated() where !planned.isRefused {
            guard let run = planned.run(file.name) else { continue }
            let isLinkedTo = files[(place + 1)...].contains { $0.links.contains(file.name) }
            trying(file, wait) {
                let records = isLinkedTo ? run.records() : nil
                try run.showing { try $0.prepare(parents: parents, records: records) }
                parents[file.name] = records
            }
        }
        if planned.isRefused { planned.close() }
    }

    /// Opens the syncs, and holds what their plans were made from against what there is.
    ///
    /// - Parameter passesApplied: Whether plans that earlier runs have applied are passed over.
    private func openAll(_ files: [SyncFile], _ lock: LockFile, _ wait: BudgetWait?, passesApplied: Bool) {
        for file in files {
            trying(file, wait) {
                switch try begin(file, lock, passesApplied: passesApplied) {
                case .open(let run):
                    planned.add(run)
                    try run.showing { try $0.checkPins() }
                case .applied(let run): planned.add(run, of: file.name)
                case .told: break
                }
            }
        }
    }

    private func trying(_ file: SyncFile, _ wait: BudgetWait?, _ body: () throws -> Void) {
        do {
            guard !Interruption.cancellation.isCancelled else { throw CommandFailure.stopped }
            _ = try patience(wait, file).repeating {
                try body()
                return (.ok, .null)
            }
        } catch let failure as CommandFailure {
            planned.refuse(file.name, failure)
        } catch {
            planned.refuse(file.name, CommandFailure(stopping: error, sync: file.name))
        }
    }

    /// The end of a sync whose plan an earlier run has applied.
    ///
    /// - Throws: ``CommandFailure``.
    func tell(_ run: RunRecord, of file: SyncFile) throws -> (ExitCode, JSON) {
        let code = code(of: run, file)
        if !options.isMachineReadable, !options.quiet {
            Terminal.write(
                "\(file.name)   applied before   run \(run.id)\n  this run has applied the plan; nothing was sent now\n\n"
            )
        }
        var object = document(of: run, file, code)
        object["applied_before"] = .bool(true)
        // A process that was killed may not have come to say of its run what is said of every run.
        return try writeMissing(.object(object), of: run, file, code)
    }
}
