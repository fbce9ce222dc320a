// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockState
import Testing

@Suite struct SyncRunnerTests {
    private let nameOnly = [MapEntry(target: "name", from: "name")]
    private let upsert = [MapEntry(target: "id", from: "id"), MapEntry(target: "name", from: "name")]

    private func row(_ key: String, id: String? = nil, _ name: String, code: String = "c", at: Int64 = 0) -> [Value] {
        [.text(key), id.map { .text($0) } ?? .null, .text(name), .text(code), .int64(at)]
    }

    @Test func anUpsertKeepsItsRecordAfterItsUpdateWasRefused() throws {
        let bench = try Bench(
            [row("a", "Alpha")], map: upsert, insert: InsertDefinition(mode: .update, onMissing: .create))
        #expect(try bench.run().counts.created == 1)
        bench.set([row("a", "Beta")])
        bench.connector.setFate { _, _ in .refused }
        #expect(try bench.run().counts.rejected == 1)
        bench.connector.setFate { _, _ in .done }
        bench.set([row("a", "Gamma")])
        #expect(try bench.run().counts.updated == 1)
        #expect(bench.names == ["Gamma"])
    }

    @Test func anUpsertKeepsItsRecordAfterItsUpdateWasNotTried() throws {
        let bench = try Bench(
            [row("a", "Alpha")], map: upsert, insert: InsertDefinition(mode: .update, onMissing: .create))
        _ = try bench.run()
        bench.set([row("a", "Beta")])
        bench.connector.setFate { _, _ in .later }
        let stopped = try bench.run()
        #expect(stopped.counts.notTried == 1)
        #expect(stopped.run.status == .unfinished)
        bench.connector.setFate { _, _ in .done }
        let finished = try bench.run()
        #expect(finished.isResumed)
        #expect(finished.run.status == .finished)
        #expect(bench.names == ["Beta"])
    }

    @Test func aRecordThatIsGoneIsCreatedAnewByTheNextRun() throws {
        let bench = try Bench(
            [row("a", "Alpha")], map: upsert, insert: InsertDefinition(mode: .update, onMissing: .create))
        _ = try bench.run()
        bench.connector.removeRecord(1)
        bench.set([row("a", "Beta")])
        let met = try bench.run()
        #expect(met.counts.created == 0 && met.rejectsByCode.map(\.code) == ["record-gone"])
        #expect(bench.names.isEmpty)
        #expect(try bench.run().counts.created == 1)
        #expect(bench.names == ["Beta"])
    }

    @Test func twoRowsForOneRecordDoNotOverwriteEachOther() throws {
        let bench = try Bench(
            [row("a", id: "1", "One"), row("b", id: "1", "Two")], map: upsert, insert: InsertDefinition(mode: .update))
        bench.connector.addRecord(["name": .text("Old")])
        let report = try bench.run()
        #expect(report.counts.updated == 1)
        #expect(report.rejectsByCode.map(\.code) == ["duplicate-target"])
        #expect(bench.names == ["One"])
    }

    @Test func twoRowsWithOneMatchValueCreateOneRecord() throws {
        let bench = try Bench(
            [row("a", "Same"), row("b", "Same")], map: nameOnly,
            insert: InsertDefinition(mode: .update, match: "name", onMissing: .create))
        let report = try bench.run()
        #expect(report.counts.created == 1)
        #expect(report.rejectsByCode.map(\.code) == ["duplicate-target"])
    }

    @Test func aChangeBackOfARowWithoutAKeyIsSent() throws {
        let bench = try Bench(
            [row("", id: "1", "Alpha")], key: [], map: upsert, insert: InsertDefinition(mode: .update))
        bench.connector.addRecord(["name": .text("Alpha")])
        for name in ["Alpha", "Beta", "Alpha"] {
            bench.set([row("", id: "1", name)])
            _ = try bench.run()
            #expect(bench.names == [name])
        }
    }

    @Test func creatingWithoutAKeyIsRefusedBeforeAnythingIsSent() throws {
        let bench = try Bench(
            [row("", "Alpha")], key: [], map: upsert, insert: InsertDefinition(mode: .update, onMissing: .create))
        #expect(throws: SyncProblem.self) { try bench.run() }
        #expect(bench.connector.writes == 0)
    }

    @Test func anInterruptedAppendWithoutAKeyGoesOnThoughTheMapHasChanged() throws {
        let rows = (0..<20).map { row("", "Row \($0)") }
        let bench = try Bench(rows, key: [], map: nameOnly)
        bench.connector.setFate { number, _ in number > 8 ? .later : .done }
        #expect(try bench.run().run.status == .unfinished)
        bench.connector.setFate { _, _ in .done }
        bench.definition.map = [MapEntry(target: "code", from: "code"), MapEntry(target: "name", from: "name")]
        #expect(try bench.run().run.status == .finished)
        #expect(bench.connector.records.count == 20)
    }

    @Test func aLimitDoesNotCutTheRestOfAnInterruptedRunOff() throws {
        let bench = try Bench((0..<10).map { row("\($0)", "Row \($0)") }, map: nameOnly)
        bench.connector.setFate { number, _ in number > 3 ? .later : .done }
        _ = try bench.run()
        bench.connector.setFate { _, _ in .done }
        #expect(try bench.run { $0.rowsMax = 5 }.run.status == .unfinished)
        #expect(try bench.run().run.status == .finished)
        #expect(bench.connector.records.count == 10)
    }

    @Test func aLostCreateIsFoundAgainAndNotSentTwice() throws {
        let bench = try Bench((0..<5).map { row("\($0)", "Row \($0)") }, map: nameOnly)
        bench.connector.setFate { number, _ in number == 3 ? .lostAfter : .done }
        #expect(try bench.runWithoutAsking().counts.unknown == 1)
        bench.connector.setFate { _, _ in .done }
        let finished = try bench.run()
        #expect(finished.counts.created == 5)
        #expect(finished.run.status == .finished)
        #expect(bench.connector.writes == 5)
    }

    @Test func aLostCreateDoesNotTakeAnOlderCopyForItsOwn() throws {
        let bench = try Bench([row("a", "Alpha")], map: nameOnly)
        _ = try bench.run()
        bench.connector.setFate { _, _ in .lostBefore }
        #expect(try bench.runWithoutAsking().counts.unknown == 1)
        #expect(bench.connector.records.count == 1)
        bench.connector.setFate { _, _ in .done }
        let again = try bench.run()
        #expect(again.counts.created == 1)
        #expect(again.run.status == .finished)
        #expect(bench.names == ["Alpha", "Alpha"])
    }

    @Test func aRunSettlesItsOwnLostCreatesBeforeItEnds() throws {
        let bench = try Bench((0..<6).map { row("\($0)", "Row \($0)") }, map: nameOnly)
        bench.connector.setFate { number, _ in number == 2 ? .lostBefore : number == 4 ? .lostAfter : .done }
        let report = try bench.run()
        #expect(report.counts.created == 6)
        #expect(report.run.status == .finished)
        #expect(bench.connector.records.count == 6)
        #expect(bench.connector.writes == 7)
    }

    @Test func aLostCreateWhoseRowHasChangedIsFoundByWhatWasSent() throws {
        let bench = try Bench([row("a", "Alpha")], map: nameOnly)
        bench.connector.setFate { _, _ in .lostAfter }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        bench.set([row("a", "Beta")])
        #expect(try bench.run().counts.created == 1)
        #expect(bench.names == ["Alpha"])
    }

    @Test func aLostCreateOfAnUpsertWhoseRowHasChangedIsBroughtUpToDate() throws {
        let bench = try Bench(
            [row("a", "Alpha")], map: upsert, insert: InsertDefinition(mode: .update, onMissing: .create))
        bench.connector.setFate { _, _ in .lostAfter }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        bench.set([row("a", "Beta")])
        #expect(try bench.run().counts.updated == 1)
        #expect(bench.names == ["Beta"])
    }

    @Test func aNewVersionOfALostRowGetsARecordOfItsOwn() throws {
        let bench = try Bench(
            [row("a", "Alpha", at: 1)], map: nameOnly, fetch: FetchDefinition(mode: .incremental, key: "at"))
        bench.connector.setFate { _, _ in .lostAfter }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        bench.set([row("a", "Beta", at: 2)])
        #expect(try bench.run().run.status == .finished)
        #expect(bench.names == ["Alpha", "Beta"])
    }

    @Test func aLostCreateWhoseRowHasGoneIsNotForgotten() throws {
        let bench = try Bench([row("a", "Alpha"), row("b", "Beta")], map: nameOnly)
        bench.connector.setFate { number, _ in number == 2 ? .lostAfter : .done }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        bench.set([row("a", "Alpha")])
        let waiting = try bench.runWithoutAsking()
        #expect(waiting.counts.unknown == 1)
        #expect(waiting.run.status == .unfinished)
        let report = try bench.run()
        #expect(report.counts.created == 2)
        #expect(report.run.status == .finished)
    }

    @Test func aLostCreateThatNeverWasAndWhoseRowHasGoneIsForgotten() throws {
        let bench = try Bench([row("a", "Alpha"), row("b", "Beta")], map: nameOnly)
        bench.connector.setFate { number, _ in number == 2 ? .lostBefore : .done }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        bench.set([row("a", "Alpha")])
        let report = try bench.run()
        #expect(report.counts.created == 1)
        #expect(report.run.status == .finished)
        #expect(bench.names == ["Alpha"])
    }

    @Test func aLostCreateWhoseRowIsAtFaultNowIsNotForgotten() throws {
        let bench = try Bench([row("a", "Alpha")], map: nameOnly)
        bench.connector.setFate { _, _ in .lostAfter }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        bench.set([row("a", "")])
        let report = try bench.run()
        #expect(report.counts.created == 1 && report.counts.recovered == 1)
        #expect(report.run.status == .finished)
        #expect(bench.connector.writes == 1)
    }

    @Test func limitedRunsFinishAnInterruptedOneStepByStep() throws {
        let bench = try Bench((0..<10).map { row("\($0)", "Row \($0)") }, map: nameOnly)
        bench.connector.setFate { number, _ in number > 2 ? .later : .done }
        _ = try bench.run()
        bench.connector.setFate { _, _ in .done }
        var runs = 0
        while try bench.run({ $0.rowsMax = 3 }).run.status != .finished, runs < 10 { runs += 1 }
        #expect(runs < 5)
        #expect(bench.connector.records.count == 10)
    }

    @Test("A duplicate that was rejected never goes by itself", arguments: [InsertDefinition.Mode.append, .update])
    func aRejectedDuplicateNeverGoesByItself(mode: InsertDefinition.Mode) throws {
        let rows = [
            row("a", id: "1", "First", at: 1), row("a", id: "1", "Second", at: 2), row("a", id: "1", "Third", at: 2),
        ]
        let bench = try Bench(
            rows, map: mode == .append ? nameOnly : upsert, fetch: FetchDefinition(mode: .incremental, key: "at"),
            insert: InsertDefinition(mode: mode))
        if mode == .update { bench.connector.addRecord(["name": .text("Old")]) }
        for _ in 0..<4 { _ = try bench.run() }
        #expect(bench.names == ["First"])
    }

    @Test func aRowForATakenRecordDoesNotGoByItselfLater() throws {
        let bench = try Bench(
            [row("a", id: "1", "First", at: 1), row("b", id: "1", "Second", at: 2)], map: upsert,
            fetch: FetchDefinition(mode: .incremental, key: "at"), insert: InsertDefinition(mode: .update))
        bench.connector.addRecord(["name": .text("Old")])
        for _ in 0..<3 { _ = try bench.run() }
        #expect(bench.names == ["First"])
    }

    @Test func anUpdateThatSetsNothingIsUnchanged() throws {
        let bench = try Bench(
            [[.text("a"), .text("1"), .null, .null, .int64(0)]], map: upsert,
            insert: InsertDefinition(mode: .update, compare: .none))
        bench.connector.addRecord(["name": .text("Old")])
        #expect(try bench.run().counts.unchanged == 1)
        #expect(bench.connector.writes == 0)
    }

    @Test func aConnectorThatLosesAResultEndsTheRun() throws {
        let bench = try Bench((0..<3).map { row("\($0)", "Row \($0)") }, map: nameOnly)
        bench.connector.setFate { number, _ in number == 2 ? .silent : .done }
        let report = try bench.run()
        #expect(report.counts.unknown == 1)
        guard case .connector(let error, _, _)? = report.stop else { return #expect(Bool(false), "no stop") }
        #expect(error.code == .contractBreach)
    }

    @Test func aWatermarkNeverMovesBackAndAFullRefreshLooksAgain() throws {
        let bench = try Bench(
            [row("a", id: "1", "Alpha", at: 5), row("b", id: "2", "Beta", at: 9)], map: upsert,
            fetch: FetchDefinition(mode: .incremental, key: "at"),
            insert: InsertDefinition(mode: .update, compare: .remote))
        bench.connector.addRecord(["name": .text("x")])
        bench.connector.addRecord(["name": .text("y")])
        #expect(try bench.run().run.watermarkAfter == "9")
        bench.set([row("a", id: "1", "Alpha", at: 5)])
        bench.connector.setFate { _, _ in .done }
        let refreshed = try bench.run { $0.isFullRefresh = true }
        #expect(refreshed.counts.unchanged == 1)
        #expect(refreshed.run.watermarkAfter == "9")
    }

    @Test(
        "Whatever becomes of writes, every row ends as exactly one record", arguments: [UInt64(1), 2, 3, 4, 5, 6, 7, 8])
    func everyRowEndsAsOneRecord(seed: UInt64) throws {
        let bench = try Bench((0..<60).map { row("\($0)", "Row \($0)") }, map: nameOnly)
        for attempt in 0..<40 {
            bench.connector.setFate { number, _ in
                var hasher = FingerprintHasher()
                hasher.combine(seed)
                hasher.combine(UInt64(attempt))
                hasher.combine(UInt64(number))
                switch hasher.finish().low % 10 {
                case 0: return .lostAfter
                case 1, 2: return .later
                default: return .done
                }
            }
            if try bench.run().run.status == .finished { break }
        }
        #expect(bench.connector.records.count == 60, "seed \(seed)")
        #expect(Set(bench.names).count == 60, "seed \(seed)")
    }
}
