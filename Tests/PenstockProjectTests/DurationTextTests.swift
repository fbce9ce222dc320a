// SPDX-License-Identifier: Apache-2.0

import PenstockProject
import Testing

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("10m", 600), ("1h30m", 5_400), ("2d", 172_800), ("1w", 604_800), ("90s", 90), ("PT10M", 600),
        ("P30D", 2_592_000), ("P1DT1H", 90_000), ("P2W", 1_209_600), ("0s", 0),
    ])
    func aDurationIsRead(_ text: String, _ seconds: Int64) {
        #expect(DurationText.microseconds(text) == seconds * 1_000_000)
    }

    @Test(arguments: ["", "10", "m", "10x", "P", "PT", "P1M", "P1Y", "1h 30m", "-5m", "9999999999999999999s", "P1DT"])
    func whatIsNoDurationIsRefused(_ text: String) {
        #expect(DurationText.microseconds(text) == nil)
    }

    @Test func shortUnitsAreExact() {
        #expect(DurationText.microseconds("250ms") == 250_000)
        #expect(DurationText.microseconds("7us") == 7)
    }
}
