// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct MigrationTests {
    let folder = TemporaryFolder()

    private static let current = StateSchema.version

    private static let second = StateMigration(version: current + 1) { connection throws(StateError) in
        try connection.execute(
            """
            CREATE TABLE extra (name TEXT NOT NULL) STRICT;
            INSERT INTO extra SELECT key_text FROM ledger ORDER BY id;
            """)
    }

    private static let broken = StateMigration(version: current + 2) { connection throws(StateError) in
        try connection.execute("DELETE FROM extra")
        throw .internal("The step stops here.")
    }

    @Test func anOlderFileIsBroughtUpToDateAndACopyOfItIsKept() throws {
        try fill()
        let store = try open(StateSchema.migrations + [MigrationTests.second])
        #expect(try store.entry(for: digest(1)) == openEntry(1))
        store.close()
        #expect(try number("SELECT count(*) FROM extra") == 2)
        #expect(try number("PRAGMA user_version") == Int64(Self.current + 1))
        #expect(try number("SELECT count(*) FROM schema_version") == 2)
        #expect(folder.mode("project/state/people.db.v\(Self.current).bak") == 0o600)
        #expect(try number("SELECT count(*) FROM ledger", "people.db.v\(Self.current).bak") == 2)
        #expect(try number("PRAGMA user_version", "people.db.v\(Self.current).bak") == Int64(Self.current))
        #expect(try number("PRAGMA application_id", "people.db.v\(Self.current).bak") == 0x5073_746B)
    }

    /// What is looked through before a step is remembered, and must not be after it.
    @Test func aStepMayChangeALedgerThatWasLookedThrough() throws {
        var store: StateStore? = try StateStore.writing(folder)
        try store?.commit((1...20).map { .ledger(entry($0)) })
        // Not closed, and without marks: the file is looked through when it is opened.
        store = nil
        let emptied = StateMigration(version: Self.current + 1) { connection throws(StateError) in
            try connection.execute("DELETE FROM pack; DELETE FROM pack_index; DELETE FROM pack_segment")
        }
        let migrated = try open(StateSchema.migrations + [emptied])
        #expect(try migrated.entry(for: digest(3)) == nil)
        try migrated.commit([.ledger(entry(30))])
        _ = try migrated.inspect()
        migrated.close()
        let again = try open(StateSchema.migrations + [emptied])
        #expect(try again.entry(for: digest(3)) == nil)
        #expect(try again.entry(for: digest(30)) == entry(30))
    }

    @Test func aNewFileNeedsNoCopy() throws {
        try open(StateSchema.migrations + [MigrationTests.second]).close()
        #expect(TemporaryFolder.names(folder.state) == ["people.db", "people.lock"])
    }

    @Test func aStepThatFailsLeavesTheVersionBeforeIt() throws {
        try fill()
        let steps = StateSchema.migrations + [MigrationTests.second, MigrationTests.broken]
        #expect(throws: StateError.internal("The step stops here.")) { try open(steps) }
        #expect(try number("PRAGMA user_version") == Int64(Self.current + 1))
        #expect(try number("SELECT count(*) FROM extra") == 2)
        let store = try open(StateSchema.migrations + [MigrationTests.second])
        #expect(try store.entry(for: digest(2)) == openEntry(2))
    }

    @Test func aCopyLeftByAnInterruptedMigrationIsReplaced() throws {
        try fill()
        TemporaryFolder.write([1, 2, 3], to: "\(folder.state)/people.db.v\(Self.current).bak")
        try open(StateSchema.migrations + [MigrationTests.second]).close()
        #expect(try number("SELECT count(*) FROM ledger", "people.db.v\(Self.current).bak") == 2)
    }

    @Test func aNewerFileIsRefusedByWriterAndReaderAndLeftAlone() throws {
        try open(StateSchema.migrations + [MigrationTests.second]).close()
        let bytes = TemporaryFolder.read("\(folder.state)/people.db")
        #expect(throws: StateError.newer(Self.current + 1)) { try open(StateSchema.migrations) }
        #expect(throws: StateError.newer(Self.current + 1)) {
            try StateStore.openForReading(folder: folder.state, sync: "people")
        }
        #expect(TemporaryFolder.read("\(folder.state)/people.db") == bytes)
    }

    @Test func aReaderDoesNotMigrate() throws {
        try fill()
        #expect(throws: StateError.older(Self.current)) {
            try StateStore.openForReading(
                folder: folder.state, sync: "people", migrations: StateSchema.migrations + [MigrationTests.second])
        }
        #expect(try number("PRAGMA user_version") == Int64(Self.current))
    }

    @Test func anEmptyFileIsNoStateForAReader() throws {
        try StateStore.writing(folder).close()
        TemporaryFolder.write([], to: "\(folder.state)/people.db")
        #expect(try StateStore.openForReading(folder: folder.state, sync: "people") == nil)
        #expect(try StateStore.writing(folder).lastRun() == nil)
    }

    @Test("A state whose rows are told by digests that are made no more is refused and left alone", arguments: [1, 3])
    func aStateOfBeforeIsRefused(version: Int) throws {
        try fill()
        try SQLiteConnection(path: "\(folder.state)/people.db", access: .readWrite)
            .execute("PRAGMA user_version = \(version)")
        let bytes = TemporaryFolder.read("\(folder.state)/people.db")
        #expect(throws: StateError.outgrown(version)) { try open(StateSchema.migrations) }
        #expect(throws: StateError.outgrown(version)) {
            try StateStore.openForReading(folder: folder.state, sync: "people")
        }
        #expect(TemporaryFolder.read("\(folder.state)/people.db") == bytes)
    }

    private func fill() throws {
        let store = try StateStore.writing(folder)
        try store.commit([.ledger(openEntry(1)), .ledger(openEntry(2))])
        store.close()
    }

    private func open(_ migrations: [StateMigration]) throws -> StateStore {
        try StateStore.openForWriting(
            folder: folder.state, sync: "people", owner: someOwner, migrations: migrations)
    }

    private func number(_ sql: String, _ file: String = "people.db") throws -> Int64 {
        try SQLiteConnection(path: "\(folder.state)/\(file)", access: .readWrite).integer(sql)
    }
}
