// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import Testing

@Suite struct RetryAfterTests {
    @Test func secondsAreRead() { #expect(RetryAfter.milliseconds("3939", now: 0) == 3_939_000) }

    @Test func aDateIsTakenFromNow() {
        let now: Int64 = 1_445_412_470_000
        #expect(RetryAfter.milliseconds("Wed, 21 Oct 2015 07:28:00 GMT", now: now) == 10_000)
    }

    @Test func aDateThatHasPassedMeansNow() {
        #expect(RetryAfter.milliseconds("Wed, 21 Oct 2015 07:28:00 GMT", now: 1_800_000_000_000) == 0)
    }

    @Test(arguments: ["", "soon", "-5", "99999999999999999999"])
    func nonsenseIsIgnored(text: String) { #expect(RetryAfter.milliseconds(text, now: 0) == nil) }

    @Test(
        "A date is one of the years 1970 to 9999",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000), ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799_000),
            ("Sun, 06 Nov 10000 08:49:37 GMT", nil), ("Sun, 06 Nov 300000 08:49:37 GMT", nil),
            ("Sun, 06 Nov 300000000 08:49:37 GMT", nil), ("soon", nil),
        ] as [(String, Int64?)])
    func dates(text: String, milliseconds: Int64?) {
        #expect(HTTPDate.milliseconds(text) == milliseconds)
        #expect(RetryAfter.milliseconds(text, now: 0) == milliseconds)
    }
}
