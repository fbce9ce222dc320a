// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState
import Testing

@Suite struct WatermarkTests {
    let folder = TemporaryFolder()

    @Test(
        "A watermark keeps its exact text",
        arguments: [
            (DataType.decimal, "12.500000000000000000000000000000000001"), (.uint64, "18446744073709551615"),
            (.instant, "2026-03-29 00:59:59.999999+00"), (.text, "  Ä\0ß\n"), (.text, ""), (.int64, "007"),
        ])
    func aWatermarkKeepsItsExactText(type: DataType, text: String) throws {
        let mark = Watermark(column: "Updated At", type: type, text: text, run: 3)
        let store = try StateStore.writing(folder)
        try store.commit([.watermark(mark)])
        store.close()
        let found = try StateStore.writing(folder).watermark()
        #expect(found == mark)
        #expect(found.map { Array($0.text.utf8) } == Array(text.utf8))
    }

    @Test func aWatermarkIsReplacedAndRemoved() throws {
        let store = try StateStore.writing(folder)
        #expect(try store.watermark() == nil)
        for text in ["1", "2"] {
            try store.commit([.watermark(Watermark(column: "id", type: .int64, text: text, run: 1))])
            #expect(try store.watermark()?.text == text)
        }
        try store.commit([.watermark(nil)])
        #expect(try store.watermark() == nil)
    }

    @Test func aResetForgetsWhatItNamesAndNothingElse() throws {
        let store = try StateStore.writing(folder)
        let mark = Watermark(column: "id", type: .int64, text: "1", run: 1)
        let all: [StateChange] = [.watermark(mark), .ledger(entry(1)), .reject(reject(2))]
        let run = try store.beginRun(id: "01JDAAAAAAAAAAAAAAAAAAAAAA", startedAtMilliseconds: 5, definition: digest(4))
        for part in 0..<3 {
            try store.commit(all)
            try store.reset(watermark: part == 0, ledger: part == 1, rejects: part == 2)
            #expect(try store.watermark() == (part == 0 ? nil : mark))
            #expect(try store.entry(for: digest(1)) == (part == 1 ? nil : entry(1)))
            #expect(try store.rejects(limit: 5) == (part == 2 ? [] : [reject(2)]))
        }
        #expect(try store.lastRun() == run)
    }

    @Test func aSettingIsSetReplacedAndRemoved() throws {
        let store = try StateStore.writing(folder)
        #expect(try store.meta("a") == nil)
        try store.setMeta("a", "1")
        try store.setMeta("a", "2")
        #expect(try store.meta("a") == "2")
        try store.setMeta("a", nil)
        #expect(try store.meta("a") == nil)
    }
}
