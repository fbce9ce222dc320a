// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState
import Testing

@Suite struct SpoolFileTests {
    private static let schema = Schema(DataType.allCases.map { Schema.Field($0.rawValue, $0) })

    private func value(_ type: DataType, _ random: inout SystemRandomNumberGenerator) -> Value {
        if Int.random(in: 0..<4, using: &random) == 0 { return .null }
        let number = Int64.random(in: .min ... .max, using: &random)
        let text = String(repeating: "ä\u{0}\"", count: Int.random(in: 0..<9, using: &random))
        return switch type {
        case .bool: .bool(number > 0)
        case .int64: .int64(number)
        case .uint64: .uint64(UInt64(bitPattern: number))
        case .float64: .float64(Double(number) / 3)
        case .decimal: .decimal("\(number).10")
        case .text: .text(text)
        case .bytes: .bytes(Array(text.utf8))
        case .date: .date(number)
        case .time: .time(number)
        case .timestamp: .timestamp(number)
        case .instant: .instant(number)
        case .json: .json("[\"x\"]")
        }
    }

    private func batch(rows: Int) -> SourceBatch {
        var random = SystemRandomNumberGenerator()
        var batch = RecordBatch(Self.schema)
        for _ in 0..<rows { batch.append(DataType.allCases.map { value($0, &random) }) }
        let rejects = (0..<rows / 3).map {
            SourceReject(row: $0 * 2, column: "päth", value: "v\($0)", message: "It is wrong.")
        }
        return SourceBatch(batch, rejects: rejects)
    }

    @Test("Random batches of every type come back as they were", arguments: [1, 2, 7, 8, 9, 64, 1_000])
    func roundTrip(rows: Int) throws {
        let file = try SpoolFile(folder: NSTemporaryDirectory())
        let batches = (0..<3).map { _ in batch(rows: rows) }
        var places: [SpoolFile.Place] = []
        for batch in batches { places.append(try file.write(batch, at: places.last?.end ?? 0)) }
        for (place, batch) in zip(places, batches) { #expect(try file.read(place, Self.schema) == batch) }
    }

    @Test("The bytes of one row are those of a batch of this row", arguments: [1, 9, 64])
    func oneRow(rows: Int) {
        let batch = batch(rows: rows).batch
        for row in 0..<rows {
            var single = RecordBatch(Self.schema)
            single.append(batch.columns.map { $0.value(row) })
            let bytes = RowEncoding.bytes(of: SourceBatch(single))
            #expect(RowEncoding.bytes(of: batch, row: row) == bytes)
            #expect(RowEncoding.bytes(of: batch, row: row, after: [1, 2, 3]) == [1, 2, 3] + bytes)
        }
    }

    @Test("What was overwritten is noticed")
    func damage() throws {
        let file = try SpoolFile(folder: NSTemporaryDirectory())
        let place = try file.write(batch(rows: 20), at: 0)
        _ = try file.write(batch(rows: 5), at: 0)
        #expect(throws: StateError.self) { try file.read(place, Self.schema) }
    }

    @Test("What was taken away is noticed")
    func truncation() throws {
        let file = try SpoolFile(folder: NSTemporaryDirectory())
        let place = try file.write(batch(rows: 20), at: 0)
        file.truncate()
        #expect(throws: StateError.self) { try file.read(place, Self.schema) }
    }

    @Test("The file has no name that anybody could open")
    func nameless() throws {
        let folder = NSTemporaryDirectory() + "penstock-spool-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A folder left behind does no harm.
        let file = try SpoolFile(folder: folder)
        _ = try file.write(batch(rows: 3), at: 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("A folder that is not there is said")
    func missingFolder() {
        #expect(throws: StateError.self) { try SpoolFile(folder: "/nonexistent/penstock") }
    }
}
