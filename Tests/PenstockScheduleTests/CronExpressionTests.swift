// SPDX-License-Identifier: Apache-2.0

import PenstockSchedule
import Testing

@Suite struct CronExpressionTests {
    @Test(arguments: [
        ("15 6 * * MON-FRI", "At 06:15, Monday to Friday"),
        ("15 6 * * *", "At 06:15, every day"),
        ("0 6,12,18 * * *", "At 06:00, 12:00 and 18:00, every day"),
        ("0,30 9 * * 1,3,5", "At 09:00 and 09:30, on Monday, Wednesday and Friday"),
        ("0 0 1 * *", "At 00:00, on day 1 of the month"),
        ("0 0 1,15 * FRI", "At 00:00, on days 1 and 15 of the month or on Friday"),
        (
            "0 0 */2 * FRI",
            "At 00:00, on days 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29 and 31 of the month "
                + "that fall on Friday"
        ),
        ("0 3 29 2 *", "At 03:00, on day 29 of the month, in February"),
        ("0 6 * JAN-MAR,12 *", "At 06:00, in January to March and December"),
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("5/15 * * * *", "Every 15 minutes from minute 5"),
        ("*/15 8-18 * * 1-5", "Every 15 minutes from 08:00 to 18:45, Monday to Friday"),
        ("*/7 * * * *", "Every hour at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56"),
        ("@hourly", "Every hour"),
        ("7 * * * *", "Every hour at minute 7"),
        ("0 */2 * * *", "Every 2 hours from 00:00"),
        ("30 9-17 * * *", "Every hour from 09:30 to 17:30"),
        ("* 2 * * *", "Every minute from 02:00 to 02:59"),
        ("1,2,3,9 1-4,9 * * *", "At minutes 1 to 3 and 9 of hours 1 to 4 and 9"),
        ("@weekly", "At 00:00, on Sunday"), ("0 0 * * 7", "At 00:00, on Sunday"),
        ("0 0 * * SAT-SUN", "At 00:00, on Saturday and Sunday"), ("0 0 * * 5-7", "At 00:00, Friday to Sunday"),
        ("@yearly", "At 00:00, on day 1 of the month, in January"),
        ("  0\t0 * * mon ", "At 00:00, on Monday"),
        ("0 0 * * 0-7", "At 00:00, every day"),
    ])
    func isSaidInWords(_ text: String, _ words: String) throws {
        #expect(try CronExpression(text).words == words)
    }

    @Test(arguments: [
        ("", "a cron expression has 5 fields (minute hour day month weekday), not 0 fields", nil, 0, 1),
        ("0 6 * *", "a cron expression has 5 fields (minute hour day month weekday), not 4 fields", nil, 0, 7),
        (
            "0 0 6 * * *", "a cron expression has 5 fields (minute hour day month weekday), not 6 fields",
            "leave the seconds out", 0, 11
        ),
        ("60 * * * *", "minute \"60\" is not within 0 to 59", nil, 0, 2),
        ("0  6,25 * * *", "hour \"25\" is not within 0 to 23", nil, 5, 2),
        ("0 6 0 * *", "day of month \"0\" is not within 1 to 31", nil, 4, 1),
        ("0 6 * JUNE *", "month \"JUNE\" is not within 1 to 12", "did you mean JUN?", 6, 4),
        ("0 6 * * 8", "day of week \"8\" is not within 0 to 7", nil, 8, 1),
        ("0 6 ? * MON", "day of month \"?\" is not within 1 to 31", "write * for any", 4, 1),
        ("0 6 * * FRI-MON", "the range \"FRI-MON\" of day of week runs backwards", "write FRI-SAT,SUN-MON", 8, 7),
        ("0 22-4 * * *", "the range \"22-4\" of hour runs backwards", "write 22-23,0-4", 2, 4),
        ("*/0 * * * *", "\"0\" is not a step of minute", "a step is 1 to 59", 0, 3),
        ("*/60 * * * *", "\"60\" is not a step of minute", "a step is 1 to 59", 0, 4),
        ("*/ * * * *", "\"\" is not a step of minute", "a step is 1 to 59", 0, 2),
        ("1,,2 * * * *", "minute has a comma with nothing beside it", nil, 2, 1),
        ("1- * * * *", "minute \"\" is not within 0 to 59", nil, 0, 2),
        ("+1 * * * *", "minute \"+1\" is not within 0 to 59", nil, 0, 2),
        ("99999999999999999999 * * * *", "minute \"99999999999999999999\" is not within 0 to 59", nil, 0, 20),
        ("0 0 30 2 *", "this never runs: the months have no such day", nil, 4, 4),
        ("0 0 31 4,6,9,11 *", "this never runs: the months have no such day", nil, 4, 11),
        ("@daly", "there is no \"@daly\"", "did you mean @daily?", 0, 5),
        (
            "@reboot", "a sync is not started by a restart of the machine",
            "words: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually", 0, 7
        ),
        ("@daily x", "there is no \"@daily x\"", "did you mean @daily?", 0, 8),
    ])
    func aProblemPointsAtTheWord(
        _ text: String, _ message: String, _ suggestion: String?, _ offset: Int, _ length: Int
    ) throws {
        let problem = try #require(throws: ScheduleProblem.self) { try CronExpression(text) }
        #expect(problem.subject == .cron)
        #expect(problem.message == message)
        #expect(problem.suggestion == suggestion)
        #expect(problem.offset == offset)
        #expect(problem.length == length)
    }

    @Test func theRarestDayIsFound() throws {
        // The 29th of February on a Sunday comes every 28 years, and after 40 where a century has none.
        let rare = try Recurrence(ScheduleDefinition(timing: .cron("0 0 29 2 */7")))
        #expect(rare.next(after: utc("2060-03-01T00:00Z")) == utc("2088-02-29T00:00Z"))
        #expect(rare.next(after: utc("2088-02-29T00:00Z")) == utc("2128-02-29T00:00Z"))
    }

    @Test func aWordIsItsFields() throws {
        #expect(try CronExpression("@daily").fields == ["0", "0", "*", "*", "*"])
        #expect(try CronExpression("@WEEKLY").fields == ["0", "0", "*", "*", "0"])
    }
}
