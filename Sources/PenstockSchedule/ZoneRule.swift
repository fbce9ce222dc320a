// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The rule for all years after the last one that a zone's file lists, as in `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRule: Sendable, Hashable {
    /// How far clocks are ahead of UTC outside of summer time, in milliseconds.
    let standard: Int64
    private let summer: Summer?

    private struct Summer: Sendable, Hashable {
        var offset: Int64
        var start: Day
        var end: Day
    }

    private struct Day: Sendable, Hashable {
        enum Form: Sendable, Hashable {
            /// The `week`th such weekday of a month; 5 is the last.
            case weekday(month: Int64, week: Int64, weekday: Int64)
            /// A day of the year from 1, February 29 never counted.
            case withoutLeapDay(Int64)
            /// A day of the year from 0.
            case dayOfYear(Int64)
        }
        var form: Form
        /// Milliseconds after midnight; may be before it, or on another day.
        var time: Int64
    }

    /// The rule of a footer, or nil where it is none.
    init?(footer: String) {
        var scanner = Scanner(Array(footer.utf8))
        guard scanner.name(), let standard = scanner.time() else { return nil }
        self.standard = -standard
        guard !scanner.isAtEnd else {
            summer = nil
            return
        }
        guard scanner.name() else { return nil }
        var offset = self.standard + 3_600_000
        if !scanner.isNext(",") {
            guard let written = scanner.time() else { return nil }
            offset = -written
        }
        guard let start = scanner.day(), let end = scanner.day(), scanner.isAtEnd else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    /// The two changes of a year, ascending; none without summer time.
    func steps(year: Int64) -> [(at: Int64, offset: Int64)] {
        guard let summer else { return [] }
        let start = Self.local(summer.start, year) - standard
        let end = Self.local(summer.end, year) - summer.offset
        let steps = [(at: start, offset: summer.offset), (at: end, offset: standard)]
        return start < end ? steps : steps.reversed()
    }

    /// The year of a time since 1970 UTC.
    static func year(of milliseconds: Int64) -> Int64 {
        CivilDate(near: TimeText.day(of: milliseconds * 1_000)).year
    }

    private static func local(_ day: Day, _ year: Int64) -> Int64 {
        let first = CivilDate(year: year, month: 1, day: 1)?.days ?? 0
        let days: Int64
        switch day.form {
        case .dayOfYear(let number): days = first + number
        case .withoutLeapDay(let number):
            let isLeap = CivilDate(year: year, month: 2, day: 29) != nil
            days = first + number - 1 + (isLeap && number >= 60 ? 1 : 0)
        case .weekday(let month, let week, let weekday):
            let monthStart = CivilDate(year: year, month: month, day: 1)?.days ?? 0
            let ahead = (weekday - Int64(CronExpression.weekday(monthStart)) + 7) % 7
            let nextMonth = CivilDate(year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1)?.days ?? 0
            let wanted = monthStart + ahead + (week - 1) * 7
            days = wanted < nextMonth ? wanted : wanted - 7
        }
        return days * 86_400_000 + day.time
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        func isNext(_ character: Unicode.Scalar) -> Bool {
            position < bytes.count && bytes[position] == UInt8(ascii: character)
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard isNext(character) else { return false }
            position += 1
            return true
        }

        /// `CET` or `<+03>`.
        mutating func name() -> Bool {
            let start = position
            if take("<") {
                while !isAtEnd, !isNext(">") { position += 1 }
                return take(">")
            }
            while !isAtEnd, (65...90).contains(bytes[position] & 0xDF) { position += 1 }
            return position > start
        }

        private mutating func number(max: Int64) -> Int64? {
            var value: Int64 = 0
            let start = position
            while !isAtEnd, (48...57).contains(bytes[position]), value <= max {
                value = value * 10 + Int64(bytes[position] - 48)
                position += 1
            }
            return position > start && value <= max ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in milliseconds.
        mutating func time() -> Int64? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard var seconds = number(max: 167).map({ $0 * 3_600 }) else { return nil }
            for unit in [60, 1] as [Int64] where take(":") {
                guard let part = number(max: 59) else { return nil }
                seconds += part * unit
            }
            return (isNegative ? -seconds : seconds) * 1_000
        }

        /// `,Mm.w.d[/time]`, `,Jn[/time]` or `,n[/time]`.
        mutating func day() -> Day? {
            guard take(",") else { return nil }
            var form: Day.Form?
            if take("M") {
                guard let month = number(max: 12), month > 0, take("."), let week = number(max: 5), week > 0, take("."),
                    let weekday = number(max: 6)
                else { return nil }
                form = .weekday(month: month, week: week, weekday: weekday)
            } else if take("J") {
                form = number(max: 365).map { .withoutLeapDay($0) }
            } else {
                form = number(max: 365).map { .dayOfYear($0) }
            }
            guard let form else { return nil }
            guard take("/") else { return Day(form: form, time: 2 * 3_600_000) }
            return time().map { Day(form: form, time: $0) }
        }
    }
}
