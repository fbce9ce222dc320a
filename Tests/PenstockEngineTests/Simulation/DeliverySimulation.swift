// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// A sync of some rows to a server, over a network and a disk that do what one seed says, until all is settled.
///
/// It plays the host's part with the real decisions: ``DeliveryMachine``, ``IntentBook``, ``LostCreates`` and
/// ``LostCreateTime``. A ``Mutant`` breaks one step between them and the world.
struct DeliverySimulation {
    let seed: UInt64
    let mutant: Mutant?
    let isMarked: Bool
    let rowCount: Int
    static let timeout: Int64 = 30_000
    static let settle: Int64 = 60_000

    private var random: SeededRandom
    private var server = SimulatedCRM()
    private var disk = SimulatedDisk()
    private var now: Int64 = 1_000_000
    private var boot: Int64 = 1
    /// How far the boot clock's zero is from the simulated time: it starts anew with the machine.
    private var bootOffset: Int64 = 0
    private var wallSkew: Int64 = 0
    private var faultsLeft: Int
    private var crashesLeft: Int
    private(set) var fatesSeen: Set<RequestFate> = []
    private(set) var crashes = 0
    private var attempts = 0
    private var generation = 0
    private var isSecondProcess = false
    private var noticed: [String] = []

    init(seed: UInt64, mutant: Mutant? = nil) {
        self.seed = seed
        self.mutant = mutant
        var random = SeededRandom(seed)
        isMarked =
            mutant == .recordClaimedTwice || mutant == .asksBeforeItWrites
            ? false : mutant == .newMarkerOnResend ? true : random.chance(60)
        rowCount = 4 + random.below(30)
        faultsLeft = random.below(24)
        crashesLeft = random.below(6)
        self.random = random
    }

    private struct Crash: Error {}

    /// The boot clock.
    private var bootTime: Int64 { now - bootOffset }

    /// Rows come in threes with the same content: only by_match has to tell them apart.
    private func payload(_ row: Int) -> Int { isMarked ? row : row / 3 }

    private func marker(_ row: Int) -> String { isMarked ? "m\(row).\(generation)" : "" }

    // MARK: - The whole

    /// Runs until everything is settled, and returns what is wrong then.
    mutating func run() -> [String] {
        while attempts < 60 {
            attempts += 1
            do {
                if try attempt() { break }
            } catch {
                crashes += 1
                if mutant == .newMarkerOnResend { generation += 1 }
                restart()
            }
            pass(Int64(random.below(4_000)))
        }
        // Whatever is still under way arrives.
        pass(10 * (Self.timeout + Self.settle))
        return faults()
    }

    private mutating func faults() -> [String] {
        var out = noticed
        if attempts >= 60 { out.append("not settled after \(attempts) runs") }
        for row in 0..<rowCount where isMarked {
            let count = server.records.count { $0.marker.hasPrefix("m\(row).") }
            let isRejected = disk.entries[row] == .rejected
            if count != (isRejected ? 0 : 1) { out.append("row \(row) has \(count) records") }
        }
        if !isMarked {
            for group in Set((0..<rowCount).map(payload)) {
                let rows = (0..<rowCount).filter { payload($0) == group && disk.entries[$0] != .rejected }
                let count = server.records.count { $0.payload == group }
                if count != rows.count { out.append("\(rows.count) rows of content \(group) have \(count) records") }
            }
        }
        let ids = disk.entries.values.compactMap { if case .created(let id) = $0 { id } else { nil } }
        if Set(ids).count != ids.count { out.append("a record stands for two rows") }
        if let post = server.posts.first(where: { !$0.hadIntent }) { out.append("row \(post.row) left without intent") }
        if disk.watermark > (0..<rowCount).filter({ isSettled($0) }).count {
            out.append("the watermark is past open rows")
        }
        return out
    }

    private func isSettled(_ row: Int) -> Bool {
        switch disk.entries[row] {
        case .created, .rejected: true
        default: false
        }
    }

    private mutating func pass(_ milliseconds: Int64) {
        now += milliseconds
        server.tick(now)
    }

    private mutating func restart() {
        disk.loseUnsynced()
        if disk.watermark > (0..<rowCount).count(where: { isSettled($0) }) {
            noticed.append("the watermark is past open rows after a crash")
        }
        guard random.chance(30) else { return }
        // The machine went down: its clock starts anew.
        boot += 1
        bootOffset = now - Int64(random.below(5_000))
    }

    /// A place where the process may die.
    private mutating func mayCrash() throws(Crash) {
        guard crashesLeft > 0, random.chance(2) else { return }
        crashesLeft -= 1
        throw Crash()
    }

    // MARK: - One run of the program

    private struct Running {
        var machine: DeliveryMachine
        var book = IntentBook<Int>()
        var lost = LostCreates<Int>()
        var unwritten: [(row: Int, entry: SimulatedDisk.Entry)] = []
        var queue: [(batch: UInt64, row: Int, place: Int)] = []
        var answers: [(at: Int64, batch: UInt64, result: RowResult)] = []
        var isOut: Set<Int> = []
        var startedAt: Int64
    }

    private mutating func attempt() throws(Crash) -> Bool {
        var policy = DeliveryPolicy()
        policy.pauseMilliseconds = 10
        var running = Running(
            machine: DeliveryMachine(policy, silenceMilliseconds: 3_600_000, now: now), startedAt: bootTime)
        if mutant == .cursorBeforeRows { disk.commit([], watermark: rowCount) }
        for row in 0..<rowCount where !isSettled(row) {
            switch disk.entries[row] {
            case .intent(let intent) where mutant != .resendsAfterRestart: addLost(row, intent, &running)
            case .created, .rejected: break
            case .intent, .open, nil: running.machine.add(row, .create)
            }
        }
        try deliver(&running)
        while running.machine.stop == nil, running.lost.count > 0 {
            guard try ask(&running) else { break }
            try deliver(&running)
        }
        try flush(&running)
        let isDone = (0..<rowCount).allSatisfy { isSettled($0) }
        if isDone { disk.commit([], watermark: rowCount) }
        return isDone
    }

    /// Another process is started while this one is at work; the lock turns it away.
    private mutating func mayStartAnother() throws(Crash) {
        guard mutant == .noLease, !isSecondProcess, random.chance(3) else { return }
        isSecondProcess = true
        defer { isSecondProcess = false }
        _ = try attempt()
    }

    private func addLost(_ row: Int, _ intent: SimulatedDisk.Intent, _ running: inout Running) {
        let boot = mutant == .deadlineOfAnotherBootCounts ? intent.boot : boot
        let time = LostCreateTime(deadline: intent.deadline, boot: intent.boot)
        let due = time.dueAt(
            settle: Self.settle, timeout: Self.timeout, boot: boot, processStartedAt: running.startedAt)
        running.lost.add(row, dueAt: mutant == .asksBeforeSettle ? 0 : due)
    }

    private mutating func deliver(_ running: inout Running) throws(Crash) {
        while running.machine.openRows > 0 {
            if running.machine.stop != nil {
                for ending in running.machine.unsent() { running.unwritten.append((ending.row, .open)) }
                if running.machine.rowsOnTheirWay == 0 { return }
            }
            while running.queue.count < 8, let batch = running.machine.next(now) {
                running.book.register(batch.id, batch.rows)
                running.machine.took(batch, now)
                running.queue += batch.rows.enumerated().map { (batch.id, $0.element, $0.offset) }
            }
            if !running.queue.isEmpty, running.answers.count < 6, running.machine.stop == nil {
                try send(running.queue.removeFirst(), &running)
            } else if running.machine.stop != nil {
                for item in running.queue {
                    running.answers.append((now, item.batch, RowResult(row: item.place, status: .notTried)))
                }
                running.queue = []
            }
            pass(Int64(1 + random.below(40)))
            if mutant == .asksWhileSenderLives, running.lost.count > 0 { _ = try ask(&running) }
            try mayStartAnother()
            // A connector that waits long for a slot.
            if random.chance(1) { pass(Int64(random.below(200_000))) }
            try receive(&running)
        }
    }

    // MARK: - Sending

    private mutating func send(_ item: (batch: UInt64, row: Int, place: Int), _ running: inout Running) throws(Crash) {
        try mayCrash()
        if mutant != .intentAfterSend { try writeIntents(item, &running) }
        try mayCrash()
        let hadIntent = disk.holdsIntent(item.row)
        server.note(SimulatedCRM.Post(row: item.row, at: now, hadIntent: hadIntent || mutant == .intentNotSynced))
        running.isOut.insert(item.row)
        let (result, at) = request(item.row)
        var answer = result
        answer.row = item.place
        running.answers.append((at, item.batch, answer))
        if mutant == .intentAfterSend {
            try mayCrash()
            try writeIntents(item, &running)
        }
        if mutant == .asksWhileSenderLives, at - now > 1_000, case .intent(let intent)? = disk.entries[item.row] {
            running.lost.add(item.row, dueAt: min(intent.deadline, 0))
        }
    }

    private mutating func writeIntents(
        _ item: (batch: UInt64, row: Int, place: Int), _ running: inout Running
    ) throws(Crash) {
        if mutant == .noIntent { return }
        let place = BatchRow(batch: item.batch, row: item.place)
        // Time stands still for a book that takes old intents for new.
        let time = mutant == .oldIntentStillCounts ? 0 : now
        guard case .write(let group) = running.book.ask(place, time) else { return }
        let intents = group.map { entry -> (row: Int, entry: SimulatedDisk.Entry) in
            let ahead = entry.place == place ? 0 : IntentBook<Int>.freshMilliseconds
            let intent = SimulatedDisk.Intent(
                marker: marker(entry.row), deadline: bootTime + Self.timeout + ahead, boot: boot, serverTime: now)
            return (entry.row, .intent(intent))
        }
        try mayCrash()
        disk.commit(running.unwritten + intents, isSynced: mutant != .intentNotSynced)
        running.unwritten = []
        try mayCrash()
        running.book.wrote(group.map(\.place), time)
    }

    /// What becomes of a request: the result as the connector reports it, and when.
    private mutating func request(_ row: Int) -> (RowResult, at: Int64) {
        var fate = RequestFate.answered
        if faultsLeft > 0, random.chance(35) {
            faultsLeft -= 1
            fate = RequestFate.allCases[random.below(RequestFate.allCases.count)]
        }
        fatesSeen.insert(fate)
        if mutant == .transportResends, random.chance(5) { server.insert(marker(row), payload(row), now) }
        let soon = now + Int64(5 + random.below(300))
        let end = now + Self.timeout
        func failed(_ status: RowResult.Status, _ code: ConnectorError.Code) -> RowResult {
            RowResult(row: 0, status: status, error: ConnectorError(code, "Simulated."))
        }
        var result: RowResult
        var at = soon
        switch fate {
        case .answered: result = created(row)
        case .refused: result = failed(.rejected, .badData)
        case .tooMany: result = mutant == .refusalTakenForSuccess ? fakeSuccess() : failed(.retry, .rateLimited)
        case .neverSent: result = failed(.retry, .unavailable)
        case .lostBefore: result = failed(.unknown, .unavailable)
        case .lostAfter:
            _ = created(row)
            result = failed(.unknown, .unavailable)
        case .late:
            // The connection broke, or the time was up, and it is carried out afterwards.
            server.schedule(marker(row), payload(row), at: now + Int64(random.below(Int(Self.timeout + Self.settle))))
            result = failed(.unknown, .timedOut)
            if random.chance(50) { at = end }
        case .never:
            result = failed(.unknown, .timedOut)
            at = end
        case .errorBefore: result = failed(.unknown, .unavailable)
        case .errorAfter:
            _ = created(row)
            result = failed(.unknown, .unavailable)
        case .unreadable:
            _ = created(row)
            result = mutant == .unreadableTakenForFailure ? failed(.retry, .unavailable) : failed(.unknown, .badData)
        }
        if mutant == .repeatsUnknownCreates, result.status == .unknown { result.status = .retry }
        return (result, at)
    }

    private mutating func created(_ row: Int) -> RowResult {
        RowResult(row: 0, status: .created, remoteID: String(server.insert(marker(row), payload(row), now)))
    }

    private func fakeSuccess() -> RowResult { RowResult(row: 0, status: .created, remoteID: "0") }

    // MARK: - Receiving and asking

    private mutating func receive(_ running: inout Running) throws(Crash) {
        let due = running.answers.filter { $0.at <= now }.sorted { ($0.at, $0.batch) < ($1.at, $1.batch) }
        running.answers.removeAll { $0.at <= now }
        for answer in due {
            try mayCrash()
            let endings = running.machine.settle(answer.batch, [answer.result], now) { 0.5 }
            for ending in endings {
                running.isOut.remove(ending.row)
                try close(ending, &running)
            }
            if running.machine.isDone(answer.batch) { running.book.forget(answer.batch) }
        }
        if random.chance(20) { try flush(&running) }
    }

    private mutating func close(_ ending: DeliveryMachine.Ending, _ running: inout Running) throws(Crash) {
        switch ending.outcome {
        case .created:
            running.unwritten.append((ending.row, .created(Int(ending.result?.remoteID ?? "") ?? 0)))
        case .rejected: running.unwritten.append((ending.row, .rejected))
        case .unknown:
            if mutant == .lostRowDropped {
                running.unwritten.append((ending.row, .rejected))
            } else if case .intent(let intent)? = disk.entries[ending.row] {
                addLost(ending.row, intent, &running)
            }
        default: running.unwritten.append((ending.row, .open))
        }
    }

    private mutating func flush(_ running: inout Running) throws(Crash) {
        guard !running.unwritten.isEmpty else { return }
        try mayCrash()
        disk.commit(running.unwritten)
        running.unwritten = []
        try mayCrash()
    }

    private mutating func ask(_ running: inout Running) throws(Crash) -> Bool {
        if mutant != .asksBeforeItWrites { try flush(&running) }
        while case .wait(let until) = running.lost.step(bootTime) {
            try mayCrash()
            if until - bootTime > Self.timeout + Self.settle + 2 * IntentBook<Int>.freshMilliseconds {
                noticed.append("a wait of \(until - bootTime) ms")
            }
            pass(max(1, until - bootTime))
        }
        guard case .sweep = running.lost.step(bootTime) else { return true }
        try mayCrash()
        let startedAt = bootTime
        var since = Int64.max
        for case .intent(let intent) in disk.entries.values { since = min(since, intent.serverTime) }
        if mutant == .ownClockForSince { since = now - 1 }
        var records = server.list(since: since, now: now, lag: mutant == .asksAnIndexThatLags ? 3_600_000 : 0)
        if random.chance(20) {
            // The list breaks off.
            guard mutant == .takesABrokenSweepForWhole else { return false }
            records = Array(records.prefix(records.count / 2))
        }
        let owned = Set(disk.entries.values.compactMap { if case .created(let id) = $0 { id } else { nil } })
        var found: [Int: [String]] = [:]
        for row in 0..<rowCount {
            guard case .intent(let intent)? = disk.entries[row] else { continue }
            found[row] = records.filter {
                isMarked
                    ? $0.marker == (mutant == .newMarkerOnResend ? marker(row) : intent.marker)
                    : $0.payload == payload(row)
                        && (mutant == .recordClaimedTwice || !owned.contains($0.id))
            }.map { String($0.id) }
        }
        let marked = isMarked
        for (row, verdict) in running.lost.settle(found, startedAt: startedAt, isMarked: { _ in marked }) {
            guard !running.isOut.contains(row) || mutant == .asksWhileSenderLives else { continue }
            switch verdict {
            case .adopted(let id): running.unwritten.append((row, .created(Int(id) ?? 0)))
            case .absent: running.machine.add(row, .create)
            case .several(let ids): running.unwritten.append((row, .created(Int(ids[0]) ?? 0)))
            }
        }
        try flush(&running)
        return true
    }
}
