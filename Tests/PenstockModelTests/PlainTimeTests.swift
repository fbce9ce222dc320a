// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// The plain forms against the scanner of all forms; `PENSTOCK_SEED` repeats a run.
@Suite struct PlainTimeTests {
    private static let seed =
        ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)

    private static func scanned(_ text: [UInt8]) -> (date: Int64?, timestamp: Int64?, instant: Int64?) {
        var end = 0
        let date = TimeScanner.date(text.span, &end).flatMap { end == text.count ? $0 : nil }
        end = 0
        let local = TimeScanner.timestamp(text.span, &end)
        let timestamp = end == text.count ? local : nil
        let offset = local == nil ? nil : TimeScanner.offset(text.span, &end)
        return (date, timestamp, end == text.count && offset == 0 ? local : nil)
    }

    private static func check(_ text: String) {
        let bytes = Array(text.utf8)
        let (date, timestamp, instant) = scanned(bytes)
        bytes.withUnsafeBufferPointer { room in
            if let found = PlainTime.date(room) { #expect(found == date, "\(text)") }
            if let found = PlainTime.timestamp(room) { #expect(found == timestamp, "\(text)") }
            if let found = PlainTime.instant(room) { #expect(found == instant, "\(text)") }
        }
    }

    @Test func everyDayIsReadAsTheScannerReadsIt() {
        for day in stride(from: Int64(-719_528), through: 2_932_896, by: 1) {
            let text = CivilDate(near: day).text
            let found = Array(text.utf8).withUnsafeBufferPointer { PlainTime.date($0) }
            if found != day { Issue.record("\(text) is read as \(found.map(String.init) ?? "nothing")") }
        }
    }

    @Test func textsThatAreNearlyTimesAreReadAsTheScannerReadsThem() {
        var random = SplitMix(state: Self.seed)
        for text in ["2024-02-29", "2023-02-29", "2024-02-30", "2024-04-31", "2024-00-10", "2024-13-01", "2024-01-00"] {
            Self.check(text)
        }
        let alphabet = Array("0123456789-:TtZz .+".utf8)
        for round in 0..<20_000 {
            let day = CivilDate(near: Int64(random.next() % 3_600_000) - 700_000).text
            var text = Array((round % 3 == 0 ? day : "\(day) 2\(random.next() % 10):5\(random.next() % 10):09").utf8)
            if round % 3 == 2 { text.append(UInt8(ascii: "Z")) }
            for _ in 0..<random.next() % 3 {
                text[Int(random.next() % UInt64(text.count))] = alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            Self.check(String(decoding: text, as: UTF8.self))
        }
    }

    @Test func aPlainTimeIsRead() {
        let found = Array("2025-06-30 12:34:56".utf8).withUnsafeBufferPointer { PlainTime.timestamp($0) }
        #expect(found == 1_751_286_896_000_000)
        let zoned = Array("2025-06-30T12:34:56Z".utf8).withUnsafeBufferPointer { PlainTime.instant($0) }
        #expect(zoned == found)
    }
}

@Suite struct ColumnBuilderDigitsTests {
    @Test func integersAreWrittenAsSwiftWritesThem() {
        let builder = BatchBuilder(Schema([.init("a", .decimal)]))
        var expected: [String] = []
        var random = SplitMix(state: 7)
        for round in 0..<2_000 {
            let number =
                round < 4 ? [Int64.min, .max, 0, -1][round] : Int64(bitPattern: random.next()) >> Int64(round % 63)
            builder[0].append(digits: number)
            expected.append("\(number)")
        }
        builder[0].append(digits: -5, scale: 2)
        builder[0].append(digits: 12_345, scale: 3)
        builder[0].append(digits: .min, scale: 18)
        expected += ["-0.05", "12.345", "-9.223372036854775808"]
        let column = builder.finish().columns[0]
        for row in expected.indices { #expect(column.value(row) == .decimal(expected[row])) }
    }

    @Test func doublesAreWrittenShortOrNotAtAll() {
        let builder = BatchBuilder(Schema([.init("a", .decimal)]))
        var random = SplitMix(state: 9)
        for round in 0..<20_000 {
            let cents = Int64(bitPattern: random.next()) >> Int64(20 + round % 40)
            var value = Double(cents) / 100
            if round % 5 == 0 { value = value.nextUp }
            if round % 7 == 0 { value = Double(cents) / 1_000 }
            guard builder[0].append(shortDecimal: value) else {
                let digits = "\(value)".split(separator: ".").last ?? ""
                #expect(value.magnitude >= 1e13 || digits.count > 2, "\(value)")
                continue
            }
            let text = value == 0 ? "0.0" : "\(value)"
            #expect(builder.finish().columns[0].value(0) == .decimal(text))
        }
        #expect(builder[0].append(shortDecimal: -0.0))
        #expect(builder.finish().columns[0].value(0) == .decimal("0.0"))
        #expect(!builder[0].append(shortDecimal: 1e300) && !builder[0].append(shortDecimal: 0.001))
    }
}
