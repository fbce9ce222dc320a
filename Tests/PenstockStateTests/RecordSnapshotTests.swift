// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

/// Records as they were read last: what is known of them, and what is not any more.
@Suite struct RecordSnapshotTests {
    let folder = TemporaryFolder()
    private static let day: Int64 = 86_400_000

    private var path: String { folder.path + "/records/orgs.db" }

    private func stamp(_ run: String = "none", _ subject: String = "names") -> RecordSnapshot.Stamp {
        RecordSnapshot.Stamp(subject: subject, run: run)
    }

    /// Changes the snapshot after the run `run`, and makes it the one after `next`.
    private func change(
        _ run: String = "none", to next: String? = nil, at now: Int64 = 0,
        _ body: (RecordSnapshot) throws -> Void
    ) throws {
        let snapshot = try #require(
            try RecordSnapshot.openForWriting(path: path, stamp(run), creates: true, now: now))
        try body(snapshot)
        try snapshot.commit(run: next ?? run, now: now)
    }

    private func read(_ run: String = "none") throws -> RecordSnapshot {
        try #require(try RecordSnapshot.openForReading(path: path, stamp(run)))
    }

    private func keep(_ snapshot: RecordSnapshot, _ ids: ClosedRange<Int>, _ text: String = "r") throws {
        for id in ids {
            try snapshot.keep(
                id: "\(id)", matches: ["m\(id / 2)", "all"], record: Array("\(text)\(id)".utf8), readAt: 7)
        }
    }

    private func entry(_ id: Int, _ text: String = "r") -> RecordSnapshot.Entry {
        RecordSnapshot.Entry(id: "\(id)", record: Array("\(text)\(id)".utf8), readAt: 7)
    }

    @Test("Records that were asked for are known, others are not, and nobody knows all of them")
    func byID() throws {
        try change { snapshot in
            try keep(snapshot, 1...3)
            try snapshot.keep(id: "4", matches: [], record: nil, readAt: 8)
        }
        try change { try $0.keep(id: "3", matches: ["m1", "all"], record: Array("new3".utf8), readAt: 7) }
        let snapshot = try read()
        #expect(try snapshot.find(id: "1") == .record(entry(1)))
        #expect(try snapshot.find(id: "3") == .record(entry(3, "new")))
        #expect(try snapshot.find(id: "4") == .absent(8))
        #expect(try snapshot.find(id: "5") == .unknown)
        #expect(try snapshot.find(matches: ["m1"], limit: 3) == nil && snapshot.listedAt == nil)
    }

    @Test("What the whole list did not have did not exist, and what had been kept before is gone")
    func list() throws {
        try change { try keep($0, 1...9, "old") }
        try change { snapshot in
            try keep(snapshot, 2...5)
            try snapshot.endList(readAt: 6)
        }
        let snapshot = try read()
        #expect(snapshot.listedAt == 6)
        #expect(try snapshot.find(id: "2") == .record(entry(2)))
        #expect(try snapshot.find(id: "9") == .absent(6))
        #expect(try snapshot.find(matches: ["m2"], limit: 3) == [entry(4), entry(5)])
        #expect(try snapshot.find(matches: ["m0", "none"], limit: 3) == [])
        #expect(try snapshot.find(matches: ["all"], limit: 3)?.map(\.id) == ["2", "3", "4"])
        #expect(try snapshot.find(matches: ["m1", "all"], limit: 3)?.map(\.id) == ["2", "3", "4"])
    }

    @Test("An id is the text that it is, whether it reads as a number or not")
    func ids() throws {
        let ids = ["7", "07", "+7", "-7", "7.0", "", "x", "9223372036854775807", "99999999999999999999", "7 ", "٧"]
        try change { snapshot in
            for id in ids { try snapshot.keep(id: id, matches: ["all"], record: Array(id.utf8), readAt: 1) }
            try snapshot.endList(readAt: 1)
            try snapshot.noteWritten(id: "8", matches: [])
        }
        let snapshot = try read()
        for id in ids {
            #expect(try snapshot.find(id: id) == .record(.init(id: id, record: Array(id.utf8), readAt: 1)))
        }
        #expect(try snapshot.find(id: "08") == .absent(1) && snapshot.find(id: "8") == .unknown)
        #expect(try Set(snapshot.find(matches: ["all"], limit: 99)?.map(\.id) ?? []) == Set(ids))
    }

    @Test("A record that is read again is found by its new values alone")
    func movedMatch() throws {
        try change { snapshot in
            try keep(snapshot, 1...2)
            try snapshot.endList(readAt: 6)
        }
        try change { snapshot in
            try snapshot.keep(id: "1", matches: ["other"], record: [1], readAt: 7)
            try snapshot.keep(id: "2", matches: [], record: nil, readAt: 7)
        }
        let snapshot = try read()
        #expect(try snapshot.find(matches: ["m0"], limit: 3) == [])
        #expect(try snapshot.find(matches: ["other"], limit: 3)?.map(\.id) == ["1"])
        #expect(try snapshot.find(matches: ["m1"], limit: 3) == [] && snapshot.find(id: "2") == .absent(7))
    }

    @Test("Nothing is known of what was written since, until it is read in a later session")
    func written() throws {
        try change { snapshot in
            try keep(snapshot, 1...6)
            try snapshot.endList(readAt: 6)
            try snapshot.noteWritten(id: "1", matches: ["m0", "new"])
            try snapshot.noteWritten(id: nil, matches: ["created"])
            try snapshot.noteWritten(id: "77", matches: [])
            // The answer to a question that was asked before the record was written.
            try keep(snapshot, 1...1, "late")
        }
        for _ in 1...2 {
            let snapshot = try read()
            #expect(try snapshot.find(id: "1") == .unknown && snapshot.find(id: "77") == .unknown)
            #expect(try snapshot.find(id: "2") == .record(entry(2)) && snapshot.find(id: "78") == .absent(6))
            for text in ["m0", "new", "created", "all"] { #expect(try snapshot.find(matches: [text], limit: 3) == nil) }
            #expect(try snapshot.find(matches: ["m2"], limit: 3)?.count == 2)
            #expect(try snapshot.find(matches: ["never"], limit: 3) == [])
            try change { _ in }
        }
        try change { try keep($0, 1...1, "read") }
        #expect(try read().find(id: "1") == .record(entry(1, "read")))
        #expect(try read().find(matches: ["new"], limit: 3) == nil, "the list is older than what was written")
        try change { snapshot in
            try keep(snapshot, 1...6)
            try snapshot.endList(readAt: 9)
        }
        #expect(try read().find(id: "77") == .absent(9) && read().find(matches: ["new"], limit: 3) == [])
    }

    @Test("Without a list a record that was written is dropped, and nothing is left of it")
    func writtenWithoutList() throws {
        try change { snapshot in
            try keep(snapshot, 1...3)
            try snapshot.noteWritten(id: "2", matches: ["m1"])
        }
        #expect(try read().find(id: "2") == .unknown && read().find(id: "3") == .record(entry(3)))
        try change { snapshot in
            try keep(snapshot, 1...3)
            try snapshot.endList(readAt: 6)
            try snapshot.noteWritten(id: "2", matches: ["m1"])
            snapshot.forgetList()
        }
        #expect(try read().find(id: "2") == .unknown && read().find(id: "9") == .unknown)
        #expect(try count("written") == 0 && count("record") == 2)
    }

    private func count(_ table: String) throws -> Int64 {
        try SQLiteConnection(path: path, access: .readOnly).integer("SELECT count(*) FROM \(table)")
    }

    @Test("A snapshot of something else, or of before another run, is none, and is begun anew")
    func otherStamp() throws {
        #expect(try RecordSnapshot.openForReading(path: path, stamp()) == nil, "there is none yet")
        #expect(try RecordSnapshot.openForWriting(path: path, stamp(), creates: false, now: 0) == nil)
        try change("a", to: "b") { try keep($0, 1...3) }
        for other in [stamp("a"), stamp("b", "others"), stamp("")] {
            #expect(try RecordSnapshot.openForReading(path: path, other) == nil)
            #expect(try RecordSnapshot.openForWriting(path: path, other, creates: false, now: 0) == nil)
        }
        #expect(try read("b").find(id: "1") == .record(entry(1)))
        try change("c") { try keep($0, 2...2) }
        #expect(try read("c").find(id: "1") == .unknown)
    }

    @Test("What is not committed is not there, and who looks meanwhile sees what was there before")
    func uncommitted() throws {
        try change { try keep($0, 1...3) }
        do {
            let writer = try #require(
                try RecordSnapshot.openForWriting(path: path, stamp(), creates: true, now: 0))
            // More than fits into memory, so that it is on disk.
            for id in 1...20_000 {
                try writer.keep(id: "\(id)", matches: [], record: [UInt8](repeating: 1, count: 300), readAt: 9)
            }
            #expect(try read().find(id: "1") == .record(entry(1)) && read().find(id: "4") == .unknown)
            #expect(throws: StateError.self, "one writes at a time") {
                try RecordSnapshot.openForWriting(path: path, stamp(), creates: true, now: 0)
            }
            writer.close()
        }
        #expect(try read().find(id: "1") == .record(entry(1)) && read().find(id: "4") == .unknown)
    }

    @Test("A damaged file is an error for who looks, and is begun anew by who writes")
    func damaged() throws {
        try change { try keep($0, 1...3) }
        try SQLiteConnection(path: path, access: .readWrite).execute("UPDATE record SET record = x'00' WHERE id = 2")
        #expect(throws: StateError.self) { try read().find(id: "2") }
        #expect(try read().find(id: "1") == .record(entry(1)))
        TemporaryFolder.write([UInt8](repeating: 0x41, count: 9_000), to: path)
        #expect(throws: StateError.self) { try RecordSnapshot.openForReading(path: path, stamp()) }
        try change { try keep($0, 2...2) }
        #expect(try read().find(id: "2") == .record(entry(2)) && read().find(id: "1") == .unknown)
        try RecordSnapshot.remove(path: path)
        try RecordSnapshot.remove(path: path)
        #expect(TemporaryFolder.names(folder.path + "/records").isEmpty)
    }

    @Test("What nobody has read for a month goes, the list with it")
    func age() throws {
        let day = Self.day
        try change(at: 0) { snapshot in
            try snapshot.keep(id: "1", matches: ["a"], record: [1], readAt: 0)
            try snapshot.endList(readAt: 0)
        }
        try change(at: 20 * day) { try $0.keep(id: "2", matches: ["b"], record: [2], readAt: 20 * day) }
        #expect(try read().find(id: "9") == .absent(0))
        try change(at: 32 * day) { _ in }
        #expect(try read().find(id: "1") == .unknown && read().find(id: "9") == .unknown)
        #expect(try read().find(id: "2") != .unknown && count("match") == 1)
        try change(at: 32 * day) { try $0.keep(id: "3", matches: [], record: [3], readAt: 2 * day + day / 2) }
        try change(at: 33 * day) { _ in }
        #expect(try count("record") == 2, "it is looked for once a day at most")
        try change(at: 34 * day) { _ in }
        #expect(try count("record") == 1 && read().find(id: "3") == .unknown)
    }

    @Test("A list of which more was written since than it has records is given up")
    func writtenMost() throws {
        try change { snapshot in
            try keep(snapshot, 1...5)
            try snapshot.endList(readAt: 6)
            for id in 100..<1_100 { try snapshot.noteWritten(id: "\(id)", matches: []) }
        }
        #expect(try read().find(id: "9") == .absent(6) && count("written") == 1_000)
        try change { try $0.noteWritten(id: "1", matches: []) }
        #expect(try read().find(id: "9") == .unknown && read().find(id: "2") == .record(entry(2)))
        #expect(try count("written") == 0 && count("record") == 4)
    }
}
