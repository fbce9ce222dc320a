// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

/// A read that is cut anywhere and goes on delivers every row exactly once.
@Suite struct ReadPositionTests {
    private static let schema = Schema([.init("at", .int64), .init("key", .text)])

    private func batch(_ rows: ArraySlice<[Value]>) -> RecordBatch {
        var batch = RecordBatch(Self.schema)
        for row in rows { batch.append(row) }
        return batch
    }

    /// What is delivered where reads end after so many rows each; NULLs come first or last.
    private func delivered(_ rows: [[Value]], cuts: [Int], batchRows: Int) -> [[Value]] {
        var position = ReadPosition(leading: 0, identity: [1])
        var out: [[Value]] = []
        for cut in cuts + [Int.max] {
            let start = position.start
            let read = rows.filter { row in
                guard case .int64(let bound) = start, case .int64(let at) = row[0] else { return true }
                return at >= bound
            }
            position.restart()
            let end = min(read.count, cut)
            for first in stride(from: 0, to: end, by: batchRows) {
                var source = SourceBatch(batch(read[first..<min(first + batchRows, end)]))
                if let fresh = position.fresh(source.batch) { source = source.selecting(fresh) }
                position.note(source.batch)
                for row in 0..<source.batch.rowCount {
                    out.append([source.batch.value(row, 0), source.batch.value(row, 1)])
                }
            }
        }
        return out
    }

    @Test("Any cuts of any rows: no gap, no repeat", arguments: 0..<200)
    func everyRowOnce(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let count = Int.random(in: 0...40, using: &random)
        var rows = (0..<count).map { number -> [Value] in
            let isNull = Int.random(in: 0..<6, using: &random) == 0
            return [isNull ? .null : .int64(Int64.random(in: 0...6, using: &random)), .text("k\(number / 2)")]
        }
        let nullsFirst = Bool.random(using: &random)
        rows.sort { first, second in
            switch (first[0], second[0]) {
            case (.int64(let first), .int64(let second)): first < second
            case (.null, .int64): nullsFirst
            case (.int64, .null): !nullsFirst
            default: false
            }
        }
        let cuts = (0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 0...count, using: &random) }
        let got = delivered(rows, cuts: cuts, batchRows: Int.random(in: 1...7, using: &random))
        #expect(got.map(\.description).sorted() == rows.map(\.description).sorted(), "cuts \(cuts)")
    }

    @Test("Too many rows of one value cannot be remembered, and it is said")
    func tooManyTies() {
        var position = ReadPosition(leading: 0, identity: [1], remembered: 3)
        position.note(batch([[.int64(1), .text("a")], [.int64(1), .text("b")], [.int64(1), .text("c")]][...]))
        #expect(position.canContinue)
        position.note(batch([[.int64(1), .text("d")]][...]))
        #expect(!position.canContinue)
        position.note(batch([[.int64(2), .text("e")]][...]))
        #expect(position.canContinue, "another value begins")
    }
}

@Suite struct LateCommitsTests {
    private let noon: Int64 = 1_774_958_400_000_000
    private let hour: Int64 = 3_600_000_000

    @Test("Nothing known, nothing held")
    func nothingKnown() {
        #expect(LateCommits(nil, type: .instant) == .none)
        #expect(LateCommits(nil, type: .int64) == .none)
    }

    @Test("A key of instants waits for the oldest transaction")
    func instants() {
        let writers = OpenWriters(hasWriters: true, since: noon, localSince: noon + hour)
        #expect(LateCommits(writers, type: .instant) == .ceiling(.instant(noon)))
    }

    @Test("A key without a zone waits until nobody writes, and for the earlier of the two clocks")
    func zoneless() {
        let east = OpenWriters(hasWriters: false, since: noon, localSince: noon + hour)
        let west = OpenWriters(hasWriters: false, since: noon, localSince: noon - 13 * hour)
        #expect(LateCommits(east, type: .timestamp) == .ceiling(.timestamp(noon)))
        #expect(LateCommits(west, type: .timestamp) == .ceiling(.timestamp(noon - 13 * hour)))
        #expect(LateCommits(west, type: .date) == .ceiling(.date(noon / (24 * hour) - 1)))
        let writing = OpenWriters(hasWriters: true, since: noon, localSince: noon, clock: noon)
        #expect(LateCommits(writing, type: .timestamp) == .hold, "the zone of the writer may be any")
        let held = HeldKey(value: .timestamp(noon - 2 * hour), clock: noon - 1)
        #expect(LateCommits(writing, type: .timestamp, held: held) == .ceiling(.timestamp(noon - 2 * hour)))
        let late = HeldKey(value: .timestamp(noon + 2 * hour), clock: noon - 1)
        #expect(LateCommits(writing, type: .timestamp, held: late) == .ceiling(.timestamp(noon)))
    }

    @Test("A day before 1970 is rounded down")
    func daysBeforeTheEpoch() {
        #expect(LateCommits(OpenWriters(hasWriters: false, since: -1), type: .date) == .ceiling(.date(-1)))
    }

    @Test("A key that is no time waits until nobody writes", arguments: [DataType.int64, .uint64, .decimal, .text])
    func numbers(type: DataType) {
        #expect(LateCommits(OpenWriters(hasWriters: true, since: noon), type: type) == .hold)
        #expect(LateCommits(OpenWriters(hasWriters: false, since: noon), type: type) == .none)
    }

    @Test("Where the moment is hidden, the watermark waits too")
    func hidden() {
        #expect(LateCommits(OpenWriters(hasWriters: true), type: .instant) == .hold)
        #expect(LateCommits(OpenWriters(hasWriters: false), type: .instant) == .none)
    }

    private func tracker(start: Int64?, seen: [Int64]) -> WatermarkTracker {
        var tracker = WatermarkTracker(start: start.map { .int64($0) }) { KeyOrder.compare($0, $1) < 0 }
        for value in seen { tracker.see(.int64(value)) }
        return tracker
    }

    @Test("A ceiling limits, never raises and never moves back")
    func ceilings() {
        var limited = tracker(start: 5, seen: [9])
        limited.limit(.ceiling(.int64(7)))
        limited.limit(.ceiling(.int64(8)))
        #expect(limited.watermark == .int64(7) && limited.isLimited)
        var high = tracker(start: 5, seen: [9])
        high.limit(.ceiling(.int64(20)))
        #expect(high.watermark == .int64(9) && !high.isLimited)
        var low = tracker(start: 5, seen: [9])
        low.limit(.ceiling(.int64(3)))
        #expect(low.watermark == nil && low.isLimited)
        var first = tracker(start: nil, seen: [9])
        first.limit(.ceiling(.int64(3)))
        #expect(first.watermark == .int64(3))
    }

    @Test("Held means not at all, and only where it would have moved")
    func held() {
        var moving = tracker(start: 5, seen: [9])
        moving.limit(.hold)
        #expect(moving.watermark == nil && moving.isLimited)
        var still = tracker(start: 5, seen: [])
        still.limit(.hold)
        #expect(still.watermark == .int64(5) && !still.isLimited)
    }
}

/// A generator whose numbers follow from its seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
