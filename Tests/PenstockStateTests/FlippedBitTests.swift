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
        var isOurs: [Bool]
        var unsettled: [LedgerEntry] = []
        var rejects: [RejectRecord] = []
        var runs: [RunRecord]
        var watermark: Watermark?
        var settings: [String?]

        init(_ store: StateStore) throws {
            let ids = (Int64(1)...45).map { FlippedBitTests.recordID($0) }
            entries = try store.entries(for: (1...45).map { digest($0) })
            byRecord = try ids.map { try store.entries(remoteID: $0) }
            isOurs = try FlippedBitTests.created.map { try store.owns(remoteID: $0) }
            unsettled = try store.openEntries(of: 1)
            runs = try store.runs(limit: 100)
            watermark = try store.watermark()
            settings = try ["spool", "other", "none"].map { try store.meta($0) }
            try store.forEachEntry { visited.append($0) }
            try store.forEachReject { rejects.append($0) }
        }
    }

    /// The id of a row's record: numbers are kept in another way than texts.
    fileprivate static func recordID(_ number: Int64) -> String { number > 20 ? String(number * 3) : "r\(number)" }

    /// Records that no row stands for; the last two were never created.
    fileprivate static let created = ["c1", "c2", "c3", "1001", "1002", "1003", "1007", "5000", "c4", "1004"]

    private func fill(_ store: StateStore) throws {
        let run = try store.beginRun(
            id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        var changes: [StateChange] = (1...40).map { (number: Int64) in
            var entry = entry(number, outcome: number % 10 == 0 ? .notTried : .created)
            entry.remoteID = Self.recordID(number)
            return .ledger(entry)
        }
        changes += Self.created.dropLast(2).map { .created(remoteID: $0) }
        changes += (1...8).map { .reject(reject($0)) }
        changes += [.run(run), .watermark(Watermark(column: "id", type: .int64, text: "12", run: 1))]
        try store.commit(changes)
        try store.setMeta("spool", "yes")
        try store.setMeta("other", "no")
    }

    private func open(_ marks: StateMarks?) throws -> StateStore {
        try StateStore.openForWriting(folder: folder.state, sync: "people", owner: someOwner, marks: marks)
    }

    /// Flips bits one at a time; gives how many were noticed.
    private func flip(_ bits: [Int], _ bytes: [UInt8], _ truth: Contents, marks: StateMarks?) throws -> Int {
        var noticed = 0
        for bit in bits {
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
        print("flipped bits: \(bits.count), noticed \(noticed), the rest changed nothing; seed \(Self.seed)")
        return noticed
    }

    /// The bits of all bytes that are not among zeros only: most of a small file is room.
    private static func used(_ bytes: [UInt8]) -> [Int] {
        bytes.indices.filter { at in bytes[max(at - 2, 0)...min(at + 2, bytes.count - 1)].contains { $0 != 0 } }
            .flatMap { at in (0..<8).map { at * 8 + $0 } }
    }

    private static func draw(_ count: Int, _ bits: [Int]) -> [Int] {
        var numbers = seed
        return (0..<count).map { _ in
            numbers = numbers &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return bits[Int(numbers >> 20) % bits.count]
        }
    }

    @Test func everyBitOfAClosedFileIsNoticed() throws {
        let store = try open(marks)
        try fill(store)
        let truth = try Contents(store)
        store.close()
        let bytes = try #require(TemporaryFolder.read(database))
        let mark = try #require(TemporaryFolder.read(marks.inner))
        #expect(try flip(Self.draw(3_000, Array(0..<bytes.count * 8)), bytes, truth, marks: marks) == 3_000)
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
        // All of them once: 60,920 bits, 1.5 minutes.
        let bits = Self.isComplete ? Self.used(bytes) : Self.draw(1_000, Self.used(bytes))
        #expect(try flip(bits, bytes, truth, marks: nil) > bits.count / 2)
    }

    @Test("A key of a table without an index that has changed is noticed", arguments: ["pack_index", "pack_created"])
    func keysOfPacks(table: String) throws {
        let column = table == "pack_index" ? "id" : "first"
        let store = try open(nil)
        try fill(store)
        // As many as it takes for the index to have more than its log, and the created records more than a page.
        try store.commit((100...17_000).map { .ledger(entry($0)) })
        try store.commit((1...3_000).map { .created(remoteID: "\($0 * 9)") })
        store.close()
        let bytes = try #require(TemporaryFolder.read(database))
        let keys = "SELECT count(*) FROM \(table)"
        let count = try SQLiteConnection(path: database, access: .readOnly).integer(keys)
        #expect(count > 1)
        for place in Set([0, count / 2, count - 1]) {
            for suffix in ["-wal", "-shm", ""] { unlink(database + suffix) }
            TemporaryFolder.write(bytes, to: database)
            try SQLiteConnection(path: database, access: .readWrite).execute(
                """
                UPDATE \(table) SET \(column) = \(column) + 1
                    WHERE \(column) = (SELECT \(column) FROM \(table) ORDER BY 1 LIMIT 1 OFFSET \(place))
                """)
            #expect(throws: StateError.self, "place \(place) of \(count)") { try open(nil) }
        }
    }
}
