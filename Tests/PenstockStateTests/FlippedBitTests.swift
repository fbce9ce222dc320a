// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import PenstockModel
import PenstockState
import Testing

/// One bit of a state file flips: it is noticed, or it changes nothing.
///
/// A changed value is never taken for a true one.
@Suite struct FlippedBitTests {
    let folder = TemporaryFolder()

    private static let environment = ProcessInfo.processInfo.environment
    private static let isComplete = environment["PENSTOCK_CRASH"] == "all"
    private static let seed = environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)

    private var database: String { folder.state + "/people.db" }
    private var marks: StateMarks { StateMarks(project: folder.path, sync: "people", userState: nil) }

    /// Everything that a store answers.
    private struct Contents: Equatable {
        var entries: [Fingerprint: LedgerEntry]
        var visited: [LedgerEntry] = []
        var byRecord: [[LedgerEntry]]
        var rejects: [RejectRecord] = []
        var runs: [RunRecord]
        var watermark: Watermark?
        var setting: String?

        init(_ store: StateStore) throws {
            entries = try store.entries(for: (1...40).map { digest($0) })
            byRecord = try (1...40).map { try store.entries(remoteID: "r\($0)") }
            runs = try store.runs(limit: 100)
            watermark = try store.watermark()
            setting = try store.meta("spool")
            try store.forEachEntry { visited.append($0) }
            try store.forEachReject { rejects.append($0) }
        }
    }

    private func fill(_ store: StateStore) throws {
        let run = try store.beginRun(
            id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        var changes: [StateChange] = (1...30).map { .ledger(entry($0)) }
        changes += (1...8).map { .reject(reject($0)) }
        changes += [.run(run), .watermark(Watermark(column: "id", type: .int64, text: "12", run: 1))]
        try store.commit(changes)
        try store.setMeta("spool", "yes")
    }

    private func open(_ marks: StateMarks?) throws -> StateStore {
        try StateStore.openForWriting(folder: folder.state, sync: "people", owner: someOwner, marks: marks)
    }

    /// Flips bits one at a time; gives how many were noticed.
    private func flip(_ count: Int, _ bytes: [UInt8], _ truth: Contents, marks: StateMarks?) throws -> Int {
        var numbers = Self.seed
        var noticed = 0
        for _ in 0..<count {
            numbers = numbers &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bit = Int(numbers >> 20) % (bytes.count * 8)
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            // A new file each time: what SQLite remembers of the old one in this process is not to matter.
            for suffix in ["-wal", "-shm", ""] { unlink(database + suffix) }
            TemporaryFolder.write(flipped, to: database)
            do {
                let store = try open(marks)
                #expect(try Contents(store) == truth, "bit \(bit), seed \(Self.seed)")
            } catch let error as StateError {
                if case .locked = error { Issue.record("bit \(bit), seed \(Self.seed): \(error)") }
                noticed += 1
            }
        }
        print("flipped bits: \(count), noticed \(noticed), the rest changed nothing; seed \(Self.seed)")
        return noticed
    }

    @Test func everyBitOfAClosedFileIsNoticed() throws {
        let store = try open(marks)
        try fill(store)
        let truth = try Contents(store)
        store.close()
        let bytes = try #require(TemporaryFolder.read(database))
        let mark = try #require(TemporaryFolder.read(marks.inner))
        #expect(try flip(3_000, bytes, truth, marks: marks) == 3_000)
        TemporaryFolder.write(bytes, to: database)
        TemporaryFolder.write(mark, to: marks.inner)
        #expect(try Contents(open(marks)) == truth)
    }

    @Test func noBitOfAFileThatWasNotClosedChangesAValue() throws {
        let store = try open(nil)
        try fill(store)
        let truth = try Contents(store)
        let copy = folder.path + "/copy.db"
        try store.read { connection throws(StateError) in
            guard try connection.integer("SELECT count(*) FROM meta WHERE key = 'open'") == 1 else {
                throw .internal("The file is not marked as open.")
            }
        }
        // A copy of the whole file, which still says that it is open, as after a kill.
        _ = FileManager.default.createFile(atPath: copy, contents: nil)
        let reader = try SQLiteConnection(path: database, access: .readOnly)
        try reader.statement("VACUUM INTO ?1").execute([.text(copy)])
        withExtendedLifetime(reader) {}
        let bytes = try #require(TemporaryFolder.read(copy))
        store.close()
        #expect(try flip(Self.isComplete ? 30_000 : 1_000, bytes, truth, marks: nil) > 50)
    }
}
