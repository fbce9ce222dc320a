// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import Testing

/// A plan comes out of its file as it went in, or not at all.
@Suite struct PlanFileTests {
    private let folder: String

    init() throws {
        folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("penstock-plan-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func entry(_ number: Int64) -> PlanEntry {
        let actions = PlanEntry.Action.allCases
        var entry = PlanEntry(
            actions[Int(number) % actions.count], row: number, key: Fingerprint(low: UInt64(number), high: 7),
            keyText: "k\(number)\n\"ü\" 日本", remoteID: number % 2 == 0 ? "\(number)" : nil,
            payload: Fingerprint(low: 1, high: UInt64.max - UInt64(number)))
        entry.isCompared = number % 3 == 0
        entry.fields = [
            .init(name: "name", old: "", new: "a → b"), .init(name: "tier", old: nil, new: "\t", before: "0f"),
        ]
        if entry.action == .reject {
            entry.reason = RejectReason(
                stage: "map", code: "x", field: "f", value: "v", message: "No.", remoteID: entry.remoteID)
        }
        return entry
    }

    private func header() -> PlanHeader {
        var numbers = PlanNumbers()
        numbers.counts = ["created": 3, "fetched": 9]
        numbers.tokens = 125
        numbers.requests = 20
        var header = PlanHeader(
            sync: "orgs", madeAt: 1_000, madeBy: "test", salt: "s", numbers: numbers,
            pins: [PlanPin(.mapping, "name", "aa"), PlanPin(.state, "last run", "r", shown: "r")])
        header.isGuarded = true
        header.rowsMax = 5
        return header
    }

    @Test("What was sealed is what is read", arguments: [0, 1, 3_000])
    func roundTrip(count: Int64) throws {
        let draft = try PlanDraft(folder: folder)
        let entries = (0..<count).map(entry)
        for entry in entries { try draft.append(entry) }
        let path = folder + "/a.plan"
        try draft.seal(header(), to: path)
        let plan = try SealedPlan(path: path)
        var read: [PlanEntry] = []
        try plan.forEach { read.append($0) }
        #expect(read == entries && plan.count == count)
        #expect(plan.header.numbers == header().numbers && plan.header.pins == header().pins)
        #expect(plan.header.isGuarded && plan.header.rowsMax == 5 && plan.header.sync == "orgs")
        var again: [PlanEntry] = []
        try draft.forEach { again.append($0) }
        #expect(again == entries, "the draft can still be shown")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.plan"], "no draft is left behind")
    }

    @Test("A file that was changed or cut anywhere is refused")
    func damage() throws {
        let draft = try PlanDraft(folder: folder)
        for number in 0..<4 { try draft.append(entry(Int64(number))) }
        let path = folder + "/a.plan"
        try draft.seal(header(), to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for place in whole.indices {
            for damaged in [whole.prefix(place), Data(whole.enumerated().map { $0 == place ? $1 ^ 1 : $1 })] {
                try Data(damaged).write(to: URL(fileURLWithPath: path))
                do throws(PlanFileProblem) {
                    _ = try SealedPlan(path: path)
                    Issue.record("byte \(place) of \(whole.count) does not matter")
                } catch {
                    #expect(error.kind == .damaged || error.kind == .version, "\(error)")
                }
            }
        }
    }

    @Test("What a plan was made from is compared name by name")
    func pins() {
        let planned = [
            PlanPin(.mapping, "name", "a"), PlanPin(.connector, "csv", "1", shown: "0.1"),
            PlanPin(.config, "fetch", "x"),
        ]
        let now = [
            PlanPin(.mapping, "name", "a"), PlanPin(.connector, "csv", "2", shown: "0.2"),
            PlanPin(.mapping, "tier", "n"),
        ]
        #expect(PlanPin.differences(planned, planned).isEmpty)
        #expect(
            PlanPin.differences(planned, now) == [
                "connector csv has changed: was 0.1, is 0.2", "fetch is gone", "map: tier is new",
            ])
    }
}
