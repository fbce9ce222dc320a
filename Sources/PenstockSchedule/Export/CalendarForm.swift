// SPDX-License-Identifier: Apache-2.0

/// A schedule as other schedulers can say it: cron expressions that are due together, in one zone.
package struct CalendarForm: Sendable, Hashable {
    /// Why a schedule cannot be said in a form.
    package struct Refusal: Error, Sendable, Hashable {
        /// A sentence without a full stop.
        package var reason: String
        /// What to do instead.
        package var suggestion: String
    }

    /// The expressions; more than one where the times of a day are no product of hours and minutes.
    package var lines: [CronExpression]
    /// The zone in which they are meant.
    package var zone: ZoneRules

    /// The schedule in this form, which has the same times apart from days on which clocks change.
    ///
    /// - Throws: ``Refusal`` for an interval that no calendar has, such as 7 minutes or 3 days.
    package init(_ recurrence: Recurrence) throws(Refusal) {
        switch recurrence.pattern {
        case .cron(let cron):
            lines = [cron]
            zone = recurrence.zone
        case .days(let count, let anchor):
            let minute = anchor / 60_000
            let time = Int(((minute % 1_440) + 1_440) % 1_440)
            guard anchor % 60_000 == 0, count == 1 || count == 7 else {
                throw Refusal(
                    reason: "every \(count) days is no time of a calendar",
                    suggestion: "write cron:, or let penstock server run it")
            }
            let weekday = count == 1 ? "*" : "\(CronExpression.weekday((minute - Int64(time)) / 1_440))"
            lines = [Self.expression("\(time % 60) \(time / 60) * * \(weekday)")]
            zone = recurrence.zone
        case .elapsed(let length, let anchor):
            guard Recurrence.dayLength % length == 0, length % 60_000 == 0, anchor % 60_000 == 0 else {
                throw Refusal(
                    reason: "an interval that does not divide a day is no time of a calendar",
                    suggestion: "write one that does, such as 15m or 6h, or let penstock server run it")
            }
            // What goes by the time that passes goes by the clock of a zone that never changes.
            zone = .utc
            lines = Self.lines(every: Int(length / 60_000), from: Int((anchor / 60_000 % 1_440 + 1_440) % 1_440))
        }
    }

    private static func lines(every step: Int, from first: Int) -> [CronExpression] {
        var hours: [Int: [Int]] = [:]
        for minute in stride(from: first % step, to: 1_440, by: step) {
            hours[minute % 60, default: []].append(minute / 60)
        }
        var minutes: [[Int]: [Int]] = [:]
        for (minute, hours) in hours { minutes[hours, default: []].append(minute) }
        return minutes.map { hours, minutes in
            let hourText = hours.count == 24 ? "*" : text(hours)
            return expression("\(minutes.count == 60 ? "*" : text(minutes.sorted())) \(hourText) * * *")
        }.sorted { $0.text < $1.text }
    }

    private static func text(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }

    /// An expression that is right because it is made of numbers in range.
    private static func expression(_ text: String) -> CronExpression {
        do {
            return try CronExpression(text)
        } catch {
            preconditionFailure("\(text): \(error.message)")
        }
    }
}

extension CronExpression {
    /// The expression in numbers, lists and ranges alone, which every cron reads.
    package var plain: String {
        func field(_ set: CronSet, _ range: ClosedRange<Int>, isWild: Bool = true) -> String {
            // A field that is written out restricts the day in the eyes of cron, so it stays written out.
            isWild && set.count == range.count ? "*" : Self.ranges(set.numbers, "-") { "\($0)" }
        }
        return [
            field(minutes, 0...59), field(hours, 0...23),
            field(daysOfMonth, 1...31, isWild: !(restrictsDaysOfMonth && restrictsWeekdays)), field(months, 1...12),
            field(weekdays, 0...6, isWild: !(restrictsDaysOfMonth && restrictsWeekdays)),
        ].joined(separator: " ")
    }

    /// Whether a plain cron would take the days of month and week together where this expression wants both.
    package var needsBothDays: Bool {
        !(restrictsDaysOfMonth && restrictsWeekdays) && daysOfMonth.count < 31 && weekdays.count < 7
    }

    /// The value of systemd's `OnCalendar=`, without the zone.
    ///
    /// - Throws: ``CalendarForm/Refusal`` where either of two days is meant: systemd wants both.
    package func onCalendar() throws(CalendarForm.Refusal) -> String {
        if restrictsDaysOfMonth, restrictsWeekdays, daysOfMonth.count < 31, weekdays.count < 7 {
            throw CalendarForm.Refusal(
                reason: "\"\(text)\" is due on either of two days, and systemd runs only where both fit",
                suggestion: "make it two syncs, or let penstock server run it")
        }
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
        func field(_ set: CronSet, _ count: Int) -> String {
            set.count == count ? "*" : Self.ranges(set.numbers, "..", two)
        }
        let isEveryDay = restrictsDaysOfMonth && restrictsWeekdays
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        let week = weekdays.numbers.map { $0 == 0 ? 7 : $0 }.sorted()
        let days = isEveryDay || weekdays.count == 7 ? "" : Self.ranges(week, "..") { names[$0] } + " "
        let date = "*-\(field(months, 12))-\(isEveryDay ? "*" : field(daysOfMonth, 31))"
        return "\(days)\(date) \(field(hours, 24)):\(field(minutes, 60)):00"
    }

    private static func ranges(_ numbers: [Int], _ through: String, _ name: (Int) -> String) -> String {
        var parts: [String] = []
        var index = 0
        while index < numbers.count {
            var end = index
            while end + 1 < numbers.count, numbers[end + 1] == numbers[end] + 1 { end += 1 }
            if end - index >= 2 {
                parts.append(name(numbers[index]) + through + name(numbers[end]))
                index = end + 1
            } else {
                parts.append(name(numbers[index]))
                index += 1
            }
        }
        return parts.joined(separator: ",")
    }
}
