// SPDX-License-Identifier: Apache-2.0

import CPenstock
import Foundation
import PenstockABI
import PenstockModel
import Testing

/// Batches cross the boundary as they were; `PENSTOCK_SEED` repeats a run.
@Suite struct CrossingTests {
    private static let seed =
        ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
    private static let schema = Schema(DataType.allCases.map { Schema.Field($0.rawValue, $0) })

    private static func value(_ type: DataType, _ random: inout Mixed) -> Value {
        let bits = random.next()
        let texts = ["", "a", "plain text of some length", "é", "a\u{1F600}b", String(repeating: "ö", count: 40)]
        switch type {
        case .bool: return .bool(bits % 2 == 0)
        case .int64: return .int64(Int64(bitPattern: bits))
        case .uint64: return .uint64(bits)
        case .float64: return .float64(Double(Int64(bitPattern: bits)) / 128)
        case .decimal: return .decimal(["0", "-12.50", "\(bits)", "-0.\(bits)"][Int(bits % 4)])
        case .text, .json: return type == .text ? .text(texts[Int(bits % 6)]) : .json("[\(bits)]")
        case .bytes: return .bytes([UInt8](repeating: UInt8(truncatingIfNeeded: bits), count: Int(bits % 37)))
        case .date: return .date(Int64(Int32(truncatingIfNeeded: Int64(bitPattern: bits))))
        case .time: return .time(Int64(bits % 86_400_000_000))
        case .timestamp, .instant:
            let moment = Int64(bitPattern: bits)
            return type == .timestamp ? .timestamp(moment) : .instant(moment)
        }
    }

    private static func crossed(_ batch: SourceBatch) throws -> SourceBatch {
        let checks = ContractChecks(connector: "t")
        var schema = ArrowSchema(batch.batch.schema, withRejects: true)
        defer { schema.release?(&schema) }
        var array = try ArrowArray(batch.batch, rejects: batch.rejects)
        defer { array.release?(&array) }
        return try SourceBatch(array, try ImportedSchema(schema, "read", checks), "get_next", checks)
    }

    @Test("random batches of every type", arguments: [1, 7, 8, 9, 64, 1_000])
    func randomBatchesCross(rows: Int) throws {
        var random = Mixed(state: Self.seed &+ UInt64(rows))
        for round in 0..<4 {
            var batch = RecordBatch(Self.schema)
            for _ in 0..<rows {
                batch.append(
                    DataType.allCases.map { type in
                        let isNull = round > 0 && random.next() % (round == 1 ? 40 : 2) == 0
                        return isNull ? .null : Self.value(type, &random)
                    })
            }
            let rejects =
                round == 3
                ? stride(from: 0, to: rows, by: 3).map {
                    SourceReject(row: $0, column: "text", value: "v", message: "m")
                }
                : []
            let source = SourceBatch(batch, rejects: rejects)
            #expect(try Self.crossed(source) == source, "PENSTOCK_SEED=\(Self.seed), \(rows) rows, round \(round)")
        }
    }

    @Test func whatWasLentOutlivesTheBatchAndCanBeMovedOut() throws {
        var array: ArrowArray
        do {
            var batch = RecordBatch(Schema([.init("a", .text), .init("b", .bool)]))
            for row in 0..<100 { batch.append([.text("row \(row)"), .bool(row % 3 == 0)]) }
            array = try ArrowArray(batch, rejects: nil)
        }
        // Arrow lets whoever takes a struct move a child out of it, and give both back in any order, on any thread.
        let taken = try #require(array.children?[0])
        var child = taken.pointee
        taken.pointee.release = nil
        array.release?(&array)
        #expect(array.release == nil)
        let offsets = try #require(child.buffers?[1]).assumingMemoryBound(to: Int32.self)
        let bytes = try #require(child.buffers?[2]).assumingMemoryBound(to: UInt8.self)
        let last = UnsafeBufferPointer(start: bytes + Int(offsets[99]), count: Int(offsets[100] - offsets[99]))
        #expect(String(decoding: last, as: UTF8.self) == "row 99")
        child.release?(&child)
        #expect(child.release == nil)
    }
}

/// The generator SplitMix64.
private struct Mixed: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
