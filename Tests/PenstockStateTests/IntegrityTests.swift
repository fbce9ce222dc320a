// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct IntegrityTests {
    let folder = TemporaryFolder()

    @Test func anUntouchedFileIsWhole() throws {
        let store = try fill()
        _ = try store.inspect()
    }

    @Test(
        "A value changed behind our back is noticed",
        arguments: [
            "UPDATE ledger SET remote_id = 'r2' WHERE key_text = 'id=1'",
            "UPDATE ledger SET outcome = 2 WHERE key_text = 'id=1'",
            "UPDATE ledger SET outcome = 77 WHERE key_text = 'id=1'",
            "UPDATE ledger SET run = run + 1 WHERE key_text = 'id=1'",
            "UPDATE ledger SET payload = source WHERE key_text = 'id=1'",
            "UPDATE ledger SET payload = NULL WHERE key_text = 'id=1'",
            "UPDATE ledger SET cursor = NULL WHERE key_text = 'id=1'",
            "UPDATE ledger SET intent_started_at = 1 WHERE key_text = 'id=3'",
            "UPDATE ledger SET key = zeroblob(16) WHERE key_text = 'id=1'",
            "UPDATE pack SET \"check\" = 1",
            "UPDATE pack SET first = first + 1",
            "UPDATE pack SET data = substr(data, 1, length(data) - 1)",
            "UPDATE pack_index SET data = zeroblob(length(data))",
            "DELETE FROM pack_index",
            "DELETE FROM pack",
            // Over a row that is packed, as another one's, and where no ledger has any.
            "DELETE FROM ledger WHERE key_text = 'id=4'; UPDATE ledger SET id = (SELECT min(first) FROM pack) WHERE id = 1",
            // Of a key that is packed, where no other one is.
            "UPDATE ledger SET id = 400 WHERE key_text = 'id=4'",
            "UPDATE ledger SET id = 9223372036854775807 WHERE key_text = 'id=2'",
            "UPDATE ledger SET id = -1 WHERE key_text = 'id=2'",
            "UPDATE ledger SET id = -9223372036854775808 WHERE key_text = 'id=2'",
            "UPDATE pack_created SET first = first + 1",
            "UPDATE reject SET record = '{}'",
            "UPDATE reject SET is_settled = 1 - is_settled",
            "UPDATE run SET status = 'finished'",
            "UPDATE run SET counts = '{\"a\":2}'",
            "UPDATE watermark SET text = '13'",
            "UPDATE watermark SET type = 'nothing'",
            "UPDATE meta SET value = 'other' WHERE key = 'spool'",
            "UPDATE meta SET key = 'spoof' WHERE key = 'spool'",
            "DROP TABLE pack_created",
            "DROP TABLE meta",
        ])
    func aValueChangedBehindOurBackIsNoticed(sql: String) throws {
        let store = try fill()
        store.close()
        try tamper(sql)
        // What only a key leads to is looked at when the file is opened, the rest when it is asked for.
        guard case .damaged = (#expect(throws: StateError.self) { try StateStore.writing(folder).inspect() }) else {
            return #expect(Bool(false), "the check names the damage")
        }
    }

    @Test func whatIsWholeBesideADamagedSettingIsShown() throws {
        try fill().close()
        try tamper("UPDATE meta SET key = 'spoof' WHERE key = 'spool'")
        let reader = try StateStore.openForReading(folder: folder.state, sync: "people")
        var rejects = 0
        try reader?.forEachReject { _ in rejects += 1 }
        #expect(rejects == 1)
        #expect(throws: StateError.self) { try StateStore.writing(folder) }
    }

    @Test func aDamagedRowIsNoticedWhenItIsRead() throws {
        try fill().close()
        try tamper("UPDATE ledger SET remote_id = 'r2' WHERE key_text = 'id=1'")
        let store = try StateStore.writing(folder)
        let damage = StateError.damaged("the ledger row of key \(digest(1).hex)")
        #expect(throws: damage) { try store.entry(for: digest(1)) }
        #expect(throws: damage) { try store.entries(for: [digest(2), digest(1)]) }
        #expect(try store.entry(for: digest(2)) == openEntry(2))
        #expect(damage.message.hasSuffix("."))
    }

    @Test func aPositionThatNoLedgerHasIsNoPlaceToGoOnFrom() throws {
        let store = try fill()
        store.close()
        try tamper("UPDATE ledger SET id = 9223372036854775807 WHERE key_text = 'id=2'")
        let reader = try #require(try StateStore.openForReading(folder: folder.state, sync: "people"))
        guard
            case .damaged =
                (#expect(throws: StateError.self) { try LedgerMatcher(reader, scratchFolder: folder.path) })
        else { return #expect(Bool(false), "the damage is named") }
    }

    @Test func anOutcomeThatDoesNotExistIsNotLeftOutOfTheCounts() throws {
        try fill().close()
        try tamper("UPDATE ledger SET outcome = 77 WHERE key_text = 'id=1'")
        let store = try StateStore.writing(folder)
        #expect(throws: StateError.self) { try store.countEntries() }
    }

    @Test func anIntentOnADamagedRowIsRefused() throws {
        try fill().close()
        try tamper("UPDATE ledger SET remote_id = 'r2' WHERE key_text = 'id=1'")
        let store = try StateStore.writing(folder)
        #expect(throws: StateError.self) {
            try store.commit([
                .ledger(entry(9)),
                .intent(
                    LedgerEntry(
                        key: digest(1), keyText: "", run: 1, outcome: .intent,
                        intent: LedgerEntry.Intent(payload: digest(0), startedAtMilliseconds: 0))),
            ])
        }
        #expect(try store.entry(for: digest(9)) == nil)
    }

    @Test func aFileOfSomethingElseIsRefusedAndLeftAlone() throws {
        try StateStore.writing(folder).close()
        let path = "\(folder.state)/people.db"
        TemporaryFolder.write(Array("not a database, but a text that is long enough".utf8), to: path)
        let bytes = TemporaryFolder.read(path)
        guard case .damaged = (#expect(throws: StateError.self) { try StateStore.writing(folder) }) else {
            return #expect(Bool(false), "a foreign file is damaged state")
        }
        #expect(TemporaryFolder.read(path) == bytes)
    }

    @Test func aDatabaseOfAnotherProgramIsRefused() throws {
        try StateStore.writing(folder).close()
        try tamper("PRAGMA application_id = 5")
        #expect(throws: StateError.self) { try StateStore.writing(folder) }
        #expect(throws: StateError.self) { try StateStore.openForReading(folder: folder.state, sync: "people") }
    }

    private func fill() throws -> StateStore {
        let store = try StateStore.writing(folder)
        var run = try store.beginRun(id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        run.counts = ["a": 1]
        let intent = StateChange.intent(
            LedgerEntry(
                key: digest(3), keyText: "id=3", run: 1, outcome: .intent,
                intent: LedgerEntry.Intent(payload: digest(50), startedAtMilliseconds: 12)))
        try store.commit([
            .ledger(openEntry(1)), .ledger(openEntry(2)), .ledger(entry(4)), intent, .reject(reject(5)), .run(run),
            .created(remoteID: "17"),
            .watermark(Watermark(column: "id", type: .int64, text: "12", run: 1)),
        ])
        // A packed one that is open again.
        try store.commit([
            .intent(
                LedgerEntry(
                    key: digest(4), keyText: "id=4", run: 1, outcome: .intent,
                    intent: LedgerEntry.Intent(payload: digest(50), startedAtMilliseconds: 12)))
        ])
        try store.setMeta("spool", "yes")
        return store
    }

    private func tamper(_ sql: String) throws {
        try SQLiteConnection(path: "\(folder.state)/people.db", access: .readWrite).execute(sql)
    }
}
