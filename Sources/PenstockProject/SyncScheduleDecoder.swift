// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockSchedule

extension SyncDecoder {
    /// Decodes `schedule`; one that comes from the defaults alone and names no time is none.
    mutating func schedule() {
        guard let schedule = section("schedule", .schedule), !schedule.isInvalid else { return }
        var (cron, every) = (schedule.entry("cron"), schedule.entry("every"))
        if let own = cron, every?.value.isInherited == true, !own.value.isInherited { every = nil }
        if let own = every, cron?.value.isInherited == true, !own.value.isInherited { cron = nil }
        if let cron, let every {
            findings.error(
                .schedule, at: every.keySpan, "a schedule has cron or every, not both",
                suggestion: "cron is in line \(cron.keySpan.line); keep one of the two")
        }
        guard let timing = cron ?? every else {
            guard !schedule.isInherited else { return }
            findings.error(
                .schedule, at: sync.position(of: .schedule), "the schedule does not say when",
                suggestion: "add cron: or every:")
            return
        }
        sync.spans[.scheduleTiming] = timing.value.span
        var result = ScheduleDefinition(timing: .cron(cron?.value.text ?? ""))
        if cron == nil { result.timing = .every((every?.value.text).flatMap(DurationText.microseconds) ?? 0) }
        let zone = value(schedule, "timezone", .scheduleTimezone)
        result.timezone = zone?.text ?? result.timezone
        result.start = start(schedule["start"])
        result.jitter = (schedule["jitter"]?.text).flatMap(DurationText.microseconds) ?? 0
        result.catchUp = Self.word(schedule["catch_up"], ScheduleDefinition.CatchUp.self) ?? .latest
        result.overlap = Self.word(schedule["overlap"], ScheduleDefinition.Overlap.self) ?? .skip
        result.priority = (schedule["priority"]?.text).flatMap(ScalarText.integer) ?? 0
        result.isEnabled = (schedule["enabled"]?.text).flatMap(ScalarText.boolean) ?? true
        sync.schedule = result
        check(result, cron: cron?.value, every: every?.value, zone: zone)
        checkRepeat(result)
    }

    /// The first start: a local time, whose zone is the schedule's.
    private mutating func start(_ node: YAMLNode?) -> Int64? {
        guard let node, !node.isInvalid, let text = node.text, !Reference.isPresent(in: text) else { return nil }
        if let day = TimeText.parseDate(text) { return day * 86_400_000 }
        guard let stamp = TimeText.parseStamp(text) else {
            findings.error(
                .scheduleStart, at: node.span, "\"\(text)\" is not a date and time",
                suggestion: "write start: 2026-11-01 06:15")
            return nil
        }
        guard stamp.offset == nil else {
            findings.error(
                .scheduleStart, at: node.span, "start is a local time of the schedule's zone, without an offset",
                suggestion: "leave the offset away, and write timezone: beside it")
            return nil
        }
        return stamp.local / 1_000
    }

    private mutating func check(_ definition: ScheduleDefinition, cron: YAMLNode?, every: YAMLNode?, zone: YAMLNode?) {
        if let zone, !zone.isInvalid, let name = zone.text, !Reference.isPresent(in: name) {
            do {
                _ = try ZoneDatabase.system.rules(name)
            } catch {
                findings.error(.timezone, at: zone.span, error.message, suggestion: error.suggestion)
            }
        }
        // The zone was looked at above, and may be a reference that is not replaced yet.
        var timing = definition
        timing.timezone = "UTC"
        do {
            if let node = cron ?? every, node.isInvalid || Reference.isPresent(in: node.text ?? "") { return }
            _ = try Recurrence(timing)
        } catch {
            guard let cron else {
                findings.error(.range, at: every?.span ?? sync.position(of: .schedule), error.message)
                return
            }
            findings.error(
                .cron, at: Self.span(of: error, in: cron), error.message, suggestion: error.suggestion,
                notes: ["example: \"15 6 * * MON-FRI\""])
        }
    }

    /// The part of a cron expression that a problem is about, where the file shows it letter by letter.
    private static func span(of problem: ScheduleProblem, in node: YAMLNode) -> SourceSpan {
        var span = node.span
        let count = (node.text ?? "").unicodeScalars.count
        let isQuoted = span.length == count + 2
        guard problem.length > 0, problem.length < count, span.length >= problem.offset + problem.length else {
            return span
        }
        span.column += problem.offset + (isQuoted ? 1 : 0)
        span.length = problem.length
        return span
    }

    private mutating func checkRepeat(_ schedule: ScheduleDefinition) {
        let definition = sync.definition
        let isMeant = definition.insert.repeats == .allow || !schedule.isEnabled
        guard definition.fetch.mode == .full, definition.insert.mode == .append, !isMeant else { return }
        guard node["fetch"]?["mode"]?.isInvalid != true, node["insert"]?["mode"]?.isInvalid != true else { return }
        findings.warning(
            .appendFullRepeat, at: sync.position(of: .scheduleTiming),
            "FULL + Append inserts all rows on every run", suggestion: "every row again, each time",
            notes: ["use fetch: INCREMENTAL, or insert: Update, or say insert.repeat: allow"])
    }
}
