// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import PenstockSchedule
import PenstockState

/// What a server is started with.
package struct ServiceOptions: Sendable {
    /// The project's folder.
    package var root: String
    /// The profile that is laid over the project, or nil.
    package var profile: String?
    /// Penstock's version.
    package var version: String
    /// The program that executes a run, and the words before the sync's name.
    package var program: String
    /// The words that the program gets before the sync's name.
    package var arguments: [String]
    /// The environment of the runs.
    package var environment: [String: String]
    /// How many runs may be at work at once.
    package var jobs: Int
    /// The words with which the program is started about once a minute to look for what no run can tell of; it sends
    /// the alerts that are due.
    package var sweep: [String]

    /// Options with what has no default.
    package init(
        root: String, profile: String?, version: String, program: String, arguments: [String],
        sweep: [String], environment: [String: String], jobs: Int
    ) {
        self.root = root
        self.profile = profile
        self.version = version
        self.program = program
        self.arguments = arguments
        self.sweep = sweep
        self.environment = environment
        self.jobs = jobs
    }

    /// The folder of the project's state.
    package var stateFolder: String { root + "/.penstock/state" }
}

/// The scheduler of a project: decides ticks, starts runs as processes, and watches them.
///
/// Everything happens on the thread that calls ``run(isStopping:)``, which must not end before the process does: the
/// kernel stops the runs when their parent's thread is gone.
package final class Service {
    let options: ServiceOptions
    let logger: Logger
    let clock: SchedulerClock
    let manager: ServiceManager
    let mailbox: Mailbox
    let board: StatusBoard
    let journal: TickJournal
    var planner: TickPlanner
    var watch: TickWatch
    var project: ServedProject
    var status = ServiceStatus()
    var children: [Int64: ChildRun] = [:]
    var cancelled: Set<Int64> = []
    /// Runs of an earlier server that have not ended yet.
    var heirs: [Int64: ProcessIdentity] = [:]
    var stamp: ProjectStamp
    private let life: Int64
    private var wantsStop = false
    private var wantsReload = false
    private var lookedAtFiles = ContinuousClock.now
    private var sweptAt = ContinuousClock.now
    private var prunedAt: Int64
    private var sweep: ChildRun?
    private var lastSign = ContinuousClock.now
    private var stoppingSince: ContinuousClock.Instant?
    private var lastSentence = ""

    /// Whether nothing is started any more.
    var isStopping: Bool { stoppingSince != nil }

    /// How long the scheduler sleeps at most, in milliseconds of the machine's clock.
    private static let napMax: Int64 = 1_000
    /// How long runs may take to come to their end when the server stops.
    private static let patience = Duration.seconds(90)

    /// A service of a project that could be read; takes over what an earlier server has left.
    ///
    /// - Throws: `StateError` where the journal cannot be used.
    package init(
        _ options: ServiceOptions, project: ServedProject, clock: SchedulerClock, manager: ServiceManager,
        mailbox: Mailbox, board: StatusBoard, logger: Logger
    ) throws(StateError) {
        self.options = options
        self.logger = logger
        self.clock = clock
        self.manager = manager
        self.mailbox = mailbox
        self.board = board
        self.project = project
        stamp = ProjectStamp(root: options.root)
        journal = try TickJournal(writing: options.root + "/.penstock/schedule.db")
        let moment = clock.moment
        let now = moment.wall
        prunedAt = now
        life = try journal.begin(at: now)
        planner = TickPlanner(try journal.book(), jobs: options.jobs)
        watch = TickWatch(wall: now, steady: moment.steady)
        status.project = project.name
        status.root = options.root
        status.version = options.version
        status.pid = getpid()
        status.startedAt = now
        status.speed = clock.speed
        status.jobs = planner.jobs
        status.loadedAt = now
    }

    /// Runs until somebody wants the end, and everything at work has come to its own.
    ///
    /// - Parameter isStopping: Whether a signal came.
    /// - Returns: Whether the end was asked for over the server's socket, not by a signal.
    /// - Throws: `StateError` where the journal can no longer be written: nothing may be started then. Runs at work
    ///   were told to stop.
    package func run(isStopping: () -> Bool) throws(StateError) -> Bool {
        do throws(StateError) {
            try adoptWhatIsLeft()
            try take(project)
            post(.running)
            manager.tell("READY=1", "STATUS=\(sentence)")
            log(.notice, "server.start", "serves \(counted(project.entries.count, "sync")) of \(project.name)")
            while true {
                try turn(isStopping: isStopping())
                if stoppingSince != nil, children.isEmpty, heirs.isEmpty { break }
                nap()
            }
            try journal.end(life: life, at: clock.milliseconds)
        } catch {
            log(.critical, "server.journal", error.message)
            manager.tell("STOPPING=1", "STATUS=The journal of ticks cannot be written.")
            abandonAll()
            throw error
        }
        log(.notice, "server.stop", "stopped")
        return wantsStop
    }

    // MARK: - Turns

    private func turn(isStopping: Bool) throws(StateError) {
        for letter in mailbox.take() { letter.settle(try answer(letter.wish)) }
        if isStopping || wantsStop { beginToStop() }
        try reap()
        try reapHeirs()
        if stoppingSince == nil {
            try lookAtFiles()
            try schedule()
            try removeOld()
        }
        post(stoppingSince == nil ? .running : .stopping)
        giveSigns()
        sweepForAlerts()
    }

    private func schedule() throws(StateError) {
        let moment = clock.moment
        let now = moment.wall
        let jump = watch.look(wall: now, steady: moment.steady)
        if jump != 0 {
            status.jumps += 1
            log(
                .warning, "clock.jump",
                "the clock went \(jump > 0 ? "forward" : "back") by \(abs(jump) / 1_000) s in one step")
        }
        for sync in planner.ahead(of: now) {
            log(
                .warning, "clock.ahead",
                "its ticks were decided by a clock that was more than a day ahead; they count from now on", sync: sync)
        }
        var actions = planner.turn(now: now, missedThrough: watch.missedThrough)
        guard !actions.isEmpty else { return }
        var finished: [String: Int64] = [:]
        var done: [TickBook.Item] = []
        for case .start(let item) in actions {
            let last = lastFinished(item.sync)
            if item.attempts > 1, try isFinished(item, last) {
                done.append(item)
            } else {
                finished[item.sync] = last?.number ?? 0
            }
        }
        actions.removeAll { action in if case .start(let item) = action { done.contains(item) } else { false } }
        try journal.record(actions, finished: finished, at: now)
        for item in done { try finishWithoutRun(item) }
        for action in actions { try perform(action) }
    }

    /// Removes once a day what the journal keeps no longer.
    private func removeOld() throws(StateError) {
        let now = clock.milliseconds
        guard abs(now - prunedAt) > 86_400_000 else { return }
        prunedAt = now
        try journal.prune(at: now)
    }

    private func perform(_ action: TickAction) throws(StateError) {
        switch action {
        case .mark, .item: break
        case .skip(let sync, let first, let last, let count, let reason):
            let ticks = count == 1 ? "tick \(last.utcText)" : "\(count) ticks, \(first.utcText) to \(last.utcText),"
            log(.warning, "tick.skip", "\(ticks) left out: \(reason.sentence)", sync: sync)
        case .drop(let item, let reason):
            log(.warning, "tick.drop", "tick \(item.tick.utcText) given up: \(reason.sentence)", sync: item.sync)
        case .start(let item): try start(item)
        }
    }

    // MARK: - Wishes

    private func answer(_ wish: Mailbox.Wish) throws(StateError) -> Mailbox.Answer {
        switch wish {
        case .stop:
            wantsStop = true
            return .accepted("the server stops when the runs at work have come to their end")
        case .reload:
            wantsReload = true
            return .accepted("the project's files are read again")
        case .run(let name): return try ask(name)
        case .cancel(let name): return try cancel(name)
        }
    }

    private func ask(_ name: String) throws(StateError) -> Mailbox.Answer {
        guard let entry = project.entries.first(where: { $0.name == name }) else {
            return .unknown(project.entries.map(\.name))
        }
        guard stoppingSince == nil else { return .conflict("the server stops") }
        guard entry.isEnabled else { return .conflict("\(name) is disabled") }
        let now = clock.milliseconds
        if let item = planner.ask(name, now: now) ?? planner.hurry(name, now: now) {
            try journal.record([.item(item)], at: now)
            log(.notice, "run.asked", "a run is asked for", sync: name)
            return .accepted("\(name) runs as soon as it can")
        }
        let isRunning = planner.book.isRunning(name)
        return .conflict(isRunning ? "\(name) is running" : "\(name) waits for its turn already")
    }

    private func cancel(_ name: String) throws(StateError) -> Mailbox.Answer {
        guard project.entries.contains(where: { $0.name == name }) || !planner.book.items(of: name).isEmpty else {
            return .unknown(project.entries.map(\.name))
        }
        let dropped = planner.cancel(name)
        try journal.record(dropped, at: clock.milliseconds)
        for action in dropped { try perform(action) }
        var stopped = false
        for item in planner.book.items(of: name) {
            guard let child = children[item.id] else {
                if let heir = heirs[item.id], heir.isAlive {
                    cancelled.insert(item.id)
                    kill(heir.pid, SIGTERM)
                    stopped = true
                }
                continue
            }
            cancelled.insert(item.id)
            child.stop()
            stopped = true
            log(.notice, "run.cancel", "the run is told to stop", sync: name)
        }
        if stopped { return .accepted("\(name) stops when what is in flight is finished; the next run goes on") }
        return dropped.isEmpty ? .conflict("\(name) is not running") : .accepted("what waited of \(name) is given up")
    }

    // MARK: - The project's files

    private func lookAtFiles() throws(StateError) {
        guard wantsReload || ContinuousClock.now - lookedAtFiles > .seconds(2) else { return }
        lookedAtFiles = ContinuousClock.now
        let found = ProjectStamp(root: options.root)
        guard wantsReload || found != stamp else { return }
        wantsReload = false
        stamp = found
        manager.tellReloading()
        defer { manager.tell("READY=1", "STATUS=\(sentence)") }
        do throws(ServedProject.Problem) {
            project = try ServedProject(root: options.root, profile: options.profile, version: options.version)
        } catch {
            status.problems = error.lines
            log(.error, "project.invalid", "the project's files are wrong; its schedules stay as they were")
            for line in error.lines { log(.error, "project.finding", line) }
            return
        }
        status.problems = []
        status.reloads += 1
        status.loadedAt = clock.milliseconds
        try take(project)
        log(.notice, "project.reload", "serves \(counted(project.entries.count, "sync")) of \(project.name)")
    }

    private func take(_ project: ServedProject) throws(StateError) {
        let now = clock.milliseconds
        let actions = planner.adopt(project.entries.filter(\.isEnabled).map(\.tick), now: now)
        try journal.record(actions, at: now)
        for action in actions { try perform(action) }
    }

    // MARK: - Stopping

    private func beginToStop() {
        guard let since = stoppingSince else {
            stoppingSince = ContinuousClock.now
            manager.tell("STOPPING=1", "STATUS=Waits for \(counted(children.count, "run")).")
            log(.notice, "server.stopping", "stops; \(counted(children.count, "run")) at work")
            for child in children.values { child.stop() }
            for heir in heirs.values where heir.isAlive { kill(heir.pid, SIGTERM) }
            return
        }
        guard ContinuousClock.now - since > Self.patience else { return }
        for child in children.values { child.destroy() }
        for heir in heirs.values where heir.isAlive { kill(heir.pid, SIGKILL) }
    }

    private func abandonAll() {
        for child in children.values { child.stop() }
        let end = ContinuousClock.now + Self.patience
        while !children.isEmpty, ContinuousClock.now < end {
            for (id, child) in children {
                // Nobody is told any more, but a run whose pipe is full would not come to its end.
                _ = child.lines(isEnd: false)
                if child.end() != nil { children[id] = nil }
            }
            usleep(20_000)
        }
        for child in children.values { child.destroy() }
    }

    // MARK: - Signs of life

    private func post(_ phase: ServiceStatus.Phase) {
        status.phase = phase
        status.now = clock.milliseconds
        status.project = project.name
        status.entries = project.entries
        status.marks = planner.book.marks
        status.items = planner.book.items
        board.post(status)
    }

    private func giveSigns() {
        let sentence = sentence
        if sentence != lastSentence, !isStopping {
            lastSentence = sentence
            manager.tell("STATUS=\(sentence)")
        }
        if let period = manager.watchdog, ContinuousClock.now - lastSign >= .milliseconds(min(period, Self.napMax)) {
            lastSign = ContinuousClock.now
            manager.tell("WATCHDOG=1")
        }
    }

    /// Looks about once a minute for syncs that are overdue and the like, in a process of its own.
    private func sweepForAlerts() {
        if let child = sweep {
            for line in child.lines(isEnd: false) { log(.warning, "alert.output", line) }
            guard child.end() != nil else {
                if ContinuousClock.now - sweptAt > .seconds(600) { child.destroy() }
                return
            }
            for line in child.lines(isEnd: true) { log(.warning, "alert.output", line) }
            sweep = nil
        }
        guard project.hasAlerts, !isStopping, !clock.isRehearsal,
            ContinuousClock.now - sweptAt > .seconds(60)
        else { return }
        sweptAt = ContinuousClock.now
        // Where no process can be started the runs say so, and this is tried again in a minute.
        sweep = try? ChildRun(options.program, options.sweep, environment: options.environment)
    }

    private var sentence: String {
        let running = planner.book.items.filter { $0.state == .running }.map(\.sync).sorted()
        let waiting = planner.book.items.count - running.count
        let next = planner.wake(after: clock.milliseconds).map { "; next tick \($0.utcText)" } ?? ""
        return "Running: \(running.isEmpty ? "nothing" : running.joined(separator: ", ")); \(waiting) waiting\(next)"
    }

    /// Sleeps until a tick is due, a run ends or says something, or somebody asks for something.
    private func nap() {
        var longest = Self.napMax
        if let wake = planner.wake(after: clock.milliseconds), stoppingSince == nil {
            longest = min(longest, clock.wait(until: wake))
        }
        if !heirs.isEmpty { longest = min(longest, 200) }
        if children.values.contains(where: { $0.endDescriptor < 0 }) { longest = min(longest, 50) }
        var polls = [pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)]
        for child in children.values {
            polls.append(pollfd(fd: child.endDescriptor, events: Int16(POLLIN), revents: 0))
            if !child.hasClosedErrors { polls.append(pollfd(fd: child.errors, events: Int16(POLLIN), revents: 0)) }
        }
        _ = poll(&polls, nfds_t(polls.count), Int32(longest))
    }

    func log(_ level: Logger.Level, _ event: String, _ message: String, sync: String? = nil, run: String? = nil) {
        var metadata: Logger.Metadata = ["event": .string(event)]
        if let sync { metadata["sync"] = .string(sync) }
        if let run { metadata["run_id"] = .string(run) }
        logger.log(level: level, "\(message)", metadata: metadata)
    }
}

/// `1 run`, `2 runs`.
private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
