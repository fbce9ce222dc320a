// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import Testing

@Suite struct CSVConversionTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(
        "integers fit 64 bits or are none",
        arguments: [
            ("0", 0), ("-0", 0), ("+7", 7), ("007", 7), ("9223372036854775807", .max),
            ("-9223372036854775808", .min), ("9223372036854775808", nil), ("-9223372036854775809", nil), ("", nil),
            ("-", nil), ("1.0", nil), ("1e3", nil), (" 1", nil), ("1 ", nil), ("0x1", nil), ("1,000", nil),
            ("99999999999999999999", nil), ("١", nil),
        ] as [(String, Int64?)])
    func integersFit(text: String, value: Int64?) {
        #expect(CSVConversion.integer(bytes(text).span) == value)
    }

    @Test(
        "decimals keep their digits",
        arguments: [
            ("12.50", "12.50"), ("-0.10", "-0.10"), ("+5", "5"), (".5", "0.5"), ("-.5", "-0.5"), ("5.", "5"),
            ("007", "007"), ("123456789012345678901234567890.123", "123456789012345678901234567890.123"),
            ("", nil), (".", nil), ("-", nil), ("1e5", nil), ("1.2.3", nil), ("1,5", nil), ("--1", nil), ("NaN", nil),
        ] as [(String, String?)])
    func decimalsKeepDigits(text: String, value: String?) {
        #expect(CSVConversion.decimal(bytes(text).span).map { String(decoding: $0, as: UTF8.self) } == value)
    }

    @Test(
        "numbers are the nearest double",
        arguments: [
            ("0.1", 0.1), ("-1.5", -1.5), ("1e3", 1_000), ("1E-7", 1e-7), ("+.5", 0.5), ("5.", 5),
            ("123456789.123456", 123_456_789.123456), ("0.30000000000000004", 0.30000000000000004),
            ("9007199254740993", 9_007_199_254_740_992), ("1.7976931348623157e308", 1.7976931348623157e308),
            ("1e309", nil), ("nan", nil), ("inf", nil), ("0x10", nil), ("1e", nil), ("e5", nil), ("1e+", nil),
            ("", nil), (".", nil), ("1 ", nil), ("1.5.2", nil),
        ] as [(String, Double?)])
    func numbersAreNearest(text: String, value: Double?) {
        #expect(CSVConversion.number(bytes(text).span) == value)
    }

    @Test("a number's shortest text reads back as the same double", arguments: [3, 17, 99] as [UInt64])
    func numbersReadBack(seed: UInt64) {
        var random = SeededGenerator(seed)
        for _ in 0..<5_000 {
            let value = Double(Int64.random(in: -99_999_999...99_999_999, using: &random)) / 1_000
            #expect(CSVConversion.number(bytes("\(value)").span) == value, "seed \(seed)")
            let any = Double(bitPattern: random.next())
            if any.isFinite { #expect(CSVConversion.number(bytes("\(any)").span) == any, "seed \(seed)") }
        }
    }

    @Test(
        "booleans are eight words",
        arguments: [
            ("true", 1), ("TRUE", 1), ("t", 1), ("Yes", 1), ("1", 1), ("false", 0), ("F", 0), ("no", 0), ("0", 0),
            ("y", nil), ("n", nil), ("2", nil), ("", nil), ("truee", nil), ("on", nil), ("\u{11}", nil),
        ] as [(String, Int64?)])
    func booleansAreWords(text: String, value: Int64?) {
        #expect(CSVConversion.boolean(bytes(text).span) == value)
    }

    @Test(
        "dates exist in the calendar",
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2024-02-29", 19_782),
            ("0001-01-01", -719_162), ("9999-12-31", 2_932_896), ("1900-02-29", nil), ("2023-02-29", nil),
            ("2024-04-31", nil), ("2024-13-01", nil), ("2024-00-01", nil), ("2024-01-00", nil), ("0000-01-01", nil),
            ("2024-1-1", nil), ("2024/01/01", nil), ("20240101", nil), ("2024-01-01 ", nil), ("", nil),
        ] as [(String, Int64?)])
    func datesExist(text: String, value: Int64?) {
        #expect(CSVConversion.date(bytes(text).span) == value)
    }

    @Test func everyDayOfFourCenturiesIsOneAfterTheOther() {
        var expected: Int64 = -25_567
        for year in 1900..<2300 {
            for month in 1...12 {
                for day in 1...31 {
                    let pad = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
                    let value = CSVConversion.date(bytes("\(year)-\(pad(month))-\(pad(day))").span)
                    guard let value else { continue }
                    #expect(value == expected)
                    expected += 1
                }
            }
        }
        #expect(expected == -25_567 + 146_097)
    }

    @Test(
        "times have up to six decimals",
        arguments: [
            ("00:00", 0), ("12:30", 45_000_000_000), ("23:59:59.999999", 86_399_999_999), ("00:00:01.5", 1_500_000),
            ("00:00:00.1234560", 123_456), ("00:00:00.1234567", nil), ("24:00", nil), ("12:60", nil),
            ("12:00:60", nil), ("12:00:", nil), ("12:00:00.", nil), ("1:00", nil), ("12-00", nil), ("", nil),
        ] as [(String, Int64?)])
    func timesHaveSixDecimals(text: String, value: Int64?) {
        #expect(CSVConversion.time(bytes(text).span) == value)
    }

    @Test(
        "timestamps have no zone",
        arguments: [
            ("1970-01-01 00:00", 0), ("1970-01-02T00:00:01", 86_401_000_000),
            ("1969-12-31 23:59:59.999999", -1), ("2024-02-29 12:00:00.25", 1_709_208_000_250_000),
            ("1970-01-01", nil), ("1970-01-01 00:00Z", nil), ("1970-01-01  00:00", nil), ("1970-01-01_00:00", nil),
            ("1970-01-01 ", nil), ("2023-02-29 00:00", nil),
        ] as [(String, Int64?)])
    func timestampsHaveNoZone(text: String, value: Int64?) {
        #expect(CSVConversion.timestamp(bytes(text).span) == value)
    }

    @Test(
        "instants have an offset",
        arguments: [
            ("1970-01-01T00:00Z", 0), ("1970-01-01 01:00:00+01:00", 0), ("1970-01-01 00:00:00-0130", 5_400_000_000),
            ("1970-01-01 00:00:00.5+00", 500_000), ("1970-01-01t00:00:00z", 0), ("1970-01-01 00:00", nil),
            ("1970-01-01 00:00:00+24:00", nil), ("1970-01-01 00:00:00+01:60", nil), ("1970-01-01 00:00ZZ", nil),
            ("1970-01-01 00:00:00+1", nil), ("1970-01-01 00:00:00 Z", nil), ("0001-01-01 00:00+01:00", nil),
            ("9999-12-31 23:59-01:00", nil), ("0001-01-01 01:00+01:00", -62_135_596_800_000_000),
        ] as [(String, Int64?)])
    func instantsHaveAnOffset(text: String, value: Int64?) {
        #expect(CSVConversion.instant(bytes(text).span) == value)
    }
}
