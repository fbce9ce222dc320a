// SPDX-License-Identifier: Apache-2.0

import CrashDisk
import Foundation
import PenstockModel
import PenstockState
import Testing

/// The power goes at any moment: what was promised to be on disk is there, and nothing is there by half.
///
/// `make test` looks at some hundred images of the disk, `make crash` at many more. `PENSTOCK_SEED` repeats them.
@Suite(.serialized) struct PowerLossTests {
    let folder = TemporaryFolder()

    private static let environment = ProcessInfo.processInfo.environment
    private static let isComplete = environment["PENSTOCK_CRASH"] == "all"
    private static let seed = environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
    /// How many commits the workload makes.
    private static let commits: Int64 = 60

    private static let second = StateMigration(version: StateSchema.version + 1) { connection throws(StateError) in
        try connection.execute(
            "CREATE TABLE extra (name TEXT NOT NULL) STRICT; INSERT INTO extra SELECT key_text FROM ledger;")
    }

    // MARK: - The workload

    /// Everything that commit `number` writes.
    private func changes(_ number: Int64, _ run: RunRecord) -> [StateChange] {
        var run = run
        run.counts = ["created": number]
        var changes: [StateChange] = [
            .ledger(entry(number)), .run(run), .created(remoteID: "r\(number)"),
            .watermark(Watermark(column: "id", type: .int64, text: String(number), run: 1)),
            .intent(
                LedgerEntry(
                    key: digest(number + 500), keyText: "id=\(number + 500)", run: 1, outcome: .intent,
                    intent: LedgerEntry.Intent(payload: digest(number), startedAtMilliseconds: number))),
        ]
        if number > 1 { changes.append(.ledger(entry(number + 499, outcome: .updated))) }
        if number % 5 == 0 { changes.append(.reject(reject(number))) }
        return changes
    }

    /// Runs the workload on a watched disk; the file is closed and opened again half way.
    private func work(migrates: Bool = false) throws {
        #expect(crashdisk_install() == 0)
        crashdisk_watch(folder.state)
        var store = try StateStore.writing(folder)
        let run = try store.beginRun(
            id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        for number in 1...Self.commits {
            try store.commit(changes(number, run))
            crashdisk_note(number)
            if number == Self.commits / 2 {
                store.close()
                store = try StateStore.openForWriting(
                    folder: folder.state, sync: "people", owner: someOwner,
                    migrations: StateSchema.migrations + (migrates ? [Self.second] : []))
            }
        }
        store.close()
    }

    // MARK: - The images

    /// What is wrong with the disk as it is when the power goes before entry `position` of its log; nil for nothing.
    private func fault(
        _ position: Int, _ mode: Int, _ seed: UInt64, migrations: [StateMigration] = StateSchema.migrations
    ) throws -> String? {
        let image = folder.path + "/image"
        // There is none before the first image.
        try? FileManager.default.removeItem(atPath: image)
        try FileManager.default.createDirectory(
            atPath: image, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Until the file writes ahead, a journal takes back what was written by half.
        for suffix in ["", "-wal", "-journal"] {
            let name = "people.db" + suffix
            let code = crashdisk_image(
                "\(folder.state)/\(name)", Int32(position), Int32(mode), seed, "\(image)/\(name)")
            #expect(code >= 0)
        }
        let promised = crashdisk_noted(Int32(position))
        do {
            let store = try StateStore.openForWriting(
                folder: image, sync: "people", owner: someOwner, migrations: migrations)
            defer { store.close() }
            return try lack(store, promised: promised)
        } catch {
            return "\(error)"
        }
    }

    private func lack(_ store: StateStore, promised: Int64) throws -> String? {
        _ = try store.inspect()
        let reached = try store.watermark().flatMap { Int64($0.text) } ?? 0
        guard reached >= promised else { return "commit \(promised) had returned, and \(reached) is there" }
        guard reached <= promised + 1 else { return "commit \(reached) is there, and \(promised) had returned" }
        for number in 0..<max(reached, 1) where reached > 0 {
            guard try store.entry(for: digest(number + 1)) == entry(number + 1) else {
                return "the entry of commit \(number + 1) is not there"
            }
            let isLast = number + 1 == reached
            let intended = try store.entry(for: digest(number + 501))
            guard isLast ? intended?.outcome == .intent : intended == entry(number + 501, outcome: .updated) else {
                return "the intent of commit \(number + 1) is not what it was"
            }
        }
        guard try store.entry(for: digest(reached + 1)) == nil, try store.countRejects() == reached / 5,
            try reached == 0 || store.lastRun()?.counts == ["created": reached]
        else { return "commit \(reached + 1) is there by half" }
        try store.commit([.ledger(entry(9_999))])
        return nil
    }

    /// Looks at the disk at every sync and between, in every mode; gives what is wrong.
    private func faults(
        seeds: Int, most: Int, migrations: [StateMigration] = StateSchema.migrations
    ) throws -> (images: Int, faults: [String]) {
        var numbers = Numbers(state: Self.seed)
        var places: [(position: Int, mode: Int, seed: UInt64)] = []
        for position in 0...Int(crashdisk_length()) {
            let isAtSync = position < crashdisk_length() && crashdisk_is_sync(Int32(position)) != 0
            for mode in 0..<CRASHDISK_MODES {
                for _ in 0..<(mode < 2 ? 1 : seeds) {
                    // Each sync has its images; between them some are enough.
                    if isAtSync || numbers.next() % 4 == 0 { places.append((position, mode, numbers.next())) }
                }
            }
        }
        let chosen = places.shuffled(using: &numbers).prefix(most)
        var faults: [String] = []
        for place in chosen {
            guard let fault = try fault(place.position, place.mode, place.seed, migrations: migrations) else {
                continue
            }
            faults.append("position \(place.position), mode \(place.mode), seed \(Self.seed): \(fault)")
        }
        print("power loss: \(chosen.count) images of \(places.count), \(faults.count) with faults, seed \(Self.seed)")
        return (chosen.count, faults)
    }

    @Test func everythingThatWasPromisedIsThere() throws {
        crashdisk_lie(nil)
        try work()
        let (images, faults) = try faults(seeds: 5, most: Self.isComplete ? 20_000 : 300)
        #expect(images >= 200)
        for fault in faults { Issue.record("\(fault)") }
        crashdisk_watch(nil)
    }

    @Test func aMigrationThatIsCutLosesNothing() throws {
        crashdisk_lie(nil)
        try work(migrates: true)
        let (images, faults) = try faults(
            seeds: 2, most: Self.isComplete ? 5_000 : 100, migrations: StateSchema.migrations + [Self.second])
        #expect(images >= 100)
        for fault in faults { Issue.record("\(fault)") }
        crashdisk_watch(nil)
    }

    @Test(
        "A disk that does not keep what it promises is found out: these tests can fail", arguments: ["-wal", ""])
    func aLyingDiskIsFoundOut(suffix: String) throws {
        crashdisk_lie(suffix)
        defer { crashdisk_lie(nil) }
        try work()
        let (_, faults) = try faults(seeds: 1, most: 60)
        #expect(faults.count > 10, "lost commits are seen")
        #expect(faults.contains { $0.contains("had returned") })
        crashdisk_watch(nil)
    }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state ^ (state >> 29)) &* 0xbf58_476d_1ce4_e5b9
        }
    }
}
