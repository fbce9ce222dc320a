// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

/// A server that counts arrivals in a rolling window, and a network with delays drawn from a seed.
private struct SimulatedServer {
    let limit: Int
    let window: Int64
    var arrivals: [Int64] = []
    var refused = 0

    mutating func arrive(_ time: Int64) -> Bool {
        arrivals.removeAll { $0 <= time - window }
        guard arrivals.count < limit else {
            refused += 1
            return false
        }
        arrivals.append(time)
        return true
    }
}

@Suite struct SlotLimiterTests {
    /// Runs a client with a full queue for half a minute against a simulated server.
    private func drive(
        slots: Int, latency: Int64, jitter: Int64, seed: UInt64
    ) -> (sent: Int, refused: Int, share: Double) {
        var random = SeededGenerator(seed: seed)
        var limiter = SlotLimiter(slots: slots, window: 2_000)
        var server = SimulatedServer(limit: slots, window: 2_000)
        var arriving: [(at: Int64, ticket: UInt64)] = []
        var answered: [(at: Int64, ticket: UInt64)] = []
        var sent = 0
        let end: Int64 = 30_000
        for now in 0..<end {
            for item in arriving where item.at == now {
                _ = server.arrive(now)
                answered.append((now + latency / 2 + Int64.random(in: 0...jitter, using: &random), item.ticket))
            }
            arriving.removeAll { $0.at <= now }
            for item in answered where item.at <= now { limiter.release(item.ticket, now, wasNeverSent: false) }
            answered.removeAll { $0.at <= now }
            while case .granted(let ticket) = limiter.acquire(now) {
                sent += 1
                arriving.append((now + max(1, latency / 2 + Int64.random(in: 0...jitter, using: &random)), ticket))
            }
        }
        let permitted = Double(slots) * Double(end) / 2_000
        return (sent, server.refused, Double(sent) / permitted)
    }

    @Test(
        "A full queue gets at least 97 % of the permitted rate and no refusal",
        arguments: [(40, Int64(4)), (40, 50), (20, 150), (120, 300)], [UInt64(1), 7, 4_242])
    func fullRateWithoutRefusal(profile: (Int, Int64), seed: UInt64) {
        let result = drive(slots: profile.0, latency: profile.1, jitter: 3, seed: seed)
        #expect(result.refused == 0, "seed \(seed)")
        #expect(result.share > 0.97, "share \(result.share), seed \(seed)")
    }

    private func granted(_ answer: SlotLimiter.Answer) throws -> UInt64 {
        guard case .granted(let ticket) = answer else { throw NoSlot() }
        return ticket
    }

    private struct NoSlot: Error {}

    @Test func aRequestThatNeverLeftGivesItsSlotBackAtOnce() throws {
        var limiter = SlotLimiter(slots: 1, window: 2_000)
        let ticket = try granted(limiter.acquire(0))
        let answer1 = limiter.acquire(0)
        #expect(answer1 != .granted(2))
        limiter.release(ticket, 1, wasNeverSent: true)
        let answer2 = limiter.acquire(1)
        #expect(answer2 == .granted(2))
    }

    @Test func afterARefusalNothingIsSentForAWindow() throws {
        var limiter = SlotLimiter(slots: 10, window: 2_000)
        let ticket = try granted(limiter.acquire(0))
        limiter.refused(10, retryAfter: 3_000)
        limiter.release(ticket, 10, wasNeverSent: false)
        let answer3 = limiter.acquire(3_009)
        #expect(answer3 == .wait(1))
        let answer4 = limiter.acquire(3_010)
        #expect(answer4 == .granted(2))
        #expect(limiter.slotsAvailableAtMost(3_010) == 9)
    }

    @Test func othersWithTheSameCredentialAreLeftTheirSlots() throws {
        var limiter = SlotLimiter(slots: 40, window: 2_000)
        let ticket = try granted(limiter.acquire(0))
        limiter.observe(ticket, limit: 40, remaining: 30, 50)
        #expect(limiter.slotsAvailableAtMost(51) == 31)
        #expect(limiter.slotsAvailableAtMost(2_050) == 40)
    }

    @Test func headersLowerTheLimitAndNeverRaiseIt() {
        var limiter = SlotLimiter(slots: 40, window: 2_000)
        limiter.observe(nil, limit: 20, remaining: nil, 0)
        #expect(limiter.slotsAvailableAtMost(0) == 20)
        limiter.observe(nil, limit: 400, remaining: nil, 0)
        #expect(limiter.slotsAvailableAtMost(0) == 40)
    }

    @Test func slotsThatAnotherProcessHasTakenAreLeftToIt() throws {
        var first = SlotLimiter(slots: 3, window: 2_000)
        let ticket = try granted(first.acquire(0))
        _ = try granted(first.acquire(0))
        first.release(ticket, 50, wasNeverSent: false)
        #expect(first.occupied(60) == [2_055, 2_065])
        var second = SlotLimiter(slots: 3, window: 2_000)
        second.occupy(until: first.occupied(60), 60)
        _ = try granted(second.acquire(60))
        let answer = second.acquire(61)
        #expect(answer == .wait(1_994))
    }
}
