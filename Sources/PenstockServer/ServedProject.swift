// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject
import PenstockSchedule

/// A project as the server sees it: its syncs and when they are due.
///
/// It is read without connectors and without secrets: the processes of the runs need both, the server neither.
package struct ServedProject: Sendable {
    /// A sync, with what is told of it.
    package struct Entry: Sendable {
        /// The name.
        package var name: String
        /// The title, or nil.
        package var title: String?
        /// Whether it runs at all.
        package var isEnabled: Bool
        /// Its schedule, or nil.
        package var schedule: ScheduleDefinition?
        /// The destination's connection.
        package var connection: String
        /// Whether another run of it inserts every row again.
        package var repeatsAll: Bool
        /// What the planner needs.
        package var tick: TickSync
    }

    /// Why a project is not taken over.
    package struct Problem: Error {
        /// One line per finding.
        package var lines: [String]
    }

    /// The project's name.
    package var name: String
    /// Whether somebody is to be told of what goes wrong.
    package var hasAlerts: Bool
    /// The syncs that have no errors, by name.
    package var entries: [Entry]

    /// Reads the project.
    ///
    /// - Throws: ``Problem`` where anything in its files is wrong.
    package init(root: String, profile: String?, version: String) throws(Problem) {
        let (project, findings) = Project.load(root: root, profile: profile, version: version, resolver: nil)
        var errors = findings.filter { $0.severity == .error }.map {
            "\($0.file):\($0.line):\($0.column): error[\($0.code)]: \($0.message)"
        }
        var entries: [Entry] = []
        for sync in project.syncs {
            do throws(Problem) {
                entries.append(try Self.entry(sync))
            } catch {
                errors += error.lines
            }
        }
        guard errors.isEmpty else { throw Problem(lines: errors) }
        name = project.name
        hasAlerts = !project.alerts.isEmpty
        self.entries = entries
    }

    private static func entry(_ sync: SyncFile) throws(Problem) -> Entry {
        Entry(
            name: sync.name, title: sync.title, isEnabled: sync.isEnabled, schedule: sync.schedule,
            connection: sync.definition.destination.connection,
            repeatsAll: sync.definition.fetch.mode == .full && sync.definition.insert.mode == .append,
            tick: try tick(sync))
    }

    private static func tick(_ sync: SyncFile) throws(Problem) -> TickSync {
        guard sync.isEnabled, let schedule = sync.schedule, schedule.isEnabled else {
            return TickSync(
                unscheduled: sync.name, predecessors: sync.predecessors, priority: sync.schedule?.priority ?? 0)
        }
        let recurrence: Recurrence
        do {
            recurrence = try Recurrence(schedule)
        } catch {
            throw Problem(lines: ["\(sync.file): error[schedule]: \(error.message)"])
        }
        return TickSync(
            name: sync.name, definition: schedule.definitionText, jitter: schedule.jitter / 1_000,
            catchUp: schedule.catchUp, overlap: schedule.overlap, predecessors: sync.predecessors,
            priority: schedule.priority,
            next: { recurrence.next(after: $0) },
            occurrences: { recurrence.occurrences(after: $0, through: $1, limit: $2) })
    }
}

extension ScheduleDefinition {
    /// A text that changes exactly when the times change at which a sync is due.
    var definitionText: String {
        let times =
            switch timing {
            case .cron(let text): "cron \(text)"
            case .every(let microseconds): "every \(microseconds)"
            }
        return "\(times) \(timezone)\(start.map { " from \($0)" } ?? "")"
    }

    /// The schedule for programs.
    var json: JSON {
        var object = JSONObject()
        switch timing {
        case .cron(let text): object["cron"] = .string(text)
        case .every(let microseconds): object["every_seconds"] = .integer(microseconds / 1_000_000)
        }
        object["timezone"] = .string(timezone)
        if let start { object["start"] = .string(TimeText.timestamp(start * 1_000)) }
        object["priority"] = .integer(priority)
        object["jitter_seconds"] = .integer(jitter / 1_000_000)
        object["catch_up"] = .string(catchUp.rawValue)
        object["overlap"] = .string(overlap.rawValue)
        object["enabled"] = .bool(isEnabled)
        return .object(object)
    }
}

/// The files of a project as they were last looked at, to see that something has changed.
struct ProjectStamp: Equatable {
    private var files: [String: [Int64]] = [:]

    private static let folders = ["", "models", "syncs", "templates"]
    private static let endings = [".yml", ".yaml", ".sql"]

    /// The files as they are now.
    init(root: String) {
        for folder in Self.folders {
            let path = folder.isEmpty ? root : root + "/" + folder
            // A folder that is not there has no files.
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            where Self.endings.contains(where: name.hasSuffix) {
                var status = stat()
                guard stat(path + "/" + name, &status) == 0 else { continue }
                files[folder + "/" + name] = [
                    Int64(status.st_ino), Int64(status.st_size), Int64(status.st_mtim.tv_sec),
                    Int64(status.st_mtim.tv_nsec), Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec),
                ]
            }
        }
    }
}
