// SPDX-License-Identifier: Apache-2.0

/// A date of the proleptic Gregorian calendar, and its place in the count of days since 1970-01-01.
public struct CivilDate: Sendable, Hashable {
    /// The year; 0 is the year before 1.
    public let year: Int64
    /// The month, 1 to 12.
    public let month: Int64
    /// The day of the month, from 1.
    public let day: Int64

    /// The days since 1970-01-01 that have a year from 1 to 9999.
    public static var fourDigitDays: ClosedRange<Int64> { -719_162...2_932_896 }

    /// How far from 1970-01-01 a date may be; more than any database can hold, and free of overflow.
    private static let daysMax: Int64 = 2_500_000_000
    /// Days from 0000-03-01, where the arithmetic starts, to 1970-01-01.
    private static let epoch: Int64 = 719_468
    private static let daysPerEra: Int64 = 146_097
    /// Eras of 400 years, more than there are between the first year and the year 0.
    private static let erasBefore: Int64 = 20_000

    /// A date of the calendar, or nil where there is no such day.
    ///
    /// The year is at most 7 000 000 away from 0.
    public init?(year: Int64, month: Int64, day: Int64) {
        guard (-7_000_000...7_000_000).contains(year), (1...12).contains(month), day >= 1,
            day <= CivilDate.length(ofMonth: month, year: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date `days` after 1970-01-01, or nil where that is more than 2.5·10⁹ days away.
    public init?(days: Int64) {
        guard (-CivilDate.daysMax...CivilDate.daysMax).contains(days) else { return nil }
        self.init(near: days)
    }

    /// The date `days` after 1970-01-01, which is known to be at most 2.5·10⁹ days away.
    package init(near days: Int64) {
        // Eras that make the days positive: what has no sign is divided with less work.
        let shifted = UInt64(days + CivilDate.epoch + CivilDate.erasBefore * CivilDate.daysPerEra)
        let era = shifted / UInt64(CivilDate.daysPerEra)
        let dayOfEra = UInt32(truncatingIfNeeded: shifted % UInt64(CivilDate.daysPerEra))
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Years start in March here, so that the leap day is the last one.
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = Int64(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        month = Int64(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        year = Int64(yearOfEra) + (Int64(era) - CivilDate.erasBefore) * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    public var days: Int64 {
        let marchMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        // Eras that make the year positive, so that divisions round down.
        let marchYear = (month > 2 ? year : year - 1) + CivilDate.erasBefore * 400
        let dayOfEras = marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear
        return dayOfEras - CivilDate.erasBefore * CivilDate.daysPerEra - CivilDate.epoch
    }

    /// Whether the year has four digits, as the texts of destinations need.
    public var hasFourDigitYear: Bool { (1...9999).contains(year) }

    /// `YYYY-MM-DD`; years before 0 and after 9999 carry a sign.
    public var text: String {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends ``text``.
    public func write(into out: inout [UInt8]) {
        if year < 0 { out.append(UInt8(ascii: "-")) } else if year > 9999 { out.append(UInt8(ascii: "+")) }
        out.append(decimal: abs(year), width: 4)
        out.append(UInt8(ascii: "-"))
        out.append(decimal: month, width: 2)
        out.append(UInt8(ascii: "-"))
        out.append(decimal: day, width: 2)
    }

    private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension [UInt8] {
    /// Appends a number, with zeros before its digits up to `width` of them.
    mutating func append(decimal number: Int64, width: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        let magnitude = number.magnitude
        var power: UInt64 = 1
        var digits = 1
        while digits < width || magnitude / power >= 10 {
            power *= 10
            digits += 1
        }
        while power > 0 {
            append(UInt8(ascii: "0") + UInt8(magnitude / power % 10))
            power /= 10
        }
    }
}

/// `value / divisor`, rounded down.
func floorDivided(_ value: Int64, by divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}
