// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct TimeScannerTests {
    @Test(
        "An offset has one of four forms",
        arguments: [
            ("Z", 0, 1), ("z", 0, 1), ("+02", 120, 3), ("-0230", -150, 5), ("+02:30", 150, 6), ("+02 ", 120, 3),
            ("+23:59", 1_439, 6), ("+24", nil, 0), ("+02:60", nil, 0), ("+02:", nil, 0), ("+2", nil, 0),
            ("+023", nil, 0), ("02", nil, 0), ("", nil, 0),
        ] as [(String, Int64?, Int)])
    func anOffsetHasOneOfFourForms(text: String, minutes: Int64?, end: Int) {
        let bytes = Array(text.utf8)
        var position = 0
        #expect(TimeScanner.offset(bytes.span, &position) == minutes)
        #expect(position == end)
    }

    @Test(
        "A part is read up to its end and no further",
        arguments: [
            ("2000-02-29 12:30:00.5+01", 951_827_400_500_000, 21), ("2000-02-29t00:00Z", 951_782_400_000_000, 16),
            ("2000-02-29T00:00:0", nil, 0), ("2000-02-30T00:00", nil, 0), ("2000-02-29", nil, 0),
            ("2000-02-29_00:00", nil, 0), ("", nil, 0),
        ] as [(String, Int64?, Int)])
    func aPartIsReadUpToItsEnd(text: String, microseconds: Int64?, end: Int) {
        let bytes = Array("x\(text)".utf8)
        var position = 1
        #expect(TimeScanner.timestamp(bytes.span, &position) == microseconds)
        #expect(position == end + 1 || microseconds == nil && position == 1)
    }
}
