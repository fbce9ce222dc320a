// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import PenstockModel
import PenstockSchedule
import PenstockState

/// Starting runs, and finding out how they ended.
extension Service {
    /// How far the machine's clock may be set back between a start and its run, in milliseconds.
    private static let startSlack: Int64 = 1_000

    // MARK: - What an earlier server has left

    /// Looks at every run that was started and whose end nobody wrote down.
    func adoptWhatIsLeft() throws(StateError) {
        for item in planner.book.items where item.state == .running {
            let start = try journal.start(of: item.id)
            if let process = start.process, process.isAlive {
                heirs[item.id] = process
                let what = "a run of an earlier server is still at work (pid \(process.pid))"
                log(.notice, "run.adopt", what, sync: item.sync)
                continue
            }
            try settleAfterDeath(item)
        }
    }

    /// Looks after the runs of an earlier server, whose exit codes only their states tell.
    func reapHeirs() throws(StateError) {
        for (id, process) in heirs where !process.isAlive {
            heirs[id] = nil
            guard let item = planner.book.item(id) else { continue }
            guard cancelled.remove(id) != nil else {
                try settleAfterDeath(item)
                continue
            }
            _ = planner.end(id, exitCode: 143, mayRetry: false, now: clock.milliseconds)
            try journal.record(end: id, exitCode: 143, run: nil, item: nil, at: clock.milliseconds)
            log(.notice, "run.end", "the run of an earlier server was cancelled", sync: item.sync)
        }
    }

    private func settleAfterDeath(_ item: TickBook.Item) throws(StateError) {
        let now = clock.milliseconds
        if try isFinished(item, lastFinished(item.sync)) { return try finishWithoutRun(item) }
        guard let resumed = planner.resume(item.id, now: now) else { return }
        try journal.record([.item(resumed)], at: now)
        let what = "the run of tick \(item.tick.utcText) was cut off and is finished now"
        log(.notice, "run.resume", what, sync: item.sync)
    }

    /// The last finished run of a sync, or nil.
    func lastFinished(_ sync: String) -> RunRecord? {
        // A state that cannot be read is reported by the run itself, which begins and says so.
        guard let store = try? StateStore.openForReading(folder: options.stateFolder, sync: sync) else { return nil }
        defer { store.close() }
        return (try? store.runs(limit: 50))?.first { $0.status == .finished }  // As above.
    }

    /// Whether the run of an item came to its end although nobody saw it.
    ///
    /// Of a sync that inserts every row again, a run that was not told of is left to the run itself, which tells of it
    /// and sends nothing.
    func isFinished(_ item: TickBook.Item, _ last: RunRecord?) throws(StateError) -> Bool {
        let start = try journal.start(of: item.id)
        guard let last, let before = start.finishedBefore, last.number > before else { return false }
        // A run that somebody else began before is not this item's.
        guard last.startedAtMilliseconds >= start.startedAt - Self.startSlack else { return false }
        let repeatsAll = project.entries.first { $0.name == item.sync }?.repeatsAll ?? true
        return !repeatsAll || access("\(options.stateFolder)/\(item.sync).untold", F_OK) != 0
    }

    /// Takes note of an item whose run had ended well before.
    func finishWithoutRun(_ item: TickBook.Item) throws(StateError) {
        let now = clock.milliseconds
        let run = lastFinished(item.sync)
        _ = planner.end(item.id, exitCode: 0, now: now)
        try journal.record(end: item.id, exitCode: run?.exitCode ?? 0, run: run?.id, item: nil, at: now)
        let what = "the run of tick \(item.tick.utcText) had come to its end"
        log(.notice, "run.end", what, sync: item.sync, run: run?.id)
    }

    // MARK: - Runs

    func start(_ item: TickBook.Item) throws(StateError) {
        let child: ChildRun
        do throws(ChildRun.StartFailure) {
            child = try ChildRun(
                options.program, options.arguments + [item.sync], environment: options.environment)
        } catch {
            log(.error, "run.start", "no process can be started: \(error.reason)", sync: item.sync)
            return try end(item.id, ChildEnd(exitCode: 75, signal: nil, output: [], now: 0))
        }
        children[item.id] = child
        if let identity = ProcessIdentity(running: child.pid) { try journal.record(process: identity, of: item.id) }
        let what = item.isAsked ? "as asked" : "for tick \(item.tick.utcText)\(item.isMissed ? ", made up for" : "")"
        let again = item.attempts > 1 ? ", try \(item.attempts)" : ""
        log(.notice, "run.start", "starts \(what)\(again) (pid \(child.pid))", sync: item.sync)
    }

    /// Hands on what the runs say, and takes note of those that have ended.
    func reap() throws(StateError) {
        for (id, child) in children {
            let sync = planner.book.item(id)?.sync ?? ""
            for line in child.lines(isEnd: false) { say(line, sync) }
            guard let end = child.end() else { continue }
            for line in child.lines(isEnd: true) { say(line, sync) }
            children[id] = nil
            try self.end(id, end)
        }
    }

    private func say(_ line: String, _ sync: String) {
        // A line of the run's log is JSON; what else it writes is for people.
        if line.hasPrefix("{"), let members = (try? JSON(parsing: line))?.objectValue?.members {
            var metadata: Logger.Metadata = [:]
            for member in members { metadata[member.key] = member.value.stringValue.map { .string($0) } }
            let message = members.first { $0.key == "msg" }?.value.stringValue ?? ""
            let level = members.first { $0.key == "level" }?.value.stringValue.flatMap(Logger.Level.init(rawValue:))
            for key in ["ts", "level", "msg"] { metadata[key] = nil }
            metadata["sync"] = .string(sync)
            return logger.log(level: level ?? .info, "\(message)", metadata: metadata)
        }
        let level: Logger.Level =
            line.hasPrefix("error") ? .error : line.hasPrefix("warning") ? .warning : .info
        log(level, "run.output", line, sync: sync)
    }

    private func end(_ id: Int64, _ end: ChildEnd) throws(StateError) {
        guard let item = planner.book.item(id) else { return }
        let now = clock.milliseconds
        let wasCancelled = cancelled.remove(id) != nil
        let counts = end.counts.filter { $0.value > 0 }.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        let how = end.signal.map { "was ended by signal \($0)" } ?? "ended with exit code \(end.exitCode ?? -1)"
        let rest = [counts, end.message].filter { !$0.isEmpty }.map { "; " + $0 }.joined()
        let isGood = end.exitCode == 0 || ((isStopping || wasCancelled) && end.exitCode == 143)
        log(isGood ? .notice : .error, "run.end", "the run \(how)\(rest)", sync: item.sync, run: end.run)
        // A run that was stopped with the server is finished by the next server.
        if isStopping, !wasCancelled, end.exitCode == 143 || end.exitCode == 130 || end.signal != nil {
            return
        }
        let later = planner.end(
            id, exitCode: end.exitCode, retryIn: end.retryIn, mayRetry: !wasCancelled && !end.isRationed, now: now)
        try journal.record(
            end: id, exitCode: end.exitCode ?? end.signal.map { 128 + $0 }, run: end.run, item: later, at: now)
        if let later {
            log(.notice, "run.retry", "is tried again at \(later.notBefore.utcText)", sync: item.sync)
        }
    }
}
