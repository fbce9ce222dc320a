// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// The digests of batches, held against a hasher that is given one value after the other.
@Suite struct RowDigestsTests {
    private let schema = Schema(DataType.allCases.map { Schema.Field($0.rawValue, $0) })

    @Test(arguments: [0, 1, 7, 255, 256, 257, 700])
    func aBatchHasTheDigestsOfItsCells(rows: Int) {
        var random = Generator.announced()
        let batch = batch(rows, &random)
        let places = Array(batch.columns.indices).shuffled(using: &random)
        let expected = (0..<rows).map { row in
            var hasher = FingerprintHasher()
            for place in places { hasher.combine(batch.columns[place], row: row) }
            return hasher.finish()
        }
        #expect(batch.fingerprints(of: places) == expected)
        let some = (0..<rows).filter { _ in Bool.random(using: &random) }
        let digests = batch.withPointers(of: places) { RowDigests.whole($0, of: some) }
        #expect(digests == some.map { expected[$0] })
    }

    @Test(arguments: [1, 64, 300])
    func aPayloadIsMadeOfTheFieldsThatARowHas(rows: Int) {
        var random = Generator.announced()
        let batch = batch(rows, &random)
        let places = batch.columns.indices.filter { [.int64, .bytes].contains(batch.columns[$0].type.layout) }
        let words = (rows + 63) / 64
        let presence = (0..<(words * places.count)).map { _ in random.next() }
        let keys = places.map { Fingerprint(low: UInt64($0), high: 7) }
        let expected = (0..<rows).map { row in
            var hasher = FingerprintHasher()
            for (target, place) in places.enumerated() {
                guard presence[target * words + row / 64] >> UInt64(row % 64) & 1 == 1 else { continue }
                hasher.combine(keys[target].low)
                hasher.combine(keys[target].high)
                plain(batch.columns[place], row, &hasher)
            }
            return hasher.finish()
        }
        let digests = presence.withUnsafeBufferPointer { bits in
            batch.withPointers(of: places) { views in
                RowDigests.payloads(
                    views.indices.map { target in
                        RowDigests.Field(
                            key: keys[target], view: views[target],
                            presence: bits.baseAddress.unsafelyUnwrapped + target * words)
                    }, rows: rows)
            }
        }
        #expect(digests == expected)
    }

    @Test("A number has one payload, however many zeros end its fraction", arguments: ["1.5", "1.50", "1.5000"])
    func zerosAtTheEndDoNotCount(text: String) {
        func digest(_ text: String) -> [Fingerprint] {
            var column = Column(.decimal)
            column.append(.decimal(text))
            let presence: [UInt64] = [1]
            return presence.withUnsafeBufferPointer { bits in
                column.withPointers { view in
                    RowDigests.payloads(
                        [
                            RowDigests.Field(
                                key: Fingerprint(low: 1, high: 2), view: view,
                                presence: bits.baseAddress.unsafelyUnwrapped)
                        ], rows: 1)
                }
            }
        }
        #expect(digest(text) == digest("1.5"))
        #expect(digest("10") != digest("1"))
        #expect(digest("100.00") == digest("100."))
    }

    private func plain(_ column: Column, _ row: Int, _ hasher: inout FingerprintHasher) {
        guard !column.isNull(row) else { return hasher.combine(UInt64.max) }
        guard column.type.layout == .bytes else {
            hasher.combine(1)
            return hasher.combine(UInt64(bitPattern: column.int64s[row]))
        }
        var bytes = Array(column.byteSlice(row))
        if column.type == .decimal, bytes.contains(UInt8(ascii: ".")) {
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        }
        hasher.combine(UInt64(bytes.count))
        while bytes.count % 8 != 0 { bytes.append(0) }
        for start in stride(from: 0, to: bytes.count, by: 8) {
            hasher.combine((0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) })
        }
    }

    private func batch(_ rows: Int, _ random: inout Generator) -> RecordBatch {
        var batch = RecordBatch(schema)
        for _ in 0..<rows {
            batch.append(
                schema.fields.map { field in
                    if Int.random(in: 0..<5, using: &random) == 0 { return .null }
                    let number = random.next()
                    let text = String(repeating: "aé", count: Int(number % 14)) + (number & 1 == 0 ? "" : ".00")
                    switch field.type {
                    case .bool: return .bool(number & 1 == 0)
                    case .int64: return .int64(Int64(bitPattern: number))
                    case .uint64: return .uint64(number)
                    case .float64: return .float64(Double(bitPattern: number))
                    case .decimal: return .decimal("\(number % 1000).\(number % 10)00")
                    case .text: return .text(text)
                    case .bytes: return .bytes(Array(text.utf8.dropLast(Int(number % 3))))
                    case .date: return .date(Int64(bitPattern: number))
                    case .time: return .time(Int64(bitPattern: number))
                    case .timestamp: return .timestamp(Int64(bitPattern: number))
                    case .instant: return .instant(Int64(bitPattern: number))
                    case .json: return .json(text)
                    }
                })
        }
        return batch
    }

    /// SplitMix64.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }

        /// A generator with the seed of `PENSTOCK_SEED`, else a new one, which is printed.
        static func announced(_ test: String = #function) -> Generator {
            let given = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init)
            let seed = given ?? UInt64.random(in: 0...UInt64.max)
            print("\(test): seed \(seed)")
            return Generator(state: seed)
        }
    }
}
