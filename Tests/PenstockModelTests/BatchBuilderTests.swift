// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// The builder against columns that are appended to one by one; `PENSTOCK_SEED` repeats a run.
@Suite struct BatchBuilderTests {
    private static let seed =
        ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)

    private static func value(_ type: DataType, _ random: inout SplitMix) -> Value {
        let bits = random.next()
        switch type {
        case .bool: return .bool(bits % 2 == 0)
        case .int64: return .int64(Int64(bitPattern: bits))
        case .uint64: return .uint64(bits)
        case .float64: return .float64(Double(Int64(bitPattern: bits)) / 128)
        case .decimal: return .decimal("-\(bits).5")
        case .text:
            return .text(String(repeating: "é", count: Int(bits % 23)) + String(repeating: "x", count: Int(bits % 41)))
        case .bytes: return .bytes([UInt8](repeating: UInt8(truncatingIfNeeded: bits), count: Int(bits % 37)))
        case .date: return .date(Int64(bits % 100_000))
        case .time: return .time(Int64(bits % 86_400_000_000))
        case .timestamp: return .timestamp(Int64(bitPattern: bits))
        case .instant: return .instant(Int64(bitPattern: bits))
        case .json: return .json("[\(bits)]")
        }
    }

    private static func append(_ value: Value, to column: ColumnBuilder, _ random: inout SplitMix) {
        switch value {
        case .null: column.appendNull()
        case .bool(let flag): column.append(flag ? Int64(1) : 0)
        case .int64(let number), .date(let number), .time(let number), .timestamp(let number), .instant(let number):
            column.append(number)
        case .uint64(let number): column.append(number)
        case .float64(let number): column.append(number)
        case .decimal(let text), .text(let text), .json(let text):
            let bytes = Array(text.utf8)
            switch random.next() % 3 {
            case 0: column.append(bytes: text.utf8)
            case 1: bytes.withUnsafeBufferPointer { column.append(bytes: $0) }
            default:
                let room = column.room(for: bytes.count + 9)
                for (index, byte) in bytes.enumerated() { room[index] = byte }
                column.endBytes(bytes.count)
            }
        case .bytes(let bytes): bytes.withUnsafeBufferPointer { column.append(bytes: $0) }
        }
    }

    @Test("a batch is what columns would be", arguments: [0, 1, 7, 8, 9, 1_023, 1_024, 1_025, 5_000])
    func aBatchIsWhatColumnsWouldBe(rows: Int) {
        var random = SplitMix(state: Self.seed &+ UInt64(rows))
        let schema = Schema(DataType.allCases.map { Schema.Field($0.rawValue, $0) })
        let builder = BatchBuilder(schema)
        for round in 0..<3 {
            var columns = DataType.allCases.map { Column($0) }
            for _ in 0..<rows {
                for index in columns.indices {
                    // Without NULLs, with few, and with many.
                    let isNull = round > 0 && random.next() % (round == 1 ? 50 : 2) == 0
                    let value = isNull ? Value.null : Self.value(columns[index].type, &random)
                    columns[index].append(value)
                    Self.append(value, to: builder[index], &random)
                }
            }
            let batch = builder.finish()
            for index in columns.indices {
                #expect(batch.columns[index] == columns[index], "PENSTOCK_SEED=\(Self.seed), \(columns[index].type)")
            }
        }
    }

    @Test("a text is appended where the bytes are one, and nothing of them where they are not")
    func aTextIsAppendedWhereTheBytesAreOne() {
        var random = SplitMix(state: Self.seed)
        let builder = BatchBuilder(Schema([.init("a", .text)]))
        var expected = Column(.text)
        let pieces = ["a", "é", "€", "\u{1F600}", "twelve bytes", String(repeating: "z", count: 70)]
        for _ in 0..<5_000 {
            var bytes: [UInt8] = []
            for _ in 0..<random.next() % 6 { bytes += pieces[Int(random.next() % 6)].utf8 }
            if random.next() % 3 == 0, !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            let isText = String(validating: bytes, as: UTF8.self) != nil
            let isAppended = bytes.withUnsafeBufferPointer { builder[0].append(text: $0) }
            #expect(isAppended == isText, "PENSTOCK_SEED=\(Self.seed), \(bytes)")
            if isText { expected.append(bytes: bytes) }
        }
        #expect(builder.finish().columns[0] == expected, "PENSTOCK_SEED=\(Self.seed)")
    }
}
