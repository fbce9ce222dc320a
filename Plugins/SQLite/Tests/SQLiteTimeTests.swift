// SPDX-License-Identifier: Apache-2.0

import SQLiteConnector
import Testing

@Suite struct SQLiteTimeTests {
    @Test(
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2024-12-31", 20_088),
            ("0000-01-01", -719_528),
            ("9999-12-31", 2_932_896), ("1900-02-28", -25_509),
        ] as [(String, Int64)])
    func aDateIsItsDayAndBack(text: String, day: Int64) {
        #expect(SQLiteTime.date(Array(text.utf8).span) == day)
        #expect(SQLiteTime.text(day: day) == text)
    }

    @Test(arguments: [
        "", "2024", "2024-1-1", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-32", "2023-02-29", "1900-02-29",
        "2024-04-31", "2024-01-01 ", " 2024-01-01", "2024/01/01", "2024-01-01 00:00",
    ])
    func whatIsNoDateIsNone(text: String) {
        #expect(SQLiteTime.date(Array(text.utf8).span) == nil)
    }

    @Test(
        arguments: [
            ("00:00", 0), ("23:59:59.999999", 86_399_999_999), ("01:02:03", 3_723_000_000), ("00:00:00.5", 500_000),
            ("00:00:00.123456000", 123_456),
        ] as [(String, Int64)])
    func aTimeKeepsItsMicroseconds(text: String, microseconds: Int64) {
        #expect(SQLiteTime.time(Array(text.utf8).span) == microseconds)
    }

    @Test(arguments: ["24:00", "12:60", "12:00:60", "1:00", "12:00:00.", "12:00:00.1234567", "12", "12:00Z"])
    func whatIsNoTimeIsNone(text: String) {
        #expect(SQLiteTime.time(Array(text.utf8).span) == nil)
    }

    @Test(
        arguments: [
            ("1970-01-01 00:00", 0, false), ("1970-01-01T00:00:01", 1_000_000, false),
            ("1970-01-02", 86_400_000_000, false),
            ("1970-01-01 00:00:00Z", 0, true), ("1970-01-01T02:00:00+02:00", 0, true),
            ("1969-12-31 19:00-0500", 0, true),
            ("1970-01-01 01:00+01", 0, true), ("1969-12-31 23:59:59.999999", -1, false),
        ] as [(String, Int64, Bool)])
    func aMomentIsTakenToUTCByItsZone(text: String, microseconds: Int64, isZoned: Bool) throws {
        let bytes = Array(text.utf8)
        let found = SQLiteTime.moment(bytes.span)
        let moment = try #require(found)
        #expect(moment.microseconds == microseconds)
        #expect(moment.isZoned == isZoned)
    }

    @Test(arguments: ["now", "2024-01-01x00:00", "2024-01-01 00:00+1", "2024-01-01 00:00 UTC", "2024-01-01 00:00ZZ"])
    func whatIsNoMomentIsNone(text: String) {
        #expect(SQLiteTime.moment(Array(text.utf8).span) == nil)
    }
}
