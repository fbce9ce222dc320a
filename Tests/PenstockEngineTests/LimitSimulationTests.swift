// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

/// A server that counts arrivals in a rolling window.
private struct RollingServer {
    let limit: Int
    let window: Int64
    private var arrivals: [Int64] = []
    private(set) var refused = 0

    init(limit: Int, window: Int64) {
        self.limit = limit
        self.window = window
    }

    /// How many requests are left after one that arrives now, or nil where it is refused.
    mutating func arrive(_ time: Int64) -> Int? {
        arrivals.removeAll { $0 <= time - window }
        guard arrivals.count < limit else {
            refused += 1
            return nil
        }
        arrivals.append(time)
        return limit - arrivals.count
    }
}

/// Some processes with a full queue each, one server, and a network whose delays are drawn from a seed.
private struct Simulation {
    struct Client {
        var member: Int64
        var startsAt: Int64 = 0
        var diesAt: Int64 = .max
        var asksAt: Int64 = 0
        /// When it sent what.
        var sent: [Int64] = []
    }

    private struct OnTheWay {
        var at: Int64
        var client: Int
        var grant: SharedLimits.Grant
        var outcome = SharedLimits.Outcome(status: 200)
    }

    let terms: SharedLimits.Terms
    let latency: Int64
    let jitter: Int64
    var limits = SharedLimits()
    var server: RollingServer
    var clients: [Client] = []
    private var random: SeededGenerator
    private var arriving: [OnTheWay] = []
    private var answering: [OnTheWay] = []

    init(slots: Int, latency: Int64, jitter: Int64 = 3, clients: Int, seed: UInt64) {
        terms = SharedLimits.Terms(
            slots: Int64(slots), window: 2_000, budget: DailyBudget.Terms(daily: nil, reserve: .amount(0)))
        self.latency = latency
        self.jitter = jitter
        server = RollingServer(limit: slots, window: 2_000)
        random = SeededGenerator(seed: seed)
        for place in 0..<clients {
            if let member = limits.join(place: Int64(place), 0) { self.clients.append(Client(member: member)) }
        }
    }

    private mutating func delay() -> Int64 { max(1, latency / 2 + Int64.random(in: 0...jitter, using: &random)) }

    mutating func run(until end: Int64) {
        for now in 0..<end {
            for item in arriving where item.at <= now { arrive(item, now) }
            arriving.removeAll { $0.at <= now }
            for item in answering where item.at <= now { answer(item, now) }
            answering.removeAll { $0.at <= now }
            for index in clients.indices { ask(index, now) }
        }
    }

    private mutating func arrive(_ item: OnTheWay, _ now: Int64) {
        var item = item
        item.outcome.limit = Int64(server.limit)
        if let left = server.arrive(now) {
            item.outcome.remaining = Int64(left)
        } else {
            item.outcome.status = 429
        }
        item.at = now + delay()
        answering.append(item)
    }

    private mutating func answer(_ item: OnTheWay, _ now: Int64) {
        guard clients[item.client].diesAt > now else { return }
        limits.release(item.grant, item.outcome, terms, jitter: 0.5, now)
        clients[item.client].asksAt = now
    }

    private mutating func ask(_ index: Int, _ now: Int64) {
        let client = clients[index]
        // The others find out a tenth of a second later that it is gone.
        if client.diesAt != .max, now == client.diesAt + 100 { limits.remove(client.member, terms, now) }
        guard now >= client.startsAt, now < client.diesAt, now >= client.asksAt else { return }
        let wish = SharedLimits.Wish(cost: 5, isWrite: true, isFirst: false)
        let moment = SharedLimits.Moment(time: now, hourEndsIn: 1_000_000)
        while true {
            switch limits.acquire(wish, by: client.member, terms, moment) {
            case .granted(let grant):
                clients[index].sent.append(now)
                arriving.append(OnTheWay(at: now + delay(), client: index, grant: grant))
            case .wait(let wait):
                clients[index].asksAt = now + wait
                return
            case .refused: return
            }
        }
    }

    /// The share of the shortest time in which the limit permits so many requests, of the time that they took.
    func share(ofFirst count: Int) -> Double {
        let sent = clients.flatMap(\.sent).sorted()
        guard sent.count >= count else { return 0 }
        return Double(2_000 * ((count - 1) / server.limit)) / Double(sent[count - 1])
    }

    /// The share of what the limit permits that was sent in a time.
    func share(_ time: Range<Int64>) -> Double {
        let sent = clients.reduce(0) { $0 + $1.sent.filter(time.contains).count }
        return Double(sent) * 2_000 / Double(server.limit) / Double(time.count)
    }
}

@Suite struct LimitSimulationTests {
    @Test(
        "Full queues get at least 97 % of the permitted rate and no refusal, each process its share",
        arguments: [(40, Int64(4)), (40, 300), (20, 150), (120, 300)], [(1, UInt64(7)), (2, 11), (2, 4_242), (3, 5)])
    func fullRateWithoutRefusal(profile: (slots: Int, latency: Int64), processes: (count: Int, seed: UInt64)) {
        var simulation = Simulation(
            slots: profile.slots, latency: profile.latency, clients: processes.count, seed: processes.seed)
        simulation.run(until: 30_000)
        #expect(simulation.server.refused == 0)
        #expect(simulation.share(0..<30_000) > 0.97, "\(simulation.share(0..<30_000))")
        let total = simulation.clients.reduce(0) { $0 + $1.sent.count }
        for client in simulation.clients {
            #expect(Double(client.sent.count) >= 0.8 / Double(processes.count) * Double(total))
        }
    }

    @Test(
        "A run of a minute takes hardly longer than the limit asks for, however far away the other side is",
        arguments: [Int64(3), 50, 150, 300], [(1, UInt64(21)), (2, 22)])
    func aMinuteAtEveryLatency(latency: Int64, processes: (count: Int, seed: UInt64)) {
        var simulation = Simulation(
            slots: 40, latency: latency, jitter: 10, clients: processes.count, seed: processes.seed)
        simulation.run(until: 62_000)
        #expect(simulation.server.refused == 0)
        #expect(simulation.share(ofFirst: 1_200) > 0.985, "\(simulation.share(ofFirst: 1_200))")
    }

    @Test("A process that comes later has its share after a window, and one that is killed leaves its own to the rest")
    func comingAndGoing() {
        var simulation = Simulation(slots: 40, latency: 50, clients: 2, seed: 99)
        simulation.clients[1].startsAt = 7_000
        simulation.clients[0].diesAt = 20_000
        simulation.run(until: 40_000)
        #expect(simulation.server.refused == 0)
        let both: Range<Int64> = 9_500..<20_000
        let (first, second) = (
            simulation.clients[0].sent.filter(both.contains).count,
            simulation.clients[1].sent.filter(both.contains).count
        )
        #expect(Double(first) >= 0.4 * Double(first + second) && Double(second) >= 0.4 * Double(first + second))
        #expect(simulation.share(both) > 0.95)
        #expect(simulation.share(23_000..<39_000) > 0.97, "the one that is left has all of it")
    }

    @Test("A process without a backlog costs the other nothing")
    func idleNeighbour() {
        var simulation = Simulation(slots: 40, latency: 50, clients: 2, seed: 3)
        simulation.clients[1].startsAt = .max
        simulation.run(until: 20_000)
        #expect(simulation.share(0..<20_000) > 0.97)
    }
}
