// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockSchedule
import Testing

/// Random numbers that a seed brings back.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &self) == 0 }
}

/// The ticks of a schedule, reckoned minute by minute in the plainest way.
enum PlainTicks {
    /// Once a day at a local time: a time that is skipped comes with the first minute behind the gap, a time that comes
    /// twice counts once.
    static func daily(_ hour: Int, _ minute: Int, _ zone: String, from: Int64, to: Int64) -> [Int64] {
        guard let zone = TimeZone(identifier: zone) else { return [] }
        var ticks: [Int64] = []
        var before = local(from - 60_000, zone)
        var lastDay = -1
        for time in stride(from: from, through: to, by: 60_000) {
            let now = local(time, zone)
            let target = now.day * 1_440 + hour * 60 + minute
            let isHere = now.day * 1_440 + now.minute == target
            let isInGap = now.day == before.day && before.minute < target % 1_440 && target % 1_440 < now.minute
            if isHere || isInGap, lastDay != now.day {
                ticks.append(time)
                lastDay = now.day
            }
            before = now
        }
        return ticks
    }

    private static func local(_ time: Int64, _ zone: TimeZone) -> (day: Int, minute: Int) {
        let seconds = Int(time / 1_000)
        let there = seconds + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
        return (there / 86_400, there % 86_400 / 60)
    }

    static func every(_ minutes: Int64, from: Int64, to: Int64) -> [Int64] {
        let step = minutes * 60_000
        return Array(stride(from: (from + step - 1) / step * step, through: to, by: Int(step)))
    }
}

extension TickSync {
    /// A sync whose ticks are a list.
    init(
        _ name: String, _ ticks: [Int64], _ catchUp: CatchUp, _ overlap: Overlap, jitter: Int64 = 0,
        after: [String] = [], priority: Int = 0
    ) {
        self.init(
            name: name, definition: "list", jitter: jitter, catchUp: catchUp, overlap: overlap, predecessors: after,
            priority: priority,
            next: { time in
                let index = Self.index(ticks, time)
                return index < ticks.count ? ticks[index] : nil
            },
            occurrences: { after, through, limit in
                let (from, to) = (Self.index(ticks, after), Self.index(ticks, through))
                return from < to ? Array(ticks[from..<to].prefix(limit)) : []
            })
    }

    /// How many ticks come no later than a time.
    static func index(_ ticks: [Int64], _ time: Int64) -> Int {
        var (low, high) = (0, ticks.count)
        while low < high {
            let middle = (low + high) / 2
            if ticks[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Two weeks with kills, restarts, sleep and clocks that are set, against a plain statement of the rules.
@Suite struct TickSimulationTests {
    @Test("Every tick is decided once, by the rules", arguments: ["2026-10-18", "2027-03-21"], 0..<12)
    func twoWeeks(from day: String, number: Int) throws {
        let seed = UInt64(number) + (day.hasPrefix("2026") ? 1_000 : 2_000)
        let start = try #require(try? Date("\(day)T00:00:00Z", strategy: .iso8601))  // A wrong date fails here.
        var world = SimulatedWorld(start: Int64(start.timeIntervalSince1970) * 1_000, seed: seed)
        world.run()
        for problem in world.problems.prefix(5) { Issue.record("seed \(seed): \(problem)") }
        #expect(world.starts > 100, "seed \(seed)")
    }
}

/// A machine, a scheduler that can die at any step, and a disk that keeps what was written down.
private struct SimulatedWorld {
    let begin: Int64
    var time: Int64
    /// How far the wall clock is off.
    var offset: Int64 = 0
    /// How long the machine slept so far.
    var asleep: Int64 = 0
    var numbers: SeededNumbers
    let syncs: [TickSync]
    let ticks: [String: [Int64]]
    /// What is on disk.
    var disk = TickBook()
    var decided: [String: [Int64]] = [:]
    var started: [Int64: Int] = [:]
    var mayRepeat: Set<Int64> = []
    var starts = 0
    var problems: [String] = []
    /// How much further than the watch the clock has gone since the last turn.
    var leap: Int64 = 0
    var missedBefore: Int64 = .min
    var planner: TickPlanner?
    var watch = TickWatch(wall: 0, steady: 0)
    var ends: [Int64: Int64] = [:]
    var firstMark: [String: Int64] = [:]

    init(start: Int64, seed: UInt64) {
        begin = start
        time = start
        numbers = SeededNumbers(seed)
        let end = start + 20 * 86_400_000
        let night = PlainTicks.daily(2, 30, "Europe/Berlin", from: start, to: end)
        let hourly = PlainTicks.every(60, from: start, to: end)
        let often = PlainTicks.every(17, from: start, to: end)
        ticks = ["night": night, "again": night, "hourly": hourly, "often": often]
        syncs = [
            TickSync("night", night, .latest, .skip), TickSync("again", night, .all, .queue, after: ["night"]),
            TickSync("hourly", hourly, .all, .queue, after: ["again"], priority: 5),
            TickSync("often", often, .none, .skip, jitter: 120_000),
        ]
    }

    var wall: Int64 { time + offset }
    var steady: Int64 { time - asleep }

    mutating func run() {
        while time < begin + 14 * 86_400_000 {
            disturb()
            if planner == nil { boot() }
            if planner != nil { turn() }
            time += Int64.random(in: 1_000...240_000, using: &numbers)
        }
        checkTheWhole()
    }

    private mutating func disturb() {
        if numbers.chance(400) { die() }
        if numbers.chance(900) {
            let sleep = Int64.random(in: 1_000...30_000_000, using: &numbers)
            time += sleep
            asleep += sleep
            leap += sleep
        }
        if numbers.chance(900) {
            let jump = Int64.random(in: -90_000_000...90_000_000, using: &numbers)
            let before = offset
            offset = offset == 0 ? jump : 0
            leap += offset - before
        }
    }

    private mutating func die() {
        planner = nil
        ends = [:]
        time += numbers.chance(3) ? Int64.random(in: 0...200_000_000, using: &numbers) : 5_000
    }

    private mutating func boot() {
        var planner = TickPlanner(disk, jobs: 3)
        watch = TickWatch(wall: wall, steady: steady)
        leap = 0
        missedBefore = wall - 60_000
        for item in disk.items where item.state == .running {
            // Its run may have come to its end before the server died, or it has to be finished.
            if numbers.chance(2) {
                _ = planner.end(item.id, exitCode: 0, now: wall)
            } else {
                _ = planner.resume(item.id, now: wall)
                mayRepeat.insert(item.id)
            }
        }
        let actions = planner.adopt(syncs, now: wall)
        for case .mark(let sync, let mark) in actions where firstMark[sync] == nil { firstMark[sync] = mark.anchor }
        disk = planner.book
        self.planner = planner
    }

    private mutating func turn() {
        guard var planner else { return }
        for (id, end) in ends where end <= steady {
            ends[id] = nil
            let code: Int32 = numbers.chance(10) ? 75 : numbers.chance(20) ? 1 : 0
            if planner.end(id, exitCode: code, now: wall) != nil { mayRepeat.insert(id) }
        }
        _ = watch.look(wall: wall, steady: steady)
        let before = planner.book
        let expected = expectation(before)
        let actions = planner.turn(now: wall, missedThrough: watch.missedThrough)
        for sync in syncs {
            let found = actions.compactMap { Self.decision($0, sync.name) }.sorted { $0.tick < $1.tick }
            let wanted = expected[sync.name] ?? []
            if found != wanted { problems.append("\(sync.name) at \(wall): \(found), and not \(wanted)") }
            for decision in found { take(sync.name, decision) }
        }
        disk = planner.book
        self.planner = planner
        // The process can die when all is written and nothing is started yet.
        if numbers.chance(500) { return die() }
        for case .start(let item) in actions {
            starts += 1
            started[item.id, default: 0] += 1
            if started[item.id, default: 0] > 1, mayRepeat.remove(item.id) == nil {
                problems.append("\(item.sync) of \(item.tick) was started again")
            }
            checkOrder(item)
            ends[item.id] = steady + Int64.random(in: 1_000...5_400_000, using: &numbers)
        }
    }

    private struct Decision: Hashable {
        var tick: Int64
        var first: Int64
        var what: String
    }

    private static func decision(_ action: TickAction, _ sync: String) -> Decision? {
        switch action {
        case .item(let item) where item.sync == sync && item.attempts == 0:
            Decision(tick: item.tick, first: item.tick, what: item.isMissed ? "made up" : "runs")
        case .skip(sync, let first, let last, _, let reason): Decision(tick: last, first: first, what: reason.rawValue)
        default: nil
        }
    }

    /// The rules, said as plainly as possible for one turn.
    private mutating func expectation(_ book: TickBook) -> [String: [Decision]] {
        if leap > 60_000 { missedBefore = max(missedBefore, wall - 60_000) }
        if leap < -60_000 { missedBefore = min(missedBefore, wall - 60_000) }
        leap = 0
        var expected: [String: [Decision]] = [:]
        for sync in syncs {
            let mark = book.marks[sync.name]?.anchor ?? 0
            let all = ticks[sync.name] ?? []
            let (from, to) = (TickSync.index(all, mark), TickSync.index(all, wall))
            let due = from < to ? Array(all[from..<to]) : []
            var missed = due.filter { $0 <= missedBefore }
            var isBusy = book.items.contains { $0.sync == sync.name }
            let hasFresh = book.items.contains { $0.sync == sync.name && $0.attempts == 0 }
            let onTime = due.filter { $0 > missedBefore }
            var decisions: [Decision] = []
            if sync.catchUp == .all {
                let room = 100 - book.items.filter { $0.sync == sync.name }.count
                let runs =
                    missed.map { Decision(tick: $0, first: $0, what: "made up") }
                    + onTime.map { Decision(tick: $0, first: $0, what: "runs") }
                expected[sync.name] = Array(runs.prefix(max(0, room)))
                continue
            }
            let standsIn = !onTime.isEmpty && (sync.overlap == .queue || !isBusy)
            var made: Int64?
            if sync.catchUp == .latest, !standsIn, !hasFresh { made = missed.popLast() }
            if let first = missed.first, let last = missed.last {
                decisions.append(Decision(tick: last, first: first, what: "missed"))
            }
            if let made {
                decisions.append(Decision(tick: made, first: made, what: "made up"))
                isBusy = true
            }
            for tick in onTime {
                decisions.append(Decision(tick: tick, first: tick, what: isBusy ? "overlap" : "runs"))
                isBusy = true
            }
            expected[sync.name] = decisions
        }
        return expected
    }

    private mutating func take(_ sync: String, _ decision: Decision) {
        decided[sync, default: []] += (ticks[sync] ?? []).filter { $0 >= decision.first && $0 <= decision.tick }
    }

    /// `again` never starts while `night` of the same tick is about to, and never beside it.
    private mutating func checkOrder(_ item: TickBook.Item) {
        guard item.sync == "again" else { return }
        let nights = disk.items.filter { $0.sync == "night" }.sorted { ($0.tick, $0.id) < ($1.tick, $1.id) }
        let isHeld = nights.first.map { $0.state != .retrying && $0.tick <= item.tick } ?? false
        if isHeld { problems.append("again of \(item.tick) went before night") }
    }

    private mutating func checkTheWhole() {
        for sync in syncs {
            let found = decided[sync.name] ?? []
            let from = firstMark[sync.name] ?? 0
            let to = disk.marks[sync.name]?.anchor ?? 0
            let all = (ticks[sync.name] ?? []).filter { $0 > from && $0 <= to }
            if found != all { problems.append("\(sync.name): \(found.count) decided, and not \(all.count)") }
        }
        if let id = started.keys.max(), id >= disk.nextID { problems.append("an id out of nowhere: \(id)") }
    }
}
