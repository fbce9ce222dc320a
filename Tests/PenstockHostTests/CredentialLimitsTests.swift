// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import Testing

@Suite struct CredentialLimitsTests {
    private static let descriptor = ConnectorDescriptor(
        id: "test", title: "Test", version: "1", summary: "", capabilities: [.destination],
        settings: [
            ConfigField("token", .secret, ""), ConfigField("address", .string, ""),
            ConfigField("timeout", .integer(1...9), ""),
        ], objects: [])

    private let folder: LimitFolder
    private let path: String

    init() {
        path = NSTemporaryDirectory() + "penstock-limits-\(UUID().uuidString)"
        folder = LimitFolder(path: path)
    }

    private func identity(_ token: String, timeout: Int = 1) -> CredentialLimits.Identity {
        CredentialLimits.Identity(
            Self.descriptor, .object(["token": .string(token), "timeout": .integer(timeout)]))
    }

    private func limits(_ token: String = "t0ken-value", slots: Int64 = 4, daily: Int64? = nil) -> CredentialLimits {
        CredentialLimits(
            identity(token),
            SharedLimits.Terms(
                slots: slots, window: 2_000, budget: DailyBudget.Terms(daily: daily, reserve: .amount(0))),
            folder: folder)
    }

    private func isGranted(_ limits: CredentialLimits, cost: Int64 = 0) -> Bool {
        if case .granted = limits.acquire(cost: cost, isWrite: false) { true } else { false }
    }

    private func remove() {
        // A folder that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: path)
    }

    private var file: String {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: path)
            return path + "/" + (try #require(names.first { $0.hasPrefix("limits-") }))
        }
    }

    @Test func twoConnectionsWithOneCredentialShareItsSlotsAndItsBudget() throws {
        defer { remove() }
        let (first, second) = (limits(daily: 100), limits(daily: 100))
        for _ in 0..<2 { #expect(isGranted(first, cost: 10)) }
        for _ in 0..<2 { #expect(isGranted(second, cost: 10)) }
        #expect(!isGranted(first, cost: 10) && !isGranted(second, cost: 10))
        #expect(first.look().budget.spent == 40)
        #expect(isGranted(limits("another")))
    }

    @Test func whatDecidesIsTheCredentialAndNotTheOtherSettings() {
        #expect(identity("a", timeout: 1) == identity("a", timeout: 2))
        #expect(identity("a") != identity("b"))
    }

    @Test func theTokenIsNeitherInTheNameNorInTheFile() throws {
        defer { remove() }
        let limits = limits("canary-token-4711")
        #expect(isGranted(limits))
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            #expect(!name.contains("canary"))
            let content = try #require(FileManager.default.contents(atPath: path + "/" + name))
            #expect(content.range(of: Data("canary".utf8)) == nil)
            let mode = try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect((mode as? NSNumber)?.intValue == 0o700)
    }

    @Test func whoEndsWithoutAWordLeavesItsSlotsForAWindowAndItsCostAsSpent() throws {
        defer { remove() }
        do {
            let gone = limits(daily: 100)
            for _ in 0..<4 { #expect(isGranted(gone, cost: 5)) }
        }
        let rest = limits(daily: 100)
        #expect(!isGranted(rest, cost: 5))
        let seen = rest.look()
        #expect(seen.ring.members.count == 1)
        #expect(seen.ring.occupied == 4 && seen.ring.inFlight == 0)
        #expect(seen.budget.spent == 20 && seen.budget.outstanding == 0)
    }

    @Test func ofManyAnswersAtOnceTheLastOneLeavesNothingBehind() throws {
        defer { remove() }
        let (limits, other) = (limits(slots: 40, daily: 1_000), self.limits(slots: 40, daily: 1_000))
        var grants: [SharedLimits.Grant] = []
        for _ in 0..<30 {
            if case .granted(let grant) = limits.acquire(cost: 5, isWrite: true) { grants.append(grant) }
        }
        #expect(grants.count == 30 && other.look().ring.inFlight == 30)
        for grant in grants.dropLast() { limits.release(grant, SharedLimits.Outcome(status: 201)) }
        #expect((1...30).contains(other.look().ring.inFlight), "some may wait for the next change")
        limits.release(grants[29], SharedLimits.Outcome(status: 201))
        let seen = other.look()
        #expect(seen.ring.inFlight == 0 && seen.ring.occupied == 30)
        #expect(seen.budget.spent == 150 && seen.budget.outstanding == 0)
    }

    @Test func whoLeavesIsGoneAtOnce() throws {
        defer { remove() }
        let first = limits()
        #expect(isGranted(first))
        first.leave()
        let second = limits()
        #expect(isGranted(second))
        #expect(second.look().ring.members.count == 1)
        #expect(isGranted(first), "and may come back")
    }

    @Test(arguments: [131_072 + 8, 131_072 + 40, 131_072 + 100])
    func aSpoiledCopyTakesAllSlotsForAWindowAndKeepsTheBudget(offset: UInt64) throws {
        defer { remove() }
        let limits = limits(slots: 40, daily: 100)
        #expect(isGranted(limits, cost: 10))
        #expect(isGranted(limits, cost: 10))
        #expect(isGranted(limits, cost: 10))
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: try file))
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: Data(repeating: 0xA5, count: 16))
        try handle.close()
        let other = self.limits(slots: 40, daily: 100)
        let isFree = isGranted(other, cost: 10)
        let seen = other.look()
        #expect((20...40).contains(seen.budget.spent), "at most the last change is lost")
        #expect(!isFree && seen.ring.occupied == 40)
    }

    @Test func aFileOfSomethingElseTakesAllSlotsForAWindow() throws {
        defer { remove() }
        #expect(isGranted(limits()))
        try Data(repeating: 0x41, count: 300_000).write(to: URL(fileURLWithPath: try file))
        chmod(try file, 0o600)
        let other = limits()
        #expect(!isGranted(other))
        #expect(other.look().ring.occupied == 4)
        #expect(other.problem == nil)
    }

    @Test func whileSomebodyHoldsTheLockOneWaitsAndNothingIsForgotten() throws {
        defer { remove() }
        let limits = limits(slots: 40)
        guard case .granted(let grant) = limits.acquire(cost: 5, isWrite: false) else {
            return #expect(Bool(false), "a fresh file has free slots")
        }
        let frozen = open(try file, O_RDWR | O_CLOEXEC)
        #expect(flock(frozen, LOCK_EX) == 0)
        #expect(!isGranted(limits))
        limits.release(grant, SharedLimits.Outcome(status: 200))
        close(frozen)
        #expect(isGranted(limits))
        #expect(limits.look().ring.inFlight == 1)
        #expect(limits.look().budget.outstanding == 0)
    }

    @Test func aLinkIsNotFollowedAndAnOpenFileNotUsed() throws {
        defer { remove() }
        let target = path + "-elsewhere"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: target) }  // It does no harm.
        symlink(target, path)
        let linked = limits()
        #expect(isGranted(linked))
        #expect(linked.problem?.contains("not a folder") == true)
        unlink(path)
        let good = limits("a")
        #expect(isGranted(good))
        chmod(try file, 0o644)
        let open = limits("a")
        #expect(isGranted(open))
        #expect(open.problem?.contains("this user alone") == true)
    }

    @Test func withoutACredentialNothingIsShared() {
        let terms = SharedLimits.Terms(
            slots: 1, window: 2_000, budget: DailyBudget.Terms(daily: nil, reserve: .amount(0)))
        let (first, second) = (
            CredentialLimits(nil, terms, folder: folder), CredentialLimits(nil, terms, folder: folder)
        )
        #expect(isGranted(first) && isGranted(second))
        #expect(!isGranted(first))
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
