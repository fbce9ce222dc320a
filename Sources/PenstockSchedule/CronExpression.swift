// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A cron expression: minute, hour, day of month, month and day of week, or a word such as `@daily`.
///
/// As in cron, a day is due when the day of month **or** the day of week fits where both are restricted, and when both
/// fit where one of them begins with `*`.
package struct CronExpression: Sendable, Hashable {
    /// The expression as it was written.
    package let text: String
    /// Minute, hour, day of month, month and day of week, with a word such as `@daily` replaced.
    package let fields: [String]
    let minutes: CronSet
    let hours: CronSet
    let daysOfMonth: CronSet
    let months: CronSet
    /// 0 is Sunday; there is no 7.
    let weekdays: CronSet
    /// Whether days of the month are named.
    let restrictsDaysOfMonth: Bool
    /// Whether days of the week are named.
    let restrictsWeekdays: Bool

    /// The words that stand for an expression.
    package static let words: [(word: String, fields: String)] = [
        ("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 1 *"),
    ]

    /// Reads an expression.
    ///
    /// - Throws: ``ScheduleProblem`` about the first word that is wrong.
    package init(_ text: String) throws(ScheduleProblem) {
        let scalars = text.unicodeScalars.count
        var words = Self.split(text)
        if let first = words.first, first.text.hasPrefix("@") {
            guard words.count == 1, let found = Self.words.first(where: { $0.word == first.text.lowercased() }) else {
                let known = Self.words.map(\.word)
                throw ScheduleProblem(
                    .cron,
                    first.text.lowercased() == "@reboot"
                        ? "a sync is not started by a restart of the machine" : "there is no \"\(text)\"",
                    suggestion: NearestName.of(first.text, in: known).map { "did you mean \($0)?" }
                        ?? "words: \(known.joined(separator: ", "))",
                    offset: first.offset, length: max(scalars - first.offset, 1))
            }
            words = Self.split(found.fields)
        }
        guard words.count == CronField.all.count else {
            let found = words.count == 1 ? "1 field" : "\(words.count) fields"
            throw ScheduleProblem(
                .cron, "a cron expression has 5 fields (minute hour day month weekday), not \(found)",
                suggestion: words.count == 6 ? "leave the seconds out" : nil, length: max(scalars, 1))
        }
        var values: [CronField.Value] = []
        for (word, field) in zip(words, CronField.all) {
            values.append(try field.value(of: word.text, at: word.offset))
        }
        self.text = text
        fields = words.map(\.text)
        minutes = values[0].numbers
        hours = values[1].numbers
        daysOfMonth = values[2].numbers
        months = values[3].numbers
        var days = values[4].numbers
        if days.contains(7) {
            days.remove(7)
            days.insert(0)
        }
        weekdays = days
        restrictsDaysOfMonth = !values[2].isWild
        restrictsWeekdays = !values[4].isWild
        guard isEverDue else {
            throw ScheduleProblem(
                .cron, "this never runs: the months have no such day", offset: words[2].offset,
                length: words[3].offset + words[3].text.unicodeScalars.count - words[2].offset)
        }
    }

    /// Whether it runs in every hour of the day, and so goes by the time that passes and not by the hour that is shown.
    package var runsEveryHour: Bool { hours.count == 24 }

    /// Whether a day is due: days since 1970-01-01, as a clock in the zone shows them.
    func includes(day: Int64) -> Bool {
        let date = CivilDate(near: day)
        guard months.contains(Int(date.month)) else { return false }
        let fitsMonth = daysOfMonth.contains(Int(date.day))
        let fitsWeek = weekdays.contains(Self.weekday(day))
        return restrictsDaysOfMonth && restrictsWeekdays ? fitsMonth || fitsWeek : fitsMonth && fitsWeek
    }

    /// The weekday of a day since 1970-01-01, 0 for Sunday.
    static func weekday(_ day: Int64) -> Int { Int(((day + 4) % 7 + 7) % 7) }

    /// The first minute of a day, from `minute` on, that is due on a due day; nil where there is none.
    func minuteOfDay(from minute: Int) -> Int? {
        guard var hour = hours.first(from: minute / 60) else { return nil }
        if hour == minute / 60 {
            if let found = minutes.first(from: minute % 60) { return hour * 60 + found }
            guard let next = hours.first(from: hour + 1) else { return nil }
            hour = next
        }
        return minutes.first(from: 0).map { hour * 60 + $0 }
    }

    private var isEverDue: Bool {
        if restrictsDaysOfMonth, restrictsWeekdays { return true }
        let lengths = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        let first = daysOfMonth.first(from: 0) ?? 0
        return months.numbers.contains { first <= lengths[$0] }
    }

    private static func split(_ text: String) -> [(offset: Int, text: String)] {
        var words: [(offset: Int, text: String)] = []
        var word = String.UnicodeScalarView()
        for (index, scalar) in (Array(text.unicodeScalars) + [" "]).enumerated() {
            guard scalar == " " || scalar == "\t" else {
                word.append(scalar)
                continue
            }
            if !word.isEmpty { words.append((index - word.count, String(word))) }
            word = String.UnicodeScalarView()
        }
        return words
    }
}
