// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

/// The real program is killed at its system calls, or one of them fails; then it runs again, and the server's records
/// are counted.
///
/// `make test` takes a sample, `make crash` takes every point. `PENSTOCK_SEED` repeats a sample.
@Suite(
    .serialized, .enabled(if: Strace.isUsable, "\(Strace.obstacle ?? "")"))
struct CrashTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isComplete = environment["PENSTOCK_CRASH"] == "all"
    private static let seed = environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
    private static let scenarios = isComplete ? CrashScenario.all : CrashScenario.sampled

    /// The calls at which a process is killed: all that reach the disk, the network or another thread, and those that
    /// take or give what the process lives on.
    private static let calls = [
        "pwrite64", "fdatasync", "sendto", "recvfrom", "connect", "socket", "poll", "openat", "close", "read", "write",
        "pread64", "fsync", "ftruncate", "rename", "unlink", "fcntl", "flock", "mmap", "munmap", "futex", "mkdir",
        "newfstatat", "clone3", "sendmsg", "recvmsg", "writev", "readv",
    ]

    /// The calls that change something, of which a sample holds more.
    private static let weighty: Set = [
        "pwrite64", "fdatasync", "sendto", "recvfrom", "fsync", "ftruncate", "rename", "unlink", "connect",
    ]

    @Test("Killed anywhere, the next run ends with one record a row", arguments: scenarios)
    func kills(scenario: CrashScenario) throws {
        let counts = try CrashRun(scenario: scenario).calls()
        var points: [CrashPoint] = []
        for call in Self.calls {
            for number in 1...max(1, counts[call] ?? 0) where counts[call] != nil {
                points.append(CrashPoint(call: call, number: number, fault: .kill))
            }
        }
        #expect(points.count > 1_000)
        if !Self.isComplete { points = Self.sample(points, 24) + Self.sample(points.filter(Self.isWeighty), 14) }
        Self.run(scenario, points, "kills")
    }

    @Test("A disk that fails anywhere ends the run, and the next one ends with one record a row", arguments: scenarios)
    func errors(scenario: CrashScenario) throws {
        let counts = try CrashRun(scenario: scenario).calls()
        var points: [CrashPoint] = []
        for (call, errors) in [
            ("pwrite64", ["EIO", "ENOSPC", "EDQUOT"]), ("fdatasync", ["EIO", "ENOSPC"]), ("fsync", ["EIO"]),
            ("ftruncate", ["EIO"]), ("openat", ["EMFILE", "EIO"]), ("write", ["ENOSPC"]), ("rename", ["EIO"]),
        ] {
            for error in errors {
                for number in 1...max(1, counts[call] ?? 0) where counts[call] != nil {
                    points.append(CrashPoint(call: call, number: number, fault: .fails(error)))
                    points.append(CrashPoint(call: call, number: number, fault: .failsForEver(error)))
                }
            }
        }
        #expect(points.count > 1_000)
        if !Self.isComplete {
            points = Self.sample(points, 7) + Self.sample(points.filter { $0.call == "fdatasync" }, 8)
        }
        Self.run(scenario, points, "errors")
    }

    private static func isWeighty(_ point: CrashPoint) -> Bool { weighty.contains(point.call) }

    private static func sample(_ points: [CrashPoint], _ count: Int) -> [CrashPoint] {
        var numbers = SeededNumbers(seed: seed)
        return Array(points.shuffled(using: &numbers).prefix(count))
    }

    /// Takes the points, several at a time; a fault near the end of a run that did not come so far is tried earlier.
    private static func run(_ scenario: CrashScenario, _ points: [CrashPoint], _ what: String) {
        let start = ContinuousClock.now
        // The servers are in this process, and their clients are killed while they answer.
        signal(SIGPIPE, SIG_IGN)
        let outcomes = Mutex<[CrashRun.Outcome]>([])
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < points.count else { return }
                do {
                    let outcome = try outcome(scenario, points[index])
                    outcomes.withLock { $0.append(outcome) }
                } catch {
                    Issue.record("\(scenario), \(points[index]), seed \(seed): \(error)")
                }
            }
        }
        let all = outcomes.withLock { $0 }
        for outcome in all {
            #expect(outcome.hasFired, "\(scenario), \(outcome.point): the fault did not happen")
            for fault in outcome.faults { Issue.record("\(scenario), \(outcome.point), seed \(seed): \(fault)") }
        }
        #expect(all.count == points.count)
        let calls = Set(all.map(\.point.call)).count
        print(
            "crash suite: \(scenario): \(all.count) \(what) at \(calls) kinds of system calls, all fired: "
                + "\(all.allSatisfy(\.hasFired)), with faults: \(all.filter { !$0.faults.isEmpty }.count), "
                + "runs after: \(all.map(\.runs).reduce(0, +)), seed \(seed), took \(ContinuousClock.now - start)")
    }

    private static func outcome(_ scenario: CrashScenario, _ point: CrashPoint) throws -> CrashRun.Outcome {
        var point = point
        while true {
            let outcome = try CrashRun(scenario: scenario).outcome(of: point)
            if outcome.hasFired || point.number == 1 || !outcome.faults.isEmpty { return outcome }
            point.number = max(1, point.number * 4 / 5)
        }
    }
}
