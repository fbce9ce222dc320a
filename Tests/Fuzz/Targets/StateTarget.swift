// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState

extension FuzzTarget {
    /// The state file: damage is refused or found by the check, or it lies where nothing is kept; it never changes an
    /// answer, and it never crashes.
    static let state = FuzzTarget("state", pieces: ["SQLite format 3\u{0}", "\u{0}\u{0}\u{0}\u{0}", "\u{7F}"]) {
        bytes, isPlanted in
        guard let original = StateSample.original else { return "the sample cannot be made" }
        var file = original.bytes
        var input = FuzzInput(bytes)
        while !input.bytes.isEmpty { damage(&file, &input) }
        do {
            try Data(file).write(to: URL(fileURLWithPath: StateSample.folder + "/people.db"))
            for suffix in ["-wal", "-shm"] {
                // Mostly there is none.
                try? FileManager.default.removeItem(atPath: StateSample.folder + "/people.db" + suffix)
            }
            let store = try StateStore.openForWriting(
                folder: StateSample.folder, sync: "people", owner: StateSample.owner)
            defer { store.close() }
            _ = try store.inspect()
            let contents = try StateSample.contents(store)
            if isPlanted, file != original.bytes, contents == original.contents, file.count > original.bytes.count {
                return "planted"
            }
            return zip(contents + ["nothing more"], original.contents + ["nothing more"]).first { $0 != $1 }
                .map { "accepted, with other contents: \($0) where there was \($1)" }
        } catch let error as StateError {
            if case .internal(let text) = error { return "an internal error: \(text)" }
            return error.message.isEmpty ? "an error without a reason" : nil
        } catch {
            return "another error: \(error)"
        }
    }

    /// Makes one change: bytes replaced, a bit flipped, bytes moved, an end cut off, or bytes appended.
    private static func damage(_ file: inout [UInt8], _ input: inout FuzzInput) {
        let kind = input.choice(8)
        let place = Int(input.byte()) << 16 | Int(input.byte()) << 8 | Int(input.byte())
        guard !file.isEmpty else { return }
        let start = place % file.count
        switch kind {
        case 0: file.removeLast(min(file.count, place % 5_000))
        case 1: file[start] ^= 1 << (input.byte() & 7)
        case 2:
            let target = (Int(input.byte()) << 8 | Int(input.byte())) % file.count
            let count = min(Int(input.byte()), file.count - max(start, target))
            for index in 0..<count { file[target + index] = file[start + index] }
        case 3: file += input.take(Int(input.byte()))
        default:
            for (index, byte) in input.take(1 + kind).enumerated() where start + index < file.count {
                file[start + index] = byte
            }
        }
    }
}

/// A state file with something of everything.
private enum StateSample {
    static let folder = FuzzScratch.folder + "/state"
    static let owner = LockOwner(pid: 1, runID: "01JD0000000000000000000000", startedAtMilliseconds: 1)

    /// The file as it was written, and what it answers; nil where it cannot be made, which every input then reports.
    static let original: (bytes: [UInt8], contents: [String])? = {
        guard let contents = try? fill(), let data = FileManager.default.contents(atPath: folder + "/people.db")
        else { return nil }
        return (Array(data), contents)
    }()

    static func digest(_ number: Int64) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(UInt64(number))
        return hasher.finish()
    }

    private static func fill() throws -> [String] {
        try? FileManager.default.removeItem(atPath: folder)  // Mostly there is none.
        let store = try StateStore.openForWriting(folder: folder, sync: "people", owner: owner)
        defer { store.close() }
        var run = try store.beginRun(id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        run.counts = ["a": 1]
        var changes: [StateChange] = (1...40).map { number in
            .ledger(
                LedgerEntry(
                    key: digest(number), keyText: "id=\(number)", remoteID: "r\(number)", payload: digest(number + 100),
                    source: digest(number + 200), cursor: "2026-01-01 00:00:00.\(number)", run: 1, outcome: .created))
        }
        changes.append(
            .intent(
                LedgerEntry(
                    key: digest(90), keyText: "id=90", run: 1, outcome: .intent,
                    intent: LedgerEntry.Intent(payload: digest(50), startedAtMilliseconds: 12))))
        changes += (60...64).map { number in
            .reject(
                RejectRecord(
                    key: digest(number), keyText: "id=\(number)", run: 1, row: number, stage: "check",
                    code: "missing-name", field: "name", value: " ", message: "The name is empty.",
                    record: #"{"id":\#(number)}"#, isSettled: true, firstSeenMilliseconds: 1, lastSeenMilliseconds: 2))
        }
        changes += [.run(run), .watermark(Watermark(column: "id", type: .int64, text: "12", run: 1))]
        try store.commit(changes)
        try store.setMeta("spool", "yes")
        return try contents(store)
    }

    /// Everything that can be asked, as text.
    static func contents(_ store: StateStore) throws -> [String] {
        var lines: [String] = []
        for number in Int64(0)...100 {
            if let entry = try store.entry(for: digest(number)) { lines.append("\(entry)") }
            if let reject = try store.reject(for: digest(number)) { lines.append("\(reject)") }
        }
        lines.append("\(try store.runs(limit: 9))")
        lines.append("\(String(describing: try store.watermark()))")
        lines.append("\(String(describing: try store.meta("spool")))")
        lines += try store.countEntries().map { "\($0.key) \($0.value)" }.sorted()
        lines += try store.openEntries(of: 1).map { "\($0)" }
        lines.append("\(try store.countRejects())")
        for number in Int64(1)...40 { lines.append("\(try store.entries(remoteID: "r\(number)").map(\.keyText))") }
        return lines
    }
}
