// SPDX-License-Identifier: Apache-2.0

/// Decides which ticks run, which are left out, and what starts next.
///
/// A pure value: it reads no clock and starts nothing. Every call changes the book and returns what has changed; the
/// caller writes that down in one step before it starts anything. A tick is decided once: behind the mark of its sync
/// it is never looked at again, however the clock is set.
package struct TickPlanner: Sendable {
    /// What is remembered.
    package private(set) var book: TickBook
    /// How many runs may be at work at once.
    package var jobs: Int
    private var syncs: [String: TickSync] = [:]
    private var names: [String] = []

    /// So many ticks of one sync wait at most; later ones are decided when there is room again.
    package static let waitingMax = 100
    private static let batch = 1_000
    /// A mark or a try that is further ahead, in milliseconds, comes from a clock that was wrong.
    static let aheadMax: Int64 = 36 * 3_600_000
    /// How long a try is put off, in milliseconds: after the first one, the second, and so on.
    private static let pauses: [Int64] = [60_000, 300_000, 900_000, 1_800_000, 3_600_000]
    private static let later: Int32 = 75
    private static let unavailable: Int32 = 69
    private static let unavailableTries = 5

    /// A planner over what was remembered.
    package init(_ book: TickBook = TickBook(), jobs: Int) {
        self.book = book
        self.jobs = max(1, jobs)
    }

    // MARK: - Turns

    /// Takes over the syncs as they are now.
    ///
    /// Where a schedule is new or has changed, its ticks count from `now` on. What waits of a sync that is gone is
    /// dropped.
    package mutating func adopt(_ all: [TickSync], now: Int64) -> [TickAction] {
        syncs = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        names = all.map(\.name).sorted()
        var actions: [TickAction] = []
        for item in book.items where syncs[item.sync] == nil && item.state != .running {
            book.items.removeAll { $0.id == item.id }
            actions.append(.drop(item, .disabled))
        }
        for name in Set(names).union(book.marks.keys).sorted() {
            let definition = syncs[name]?.definition ?? ""
            let mark = book.marks[name]
            guard mark?.definition ?? "" != definition else { continue }
            let new = TickBook.Mark(definition: definition, anchor: max(mark?.anchor ?? now, now))
            book.marks[name] = new
            actions.append(.mark(sync: name, new))
        }
        return actions
    }

    /// Decides the ticks that are due and what starts.
    ///
    /// - Parameter missedThrough: Ticks up to here came while nothing could run; see ``TickWatch``.
    package mutating func turn(now: Int64, missedThrough: Int64) -> [TickAction] {
        var actions = comeBack(to: now)
        for name in names { decide(name, now: now, missedThrough: missedThrough, &actions) }
        start(now: now, &actions)
        return actions
    }

    /// The syncs whose ticks are decided so far ahead that the clock must have been wrong, by name.
    ///
    /// The next turn lets their ticks count from its own time on.
    package func ahead(of now: Int64) -> [String] {
        names.filter { name in
            book.marks[name].map { !$0.definition.isEmpty && $0.anchor > now + Self.aheadMax } ?? false
        }
    }

    /// When the next turn can have something to do, if nothing else happens before; nil for never.
    package func wake(after now: Int64) -> Int64? {
        var times = book.items.compactMap { $0.state != .running && $0.notBefore > now ? $0.notBefore : nil }
        for name in names {
            guard let mark = book.marks[name], !mark.definition.isEmpty, waiting(name) < Self.waitingMax,
                let next = syncs[name]?.next(mark.anchor)
            else { continue }
            times.append(next)
        }
        return times.min()
    }

    // MARK: - Events

    /// Takes note of the end of an item's run.
    ///
    /// - Parameters:
    ///   - exitCode: The exit code; nil where a signal ended the run, or where it is not known.
    ///   - retryIn: After how many milliseconds another try can help, where the run said so.
    ///   - mayRetry: False where somebody wanted the end.
    /// - Returns: The item as it stands then, or nil where it is done.
    package mutating func end(
        _ id: Int64, exitCode: Int32?, retryIn: Int64? = nil, mayRetry: Bool = true, now: Int64
    ) -> TickBook.Item? {
        guard let index = book.items.firstIndex(where: { $0.id == id }) else { return nil }
        let attempts = book.items[index].attempts
        let helps = exitCode == Self.later || (exitCode == Self.unavailable && attempts < Self.unavailableTries)
        guard mayRetry, helps, syncs[book.items[index].sync] != nil else {
            book.items.remove(at: index)
            return nil
        }
        let pause = Self.pauses[min(max(0, attempts - 1), Self.pauses.count - 1)]
        book.items[index].state = .retrying
        book.items[index].notBefore = now + min(max(1_000, retryIn ?? pause), Self.aheadMax)
        return book.items[index]
    }

    /// Puts an item whose run ended with the server, or that was never started, back to where it can be started.
    package mutating func resume(_ id: Int64, now: Int64) -> TickBook.Item? {
        guard let index = book.items.firstIndex(where: { $0.id == id }) else { return nil }
        book.items[index].state = .waiting
        book.items[index].notBefore = min(book.items[index].notBefore, now)
        return book.items[index]
    }

    /// Adds a run that somebody asks for.
    ///
    /// - Returns: The new item, or nil where one of the sync is not done yet.
    package mutating func ask(_ sync: String, now: Int64) -> TickBook.Item? {
        guard book.items(of: sync).isEmpty else { return nil }
        return add(sync, tick: now, notBefore: now, isMissed: false, isAsked: true)
    }

    /// Makes an item that waits to be tried again go at once, because somebody asks for it.
    package mutating func hurry(_ sync: String, now: Int64) -> TickBook.Item? {
        let found = book.items.firstIndex { $0.sync == sync && $0.state != .running && $0.notBefore > now }
        guard let found else { return nil }
        book.items[found].notBefore = now
        return book.items[found]
    }

    /// Drops what waits of a sync; its run that is at work is not touched.
    package mutating func cancel(_ sync: String) -> [TickAction] {
        let dropped = book.items.filter { $0.sync == sync && $0.state != .running }
        book.items.removeAll { $0.sync == sync && $0.state != .running }
        return dropped.map { .drop($0, .cancelled) }
    }

    // MARK: - Deciding

    /// Takes back what was reckoned by a clock that was far ahead and is right again.
    ///
    /// Otherwise nothing would run until it is that late indeed. Ticks that were decided ahead never were.
    private mutating func comeBack(to now: Int64) -> [TickAction] {
        var actions: [TickAction] = []
        for name in ahead(of: now) {
            book.marks[name]?.anchor = now
            if let mark = book.marks[name] { actions.append(.mark(sync: name, mark)) }
        }
        for (index, item) in book.items.enumerated() where item.state != .running {
            let farthest = now + max(Self.aheadMax, syncs[item.sync]?.jitter ?? 0)
            guard item.notBefore > farthest else { continue }
            book.items[index].notBefore = now
            actions.append(.item(book.items[index]))
        }
        return actions
    }

    private func waiting(_ name: String) -> Int { book.items.lazy.filter { $0.sync == name }.count }

    private mutating func decide(_ name: String, now: Int64, missedThrough: Int64, _ actions: inout [TickAction]) {
        guard let sync = syncs[name], var mark = book.marks[name], !mark.definition.isEmpty else { return }
        var missed = SkippedTicks()
        var last: Int64?
        var hasChanged = false
        decision: while true {
            let ticks = sync.occurrences(mark.anchor, now, Self.batch)
            for tick in ticks {
                guard waiting(name) < Self.waitingMax else { break decision }
                mark.anchor = tick
                hasChanged = true
                if tick > missedThrough {
                    // A tick on time that runs stands for those before it.
                    settle(sync, last, &missed, isStoodFor: isFree(sync), &actions)
                    last = nil
                    onTime(sync, tick, &actions)
                } else if sync.catchUp == .all {
                    actions.append(
                        .item(add(name, tick: tick, notBefore: tick, isMissed: true, isAsked: false)))
                } else {
                    if let before = last { missed.add(before) }
                    last = tick
                }
            }
            if ticks.count < Self.batch { break }
        }
        settle(sync, last, &missed, isStoodFor: false, &actions)
        guard hasChanged else { return }
        book.marks[name] = mark
        actions.append(.mark(sync: name, mark))
    }

    /// Ends a row of missed ticks whose last one is `last`: it runs where `catch_up` says so and nothing stands for it.
    private mutating func settle(
        _ sync: TickSync, _ last: Int64?, _ missed: inout SkippedTicks, isStoodFor: Bool,
        _ actions: inout [TickAction]
    ) {
        guard let last else { return missed.flush(sync.name, .missed, &actions) }
        // A run that has not begun will see everything that the missed one would have seen.
        let isWaiting = book.items.contains { $0.sync == sync.name && $0.attempts == 0 }
        let runs = sync.catchUp == .latest && !isStoodFor && !isWaiting
        if !runs { missed.add(last) }
        missed.flush(sync.name, .missed, &actions)
        if runs {
            actions.append(.item(add(sync.name, tick: last, notBefore: last, isMissed: true, isAsked: false)))
        }
    }

    /// Whether a tick that is due now gets a run.
    private func isFree(_ sync: TickSync) -> Bool { sync.overlap == .queue || waiting(sync.name) == 0 }

    private mutating func onTime(_ sync: TickSync, _ tick: Int64, _ actions: inout [TickAction]) {
        guard isFree(sync) else {
            actions.append(.skip(sync: sync.name, first: tick, last: tick, count: 1, .overlap))
            return
        }
        let start = sync.start(of: tick)
        actions.append(.item(add(sync.name, tick: tick, notBefore: start, isMissed: false, isAsked: false)))
    }

    private mutating func add(
        _ sync: String, tick: Int64, notBefore: Int64, isMissed: Bool, isAsked: Bool
    ) -> TickBook.Item {
        let item = TickBook.Item(
            id: book.nextID, sync: sync, tick: tick, notBefore: notBefore, isMissed: isMissed, isAsked: isAsked)
        book.nextID += 1
        book.items.append(item)
        return item
    }

    // MARK: - Starting

    private mutating func start(now: Int64, _ actions: inout [TickAction]) {
        var running = book.items.lazy.filter { $0.state == .running }.count
        while running < jobs, let id = nextStart(now: now, mayBreakOrder: running == 0),
            let index = book.items.firstIndex(where: { $0.id == id })
        {
            book.items[index].state = .running
            book.items[index].attempts += 1
            actions.append(.item(book.items[index]))
            actions.append(.start(book.items[index]))
            running += 1
        }
    }

    /// The item to start next, or nil.
    ///
    /// - Parameter mayBreakOrder: Whether one goes even where each waits for another, which only a circle can bring.
    private func nextStart(now: Int64, mayBreakOrder: Bool) -> Int64? {
        var oldest: [String: TickBook.Item] = [:]
        for item in book.items.sorted(by: { ($0.tick, $0.id) < ($1.tick, $1.id) }) where oldest[item.sync] == nil {
            oldest[item.sync] = item
        }
        var candidates = oldest.values.filter { item in
            item.state != .running && item.notBefore <= now && !book.isRunning(item.sync) && syncs[item.sync] != nil
        }
        let urgency = urgency(candidates.map(\.sync))
        candidates.sort { left, right in
            let priorities = (urgency[left.sync] ?? 0, urgency[right.sync] ?? 0)
            if priorities.0 != priorities.1 { return priorities.0 > priorities.1 }
            return (left.tick, left.sync) < (right.tick, right.sync)
        }
        if let free = candidates.first(where: { !isHeld($0, oldest, now) }) { return free.id }
        let isCircle =
            mayBreakOrder && !candidates.isEmpty
            && book.items.allSatisfy { $0.state == .retrying || $0.notBefore <= now }
        return isCircle ? candidates.first?.id : nil
    }

    /// The priorities of syncs that are due: what others wait for is as urgent as they are.
    private func urgency(_ due: [String]) -> [String: Int] {
        var found: [String: Int] = [:]
        for name in due {
            let own = syncs[name]?.priority ?? 0
            for sync in predecessors(of: name).union([name]) { found[sync] = max(found[sync] ?? own, own) }
        }
        return found
    }

    /// Whether a sync that goes before this one is at work or about to be.
    ///
    /// One that waits to be tried again holds nobody: that can take until the next day.
    private func isHeld(_ item: TickBook.Item, _ oldest: [String: TickBook.Item], _ now: Int64) -> Bool {
        predecessors(of: item.sync).contains { name in
            guard name != item.sync, let front = oldest[name] else { return false }
            let isPutOff = front.state == .retrying && front.notBefore > now
            return book.isRunning(name) || (!isPutOff && front.tick <= item.tick)
        }
    }

    private func predecessors(of sync: String) -> Set<String> {
        var found: Set<String> = []
        var open = syncs[sync]?.predecessors ?? []
        while let name = open.popLast() {
            if found.insert(name).inserted { open += syncs[name]?.predecessors ?? [] }
        }
        return found
    }
}

/// Neighbouring ticks that are left out for one reason.
private struct SkippedTicks {
    private var first: Int64 = 0
    private var last: Int64 = 0
    private var count = 0

    mutating func add(_ tick: Int64) {
        if count == 0 { first = tick }
        last = tick
        count += 1
    }

    mutating func flush(_ sync: String, _ reason: TickSkip, _ actions: inout [TickAction]) {
        if count > 0 { actions.append(.skip(sync: sync, first: first, last: last, count: count, reason)) }
        count = 0
    }
}
