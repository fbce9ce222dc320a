// SPDX-License-Identifier: Apache-2.0

import PenstockSchedule
import Testing

/// Single rules of the planner.
@Suite struct TickPlannerTests {
    private let minute: Int64 = 60_000
    private let hour: Int64 = 3_600_000

    private func ticks(_ hours: ClosedRange<Int64>) -> [Int64] { hours.map { $0 * hour } }

    private func planner(_ syncs: TickSync..., jobs: Int = 2, now: Int64 = 0) -> TickPlanner {
        var planner = TickPlanner(jobs: jobs)
        _ = planner.adopt(syncs, now: now)
        return planner
    }

    private func started(_ actions: [TickAction]) -> [String] {
        actions.compactMap { if case .start(let item) = $0 { item.sync } else { nil } }
    }

    @Test func aTickIsDecidedOnceHoweverTheClockIsSet() {
        var planner = planner(TickSync("a", ticks(1...5), .latest, .skip))
        let first = planner.turn(now: hour, missedThrough: 0)
        #expect(started(first) == ["a"])
        let ended = planner.end(1, exitCode: 0, now: hour)
        #expect(ended == nil)
        let earlier = planner.turn(now: hour / 2, missedThrough: 0)
        let again = planner.turn(now: hour, missedThrough: 0)
        #expect(earlier.isEmpty && again.isEmpty)
        #expect(planner.wake(after: hour) == 2 * hour)
    }

    @Test func theLastMissedTickStandsForAll() {
        var planner = planner(TickSync("a", ticks(1...5), .latest, .skip))
        let actions = planner.turn(now: 4 * hour + 2 * minute, missedThrough: 4 * hour + minute)
        #expect(actions.contains(.skip(sync: "a", first: hour, last: 3 * hour, count: 3, .missed)))
        #expect(planner.book.items.map(\.tick) == [4 * hour])
    }

    @Test func aTickOnTimeStandsForTheMissedOnes() {
        var planner = planner(TickSync("a", ticks(1...5), .latest, .skip))
        let actions = planner.turn(now: 4 * hour + 1, missedThrough: 4 * hour - minute)
        #expect(actions.contains(.skip(sync: "a", first: hour, last: 3 * hour, count: 3, .missed)))
        #expect(planner.book.items.map(\.isMissed) == [false])
    }

    @Test func allMissedTicksRunInTheirOrderEvenWhereThereAreMany() {
        let all = (1...350).map { Int64($0) * minute }
        var planner = planner(TickSync("a", all, .all, .skip), jobs: 5)
        var ran: [Int64] = []
        for _ in 0..<2_000 where ran.count < all.count {
            let now = 351 * minute
            _ = planner.turn(now: now, missedThrough: now)
            #expect(planner.book.items.count <= TickPlanner.waitingMax)
            guard let item = planner.book.items.first(where: { $0.state == .running }) else { break }
            ran.append(item.tick)
            _ = planner.end(item.id, exitCode: 0, now: now)
        }
        #expect(ran == all)
    }

    @Test func predecessorsGoFirstThenPriority() {
        let due = ticks(1...1)
        var planner = planner(
            TickSync("child", due, .latest, .skip, after: ["parent"], priority: 9),
            TickSync("parent", due, .latest, .skip), TickSync("other", due, .latest, .skip, priority: 3), jobs: 1)
        var order: [String] = []
        for _ in 0..<3 {
            order += started(planner.turn(now: hour, missedThrough: 0))
            if let item = planner.book.items.first(where: { $0.state == .running }) {
                _ = planner.end(item.id, exitCode: 1, now: hour)
            }
        }
        #expect(order == ["parent", "child", "other"])
    }

    @Test func whatWaitsForItsTimeMakesNobodyUrgent() {
        var planner = planner(
            TickSync("child", ticks(9...9), .latest, .skip, after: ["parent"], priority: 9),
            TickSync("parent", ticks(1...1), .latest, .skip),
            TickSync("other", ticks(1...1), .latest, .skip, priority: 3), jobs: 1)
        #expect(started(planner.turn(now: hour, missedThrough: 0)) == ["other"])
    }

    @Test func aClockThatWasFarAheadLeavesNothingBehind() {
        let year = 8_760 * hour
        let all = (1...9_000).map { Int64($0) * hour }
        var planner = planner(TickSync("a", all, .none, .skip), TickSync("b", [2 * year], .none, .skip))
        var watch = TickWatch(wall: 0, steady: 0)
        func turn(_ wall: Int64, _ steady: Int64) -> [TickAction] {
            _ = watch.look(wall: wall, steady: steady)
            return planner.turn(now: wall, missedThrough: watch.missedThrough)
        }
        #expect(started(turn(year, minute)) == ["a"])
        let later = planner.end(1, exitCode: 75, retryIn: 5 * year, now: year)
        #expect(later?.notBefore == year + 36 * hour)
        #expect(planner.ahead(of: 90 * minute) == ["a"])
        #expect(started(turn(90 * minute, 2 * minute)) == ["a"])
        #expect(planner.ahead(of: 90 * minute) == [])
        _ = planner.end(1, exitCode: 0, now: 90 * minute)
        #expect(planner.wake(after: 90 * minute) == 2 * hour)
        let next = turn(2 * hour, 32 * minute)
        #expect(started(next) == ["a"])
        #expect(planner.book.items.map(\.isMissed) == [false])
    }

    @Test func aClockThatIsADayBackRepeatsNothing() {
        var planner = planner(TickSync("a", ticks(1...90), .latest, .skip))
        _ = planner.turn(now: 30 * hour, missedThrough: 0)
        _ = planner.end(1, exitCode: 0, now: 30 * hour)
        #expect(planner.turn(now: hour, missedThrough: 0).isEmpty)
        #expect(planner.book.marks["a"]?.anchor == 30 * hour)
    }

    @Test func aCircleOfPredecessorsStopsNobody() {
        let due = ticks(1...1)
        var planner = planner(
            TickSync("a", due, .latest, .skip, after: ["b"]), TickSync("b", due, .latest, .skip, after: ["a"]))
        let actions = planner.turn(now: hour, missedThrough: 0)
        #expect(started(actions) == ["a"])
    }

    @Test func aRunThatWaitsForItsBudgetIsTriedAgainThen() throws {
        var planner = planner(TickSync("a", ticks(1...3), .latest, .skip))
        _ = planner.turn(now: hour, missedThrough: 0)
        let ended = planner.end(1, exitCode: 75, retryIn: 90 * minute, now: hour)
        let item = try #require(ended)
        #expect(item.state == .retrying && item.notBefore == hour + 90 * minute)
        let second = planner.turn(now: 2 * hour, missedThrough: 0)
        #expect(second.contains(.skip(sync: "a", first: 2 * hour, last: 2 * hour, count: 1, .overlap)))
        #expect(started(second).isEmpty)
        let third = planner.turn(now: hour + 150 * minute, missedThrough: 0)
        #expect(started(third) == ["a"])
        let done = planner.end(item.id, exitCode: 0, now: 3 * hour)
        #expect(done == nil)
    }

    @Test func whatCannotBeReachedIsTriedAFewTimes() throws {
        var planner = planner(TickSync("a", ticks(1...1), .latest, .skip))
        var now = hour
        var tries = 0
        while tries < 20 {
            _ = planner.turn(now: now, missedThrough: 0)
            guard let item = planner.book.items.first, item.state == .running else { break }
            tries += 1
            guard let later = planner.end(item.id, exitCode: 69, now: now) else { break }
            now = later.notBefore
        }
        #expect(tries == 5)
        #expect(now < 3 * hour)
    }

    @Test func aScheduleThatChangesCountsFromNowOn() {
        var planner = planner(TickSync("a", ticks(1...9), .all, .queue))
        var changed = TickSync("a", ticks(1...9), .all, .queue)
        changed.definition = "another"
        _ = planner.adopt([changed], now: 5 * hour)
        _ = planner.turn(now: 6 * hour, missedThrough: 6 * hour)
        #expect(planner.book.items.map(\.tick) == [6 * hour])
        let gone = planner.adopt([], now: 7 * hour)
        #expect(gone.contains(.mark(sync: "a", TickBook.Mark(definition: "", anchor: 7 * hour))))
    }

    @Test func jitterIsTheSameEverywhereAndWithinItsBounds() {
        let sync = TickSync("a", [], .latest, .skip, jitter: 120_000)
        let offsets = (0..<1_000).map { sync.start(of: Int64($0) * hour) - Int64($0) * hour }
        #expect(offsets.allSatisfy { (0...120_000).contains($0) })
        #expect(Set(offsets).count > 900)
        #expect(sync.start(of: hour) == 3_600_000 + offsets[1])
        // The number is written down here: another version of the planner must not move it.
        #expect(
            TickSync("orders", [], .latest, .skip, jitter: 600_000).start(of: 1_790_000_000_000) == 1_790_000_441_543)
    }

    @Test func aSlowSchedulerMissesNothingAndAJumpDoes() {
        var watch = TickWatch(wall: 1_000 * hour, steady: 0)
        #expect(watch.look(wall: 1_002 * hour, steady: 2 * hour) == 0)
        #expect(watch.missedThrough == 1_000 * hour - minute)
        #expect(watch.look(wall: 1_008 * hour, steady: 3 * hour) == 5 * hour)
        #expect(watch.missedThrough == 1_008 * hour - minute)
        #expect(watch.look(wall: 1_000 * hour, steady: 3 * hour) == -8 * hour)
        #expect(watch.missedThrough == 1_000 * hour - minute)
    }
}
