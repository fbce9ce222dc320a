// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import ConnectorKit
import Testing

/// Cells that go straight into columns against the conversions one by one; `PENSTOCK_SEED` repeats one seed.
@Suite struct CSVTypedCellsTests {
    private static let types: [CSVType] = [
        .integer, .decimal, .number, .boolean, .date, .time, .timestamp, .instant, .text,
    ]

    private static func text(_ random: inout SeededGenerator) -> String {
        let number = Int64(bitPattern: random.next()) >> Int64(random.next() % 62)
        let day = CivilDate(near: Int64(random.next() % 3_700_000) - 730_000).text
        let clock = "\(random.next() % 3)\(random.next() % 10):\(random.next() % 7)0:0\(random.next() % 10)"
        let texts = [
            "\(number)", "+\(number)", "00\(number)", "\(number).50", ".5", "5.", "\(number)e3", "-0", "true", "F",
            "no",
            day, clock, "\(day) \(clock)", "\(day)T\(clock)", "\(day)T\(clock)Z", "\(day) \(clock)+02",
            "\(day)T\(clock).25Z",
            "2023-02-29", "0000-01-01", "0000-01-01 00:00:00", "999999999999999999", "9999999999999999999", "Zürich",
            "a\"b",
        ]
        var text = texts[Int(random.next() % UInt64(texts.count))]
        if random.next() % 10 == 0 { text += ["x", "0", " ", "-"][Int(random.next() % 4)] }
        return text
    }

    private static func value(_ text: String, _ type: CSVType) -> Value? {
        let bytes = Array(text.utf8)
        switch type {
        case .integer: return CSVConversion.integer(bytes.span).map { .int64($0) }
        case .decimal: return CSVConversion.decimal(bytes.span).map { .decimal(String(decoding: $0, as: UTF8.self)) }
        case .number: return CSVConversion.number(bytes.span).map { .float64($0) }
        case .boolean: return CSVConversion.boolean(bytes.span).map { .bool($0 == 1) }
        case .date: return CSVConversion.date(bytes.span).map { .date($0) }
        case .time: return CSVConversion.time(bytes.span).map { .time($0) }
        case .timestamp: return CSVConversion.timestamp(bytes.span).map { .timestamp($0) }
        case .instant: return CSVConversion.instant(bytes.span).map { .instant($0) }
        default: return .text(text)
        }
    }

    @Test("cells are what the conversions make of them", arguments: CSVPlainRecordTests.seeds.prefix(20))
    func cellsAreWhatTheConversionsMake(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let names = Self.types.map(\.rawValue)
        let table = (0..<300).map { _ in Self.types.map { _ in Self.text(&random) } }
        let lines = table.map { row in
            row.map { cell in
                let isQuoted = random.next() % 4 == 0 || cell.contains("\"")
                return isQuoted ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
            }.joined(separator: ",")
        }
        var types = JSONObject()
        for name in names { types[name] = .string(name) }
        let text = ([names.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
        let rows = try Rows.of(text, ["types": .object(types)])
        #expect(rows.values.count == table.count)
        for (row, cells) in table.enumerated() {
            let expected = zip(cells, Self.types).map { Self.value($0, $1) ?? .null }
            #expect(rows.values[row] == expected, "PENSTOCK_SEED=\(seed), \(cells)")
        }
        let bad = table.indices.filter { row in zip(table[row], Self.types).contains { Self.value($0, $1) == nil } }
        #expect(rows.rejects.map(\.row) == bad, "PENSTOCK_SEED=\(seed)")
    }
}
