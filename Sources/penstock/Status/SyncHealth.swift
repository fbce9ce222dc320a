// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockNotify
import PenstockProject
import PenstockSchedule
import PenstockState

/// How a sync is, at one moment.
struct SyncHealth {
    /// In one word.
    enum State: String {
        /// It never ran.
        case never
        /// A process is at it.
        case running
        /// The last run is done.
        case ok
        /// The last run is done, and more rows were rejected than allowed.
        case partial
        /// The last run failed, or could not begin.
        case failed
        /// Rows are open; the next run goes on.
        case unfinished
        /// The process of the last run ended without a word.
        case died
    }

    /// The sync.
    var file: SyncFile
    /// In one word.
    var state: State
    /// The last run, or nil.
    var last: HistoryEntry?
    /// When the last run that was done ended, in milliseconds since 1970; or nil.
    var succeededAt: Int64?
    /// How many rejects are waiting; nil where the state cannot be read.
    var rejects: Int64?
    /// When it runs next, in milliseconds since 1970; nil where no schedule says.
    var next: Int64?
    /// Since when a run is due that has not come, in milliseconds since 1970; or nil.
    var dueSince: Int64?
    /// The same where that is longer ago than a run may be late.
    var overdueSince: Int64?
    /// What is left of the destination's daily budget, or nil.
    var budgetLeft: Int64?
    /// The size of that budget, or nil.
    var budgetDaily: Int64?

    /// Whether somebody must look after it.
    var needsAttention: Bool { [.partial, .failed, .died].contains(state) || overdueSince != nil }

    /// What it says to rules of alerts; how runs ended, they say themselves.
    var facts: SyncFacts {
        var facts = SyncFacts(sync: file.name, run: last?.id)
        facts.queue = rejects
        // What was switched off is late no more.
        facts.due = dueSince.map { .since($0) } ?? .onTime
        if state == .died {
            facts.ending = SyncFacts.Ending(failure: "died", message: "the process of its run ended without a word")
        }
        if let left = budgetLeft {
            facts.budget = SyncFacts.Budget(left: left, daily: budgetDaily, isSpent: left <= 0)
        }
        return facts
    }

    /// The state with what is added to it, for people.
    var word: String {
        var words = [state.rawValue]
        if overdueSince != nil { words.append("overdue") }
        if !file.isEnabled { words.append("off") }
        return words.joined(separator: ", ")
    }

    /// The same for programs.
    var json: JSON {
        func time(_ moment: Int64?) -> JSON { moment.map { .string(TimeDisplay.utc($0)) } ?? .null }
        return .object([
            "sync": .string(file.name), "enabled": .bool(file.isEnabled), "state": .string(state.rawValue),
            "attention": .bool(needsAttention), "last_run": last?.json ?? .null, "last_success": time(succeededAt),
            "rejects": rejects.map { .integer($0) } ?? .null, "next_run": time(next),
            "overdue_since": time(overdueSince),
            "budget_left": budgetLeft.map { .integer($0) } ?? .null,
            "budget_daily": budgetDaily.map { .integer($0) } ?? .null,
        ])
    }
}

/// Looks at the syncs of a project, from what is kept on disk; asks nobody.
struct HealthCheck {
    private let workspace: Workspace
    private let project: Project
    private let now: Int64
    /// How late a run may be: it may wait for others, and whoever asks may ask in the moment of its start.
    private static let graceMilliseconds: Int64 = 900_000
    private var budgets: [String: (left: Int64?, daily: Int64?)] = [:]
    /// The code to end with: that of a state that could not be read.
    private(set) var ending = ExitCode.ok

    /// A look at `now`, in milliseconds since 1970.
    init(_ workspace: Workspace, _ project: Project, now: Int64) {
        self.workspace = workspace
        self.project = project
        self.now = now
    }

    /// How the syncs are, in the order of the project.
    mutating func look() throws -> [SyncHealth] {
        let history = try History(workspace)
        ending = history.ending
        var found: [SyncHealth] = []
        for file in project.syncs {
            let runs = history.entries.filter { $0.sync == file.name }
            var health = SyncHealth(file: file, state: .never, last: runs.first)
            let isRunning = try StateFileLock.isHeld(folder: workspace.stateFolder(), sync: file.name) ?? false
            health.state = state(runs.first, isRunning: isRunning)
            health.succeededAt =
                runs.first { $0.result == .ok || $0.result == .partial }?.record?.finishedAtMilliseconds
            // A state that cannot be read was told of just now.
            health.rejects = try? rejects(file)
            schedule(&health, isRunning: isRunning)
            (health.budgetLeft, health.budgetDaily) = budget(file)
            found.append(health)
        }
        return found
    }

    private func rejects(_ file: SyncFile) throws -> Int64 {
        try StateStore.openForReading(folder: workspace.stateFolder(), sync: file.name)?.countRejects() ?? 0
    }

    private func state(_ last: HistoryEntry?, isRunning: Bool) -> SyncHealth.State {
        if isRunning { return .running }
        guard let last else { return .never }
        switch last.result {
        case .ok: return .ok
        case .partial: return .partial
        case .failed: return .failed
        case .abandoned: return .unfinished
        case .unfinished: return last.status == .running ? .died : .unfinished
        }
    }

    private func schedule(_ health: inout SyncHealth, isRunning: Bool) {
        guard health.file.isEnabled, let schedule = health.file.schedule, schedule.isEnabled else { return }
        let path = "\(project.root)/\(health.file.file)"
        // A schedule that is none was found when the project was read.
        guard let recurrence = try? Recurrence(schedule) else { return }
        // What was due before the file was written is not asked for.
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let written = (attributes?[.modificationDate] as? Date).map { Int64($0.timeIntervalSince1970 * 1_000) }
        let past = ScheduleStanding.Past(
            lastActivity: health.last.map { max($0.startedAt, $0.record?.finishedAtMilliseconds ?? 0) },
            changedAt: written ?? now, isRunning: isRunning)
        func since(grace: Int64) -> Int64? {
            ScheduleStanding(recurrence, jitter: schedule.jitter, past, grace: grace, now: now).overdueSince
        }
        health.dueSince = since(grace: 0)
        health.overdueSince = since(grace: Self.graceMilliseconds)
        health.next = recurrence.next(after: now)
    }

    /// What is left of the budget of a sync's destination, as the processes on this machine know it.
    private mutating func budget(_ file: SyncFile) -> (left: Int64?, daily: Int64?) {
        let name = file.definition.destination.connection
        if let known = budgets[name] { return known }
        var found: (left: Int64?, daily: Int64?) = (nil, nil)
        // A connection that cannot be set up now says nothing of its budget, and a run will tell why.
        if !file.hasErrors, let side = try? workspace.setup(file, in: project).destination {
            let limits = CredentialLimits(
                CredentialLimits.Identity(side.connector.descriptor, side.settings), side.budget.terms)
            found = (limits.look().budget.remaining(side.budget.terms.budget), side.budget.dailyTokens)
        }
        budgets[name] = found
        return found
    }
}

/// Whether a process has a state open for writing, found out without taking its lock.
enum StateFileLock {
    /// Whether the lock of a sync's state is held, as the kernel's list of locks says; nil where it does not say.
    static func isHeld(folder: String, sync: String) -> Bool? {
        var status = stat()
        guard stat("\(folder)/\(sync).lock", &status) == 0 else { return false }
        // A kernel may keep the list to itself.
        guard let list = try? String(contentsOfFile: "/proc/locks", encoding: .utf8) else { return nil }
        return list.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.count > 5 && words.contains("FLOCK")
                && words.contains { $0.split(separator: ":").count == 3 && $0.hasSuffix(":\(status.st_ino)") }
        }
    }
}
