// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import PenstockState
import Testing

@Suite struct StateStoreTests {
    let folder = TemporaryFolder()

    @Test func filesAndFoldersBelongToTheirUserOnly() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.ledger(entry(1))])
        #expect(folder.mode("project") == 0o700)
        #expect(folder.mode("project/state") == 0o700)
        #expect(TemporaryFolder.names(folder.state) == ["people.db", "people.db-shm", "people.db-wal", "people.lock"])
        for name in TemporaryFolder.names(folder.state) { #expect(folder.mode("project/state/\(name)") == 0o600) }
    }

    @Test func aFileThatOthersMayReadIsClosedToThem() throws {
        try StateStore.writing(folder).close()
        chmod("\(folder.state)/people.db", 0o644)
        try StateStore.writing(folder).close()
        #expect(folder.mode("project/state/people.db") == 0o600)
    }

    @Test func aFolderThatOthersMayReadIsRefused() throws {
        mkdir("\(folder.path)/project", 0o700)
        mkdir(folder.state, 0o700)
        chmod(folder.state, 0o755)
        let error = #expect(throws: StateError.self) { try StateStore.writing(folder) }
        #expect(error?.message.contains("chmod 700") == true)
        #expect(TemporaryFolder.names(folder.state).isEmpty)
    }

    @Test func aLinkInPlaceOfTheFileIsRefused() throws {
        try StateStore.writing(folder).close()
        symlink("\(folder.state)/people.db", "\(folder.state)/other.db")
        #expect(throws: StateError.self) {
            try StateStore.openForWriting(folder: folder.state, sync: "other", owner: someOwner)
        }
    }

    @Test("A name that leaves the folder is refused", arguments: ["", "../x", "a/b", ".hidden", "a\0b"])
    func aNameThatLeavesTheFolderIsRefused(name: String) {
        #expect(throws: StateError.self) {
            try StateStore.openForWriting(folder: folder.state, sync: name, owner: someOwner)
        }
    }

    @Test func aFileWithoutRightsCannotBeWritten() throws {
        mkdir("\(folder.path)/project", 0o700)
        TemporaryFolder.write([], to: folder.state)
        guard case .cannotWrite = (#expect(throws: StateError.self) { try StateStore.writing(folder) }) else {
            return #expect(Bool(false), "a file in place of the folder is exit 73")
        }
    }

    @Test func aStoreClosedWithoutCloseKeepsWhatCommitReturnedFor() throws {
        try StateStore.writing(folder).commit([.ledger(entry(1)), .ledger(entry(2))])
        let store = try StateStore.writing(folder)
        #expect(try store.entry(for: digest(1)) == entry(1))
        #expect(try store.entry(for: digest(2)) == entry(2))
    }

    @Test func theFilesOfADeadProcessHoldEveryCommitThatReturned() throws {
        let store = try StateStore.writing(folder)
        for number in Int64(1)...20 { try store.commit([.ledger(entry(number)), mark(number)]) }
        // What is on disk while the writer is still open is what a kill leaves behind.
        let copy = try copyFiles(walBytes: nil)
        #expect(try copy.entries(for: (1...20).map { digest($0) }).count == 20)
        #expect(try copy.watermark()?.text == "20")
        withExtendedLifetime(store) {}
    }

    @Test(
        "A store has the settings that its promises rest on",
        arguments: [
            ("synchronous", 3), ("busy_timeout", 5000), ("foreign_keys", 1), ("trusted_schema", 0),
            ("cell_size_check", 1), ("mmap_size", 0), ("secure_delete", 1), ("temp_store", 2),
            ("wal_autocheckpoint", 0), ("journal_size_limit", 67_108_864), ("application_id", 0x5073_746B),
        ])
    func aStoreHasTheSettingsThatItsPromisesRestOn(name: String, value: Int64) throws {
        let store = try StateStore.writing(folder)
        #expect(try store.read { connection throws(StateError) in try connection.integer("PRAGMA \(name)") } == value)
    }

    @Test func damagingStatementsAreRefused() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.ledger(entry(1))])
        // Defensive connections ignore the switch, so the statement after it stops.
        #expect(throws: StateError.self) {
            try store.read { connection throws(StateError) in
                try connection.execute("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema;")
            }
        }
        #expect(try store.entry(for: digest(1)) == entry(1))
    }

    @Test("A log cut anywhere holds the first commits, each whole", arguments: 0..<40)
    func aLogCutAnywhereHoldsTheFirstCommitsEachWhole(step: Int) throws {
        let store = try StateStore.writing(folder)
        for number in Int64(1)...20 { try store.commit([.ledger(entry(number)), mark(number)]) }
        let size = try #require(TemporaryFolder.read("\(folder.state)/people.db-wal")).count
        let copy = try copyFiles(walBytes: size * step / 40 + step)
        let kept = try copy.countEntries().values.reduce(0, +)
        let marked = try copy.watermark().flatMap { Int64($0.text) } ?? 0
        #expect(kept == marked)
        for number in Int64(1)...20 {
            #expect(try copy.entry(for: digest(number)) == (number <= kept ? entry(number) : nil))
        }
        #expect(kept < 20)
        withExtendedLifetime(store) {}
    }

    @Test func aFailedCommitChangesNothing() throws {
        let store = try StateStore.writing(folder)
        let missing = RunRecord(number: 9, id: "X", startedAtMilliseconds: 0, definition: digest(0))
        #expect(throws: StateError.self) { try store.commit([.ledger(entry(1)), mark(1), .run(missing)]) }
        #expect(try store.entry(for: digest(1)) == nil)
        #expect(try store.watermark() == nil)
        try store.commit([.ledger(entry(1))])
        #expect(try store.entry(for: digest(1)) == entry(1))
    }

    @Test func aReaderSeesWhatIsCommittedWhileAWriterWorks() throws {
        #expect(try StateStore.openForReading(folder: folder.state, sync: "people") == nil)
        let writer = try StateStore.writing(folder)
        try writer.commit([.ledger(entry(1))])
        let reader = try #require(try StateStore.openForReading(folder: folder.state, sync: "people"))
        #expect(try reader.entry(for: digest(1)) == entry(1))
        for number in Int64(2)...3000 { try writer.commit((0..<5).map { .ledger(entry(number * 10 + $0)) }) }
        #expect(try reader.countEntries()[.created] == 1 + 2999 * 5)
        writer.close()
        #expect(try reader.countEntries()[.created] == 1 + 2999 * 5)
        reader.close()
        let late = try #require(try StateStore.openForReading(folder: folder.state, sync: "people"))
        #expect(try late.entry(for: digest(1)) == entry(1))
    }

    @Test func aReaderLeavesTheLogOfADeadProcessInPlace() throws {
        let writer = try StateStore.writing(folder)
        try writer.commit([.ledger(entry(1))])
        try copyFiles(walBytes: nil).close()
        let wal = try #require(TemporaryFolder.read("\(folder.state)/people.db-wal"))
        for name in ["db", "db-wal"] {
            let bytes = try #require(TemporaryFolder.read("\(folder.state)/people.\(name)"))
            TemporaryFolder.write(bytes, to: "\(folder.state)/dead.\(name)")
        }
        let reader = try #require(try StateStore.openForReading(folder: folder.state, sync: "dead"))
        #expect(try reader.entry(for: digest(1)) == entry(1))
        reader.close()
        #expect(TemporaryFolder.read("\(folder.state)/dead.db-wal") == wal)
        withExtendedLifetime(writer) {}
    }

    @Test func aReaderCannotWriteAndAClosedStoreSaysSo() throws {
        let writer = try StateStore.writing(folder)
        let reader = try #require(try StateStore.openForReading(folder: folder.state, sync: "people"))
        #expect(throws: StateError.self) { try reader.commit([.ledger(entry(1))]) }
        writer.close()
        writer.close()
        #expect(throws: StateError.self) { try writer.commit([.ledger(entry(1))]) }
        #expect(throws: StateError.self) { try writer.lastRun() }
    }

    private func mark(_ number: Int64) -> StateChange {
        .watermark(Watermark(column: "id", type: .int64, text: String(number), run: 1))
    }

    /// Opens copies of the files as they are on disk now, with the log cut after `walBytes`.
    private func copyFiles(walBytes: Int?) throws -> StateStore {
        mkdir("\(folder.path)/copy", 0o700)
        let database = try #require(TemporaryFolder.read("\(folder.state)/people.db"))
        let wal = try #require(TemporaryFolder.read("\(folder.state)/people.db-wal"))
        TemporaryFolder.write(database, to: "\(folder.path)/copy/people.db")
        TemporaryFolder.write(wal.prefix(walBytes ?? wal.count), to: "\(folder.path)/copy/people.db-wal")
        return try StateStore.openForWriting(folder: "\(folder.path)/copy", sync: "people", owner: someOwner)
    }
}
