// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension Recurrence {
    /// When it runs, in words without the zone, for example `At 06:15, Monday to Friday`.
    package var words: String {
        switch pattern {
        case .cron(let cron):
            return cron.words + (start.map { ", from \(Self.text($0))" } ?? "")
        case .elapsed(let length, _):
            return "Every " + Self.length(length) + (start.map { ", from \(Self.text($0))" } ?? "")
        case .days(let count, let anchor):
            let days = count == 1 ? "day" : "\(count) days"
            let clock = TimeText.time((anchor - TimeText.day(of: anchor * 1_000) * Self.dayLength) * 1_000)
            let time = clock.hasSuffix(":00") ? String(clock.prefix(5)) : clock
            return "Every \(days) at \(time)" + (start == nil ? "" : ", from \(Self.text(anchor).prefix(10))")
        }
    }

    /// A local time as text: the date, and the time to the minute where that is all of it.
    static func text(_ local: Int64) -> String {
        let text = TimeText.timestamp(local * 1_000)
        let day = text.prefix { $0 != "T" }
        let time = text.dropFirst(day.count + 1)
        return "\(day) \(time.hasSuffix(":00") ? time.dropLast(3) : time)"
    }

    private static func length(_ milliseconds: Int64) -> String {
        let units: [(Int64, String)] = [(3_600_000, "hour"), (60_000, "minute"), (1_000, "second")]
        for (unit, name) in units where milliseconds % unit == 0 {
            let count = milliseconds / unit
            return count == 1 ? name : "\(count) \(name)s"
        }
        return "\(milliseconds) milliseconds"
    }
}

extension CronExpression {
    /// The expression in words, for example `At 06:15, Monday to Friday`.
    package var words: String {
        let day = dayWords
        let times = timeWords
        return times.text + (day.map { ", " + $0 } ?? (times.isDaily && monthWords == nil ? ", every day" : ""))
            + (monthWords.map { ", in " + $0 } ?? "")
    }

    private var timeWords: (text: String, isDaily: Bool) {
        let (minutes, hours) = (minutes.numbers, hours.numbers)
        let step = Self.step(minutes, of: 60)
        let steps = step == 1 ? "Every minute" : step.map { "Every \($0) minutes" }
        let from = minutes[0] == 0 || minutes.count == 1 ? "" : " from minute \(minutes[0])"
        if hours.count == 24 {
            if let steps, minutes.count > 1 { return (steps + from, false) }
            if minutes == [0] { return ("Every hour", false) }
            let plural = minutes.count == 1 ? "minute" : "minutes"
            return ("Every hour at \(plural) \(Self.list(minutes.map(String.init)))", false)
        }
        if minutes.count * hours.count <= 6 {
            let times = hours.flatMap { hour in minutes.map { Self.clock(hour, $0) } }
            return ("At \(Self.list(times))", true)
        }
        if minutes.count == 1, let step = Self.step(hours, of: 24), step > 1 {
            return ("Every \(step) hours from \(Self.clock(hours[0], minutes[0]))", false)
        }
        let isRun = hours.count > 1 && hours.count == hours[hours.count - 1] - hours[0] + 1
        if isRun || hours.count == 1 {
            let span =
                "from \(Self.clock(hours[0], minutes[0])) to \(Self.clock(hours[hours.count - 1], minutes[minutes.count - 1]))"
            if minutes.count == 1 { return ("Every hour \(span)", false) }
            if let steps { return ("\(steps) \(span)", false) }
        }
        let plurals = (minutes.count == 1 ? "minute" : "minutes", hours.count == 1 ? "hour" : "hours")
        return (
            "At \(plurals.0) \(Self.list(Self.spans(minutes) { "\($0)" })) of \(plurals.1) "
                + Self.list(Self.spans(hours) { "\($0)" }), false
        )
    }

    private var dayWords: String? {
        let month = Set(daysOfMonth.numbers) == Set(1...31) ? nil : daysOfMonth.numbers
        let week = weekdays.count == 7 ? nil : weekdays.numbers
        let names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        // The week begins on Monday.
        let days = week.map { week in
            Self.spans(week.map { $0 == 0 ? 7 : $0 }.sorted()) { names[$0] }
        }
        let weekText = days.map { $0.count == 1 && $0[0].contains(" to ") ? $0[0] : "on " + Self.list($0) }
        let monthText = month.map { month in
            (month.count == 1 ? "on day " : "on days ") + Self.list(Self.spans(month) { "\($0)" }) + " of the month"
        }
        let either = restrictsDaysOfMonth && restrictsWeekdays
        switch (monthText, weekText) {
        case (nil, nil): return nil
        case (let month?, nil): return either ? nil : month
        case (nil, let week?): return either ? nil : week
        case (let month?, let week?):
            let week = week.hasPrefix("on ") ? week : "on " + week
            return month + (either ? " or " : " that fall ") + week
        }
    }

    private var monthWords: String? {
        guard months.count < 12 else { return nil }
        let names = [
            "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ]
        return Self.list(Self.spans(months.numbers) { names[$0] })
    }

    /// The distance between neighbours, where it is one and the same all around the clock.
    private static func step(_ numbers: [Int], of whole: Int) -> Int? {
        guard numbers.count > 1, whole % numbers.count == 0 else { return nil }
        let step = whole / numbers.count
        return zip(numbers, numbers.dropFirst()).allSatisfy { $1 - $0 == step } ? step : nil
    }

    private static func clock(_ hour: Int, _ minute: Int) -> String {
        (hour < 10 ? "0" : "") + "\(hour):" + (minute < 10 ? "0" : "") + "\(minute)"
    }

    /// `a`, `b to d`: runs of three and more become spans.
    private static func spans(_ numbers: [Int], _ name: (Int) -> String) -> [String] {
        var parts: [String] = []
        var index = 0
        while index < numbers.count {
            var end = index
            while end + 1 < numbers.count, numbers[end + 1] == numbers[end] + 1 { end += 1 }
            if end - index >= 2 {
                parts.append("\(name(numbers[index])) to \(name(numbers[end]))")
                index = end + 1
            } else {
                parts.append(name(numbers[index]))
                index += 1
            }
        }
        return parts
    }

    private static func list(_ words: [String]) -> String {
        guard words.count > 1 else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " and " + (words.last ?? "")
    }
}
