// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit
import PipedriveConnector
import Testing

@Suite struct PipedriveTimeTests {
    @Test func everyDayOfFourCenturiesReadsBackAsItself() {
        for days in Int64(-70_000)...76_000 {
            let out = JSONBuffer()
            out.append(CivilDate(near: days))
            guard PipedriveTime.days(String(decoding: out.bytes, as: UTF8.self)) == days else {
                Issue.record("\(days)")
                return
            }
        }
    }

    @Test func knownDaysAreRight() {
        #expect(PipedriveTime.days("1970-01-01") == 0)
        #expect(PipedriveTime.days("2000-02-29") == 11_016)
        #expect(PipedriveTime.days("1969-12-31") == -1)
        #expect(PipedriveTime.days("9999-12-31") == 2_932_896)
        #expect(PipedriveTime.days("0001-01-01") == -719_162)
    }

    @Test(arguments: ["2023-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "2026-01-01T00:00:00Z", ""])
    func otherTextsAreNoDates(text: String) { #expect(PipedriveTime.days(text) == nil) }

    @Test func instantsBeforeTheEpochAreRoundedDown() {
        var out: [UInt8] = []
        PipedriveTime.writeInstant(-1, into: &out)
        #expect(String(decoding: out, as: UTF8.self) == "1969-12-31T23:59:59Z")
    }

    @Test(arguments: [
        ("2025-01-01T10:20:00Z", Int64(1_735_726_800_000_000)), ("2025-01-01 10:20:00", 1_735_726_800_000_000),
        ("2025-01-01T12:20:00+02:00", 1_735_726_800_000_000), ("2025-01-01T10:20:00.25Z", 1_735_726_800_250_000),
        ("1969-12-31T23:59:59Z", -1_000_000),
    ])
    func instantsAreRead(text: String, microseconds: Int64) {
        #expect(PipedriveTime.microseconds(text) == microseconds)
    }
}
