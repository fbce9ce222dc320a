// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel
import Testing

/// Holds what the strategy spends against every way that there is.
@Suite struct CompareStrategyTests {
    /// Records at a destination, in the order of its list, and the rows that are about some of them.
    private struct World {
        var costs: RequestCosts
        var records: Int
        /// The positions in the list of the records of the rows; beyond the list for a record that does not exist,
        /// which only the whole list tells.
        var rows: [Int]
        /// How many rows are at hand at once.
        var window: Int
        var listCost: Int64?
        var demand = CompareStrategy.Demand.look
        /// The id of the first record of the list, and how far the others are apart; nil where ids tell nothing.
        var idStep: Int?

        /// The id of the record at a position.
        func id(_ position: Int) -> String { String((position + 1) * (idStep ?? 1)) }
    }

    private static let usual = RequestCosts(
        create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500, readOne: 1)

    private static let seed =
        ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)

    /// Rows that no page answers but the last one: the list costs what it costs in whole.
    private func absent(_ rows: Int, _ records: Int) -> [Int] { (0..<rows).map { records + $0 } }

    /// What is spent until every row is looked at or sent; sent rows cost an update each.
    private func spent(_ world: World) -> Int64 {
        var strategy = CompareStrategy(CompareCosts(world.costs), listCost: world.listCost)
        var (tokens, waiting, next, shown) = (Int64(0), [Int](), 0, 0)
        while next < world.rows.count || !waiting.isEmpty {
            while waiting.count < world.window, next < world.rows.count {
                if world.rows[next] < shown { strategy.noteListed() } else { waiting.append(world.rows[next]) }
                next += 1
            }
            guard !waiting.isEmpty else { continue }
            let isLast = next == world.rows.count
            switch strategy.step(waiting.count, isLast: isLast, world.demand, ids: ids(waiting, world)) {
            case .page:
                let before = waiting.count
                for place in shown..<max(shown, min(shown + world.costs.readPageMax, world.records)) {
                    strategy.noteShown(world.id(place))
                }
                shown += world.costs.readPageMax
                if shown >= world.records { shown = .max }
                waiting.removeAll { $0 < shown }
                tokens += world.costs.readPage
                strategy.notePage(before - waiting.count, cost: world.costs.readPage)
            case .together(let count):
                #expect(count <= world.costs.readByIDsMax)
                waiting.removeFirst(count)
                tokens += world.costs.readByIDs
                strategy.noteByID(count, cost: world.costs.readByIDs)
            case .alone:
                waiting.removeFirst()
                tokens += world.costs.readOne
                strategy.noteByID(1, cost: world.costs.readOne)
            case .send(let count):
                #expect(world.demand == .cheapest)
                waiting.removeFirst(count)
                tokens += Int64(count) * world.costs.update
            }
        }
        return tokens
    }

    private func ids(_ waiting: [Int], _ world: World) -> WaitingIDs? {
        guard world.idStep != nil else { return nil }
        var ids = WaitingIDs(pageRecords: CompareCosts(world.costs).pageRecords)
        for place in waiting { ids.add(world.id(place)) }
        return ids
    }

    /// The least over so many pages of the list and the rest by id: every number of pages.
    private func leastByPages(_ world: World) -> Int64 {
        let costs = CompareCosts(world.costs)
        let pages = (world.records + costs.pageRecords - 1) / costs.pageRecords
        return (0...pages).compactMap { pages in
            let rest = world.rows.count { $0 >= pages * costs.pageRecords }
            return costs.readByID(Int64(rest)).map { Int64(pages) * costs.page + $0 }
        }.min() ?? .max
    }

    @Test("Ids that have no gaps tell the least over every number of pages, but for one page that is tried")
    func idsInOrder() {
        var random = SeededNumbers(Self.seed)
        for _ in 0..<200 {
            let records = random.below(8_000) + 1
            // Rows for a range of the list, all of it or some.
            let start = random.below(records)
            var places = Array(start..<(start + random.below(records - start) + 1))
            if random.below(2) == 0 { places = places.filter { _ in random.below(3) == 0 } }
            if random.below(2) == 0 { places.shuffle(using: &random) }
            if places.isEmpty { continue }
            let world = World(costs: Self.usual, records: records, rows: places, window: .max, idStep: 1)
            let tokens = spent(world)
            let note = "PENSTOCK_SEED=\(Self.seed): \(places.count) from \(start) of \(records): \(tokens)"
            #expect(tokens <= leastByPages(world) + Self.usual.readPage, "\(note)")
        }
    }

    @Test("A whole run of newest records behind old ones is read by the list without a trial")
    func oldestAreOthers() {
        for (older, rows) in [(500, 3_000), (600, 3_000), (400, 5_000), (1_000, 5_000), (1_000, 16_000)] {
            var world = World(
                costs: Self.usual, records: older + rows, rows: Array(older..<(older + rows)), window: 16_000, idStep: 1
            )
            #expect(spent(world) == Int64((older + rows + 499) / 500 * 10), "\(older), \(rows)")
            world.idStep = nil
            #expect(spent(world) > Int64((older + rows + 499) / 500 * 10), "without the ids it is not known")
        }
    }

    @Test("Ids with gaps, and a list in another order, cost a page more than by id at most")
    func idsWithGaps() {
        var random = SeededNumbers(Self.seed)
        for _ in 0..<100 {
            let records = random.below(6_000) + 1
            let rows = random.below(records) + 1
            var places = Array(0..<records)
            if random.below(2) == 0 { places.shuffle(using: &random) }
            let world = World(
                costs: Self.usual, records: records, rows: Array(places.prefix(rows)), window: .max,
                idStep: random.below(50) + 1)
            let byID = CompareCosts(Self.usual).readByID(Int64(rows)) ?? 0
            #expect(spent(world) <= byID + 10, "PENSTOCK_SEED=\(Self.seed): \(rows) of \(records)")
        }
        var strategy = CompareStrategy(CompareCosts(Self.usual), listCost: nil)
        var ids = WaitingIDs(pageRecords: 500)
        for number in 1...300 { ids.add(String(number)) }
        #expect(strategy.step(300, isLast: true, .look, ids: ids) == .page)
        for id in ["9", "x", "1"] { strategy.noteShown(id) }
        strategy.notePage(0, cost: 10)
        #expect(strategy.step(300, isLast: true, .look, ids: ids) == .together(100), "an order that is none")
    }

    @Test("Only a number from 1 on, in its shortest form, is a place in the list")
    func numbers() {
        var ids = WaitingIDs(pageRecords: 500)
        for id in ["1", "500", "501", "0", "007", "-3", "x", "", "+5", "18446744073709551616"] { ids.add(id) }
        #expect(ids.pages(from: 0, atMost: 9).map(\.count) == [2, 1])
        ids.remove("1")
        ids.remove("x")
        #expect(ids.pages(from: 0, atMost: 9).map(\.count) == [1, 1])
        #expect(ids.pages(from: 0, atMost: 1).map(\.page) == [0] && ids.pages(from: 1, atMost: 1).map(\.page) == [1])
        ids.add(String(UInt64.max))
        #expect(ids.pages(from: 2, atMost: .max).count == 1)
        #expect(ids.pages(from: .max, atMost: .max).isEmpty && ids.pages(from: 0, atMost: 0).isEmpty)
        var none = WaitingIDs(pageRecords: 0)
        none.add("5")
        #expect(none.pages(from: 0, atMost: 9).isEmpty)
    }

    @Test("The largest costs that a connector may state, and ids far apart, take no time and overflow nothing")
    func largestCosts() {
        let dear = RequestCosts(
            create: 1_000_000_000, update: 1_000_000_000, delete: 1, readByIDs: 1_000_000_000, readByIDsMax: 2,
            readPage: 1, readPageMax: 1, readOne: 1_000_000_000)
        var strategy = CompareStrategy(CompareCosts(dear), listCost: nil)
        var ids = WaitingIDs(pageRecords: 1)
        for number in 1...100 { ids.add(String(UInt64(number) * 10_000_000_000_000_000)) }
        #expect(strategy.step(100, isLast: true, .look, ids: ids) == .page, "the first page is tried")
        for _ in 0..<10_000_000 { strategy.noteListed() }
        for _ in 0..<1_000 { strategy.notePage(10_000, cost: 1_000_000_000) }
        strategy.noteByID(1_000_000_000, cost: 1_000_000_000_000_000)
        #expect(strategy.step(100, isLast: false, .look, ids: ids) == .page)
        #expect(strategy.listEstimate == 51_000_000_000_000)
    }

    /// The least over all ways and mixtures: so many requests for groups, so many for single records, the rest sent, or
    /// the whole list.
    private func least(_ world: World) -> Int64 {
        let costs = world.costs
        let rows = Int64(world.rows.count)
        var best = Int64.max
        if costs.readPage > 0 {
            let pages = max(1, (world.records + costs.readPageMax - 1) / costs.readPageMax)
            best = Int64(pages) * costs.readPage
        }
        let groupMax = Int64(costs.readByIDsMax)
        for groups in 0...(groupMax > 0 ? (rows + groupMax - 1) / groupMax : 0) {
            let left = max(0, rows - groups * groupMax)
            for alone in 0...left where alone == 0 || costs.readOne > 0 {
                guard alone == left || world.demand == .cheapest else { continue }
                let price = groups * costs.readByIDs + alone * costs.readOne + (left - alone) * costs.update
                best = min(best, price)
            }
        }
        return best
    }

    @Test("With rows and list known, what is spent is the least of all ways: every small number")
    func smallNumbers() {
        for demand in [CompareStrategy.Demand.look, .cheapest] {
            for records in [0, 1, 499, 500, 501, 1_000, 2_500, 50_000] {
                for rows in 1...330 {
                    var world = World(costs: Self.usual, records: records, rows: absent(rows, records), window: .max)
                    world.listCost = Int64(max(1, (records + 499) / 500) * 10)
                    world.demand = demand
                    #expect(spent(world) == least(world), "\(demand): \(rows) rows, \(records) records")
                }
            }
        }
    }

    @Test("With rows and list known, what is spent is the least of all ways: other costs, large numbers")
    func otherCosts() {
        var random = SeededNumbers(Self.seed)
        for _ in 0..<600 {
            var costs = Self.usual
            costs.update = Int64(random.below(8) + 1)
            costs.readOne = Int64(random.below(4))
            costs.readByIDs = Int64(random.below(30) + 1)
            costs.readByIDsMax = [0, 1, 2, 7, 50, 100][random.below(6)]
            costs.readPage = random.below(5) == 0 ? 0 : Int64(random.below(30) + 1)
            costs.readPageMax = [1, 10, 100, 500][random.below(4)]
            let demand: CompareStrategy.Demand = random.below(2) == 0 ? .look : .cheapest
            // Without any way to a record there is nothing to choose.
            if costs.readByIDsMax == 0, costs.readOne == 0, costs.readPage == 0 || demand == .cheapest { continue }
            let rows = random.below(150) + 1
            let records = random.below(3_000)
            var world = World(costs: costs, records: records, rows: absent(rows, records), window: .max, demand: demand)
            if costs.readPage > 0 {
                world.listCost = Int64(max(1, (records + costs.readPageMax - 1) / costs.readPageMax)) * costs.readPage
            }
            #expect(spent(world) == least(world), "PENSTOCK_SEED=\(Self.seed): \(world.costs) \(rows) of \(records)")
        }
    }

    @Test("Where the list is known and the rows are not, it is never more than twice the least")
    func unknownRows() {
        var random = SeededNumbers(Self.seed)
        for _ in 0..<60 {
            let rows = random.below(20_000) + 1
            let records = random.below(60_000) + 1
            var world = World(
                costs: Self.usual, records: records, rows: absent(rows, records), window: random.below(4_000) + 100)
            world.listCost = Int64((records + 499) / 500 * 10)
            // A group that is not full where the window ends is a group all the same.
            let most = 2 * least(world) + 10
            #expect(spent(world) <= most, "PENSTOCK_SEED=\(Self.seed): \(rows) of \(records), \(world.window)")
        }
    }

    @Test("Where the list is not known, it is never more than by id and a page, and the least where rows are spread")
    func unknownList() {
        var random = SeededNumbers(Self.seed)
        for _ in 0..<100 {
            let records = random.below(10_000) + 1
            let rows = random.below(min(records, 8_000)) + 1
            var places = Array(0..<records)
            let isSpread = random.below(2) == 0
            if isSpread { places.shuffle(using: &random) } else if random.below(2) == 0 { places.reverse() }
            let world = World(costs: Self.usual, records: records, rows: Array(places.prefix(rows)), window: .max)
            let tokens = spent(world)
            let byID = CompareCosts(Self.usual).readByID(Int64(rows)) ?? 0
            let note = "PENSTOCK_SEED=\(Self.seed): \(rows) of \(records), spread: \(isSpread): \(tokens)"
            #expect(tokens <= byID + 10, "\(note)")
            // Chance may show a page fewer rows than there are, which is worth some pages at most.
            if isSpread { #expect(tokens <= least(world) + least(world) / 4 + 20, "\(note)") }
        }
    }

    @Test("Where neither is known, it is never more than twice what the rows cost by id")
    func unknownBoth() {
        var random = SeededNumbers(Self.seed)
        for _ in 0..<50 {
            let records = random.below(20_000) + 1
            var places = Array(0..<records)
            if random.below(2) == 0 { places.shuffle(using: &random) }
            let rows = random.below(records) + 1
            let world = World(
                costs: Self.usual, records: records, rows: Array(places.prefix(rows)),
                window: random.below(4_000) + 100)
            let byID = CompareCosts(Self.usual).readByID(Int64(rows)) ?? 0
            #expect(spent(world) <= 2 * byID + 10, "PENSTOCK_SEED=\(Self.seed): \(rows) of \(records)")
        }
    }

    @Test("A list that is known to be long is not tried again, and one that has grown is given up in time")
    func longerThanKnown() {
        var world = World(costs: Self.usual, records: 50_000, rows: (0..<1_000).map { $0 * 50 }, window: .max)
        #expect(spent(world) == 110, "one page shows that the list is long")
        world.listCost = 1_000
        #expect(spent(world) == 100)
        world.listCost = 10
        #expect(spent(world) <= 110)
    }

    @Test("A row that costs as much to look at as to send is sent")
    func sendsWithoutALook() {
        var costs = Self.usual
        costs.readOne = 0
        let strategy = CompareStrategy(CompareCosts(costs), listCost: nil)
        #expect(strategy.step(2, isLast: true, .cheapest) == .send(2))
        #expect(strategy.step(2, isLast: true, .look) == .together(2))
        #expect(strategy.step(3, isLast: true, .cheapest) == .together(3))
    }
}

@Suite struct CompareQueueTests {
    @Test func rowsOfOneRecordAreTakenTogetherAndInOrder() {
        var queue = CompareQueue<Int>()
        queue.add("7", 1, mustLook: false)
        queue.add("8", 2, mustLook: true)
        queue.add("7", 3, mustLook: false)
        queue.add("9", 4, mustLook: false)
        #expect(queue.count == 3)
        #expect(queue.first(2) == ["7", "8"])
        #expect(queue.mustLook(["8"]) && !queue.mustLook(["7", "9"]))
        #expect(queue.take("7") == [1, 3] && queue.take("7").isEmpty)
        #expect(queue.first(5) == ["8", "9"])
        queue.add("7", 5, mustLook: false)
        #expect(queue.first(5) == ["8", "9", "7"] && queue.count == 3)
    }

    @Test func manyRecordsComeAndGo() {
        var queue = CompareQueue<Int>()
        var (next, expected) = (0, 0)
        for round in 0..<200 {
            for _ in 0..<(round % 7 + 95) {
                queue.add(String(next), next, mustLook: false)
                next += 1
            }
            for id in queue.first(97) {
                #expect(queue.take(id) == [expected])
                expected += 1
            }
        }
        #expect(queue.count == next - expected)
    }
}

/// Numbers that look random and are the same for the same seed.
private struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
}
