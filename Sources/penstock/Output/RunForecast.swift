// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockSchedule

/// When a sync that costs more than today's budget is done, in words and as JSON.
struct RunForecast {
    private let work: BudgetForecast.Work
    private let ahead: BudgetForecast.Work
    private let allowance: BudgetForecast.Allowance
    private let outcome: BudgetForecast.Outcome
    private let isScheduled: Bool

    /// A forecast from now on: by the sync's schedule where it has one that is on.
    ///
    /// - Parameter ahead: What is to be spent of the same budget before this work begins.
    init(
        _ work: BudgetForecast.Work, ahead: BudgetForecast.Work = .none, _ allowance: BudgetForecast.Allowance,
        _ file: SyncFile
    ) {
        self.work = work
        self.ahead = ahead
        self.allowance = allowance
        var recurrence: Recurrence?
        if let schedule = file.schedule, schedule.isEnabled, file.isEnabled {
            // A schedule that is wrong is told of by what checks files.
            recurrence = try? Recurrence(schedule)
        }
        isScheduled = recurrence != nil
        outcome =
            BudgetForecast(ahead + work, allowance, now: WallClock.milliseconds) { time in
                recurrence.map { $0.next(after: time - 1) } ?? time
            }.outcome
    }

    /// The forecast that a run has left behind, as things stand now; nil where it has left none.
    init?(resultsOf run: String, root: String, _ file: SyncFile) {
        let path = "\(root)/.penstock/runs/\(run)/run_results.json"
        guard let data = FileManager.default.contents(atPath: path),
            // What cannot be read says nothing.
            let forecast = try? JSON(parsing: [UInt8](data))["data"]?["forecast"],
            let tokens = forecast["tokens_left"]?.intValue, let requests = forecast["requests_left"]?.intValue,
            let slots = forecast["requests_per_window"]?.intValue, let window = forecast["window_ms"]?.intValue,
            let renewal = forecast["renews_at_ms"]?.intValue
        else { return nil }
        let allowance = BudgetForecast.Allowance(
            left: forecast["spendable"]?.intValue.map(Int64.init), daily: forecast["daily"]?.intValue.map(Int64.init),
            renewsAt: Int64(renewal), slots: Int64(slots), window: Int64(window))
        self.init(
            .init(tokens: Int64(tokens), requests: Int64(requests)), allowance.carried(to: WallClock.milliseconds), file
        )
    }

    /// One sentence without a full stop.
    var sentence: String {
        let tokens = "about \(counted(work.tokens, "token")) \(work.tokens == 1 ? "is" : "are") left to spend"
        switch outcome {
        case .today(let end): return "\(tokens): it fits today, and ends \(Self.day(end))"
        case .later(let end, _):
            let how = isScheduled ? "by its schedule" : "if it is run again when the budget is renewed"
            return "\(tokens): this backfill ends \(Self.day(end)), \(how)"
        case .never: return "\(tokens), and the reserve leaves nothing for them on any day"
        case .unknown:
            return allowance.daily == nil
                ? "\(tokens); with budget.daily_tokens in the connection, the end could be told"
                : "\(tokens): that takes longer than can be told"
        }
    }

    /// The same for programs.
    var json: JSON {
        var object = JSONObject()
        switch outcome {
        case .today(let end):
            object["outcome"] = .string("today")
            object["ends_at"] = .string(TimeDisplay.utc(end))
        case .later(let end, let parts):
            object["outcome"] = .string("later")
            object["ends_at"] = .string(TimeDisplay.utc(end))
            object["parts"] = .integer(parts)
        case .never: object["outcome"] = .string("never")
        case .unknown: object["outcome"] = .string("unknown")
        }
        object["tokens_left"] = .integer(work.tokens)
        object["requests_left"] = .integer(work.requests)
        object["tokens_ahead"] = .integer(ahead.tokens)
        object["spendable"] = allowance.left.map { .integer($0) } ?? .null
        object["daily"] = allowance.daily.map { .integer($0) } ?? .null
        object["renews_at_ms"] = .integer(allowance.renewsAt)
        object["requests_per_window"] = .integer(allowance.slots)
        object["window_ms"] = .integer(allowance.window)
        return .object(object)
    }

    /// A time in the machine's zone: `at 14:00`, `Thursday 14:00`, `Thursday 2026-12-24 14:00`.
    private static func day(_ milliseconds: Int64) -> String {
        // The next full minute: an end that is named must not be too early.
        let (now, then) = (parts(WallClock.milliseconds), parts(milliseconds + 59_999))
        let text = TimeDisplay.local(milliseconds + 59_999)
        let time = text.dropFirst("2026-11-26 ".count).prefix("14:00".count)
        if now.tm_year == then.tm_year, now.tm_yday == then.tm_yday { return "at \(time)" }
        let names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
        let name = names[Int(then.tm_wday)]
        let isNear = milliseconds - WallClock.milliseconds < 6 * 86_400_000
        return isNear ? "\(name) \(time)" : "\(name) \(text.prefix("2026-11-26".count)) \(time)"
    }

    private static func parts(_ milliseconds: Int64) -> tm {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return parts
    }
}
