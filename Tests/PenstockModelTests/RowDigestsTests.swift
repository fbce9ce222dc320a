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

    @Test(arguments: [1, 64, 65, 300])
    func aPayloadIsMadeOfTheFieldsThatARowHas(rows: Int) {
        var random = Generator.announced()
        for chance in [0.0, 0.1, 1.0] { payloads(rows, mixed: chance, &random) }
        // More fields than a word has bits.
        payloads(rows, mixed: 0.5, times: 8, &random)
    }

    private func payloads(_ rows: Int, mixed: Double, times: Int = 1, _ random: inout Generator) {
        let batch = batch(rows, &random)
        let fit = batch.columns.indices.filter { [.int64, .bytes].contains(batch.columns[$0].type.layout) }
        let places = (0..<times).flatMap { _ in fit }
        let words = (rows + 63) / 64
        let presence = (0..<(words * places.count)).map { _ -> UInt64 in
            if Double.random(in: 0..<1, using: &random) < mixed { return random.next() }
            return Int.random(in: 0..<4, using: &random) == 0 ? 0 : .max
        }
        let keys = places.indices.map { Fingerprint(low: UInt64($0), high: 7) }
        let expected = (0..<rows).map { row in
            let present = places.indices.filter { presence[$0 * words + row / 64] >> UInt64(row % 64) & 1 == 1 }
            var names = FingerprintHasher()
            for target in present { names.combine(raw: keys[target].bytes) }
            var hasher = FingerprintHasher()
            hasher.combine(raw: names.finish().bytes)
            for target in present { plain(batch.columns[places[target]], row, &hasher) }
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

    @Test("What is another row has another digest")
    func differencesShow() {
        let rows: [[Value]] = [
            [.null, .null], [.text(""), .null], [.null, .text("")], [.text("\0"), .null], [.text(""), .text("")],
            [.text("\0\0\0\0"), .text("")], [.text(""), .text("\0\0\0\0")], [.text("ab"), .text("c")],
            [.text("a"), .text("bc")], [.text("abc"), .text("")], [.text(""), .text("abc")],
            [.text("a\u{1}\0\0\0b"), .text("c")], [.text("a"), .text("b\u{1}\0\0\0c")], [.int64(-1), .null],
            [.null, .int64(-1)], [.int64(0), .null], [.int64(0), .int64(0)], [.int64(0), .text("")],
            [.text(String(repeating: "\0", count: 8)), .null], [.int64(1), .int64(0)], [.int64(0), .int64(1)],
        ]
        func digests(_ digest: ([ColumnPointers]) -> [Fingerprint]) -> Set<Fingerprint> {
            Set(
                rows.map { row in
                    let columns = row.map { value -> Column in
                        var column = Column(value.type ?? .text)
                        column.append(value)
                        return column
                    }
                    let held = HeldColumns(columns)
                    return withExtendedLifetime(held) { digest(held.pointers)[0] }
                })
        }
        #expect(digests { RowDigests.whole($0, rows: 1) }.count == rows.count)
        let presence: [UInt64] = [1, 0]
        presence.withUnsafeBufferPointer { bits in
            let start = bits.baseAddress.unsafelyUnwrapped
            func fields(_ views: [ColumnPointers], _ keys: [UInt64], present: [Int]) -> [RowDigests.Field] {
                views.indices.map { place in
                    RowDigests.Field(
                        key: Fingerprint(low: keys[place], high: 7), view: views[place],
                        presence: present.contains(place) ? start : start + 1)
                }
            }
            var all = digests { RowDigests.payloads(fields($0, [1, 2], present: [0, 1]), rows: 1) }
            #expect(all.count == rows.count)
            // The same cells of other fields, and fewer fields, are other payloads.
            all.formUnion(digests { RowDigests.payloads(fields($0, [1, 3], present: [0, 1]), rows: 1) })
            #expect(all.count == 2 * rows.count)
            let fewer = digests { RowDigests.payloads(fields($0, [1, 2], present: [0]), rows: 1) }
            #expect(fewer.isDisjoint(with: all))
            #expect(fewer.count == Set(rows.map { "\($0[0])" }).count)
            let none = digests { RowDigests.payloads(fields($0, [1, 2], present: []), rows: 1) }
            #expect(none.count == 1 && none.isDisjoint(with: all.union(fewer)))
        }
    }

    @Test(
        "No byte outside of a batch's columns counts, however long its cells are",
        arguments: [0, 31, 32, 33, 100, 9_000])
    func longCells(length: Int) {
        var random = Generator.announced()
        var batch = RecordBatch(Schema([Schema.Field("a", .text), Schema.Field("b", .bytes)]))
        for row in 0..<130 {
            let bytes = (0..<(length + row % 3)).map { _ in UInt8.random(in: 97...122, using: &random) }
            batch.append([.text(String(decoding: bytes, as: UTF8.self)), row % 7 == 0 ? .null : .bytes(bytes)])
        }
        let expected = (0..<batch.rowCount).map { row in
            var hasher = FingerprintHasher()
            for column in batch.columns { hasher.combine(column, row: row) }
            return hasher.finish()
        }
        #expect(batch.fingerprints() == expected)
    }

    private func plain(_ column: Column, _ row: Int, _ hasher: inout FingerprintHasher) {
        guard column.type == .decimal, !column.isNull(row) else { return hasher.combine(column, row: row) }
        var bytes = Array(column.byteSlice(row))
        if bytes.contains(UInt8(ascii: ".")) {
            while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        }
        hasher.combine(cell: bytes.span)
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
