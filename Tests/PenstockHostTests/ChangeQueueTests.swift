// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState
import Synchronization
import Testing

@testable import PenstockHost

/// Changes are written in their order, each once, whatever fails on the way.
@Suite struct ChangeQueueTests {
    /// What was written, and what is to fail.
    private final class Disk: Sendable {
        private struct State {
            var written: [[Int64]] = []
            var failures = 0
            var isBusy = false
        }

        /// Held for as long as nothing can be written.
        let gate = NSLock()

        private let state = Mutex(State())

        var written: [Int64] { state.withLock { $0.written.flatMap { $0 } } }
        var transactions: Int { state.withLock { $0.written.count } }

        func fail(_ times: Int) { state.withLock { $0.failures = times } }

        func write(_ changes: [StateChange]) throws(StateError) {
            let isBusy = state.withLock { state in
                defer { state.isBusy = true }
                return state.isBusy
            }
            #expect(!isBusy, "one call at a time")
            defer { state.withLock { $0.isBusy = false } }
            let fails = state.withLock { state in
                guard state.failures > 0 else { return false }
                state.failures -= 1
                return true
            }
            gate.withLock {}
            if fails { throw .cannotWrite("the disk is full") }
            state.withLock { $0.written.append(changes.map(Self.number)) }
        }

        private static func number(_ change: StateChange) -> Int64 {
            if case .rejectsOutdated(let number) = change { number } else { -1 }
        }
    }

    private func queue(_ disk: Disk) -> ChangeQueue {
        ChangeQueue { changes throws(StateError) in try disk.write(changes) }
    }

    private func change(_ number: Int64) -> StateChange { .rejectsOutdated(before: number) }

    @Test func everythingIsWrittenOnceAndInOrder() throws {
        let disk = Disk()
        let queue = queue(disk)
        var number: Int64 = 0
        let seed = ProcessInfo.processInfo.environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
        print("everythingIsWrittenOnceAndInOrder: seed \(seed)")
        var random = SplitMix(state: seed)
        while number < 40_000 {
            for _ in 0..<Int.random(in: 1...900, using: &random) {
                try queue.add { $0.append(change(number)) }
                number += 1
            }
            switch Int.random(in: 0..<6, using: &random) {
            case 0: try queue.handOver()
            case 1:
                try queue.commit([change(number)])
                number += 1
                #expect(disk.written == Array(0..<number), "all of it is on disk when this returns")
            default: break
            }
        }
        try queue.commit([])
        #expect(disk.written == Array(0..<number))
        #expect(queue.isEmpty)
        let before = disk.transactions
        try queue.commit([])
        #expect(disk.transactions == before, "where nothing waits, nothing is written")
    }

    @Test func whatCouldNotBeWrittenWaitsOn() throws {
        let disk = Disk()
        let queue = queue(disk)
        for number in 0..<10 { try queue.add { $0.append(change(Int64(number))) } }
        disk.fail(1)
        try queue.handOver()
        // The failure is told once, to the next who asks behind it.
        var told = 0
        for _ in 0..<30_000 where told == 0 {
            do { try queue.check() } catch { told += 1 }
            usleep(1_000)
        }
        #expect(told == 1)
        try queue.check()
        try queue.add { $0.append(change(10)) }
        disk.fail(1)
        #expect(throws: StateError.self) { try queue.commit([change(99)]) }
        #expect(disk.written == [])
        try queue.commit([change(11)])
        #expect(disk.written == Array(0...11), "a last change whose transaction failed is forgotten")
    }

    @Test func aFailureThatNobodyWasToldOfDoesNotHinderTheEnd() throws {
        let disk = Disk()
        let queue = queue(disk)
        try queue.add { $0.append(change(0)) }
        disk.fail(1)
        try queue.handOver()
        try queue.commit([change(1)])
        #expect(disk.written == [0, 1])
    }

    @Test func whoAddsWaitsForASlowDisk() throws {
        let disk = Disk()
        let queue = queue(disk)
        let added = Mutex(0)
        let hasEnded = DispatchSemaphore(value: 0)
        disk.gate.lock()
        Thread.detachNewThread {
            defer { hasEnded.signal() }
            for number in 0..<40_000 {
                do { try queue.add { $0.append(self.change(Int64(number))) } } catch { Issue.record(error) }
                added.withLock { $0 += 1 }
            }
        }
        // 3,000 are on their way to the disk then, and 8,000 wait.
        while added.withLock({ $0 }) < 10_999 { usleep(1_000) }
        usleep(100_000)
        #expect(added.withLock { $0 } == 10_999, "the last one is in, and its thread waits")
        disk.gate.unlock()
        hasEnded.wait()
        try queue.commit([])
        #expect(disk.written == Array(0..<40_000))
    }

    @Test func manyMayCommitWhileOthersAdd() throws {
        let disk = Disk()
        let queue = queue(disk)
        DispatchQueue.concurrentPerform(iterations: 3) { thread in
            for place in 0..<6_000 {
                let number = Int64(place * 3 + thread)
                do {
                    if thread < 2, place % 50 == 0 {
                        try queue.commit([change(number)])
                        #expect(disk.written.contains(number))
                    } else {
                        try queue.add { $0.append(change(number)) }
                    }
                } catch {
                    Issue.record(error)
                }
            }
        }
        try queue.commit([])
        let written = disk.written
        #expect(written.sorted() == Array(0..<18_000), "each once")
        for thread in 0..<3 {
            let own = written.filter { Int($0) % 3 == thread }
            #expect(own == own.sorted(), "in the order in which its thread gave them")
        }
    }

    @Test func numbersOfRowsThatHaveEndedAreGivenAgain() {
        var slots = RowSlots<String>()
        let (first, second) = (slots.add("a"), slots.add("b"))
        #expect(slots.remove(first) == "a")
        let third = slots.add("c")
        #expect(third == first && slots[third] == "c" && slots[second] == "b")
        #expect(slots.add("d") == 2)
    }
}
