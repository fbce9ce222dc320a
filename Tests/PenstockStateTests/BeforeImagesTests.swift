// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

@testable import PenstockState

/// What is kept for undoing runs.
@Suite struct BeforeImagesTests {
    private func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("images-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return path
    }

    private func key(_ number: Int) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine("row \(number)")
        return hasher.finish()
    }

    private func image(_ number: Int, run: Int64 = 1, before: String = "old") -> RecordImage {
        RecordImage(
            run: run, key: key(number), remoteID: "\(number)", action: .update,
            fields: [FieldImage(field: "name", kind: .text, before: .text(before), after: .text("new"))])
    }

    private let run = ImageRun(
        number: 1, id: "01A", object: "organization", fields: [.init(key: "name", name: "Name", kind: .text)])

    @Test func imagesComeBackInTheirOrderAndByPages() throws {
        let folder = try folder()
        let images = try BeforeImages.openForWriting(folder: folder, sync: "s")
        try images.commit([.run(run)] + (1...7).map { .record(image($0)) }, isDurable: true)
        let first = try images.records(run: 1, .update, after: 0, limit: 4)
        #expect(first.map(\.remoteID) == ["1", "2", "3", "4"])
        let rest = try images.records(run: 1, .update, after: first[3].position, limit: 4)
        #expect(rest.map(\.remoteID) == ["5", "6", "7"])
        #expect(rest[0].fields == image(5).fields)
        #expect(try images.run(1) == run)
        #expect(try images.records(run: 2, .update, after: 0, limit: 4).isEmpty)
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/s.before")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        images.close()
        let reader = try #require(try BeforeImages.openForReading(folder: folder, sync: "s"))
        #expect(try reader.records(run: 1, .update, after: 0, limit: 100).count == 7)
    }

    @Test func aSecondAttemptKeepsWhatTheFirstHasOverwritten() throws {
        let images = try BeforeImages.openForWriting(folder: try folder(), sync: "s")
        try images.commit([.run(run), .record(image(1, before: "first"))], isDurable: true)
        var other = image(1)
        other.fields = [FieldImage(field: "city", kind: .text, before: .null, after: .text("Bonn"))]
        try images.commit([.record(other)], isDurable: true)
        let found = try images.records(run: 1, .update, after: 0, limit: 10)
        #expect(found.count == 1)
        #expect(found[0].fields.map(\.before) == [.text("first"), .null])
    }

    @Test func whatWasWrittenLastIsRememberedAndWhatMayHaveArrived() throws {
        let images = try BeforeImages.openForWriting(folder: try folder(), sync: "s")
        let row = key(1)
        func values() throws -> [JSON?] { try images.written(row)["name"].map { [$0.last, $0.next] } ?? [] }
        try images.commit([.writing(key: row, field: "name", .string("a"))], isDurable: true)
        #expect(try values() == [nil, .string("a")])
        try images.commit([.wrote(key: row, field: "name", .string("a"))], isDurable: false)
        try images.commit([.writing(key: row, field: "name", .string("b"))], isDurable: true)
        #expect(try values() == [.string("a"), .string("b")])
        try images.commit([.refused(key: row)], isDurable: false)
        #expect(try values() == [.string("a"), nil])
        try images.commit([.forget(key: row, field: "name")], isDurable: false)
        #expect(try values().isEmpty)
    }

    @Test func forgettingARunForgetsItsImagesAlone() throws {
        let folder = try folder()
        let images = try BeforeImages.openForWriting(folder: folder, sync: "s")
        var second = run
        second.number = 2
        second.id = "01B"
        var made = image(2, run: 1)
        made.action = .create
        made.fields = []
        try images.commit(
            [.run(run), .record(image(1)), .record(made), .run(second), .record(image(3, run: 2))], isDurable: true)
        #expect(try images.records(run: 1, .create, after: 0, limit: 9).map(\.remoteID) == ["2"])
        images.close()
        try BeforeImages.forget(runs: ["01A"], folder: folder, sync: "s")
        let left = try #require(try BeforeImages.openForReading(folder: folder, sync: "s"))
        #expect(try left.run(1) == nil)
        #expect(try left.records(run: 1, .create, after: 0, limit: 9).isEmpty)
        #expect(try left.records(run: 2, .update, after: 0, limit: 9).map(\.remoteID) == ["3"])
    }

    @Test func aStateThatCountsItsRunsAnewDoesNotMeetOldImages() throws {
        let images = try BeforeImages.openForWriting(folder: try folder(), sync: "s")
        try images.commit([.run(run), .record(image(1)), .record(image(2))], isDurable: true)
        var other = run
        other.id = "01Z"
        try images.commit([.run(other), .record(image(2, before: "newer"))], isDurable: true)
        let found = try images.records(run: 1, .update, after: 0, limit: 9)
        #expect(found.map(\.remoteID) == ["2"])
        #expect(found.first?.fields.first?.before == .text("newer"))
    }

    @Test func aLaterRunCountsUntilItIsUndoneAndAgainOnceThatIsUndone() throws {
        let images = try BeforeImages.openForWriting(folder: try folder(), sync: "s")
        func begin(_ number: Int64, _ id: String, undoes: Int64? = nil) throws {
            try images.commit(
                [.run(ImageRun(number: number, id: id, object: "organization", fields: run.fields, undoes: undoes))],
                isDurable: true)
        }
        func write(_ number: Int64, at time: Int64) throws -> Int64 {
            try images.commit(
                [.record(image(1, run: number)), .done(run: number, key: key(1), at: time)], isDurable: true)
            return try images.records(run: number, .update, after: 0, limit: 1)[0].position
        }
        let made = RecordImage(
            run: 1, key: key(1), remoteID: "1", action: .create, doneAtMilliseconds: 10_000)
        try begin(1, "01A")
        try images.commit([.record(made)], isDurable: true)
        func changes() throws -> OwnChanges { try images.ownChanges(of: made) }
        #expect(try changes() == OwnChanges())
        try begin(2, "01B")
        let second = try write(2, at: 20_000)
        #expect(try changes() == OwnChanges(lastAtMilliseconds: 20_000, laterRun: "01B"))
        try begin(3, "01C", undoes: 2)
        let third = try write(3, at: 30_000)
        try images.commit([.undone(position: second, .update, .whole)], isDurable: true)
        #expect(try changes() == OwnChanges(lastAtMilliseconds: 30_000))
        try begin(4, "01D", undoes: 3)
        _ = try write(4, at: 40_000)
        try images.commit([.undone(position: third, .update, .whole)], isDurable: true)
        #expect(try changes() == OwnChanges(lastAtMilliseconds: 40_000, laterRun: "01B"))
        #expect(try images.records(run: 2, .update, after: 0, limit: 1).first?.isUndone == false)
        try images.commit([.undone(position: second, .update, .wholeOfEdited)], isDurable: true)
        #expect(try images.records(run: 2, .update, after: 0, limit: 1).first?.isUndone == true)
        #expect(try changes().laterRun == "01B", "what somebody had edited in between would go with the record")
        try images.commit([.done(run: 2, key: key(1), at: 20_500)], isDurable: true)
        #expect(try changes().laterRun == "01B", "and still is, when the image is written once more")
        var older = made
        older.doneAtMilliseconds = 60_000
        #expect(try images.ownChanges(of: older).laterRun == nil, "runs of a state that was reset since")
    }

    @Test func aValueThatIsNotWhatWasWrittenIsDamage() throws {
        let folder = try folder()
        let images = try BeforeImages.openForWriting(folder: folder, sync: "s")
        try images.commit([.run(run), .record(image(1))], isDurable: true)
        images.close()
        let connection = try SQLiteConnection(path: folder + "/s.before", access: .readWrite)
        try connection.execute("UPDATE image SET fields = replace(fields, 'old', 'odd')")
        connection.close()
        let reader = try #require(try BeforeImages.openForReading(folder: folder, sync: "s"))
        #expect(throws: StateError.self) { try reader.records(run: 1, .update, after: 0, limit: 9) }
    }

    @Test func imagesOfAnEarlierVersionGoWithItsStates() throws {
        let folder = try folder()
        let images = try BeforeImages.openForWriting(folder: folder, sync: "s")
        try images.commit([.run(run), .record(image(1))], isDurable: true)
        images.close()
        let connection = try SQLiteConnection(path: folder + "/s.before", access: .readWrite)
        try connection.execute("PRAGMA user_version = 1")
        connection.close()
        #expect(try BeforeImages.openForReading(folder: folder, sync: "s") == nil)
        let anew = try BeforeImages.openForWriting(folder: folder, sync: "s")
        #expect(try anew.run(1) == nil)
        try anew.commit([.run(run), .record(image(2))], isDurable: true)
        #expect(try anew.records(run: 1, .update, after: 0, limit: 9).map(\.remoteID) == ["2"])
    }

    @Test("What a field held first stays, where a later attempt met what an earlier one had written")
    func whatWeWroteIsNotWhatWasThere() throws {
        let images = try BeforeImages.openForWriting(folder: try folder(), sync: "s")
        func attempt(_ before: String, _ after: String) throws -> FieldImage? {
            var image = image(1)
            image.fields = [FieldImage(field: "name", kind: .text, before: .text(before), after: .text(after))]
            try images.commit([.record(image)], isDurable: true)
            return try images.records(run: 1, .update, after: 0, limit: 1).first?.fields.first
        }
        try images.commit([.run(run)], isDurable: true)
        #expect(try attempt("original", "second")?.before == .text("original"))
        let third = try attempt("second", "third")
        #expect(third?.before == .text("original") && third?.after == .text("third"))
        let edited = try attempt("by hand", "fourth")
        #expect(edited?.before == .text("by hand") && edited?.after == .text("fourth"))
    }

    @Test("A record that a run has created is kept once, however often it is found")
    func aCreatedRecordIsFoundAgain() throws {
        let images = try BeforeImages.openForWriting(folder: try folder(), sync: "s")
        func made(_ number: Int, _ id: String) -> RecordImage {
            RecordImage(run: 1, key: key(number), remoteID: id, action: .create)
        }
        try images.commit([.run(run), .record(made(1, "7"))], isDurable: true)
        try images.commit([.found(made(1, "7")), .found(made(1, "8")), .found(made(2, "9"))], isDurable: true)
        try images.commit([.found(made(2, "9"))], isDurable: true)
        #expect(try images.records(run: 1, .create, after: 0, limit: 9).map(\.remoteID) == ["7", "8", "9"])
    }

    @Test("Records that are found are kept once, and many of them cost about as much to look up as one")
    func foundAmongMany() throws {
        let images = try BeforeImages.openForWriting(folder: try folder(), sync: "s")
        func made(_ number: Int, _ id: String? = nil, run: Int64 = 1) -> RecordImage {
            RecordImage(run: run, key: key(number), remoteID: id ?? "\(number)", action: .create, mark: [1])
        }
        func seconds(_ changes: [ImageChange]) throws -> Double {
            var (start, end) = (timespec(), timespec())
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
            try images.commit(changes, isDurable: false)
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
            return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
        }
        let count = 20_000
        try images.commit([.run(run)] + (1...count).map { .record(made($0)) }, isDurable: false)
        // Of another record for the same row it is not known, and then it is.
        let one = try seconds([.found(made(7)), .found(made(7, "x")), .found(made(7, "x"))])
        let many = try seconds((1...1_500).map { .found(made($0)) })
        #expect(many < 100 * one, "\(many) and \(one) seconds")
        // What the same changes create is known as well, before and behind the first that is found.
        try images.commit(
            [.record(made(count + 1)), .found(made(count + 1)), .record(made(count + 2)), .found(made(count + 2))],
            isDurable: false)
        let kept = try images.records(run: 1, .create, after: 0, limit: count * 2)
        #expect(kept.count == count + 3)
        #expect(kept.filter { $0.key == key(7) }.map(\.remoteID) == ["7", "x"])
    }
}
