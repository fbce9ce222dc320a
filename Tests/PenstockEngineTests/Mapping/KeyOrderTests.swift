// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct KeyOrderTests {
    static let types = DataType.allCases.filter(KeyOrder.isUsableAsKey)

    /// A key that can stand in a watermark, near others often enough for ties.
    private func key(_ type: DataType, _ random: inout SeededGenerator) -> Value {
        let small = Int64.random(in: -3...3, using: &random)
        let large = Int64(bitPattern: random.next())
        let integer = Bool.random(using: &random) ? small : large
        switch type {
        case .int64: return .int64(integer)
        case .uint64: return .uint64(UInt64(bitPattern: integer))
        case .float64:
            let number = Double(bitPattern: random.next())
            return .float64(number.isFinite && Bool.random(using: &random) ? number : Double(small) / 10)
        case .decimal: return .decimal("\(integer).\(random.next() % 10)\(Bool.random(using: &random) ? "0" : "")")
        case .text:
            return .text(
                ["", "a", "B", "é", "a\u{0}", "\u{1F600}", "\u{FFFD}", "ab"].randomElement(using: &random) ?? "")
        case .date: return .date(integer % 1_000_000)
        case .timestamp: return .timestamp(integer)
        default: return .instant(integer)
        }
    }

    @Test("Keys are in a total order", arguments: types)
    func keysAreTotallyOrdered(type: DataType) {
        var random = SeededGenerator.announced("keysAreTotallyOrdered \(type)")
        for _ in 0..<500 {
            let keys = (0..<3).map { _ in key(type, &random) }.sorted { KeyOrder.compare($0, $1) < 0 }
            #expect(KeyOrder.compare(keys[0], keys[0]) == 0)
            #expect(KeyOrder.compare(keys[0], keys[1]) == -KeyOrder.compare(keys[1], keys[0]))
            #expect(KeyOrder.compare(keys[0], keys[1]) <= 0)
            #expect(KeyOrder.compare(keys[1], keys[2]) <= 0)
            #expect(KeyOrder.compare(keys[0], keys[2]) <= 0)
        }
    }

    @Test("Keys come back from their text unchanged", arguments: types)
    func keysSurviveTheirText(type: DataType) throws {
        var random = SeededGenerator.announced("keysSurviveTheirText \(type)")
        for _ in 0..<500 {
            let value = key(type, &random)
            let text = try #require(KeyText.text(of: value))
            let back = try KeyText.value(from: text, type: type)
            #expect(KeyOrder.compare(back, value) == 0)
            #expect(KeyText.text(of: back) == text)
        }
    }

    @Test func keysHaveTheTextThatPeopleRead() {
        #expect(KeyText.text(of: .instant(1_767_225_600_123_456)) == "2026-01-01T00:00:00.123456Z")
        #expect(KeyText.text(of: .timestamp(1_767_225_600_000_000)) == "2026-01-01T00:00:00")
        #expect(KeyText.text(of: .uint64(.max)) == "18446744073709551615")
        #expect(KeyText.text(of: .decimal("1.50")) == "1.5")
        #expect(KeyText.text(of: .float64(-0.0)) == "0")
        #expect(KeyText.text(of: .date(-719_529)) == "-0001-12-31")
    }

    @Test(
        "What cannot be a key comes before all keys",
        arguments: [
            Value.null, .float64(.nan), .float64(.infinity), .decimal("NaN"), .decimal("Infinity"), .date(.max),
            .date(.min),
        ])
    func missingKeysComeFirst(value: Value) {
        #expect(KeyOrder.isMissing(value))
        #expect(KeyText.text(of: value) == nil)
        #expect(KeyOrder.compare(value, .int64(.min)) < 0)
        #expect(KeyOrder.compare(value, .null) == 0)
    }

    @Test(
        "A lookback is exact, and rounds towards reading more",
        arguments: [
            (FetchDefinition.Lookback.number("1.5"), Value.int64(10), Value?.some(.int64(8))),
            (.number("5"), .uint64(3), .uint64(0)), (.number("1"), .int64(.min), .int64(.min)),
            (.number("0.1"), .decimal("100000000000000000000"), .decimal("99999999999999999999.9")),
            (.number("0"), .float64(1.5), .float64(1.5)), (.number("1e-30"), .float64(1), .float64(Double(1).nextDown)),
            (.microseconds(1), .timestamp(0), .timestamp(-1)), (.microseconds(1), .instant(.min), .instant(.min)),
            (.microseconds(1), .date(10), .date(9)), (.microseconds(86_400_000_000), .date(10), .date(9)),
            (.microseconds(1), .int64(5), nil), (.number("1"), .date(5), nil), (.number("1"), .text("x"), nil),
            (.number("x"), .int64(5), nil),
        ])
    func lookbacksAreExact(lookback: FetchDefinition.Lookback, from: Value, wanted: Value?) {
        #expect(KeyOrder.subtract(lookback, from: from) == wanted)
    }

    @Test(
        "A start is read by the type of the column",
        arguments: [
            (DataType.timestamp, "2026-01-01", Value.timestamp(1_767_225_600_000_000)),
            (.instant, "2026-01-01T01:00:00+01:00", .instant(1_767_225_600_000_000)), (.int64, "12.0", .int64(12)),
            (.decimal, "1.50", .decimal("1.5")), (.date, "2026-01-01", .date(20_454)), (.text, " x", .text(" x")),
        ])
    func startsAreReadByType(type: DataType, text: String, wanted: Value) throws {
        #expect(try KeyText.value(from: text, type: type) == wanted)
    }

    @Test(
        "A start that the column cannot hold is refused",
        arguments: [
            (DataType.timestamp, "2026-01-01T00:00:00Z", "zone-not-allowed"), (.instant, "2026-01-01", "zone-missing"),
            (.instant, "2026-01-01T00:00:00", "zone-missing"), (.int64, "1.5", "out-of-range"),
            (.uint64, "-1", "out-of-range"),
            (.float64, "NaN", "not-a-number"), (.decimal, "x", "not-a-number"), (.date, "2026-02-30", "not-a-date"),
            (.timestamp, "today", "not-a-timestamp"), (.bool, "true", "not-a-key-type"),
        ])
    func wrongStartsAreRefused(type: DataType, text: String, code: String) {
        #expect { try KeyText.value(from: text, type: type) } throws: { ($0 as? KeyText.Problem)?.code == code }
    }
}
