// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// Writes down what happens in one run: its events, and what was sent, row by row, with masked fields as dots.
final class RunJournal {
    /// The run, once it has begun.
    private(set) var run: RunRecord?
    /// The id that a new run was to be written down with, or nil.
    private(set) var announced: String?

    /// The name of the sync.
    var sync: String { file.name }

    private let file: SyncFile
    private let object: String
    private let folders: RunFolders
    private let logsRequests: Bool
    private let report: (LineageMoment) -> Void
    private var events: RunLog?
    private var requests: RequestLog?
    private var progressAt: Int64 = 0
    private let masked: Set<String>
    private let masksKey: Bool

    private static let progressPause: Int64 = 10_000
    /// What stands in place of what is not shown.
    static let dots = "•••"

    /// A journal of a run of `file`.
    ///
    /// - Parameter report: Is told when the run begins and ends.
    init(
        _ file: SyncFile, object: String, _ folders: RunFolders, _ policy: HistoryPolicy,
        report: @escaping (LineageMoment) -> Void
    ) {
        self.file = file
        self.object = object
        self.folders = folders
        self.report = report
        logsRequests = policy.logsRequests
        masked = Set(file.mask)
        let isFinder = file.definition.source.key.isEmpty && file.mask.contains(file.definition.insert.match)
        masksKey = isFinder || !file.maskedColumns.isDisjoint(with: file.definition.source.key)
    }

    /// Takes note of an event.
    func take(_ event: RunEvent) {
        switch event {
        case .begins(let id): announced = id
        // The run that was given up has a journal of its own.
        case .gaveUp: break
        case .began(let run, let isResumed): begin(run, isResumed)
        case .progress(let progress): take(progress)
        case .passed(let excess):
            write(
                "run.limit_passed", "a limit is exceeded because a person has said so",
                [
                    "limit": .string(excess.name.rawValue), "bound": .string(excess.bound.text),
                    "what": .string(excess.clause),
                ], level: "warning")
        case .delivered(let rows):
            rows.forEachFailure { take($0) }
            requests?.write(rows)
        case .rejected(let row, let keyText, let reason):
            write(
                "row.rejected", "a row was rejected",
                [
                    "row": .integer(row), "key": .string(shownKey(keyText)), "stage": .string(reason.stage),
                    "code": .string(reason.code), "field": .string(reason.field),
                ], level: "warning")
        case .held(let fields): for field in fields { write("field.held", "a guard held a field back", members(field)) }
        case .ended(let report): end(report)
        }
    }

    private func members(_ field: HeldField) -> JSONObject {
        HeldFields.json(field, file).objectValue ?? JSONObject()
    }

    private func begin(_ run: RunRecord, _ isResumed: Bool) {
        self.run = run
        report(.began(run))
        guard folders.make(run.id) else { return }
        events = RunLog(folders.events(run.id), bytesMax: RunFolders.logBytesMax)
        if logsRequests {
            requests = RequestLog(
                folders.requests(run.id), object: object, masked: masked, masksKey: masksKey,
                showsFields: file.rejects.record == .full || file.rejects.record == .masked)
        }
        write(
            "run.began", isResumed ? "an interrupted run goes on" : "the run has begun",
            [
                "kind": .string(run.kind), "attempt": .integer(run.attempts),
                "watermark": run.watermarkBefore.map { .string($0) } ?? .null,
                "pid": .integer(ProcessInfo.processInfo.processIdentifier),
            ])
        events?.flush()
    }

    private func take(_ progress: RunProgress) {
        requests?.keepUp()
        let now = WallClock.milliseconds
        guard now - progressAt >= Self.progressPause else { return }
        progressAt = now
        var members: JSONObject = [
            "fetched": .integer(progress.counts.fetched), "open": .integer(progress.openRows),
            "rejected": .integer(progress.counts.rejected), "requests": .integer(progress.meter.requestsTotal),
            "tokens": .integer(progress.meter.spent),
        ]
        if let waiting = progress.waiting {
            members["waiting_rows"] = .integer(waiting.rows)
            members["waiting_milliseconds"] = .integer(waiting.milliseconds)
        }
        write("run.progress", progress.waiting == nil ? "rows are sent" : "the run waits", members)
    }

    private func take(_ row: DeliveredRow) {
        if row.ending == .lost {
            write(
                "row.lost", "the answer to a request was lost",
                ["row": .integer(row.row), "key": .string(shownKey(row.keyText))], level: "warning")
        } else if row.ending == .outcome(.rejected) {
            write(
                "row.rejected", "the destination refused a row",
                [
                    "row": .integer(row.row), "key": .string(shownKey(row.keyText)), "stage": .string("deliver"),
                    "code": .string(row.code), "field": .string(""),
                ], level: "warning")
        }
    }

    private func shownKey(_ text: String) -> String { masksKey ? Self.dots : text }

    private func end(_ report: RunReport) {
        var counts = JSONObject()
        for (name, value) in report.counts.named { counts[name] = .integer(value) }
        write(
            "run.ended", report.run.status == .finished ? "the run is finished" : "the run is not finished",
            [
                "status": .string(report.run.status.rawValue), "counts": .object(counts),
                "requests": .integer(report.meter.requestsTotal), "tokens": .integer(report.meter.spent),
                "retries": .integer(report.retries), "milliseconds": .integer(report.elapsedMilliseconds),
                "message": .string(report.run.message),
            ], level: report.run.status == .finished ? "info" : "warning")
    }

    /// Writes the rest, says how the program takes the end of the run, and closes the files.
    ///
    /// - Parameter failure: What ended the run before it could report, or nil.
    func close(_ code: ExitCode, failure: CommandFailure? = nil, report: RunReport? = nil) {
        if run != nil {
            if let failure {
                write("run.failed", failure.sentence, ["code": .string(failure.code)], level: "error")
            }
            write("run.closed", "the run's process is done with it", ["exit_code": .integer(code.rawValue)])
            self.report(.ended(code, report, failure?.sentence))
        }
        events?.close()
        requests?.close()
    }

    private func write(_ event: String, _ message: String, _ members: JSONObject, level: String = "info") {
        guard let events, let run else { return }
        var line: JSONObject = [
            "ts": .string(TimeDisplay.utc(WallClock.milliseconds)), "level": .string(level), "event": .string(event),
            "msg": .string(message), "run_id": .string(run.id), "sync": .string(file.name),
        ]
        for member in members { line.append(member.key, member.value) }
        events.write(.object(line))
    }
}

/// A moment of a run that others are told of.
enum LineageMoment {
    /// The run has begun or goes on.
    case began(RunRecord)
    /// The process is done with it.
    case ended(ExitCode, RunReport?, String?)
}
