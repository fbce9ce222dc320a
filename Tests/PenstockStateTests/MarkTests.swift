// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import PenstockModel
import PenstockState
import Testing

/// A state that is gone, or not the newest, is noticed and refused; nothing is made in its place.
@Suite struct MarkTests {
    let folder = TemporaryFolder()

    private var project: String { folder.path + "/p" }
    private var state: String { project + "/.penstock/state" }
    private var database: String { state + "/people.db" }

    private func marks(user: Bool = true) -> StateMarks {
        mkdir(project, 0o700)
        return StateMarks(project: project, sync: "people", userState: user ? folder.path + "/user" : nil)
    }

    private func writing(user: Bool = true) throws -> StateStore {
        try StateStore.openForWriting(folder: state, sync: "people", owner: someOwner, marks: marks(user: user))
    }

    /// Makes a state, and keeps a copy of it between two of its changes.
    private func twoStates(closes: Bool = true) throws -> String {
        let first = try writing()
        try first.commit([.ledger(entry(1))])
        first.close()
        let copy = folder.path + "/copy.db"
        try FileManager.default.copyItem(atPath: database, toPath: copy)
        let second = try writing()
        _ = try second.beginRun(id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        try second.commit([.ledger(entry(2))])
        if closes { second.close() }
        return copy
    }

    private func isRefused(_ words: String, user: Bool = true) throws {
        let before = TemporaryFolder.read(database)
        for _ in 1...2 {
            let error = #expect(throws: StateError.self) { try writing(user: user) }
            guard case .outdated(let sentence) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(sentence.contains(words), "\(sentence)")
            #expect(throws: StateError.self) {
                try StateStore.openForReading(folder: state, sync: "people", marks: marks(user: user))
            }
        }
        #expect(TemporaryFolder.read(database) == before, "a file that is refused is as it was")
    }

    @Test func aStateThatIsTheNewestIsOpenedAgainAndAgain() throws {
        _ = try twoStates()
        for number in Int64(3)...6 {
            let store = try writing()
            #expect(try store.entry(for: digest(2)) == entry(2))
            try store.commit([.ledger(entry(number))])
            store.close()
        }
        #expect(try StateStore.openForReading(folder: state, sync: "people", marks: marks()) != nil)
        let names = TemporaryFolder.names(folder.path + "/user/penstock/marks")
        #expect(names.count == 1 && names[0].count == 32)
        #expect(TemporaryFolder.names(project + "/.penstock/marks") == ["people"])
        #expect(folder.mode("p/.penstock/marks/people") == 0o600)
    }

    /// What is closed is the open file, whatever has become of its name.
    @Test func aStateWhoseFileIsTakenAwayIsClosedAndMissed() throws {
        let store = try writing()
        try store.commit([.ledger(entry(1))])
        try FileManager.default.moveItem(atPath: database, toPath: database + ".away")
        store.close()
        try isRefused("gone")
        try FileManager.default.moveItem(atPath: database + ".away", toPath: database)
        let again = try writing()
        #expect(try again.entry(for: digest(1)) == entry(1))
    }

    @Test func aStateWithoutMarksGetsThem() throws {
        let store = try StateStore.openForWriting(folder: state, sync: "people", owner: someOwner)
        try store.commit([.ledger(entry(1))])
        store.close()
        try writing().close()
        unlink(database)
        try isRefused("is gone")
    }

    @Test func aDeletedStateIsRefused() throws {
        _ = try twoStates()
        for name in TemporaryFolder.names(state) { unlink(state + "/" + name) }
        try isRefused("is gone")
        #expect(TemporaryFolder.read(database) == nil, "nothing is made in its place")
        TemporaryFolder.write([], to: database)
        try isRefused("is gone, or empty")
        unlink(marks().inner)
        try isRefused("is gone")
    }

    @Test func aDeletedProjectStateIsRefusedByTheMarkOutside() throws {
        _ = try twoStates()
        try FileManager.default.removeItem(atPath: project + "/.penstock")
        try isRefused("it had come to run 1")
        try FileManager.default.removeItem(atPath: project)
        let store = try writing()
        #expect(try store.entry(for: digest(1)) == nil, "a folder that was made anew is another project")
    }

    @Test func anOldCopyIsRefused() throws {
        let copy = try twoStates()
        for suffix in ["-wal", "-shm", ""] { unlink(database + suffix) }
        TemporaryFolder.write(try #require(TemporaryFolder.read(copy)), to: database)
        try isRefused("is an old copy")
    }

    @Test func anOldCopyOfTheWholeFolderIsRefused() throws {
        let first = try writing()
        try first.commit([.ledger(entry(1))])
        first.close()
        try FileManager.default.copyItem(atPath: project + "/.penstock", toPath: folder.path + "/backup")
        let second = try writing()
        try second.commit([.ledger(entry(2))])
        second.close()
        try FileManager.default.removeItem(atPath: project + "/.penstock")
        try FileManager.default.moveItem(atPath: folder.path + "/backup", toPath: project + "/.penstock")
        try isRefused("is an old copy")
    }

    @Test func aStateWithoutTheEndOfItsLogIsRefused() throws {
        let store = try writing()
        for number in Int64(1)...8 { try store.commit([.ledger(entry(number))]) }
        // What is on disk while the writer is open is what a kill leaves behind; the log goes with it.
        let bytes = try #require(TemporaryFolder.read(database))
        let log = try #require(TemporaryFolder.read(database + "-wal"))
        let marks = [self.marks().inner, try #require(self.marks().outer)]
        let kept = marks.map { TemporaryFolder.read($0) ?? [] }
        store.close()
        for (mark, bytes) in zip(marks, kept) { TemporaryFolder.write(bytes, to: mark) }
        TemporaryFolder.write(bytes, to: database)
        TemporaryFolder.write(log.prefix(log.count * 2 / 3), to: database + "-wal")
        try isRefused("has lost its end")
        TemporaryFolder.write(log, to: database + "-wal")
        #expect(try writing().entry(for: digest(8)) == entry(8), "the whole log is the newest state")
    }

    @Test func theLogOfAnotherStateIsRefused() throws {
        try writing().close()
        let other = try StateStore.openForWriting(folder: folder.path + "/other", sync: "people", owner: someOwner)
        for number in Int64(1)...30 { try other.commit([.ledger(entry(number))]) }
        let log = try #require(TemporaryFolder.read(folder.path + "/other/people.db-wal"))
        TemporaryFolder.write(log, to: database + "-wal")
        let error = #expect(throws: StateError.self) { try writing() }
        #expect("\(try #require(error))".contains("is not the one"), "\(String(describing: error))")
    }

    @Test func aTornMarkIsMendedFromTheOther() throws {
        _ = try twoStates()
        let outer = try #require(marks().outer)
        TemporaryFolder.write([1, 2, 3], to: marks().inner)
        try writing().close()
        #expect(TemporaryFolder.read(marks().inner) == TemporaryFolder.read(outer))
        var torn = try #require(TemporaryFolder.read(outer))
        torn[40] ^= 1
        for place in [marks().inner, outer] { TemporaryFolder.write(torn, to: place) }
        try isRefused("cannot be told")
    }

    @Test func withoutAPlaceOutsideTheMarkInsideCounts() throws {
        TemporaryFolder.write([], to: folder.path + "/user")
        try writing().close()
        unlink(database)
        try isRefused("is gone")
        #expect(throws: StateError.self) { try writing(user: false) }
    }

    @Test func aFreshStartForgetsTheMarks() throws {
        _ = try twoStates()
        unlink(database)
        let replacement = try StateReplacement.begin(
            folder: state, sync: "people", marks: marks(), owner: someOwner)
        #expect(try replacement.startAnew(keepingAs: "kept") == nil)
        withExtendedLifetime(replacement) {}
    }

    @Test("What another user keeps outside speaks of a state that was taken away on purpose, and of no other")
    func anotherUsersMarkIsPast() throws {
        _ = try twoStates()
        let others = StateMarks(project: project, sync: "people", userState: folder.path + "/other")
        func writingAsOther() throws -> StateStore {
            try StateStore.openForWriting(folder: state, sync: "people", owner: someOwner, marks: others)
        }
        try writingAsOther().close()
        do {
            let replacement = try StateReplacement.begin(
                folder: state, sync: "people", marks: marks(), owner: someOwner)
            _ = try replacement.startAnew(keepingAs: "kept")
            withExtendedLifetime(replacement) {}
        }
        let new = try writing()
        try new.commit([.ledger(entry(3))])
        new.close()
        let store = try writingAsOther()
        #expect(try store.entry(for: digest(3)) == entry(3))
        store.close()
        let copy = folder.path + "/new.db"
        try FileManager.default.copyItem(atPath: database, toPath: copy)
        let last = try writingAsOther()
        try last.commit([.ledger(entry(4))])
        last.close()
        // The other user's mark is of the new state now, so an old copy of it is noticed without the project's own.
        unlink(others.inner)
        unlink(database)
        try FileManager.default.copyItem(atPath: copy, toPath: database)
        #expect(throws: StateError.self) { try writingAsOther() }
    }

    @Test("A network disk is known by its kind", arguments: [(UInt64(0x6969), "NFS"), (0xFF53_4D42, "CIFS")])
    func networkDisks(kind: UInt64, name: String) {
        #expect(NetworkDisk.name(kind) == name)
        #expect(NetworkDisk.name(0xEF53) == nil)
    }
}
