// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockSchedule

/// `penstock schedule`.
struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "When syncs run by themselves.",
        discussion: "Example: penstock schedule list --next 5",
        subcommands: [List.self, Check.self, Pause.self, Resume.self, Export.self], aliases: ["schedules"])

    @OptionGroup var options: GlobalOptions

    /// `penstock schedule check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Say what a cron expression or an interval means, and its next times.",
            discussion: """
                Example: penstock schedule check '15 6 * * MON-FRI' --timezone Europe/Berlin
                         penstock schedule check 6h
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(
            help: ArgumentHelp("Five cron fields in quotes, a word such as @daily, or a duration.", valueName: "when"))
        var text: String

        @Option(name: .long, help: "The time zone, as in Europe/Berlin.")
        var timezone: String = "UTC"

        @Option(name: .long, help: "How many times to show.")
        var next: Int = 5

        func validate() throws {
            guard (1...1_000).contains(next) else { throw ValidationError("--next is a number of times, 1 to 1000.") }
        }

        func run() throws {
            let timing = DurationText.microseconds(text).map { ScheduleDefinition.Timing.every($0) } ?? .cron(text)
            let recurrence: Recurrence
            do {
                recurrence = try Recurrence(ScheduleDefinition(timing: timing, timezone: timezone))
            } catch {
                throw CommandFailure(error, in: text)
            }
            let now = WallClock.milliseconds
            let times = recurrence.occurrences(after: now, through: .max, limit: next)
            let changes = recurrence.clockChanges(after: now, through: now + 366 * 86_400_000)
            if options.isMachineReadable {
                let data = ScheduleText.json(recurrence, times, changes)
                Terminal.write(Document(kind: "schedule.check", data: data).text(options.format))
            } else {
                Terminal.write(ScheduleText.page(recurrence, times, changes))
            }
        }
    }

    /// `penstock schedule pause`.
    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Keep a sync from running by itself; it can still be run by hand.",
            discussion: "Example: penstock schedule pause orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        func run() throws { try ScheduleSwitch(Workspace(options)).set(sync, to: false) }
    }

    /// `penstock schedule resume`.
    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Let a sync run by itself again.",
            discussion: "Example: penstock schedule resume orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        func run() throws { try ScheduleSwitch(Workspace(options)).set(sync, to: true) }
    }
}

/// Turns schedules on and off in the files of the project.
struct ScheduleSwitch {
    private let workspace: Workspace

    /// A switch for a project.
    init(_ workspace: Workspace) { self.workspace = workspace }

    /// Writes `schedule.enabled` of a sync, and says what is so now.
    func set(_ name: String, to isEnabled: Bool) throws {
        let (project, _) = try workspace.loadProject(resolves: false)
        let file = try workspace.sync(name, in: project)
        guard let schedule = file.schedule else {
            throw CommandFailure(
                .usage, code: "no-schedule", "\(name) has no schedule",
                notes: ["write into \(file.file): schedule: {cron: \"15 6 * * MON-FRI\", timezone: Europe/Berlin}"])
        }
        let isChanged = schedule.isEnabled != isEnabled
        if isChanged { try write(file, isEnabled) }
        let recurrence = try ScheduleText.recurrence(schedule, of: file)
        let next = isEnabled && file.isEnabled ? recurrence.next(after: WallClock.milliseconds) : nil
        if workspace.options.isMachineReadable {
            let data = JSON.object([
                "sync": .string(name), "file": .string(file.file), "enabled": .bool(isEnabled),
                "changed": .bool(isChanged), "next": next.map { .string(TimeDisplay.utc($0)) } ?? .null,
            ])
            Terminal.write(Document(kind: "schedule.switch", data: data).text(workspace.options.format))
            return
        }
        guard !workspace.options.quiet else { return }
        let state = isEnabled ? "on" : "paused"
        var text = "\(name): the schedule is \(state)\(isChanged ? "" : " already")  (\(file.file))\n"
        if let next { text += "  next   \(recurrence.zone.text(at: next)) \(recurrence.zone.name)\n" }
        if isEnabled, !file.isEnabled { text += "  The sync itself is off (enabled: false), so it does not run.\n" }
        Terminal.write(text)
    }

    private func write(_ file: SyncFile, _ isEnabled: Bool) throws {
        try ProjectEdit.edit(file.file, of: workspace) { editor in
            try editor.set(file.pathInFile + ["schedule", "enabled"], to: .boolean(isEnabled))
        }
    }
}

extension CommandFailure {
    /// An end because an expression, interval or zone is wrong; marks the place in `text`.
    init(_ problem: ScheduleProblem, in text: String) {
        var notes: [String] = []
        if problem.subject == .cron, !text.isEmpty {
            let length = problem.length == 0 ? text.unicodeScalars.count : problem.length
            notes = [
                text.printable,
                String(repeating: " ", count: problem.offset) + String(repeating: "^", count: length)
                    + (problem.suggestion.map { " \($0)" } ?? ""),
            ]
        } else if let suggestion = problem.suggestion {
            notes = [suggestion]
        }
        let code =
            switch problem.subject {
            case .cron: "cron"
            case .timezone: "timezone"
            case .every: "range"
            }
        self.init(.config, code: code, problem.message, notes: notes)
    }
}

/// Schedules as text and JSON.
enum ScheduleText {
    /// The times of a sync's schedule.
    ///
    /// - Throws: ``CommandFailure`` 78.
    static func recurrence(_ schedule: ScheduleDefinition, of file: SyncFile) throws(CommandFailure) -> Recurrence {
        do {
            return try Recurrence(schedule)
        } catch {
            throw CommandFailure(
                .config, code: "schedule", "\(file.name): \(error.message)",
                notes: [error.suggestion, "penstock validate \(file.name)"].compactMap { $0 })
        }
    }

    /// What a schedule means: words, next times, changes of the clocks.
    static func page(_ recurrence: Recurrence, _ times: [Int64], _ changes: [ClockChange]) -> String {
        var lines = ["\(recurrence.words)   (\(recurrence.zone.name))", ""]
        let shown = times.map { (recurrence.zone.text(at: $0), TimeDisplay.local($0)) }
        let width = (shown.map(\.0.count) + [4]).max() ?? 4
        lines.append("  " + "NEXT".fitted(to: width) + "   LOCAL")
        lines += shown.map { "  " + $0.0.fitted(to: width) + "   " + $0.1 }
        lines.append("")
        if changes.isEmpty {
            lines.append("  Clocks in \(recurrence.zone.name) are not changed within a year.")
        } else {
            for (index, change) in changes.enumerated() {
                lines.append((index == 0 ? "  Clocks   " : "           ") + change.words)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same for programs.
    static func json(_ recurrence: Recurrence, _ times: [Int64], _ changes: [ClockChange]) -> JSON {
        .object([
            "words": .string(recurrence.words), "timezone": .string(recurrence.zone.name),
            "next": .array(times.map { time($0, recurrence.zone) }),
            "clock_changes": .array(
                changes.map {
                    .object(["at": .string(TimeDisplay.utc($0.change.at)), "effect": .string($0.words)])
                }),
        ])
    }

    /// A time: in UTC, and as a clock in the zone shows it.
    static func time(_ time: Int64, _ zone: ZoneRules) -> JSON {
        .object(["at": .string(TimeDisplay.utc(time)), "zone": .string(zone.text(at: time))])
    }
}
