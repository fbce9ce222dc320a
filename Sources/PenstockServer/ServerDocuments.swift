// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockSchedule
import PenstockState

extension ServiceStatus {
    /// The server for programs; times are RFC 3339 in UTC.
    package var json: JSON {
        .object([
            "project": .string(project), "root": .string(root), "version": .string(version), "pid": .integer(pid),
            "state": .string(phase.rawValue), "started_at": .string(startedAt.utcText), "now": .string(now.utcText),
            "clock_speed": .integer(speed), "jobs": .integer(jobs), "loaded_at": .string(loadedAt.utcText),
            "project_problems": .strings(problems), "queue": .array(items.map(\.json)),
            "syncs": .array(entries.map { json(of: $0) }),
        ])
    }

    /// A sync for programs.
    func json(of entry: ServedProject.Entry) -> JSON {
        .object([
            "name": .string(entry.name), "title": entry.title.map { .string($0) } ?? .null,
            "enabled": .bool(entry.isEnabled), "connection": .string(entry.connection),
            "state": .string(state(of: entry.name)), "schedule": entry.schedule?.json ?? .null,
            "next_at": upcoming(entry, count: 1).first.map { .string($0.utcText) } ?? .null,
        ])
    }
}

extension TickBook.Item {
    /// The item for programs.
    var json: JSON {
        .object([
            "sync": .string(sync), "tick": .string(tick.utcText), "state": .string(state.rawValue),
            "not_before": .string(notBefore.utcText), "attempts": .integer(attempts), "made_up": .bool(isMissed),
            "asked": .bool(isAsked),
        ])
    }
}

extension TickEntry {
    /// The entry for programs.
    package var json: JSON {
        .object([
            "sync": .string(sync), "tick": .string(last.utcText), "first": .string(first.utcText),
            "count": .integer(count), "state": .string(state), "reason": reason.map { .string($0) } ?? .null,
            "attempts": .integer(attempts), "made_up": .bool(isMissed), "asked": .bool(isAsked),
            "run": run.map { .string($0) } ?? .null, "exit_code": exitCode.map { .integer($0) } ?? .null,
            "decided_at": .string(decidedAt.utcText),
            "started_at": startedAt.map { .string($0.utcText) } ?? .null,
            "ended_at": endedAt.map { .string($0.utcText) } ?? .null,
        ])
    }
}

extension RunRecord {
    /// The run for programs.
    func json(sync: String) -> JSON {
        var numbers = JSONObject()
        for (name, value) in counts.sorted(by: { $0.key < $1.key }) { numbers.append(name, .integer(value)) }
        return .object([
            "run": .string(id), "sync": .string(sync), "status": .string(status.rawValue),
            "started_at": .string(startedAtMilliseconds.utcText),
            "finished_at": finishedAtMilliseconds.map { .string($0.utcText) } ?? .null,
            "attempts": .integer(attempts), "exit_code": exitCode.map { .integer($0) } ?? .null,
            "counts": .object(numbers), "message": .string(message),
        ])
    }
}
