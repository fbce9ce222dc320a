// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockSchedule
import PenstockState

extension ScheduleCommand {
    /// `penstock schedule list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List schedules, by their next time.",
            discussion: """
                A start that did not come is overdue; --check then exits with 3.

                Example: penstock schedule list --next 5
                """)

        @OptionGroup var options: GlobalOptions
        @OptionGroup var selection: SelectionOptions

        @Option(name: .long, help: "How many times of each sync to show.")
        var next: Int = 1

        @Flag(name: .long, help: "Exit with 3 where a start is overdue.")
        var check = false

        @Option(name: .long, help: ArgumentHelp("How late a start may be, beside its jitter.", valueName: "duration"))
        var grace: String = "15m"

        func validate() throws {
            guard (1...1_000).contains(next) else { throw ValidationError("--next is a number of times, 1 to 1000.") }
            guard DurationText.microseconds(grace) != nil else {
                throw ValidationError("--grace is a duration, such as 15m.")
            }
        }

        private struct Row {
            var file: SyncFile
            var schedule: ScheduleDefinition
            var recurrence: Recurrence
            var times: [Int64]
            var last: HistoryEntry?
            var overdueSince: Int64?

            var isOn: Bool { schedule.isEnabled && file.isEnabled }
        }

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let now = WallClock.milliseconds
            let history = try History(workspace)
            var rows: [Row] = []
            var codes = [history.ending]
            for file in try workspace.selected(selection, in: project) {
                guard let schedule = file.schedule else { continue }
                do {
                    rows.append(try row(file, schedule, history, workspace, project, now))
                } catch let failure as CommandFailure {
                    Terminal.writeError(failure.message + "\n")
                    codes.append(failure.exitCode)
                }
            }
            rows = rows.inOrder(by: { $0.times.first ?? .max })
            Terminal.write(listing(rows, project.root).text(options.format, width: options.tableWidth))
            if check, rows.contains(where: { $0.overdueSince != nil }) { codes.append(.attention) }
            try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
        }

        private func row(
            _ file: SyncFile, _ schedule: ScheduleDefinition, _ history: History, _ workspace: Workspace,
            _ project: Project, _ now: Int64
        ) throws -> Row {
            let recurrence = try ScheduleText.recurrence(schedule, of: file)
            let last = history.entries.first { $0.sync == file.name }
            var row = Row(file: file, schedule: schedule, recurrence: recurrence, times: [], last: last)
            guard row.isOn else { return row }
            row.times = recurrence.occurrences(after: now, through: .max, limit: next)
            let attributes = try? FileManager.default.attributesOfItem(atPath: project.root + "/" + file.file)
            // A file that is gone by now was changed just now.
            let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970
            let past = ScheduleStanding.Past(
                lastActivity: last.map { max($0.startedAt, $0.record?.finishedAtMilliseconds ?? 0) },
                changedAt: changed.map { Int64($0 * 1_000) } ?? now,
                isRunning: try StateFileLock.isHeld(folder: workspace.stateFolder(), sync: file.name) ?? false)
            row.overdueSince =
                ScheduleStanding(
                    recurrence, jitter: schedule.jitter, past,
                    grace: (DurationText.microseconds(grace) ?? 0) / 1_000, now: now
                ).overdueSince
            return row
        }

        private func listing(_ rows: [Row], _ root: String) -> Listing {
            let isNarrow = options.isNarrow
            var columns = [Listing.Column("SYNC"), .init(cutFirst: "WHEN"), .init("NEXT")]
            if !isNarrow { columns += [.init("ZONE"), .init("LOCAL"), .init("LAST RUN")] }
            var listing = Listing(kind: "schedule.list", columns: columns)
            listing.remarkTitle = "REMARK"
            for row in rows {
                let zone = row.recurrence.zone
                let times: [Int64?] = row.times.isEmpty ? [nil] : row.times
                for (index, time) in times.enumerated() {
                    let next = time.map { zone.text(at: $0) } ?? (row.isOn ? "never again" : "paused")
                    let last =
                        row.last.map { "\($0.result.rawValue), \(options.listed($0.startedAt))" } ?? "never"
                    var cells = [row.file.name, row.recurrence.words, next]
                    if !isNarrow { cells += [zone.name, time.map { TimeDisplay.local($0) } ?? "", last] }
                    listing.add(cells, json(row, time), remark: index == 0 ? remark(row, root) : nil)
                }
            }
            listing.emptyNote = "No sync has a schedule; write schedule: into syncs/NAME.yml."
            return listing
        }

        private func remark(_ row: Row, _ root: String) -> String? {
            var remarks: [String] = []
            if let due = row.overdueSince {
                remarks.append("overdue: due at \(row.recurrence.zone.text(at: due)), and did not start")
            }
            if let last = row.last, last.result == .unfinished,
                let forecast = RunForecast(resultsOf: last.id, root: root, row.file)
            {
                remarks.append("unfinished: \(forecast.sentence)")
            }
            if row.schedule.isEnabled, !row.file.isEnabled { remarks.append("the sync is off (enabled: false)") }
            return remarks.isEmpty ? nil : remarks.joined(separator: "; ")
        }

        private func json(_ row: Row, _ time: Int64?) -> JSON {
            var object = JSONObject()
            object["sync"] = .string(row.file.name)
            object["words"] = .string(row.recurrence.words)
            switch row.schedule.timing {
            case .cron(let text): object["cron"] = .string(text)
            case .every(let length): object["every_seconds"] = .integer(length / 1_000_000)
            }
            object["timezone"] = .string(row.recurrence.zone.name)
            object["priority"] = .integer(row.schedule.priority)
            object["enabled"] = .bool(row.isOn)
            object["next"] = time.map { .string(TimeDisplay.utc($0)) } ?? .null
            object["next_in_zone"] = time.map { .string(row.recurrence.zone.text(at: $0)) } ?? .null
            object["last_run"] = row.last.map { .string($0.id) } ?? .null
            object["last_status"] = row.last.map { .string($0.result.rawValue) } ?? .null
            object["overdue_since"] = row.overdueSince.map { .string(TimeDisplay.utc($0)) } ?? .null
            return .object(object)
        }
    }
}

extension Array {
    /// The elements by a number, ascending; equal ones stay as they stand.
    fileprivate func inOrder(by number: (Element) -> Int64) -> [Element] {
        enumerated().sorted { (number($0.element), $0.offset) < (number($1.element), $1.offset) }.map(\.element)
    }
}
