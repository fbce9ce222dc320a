// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockState
import Testing

/// Runs that were interrupted with rows that something stood in the way of before: none is lost, none goes twice.
@Suite struct ResumedRunTests {
    private let nameOnly = [MapEntry(target: "name", from: "name")]
    private let nameAndCode = [MapEntry(target: "name", from: "name"), MapEntry(target: "code", from: "code")]
    private let byName = InsertDefinition(mode: .update, match: "name", onMissing: .create)
    private let incremental = FetchDefinition(mode: .incremental, key: "at")

    private func row(_ key: String, id: String? = nil, _ name: String, code: String = "c", at: Int64 = 0) -> [Value] {
        [.text(key), id.map { .text($0) } ?? .null, .text(name), .text(code), .int64(at)]
    }

    /// Two rows, of which the first is a reject behind the watermark that a change of the map may let go.
    private func rejectBehindTheWatermark() throws -> Bench {
        let bench = try Bench([row("a", "Alpha", at: 1), row("b", "Beta", at: 2)], map: nameOnly, fetch: incremental)
        bench.connector.setFate { _, record in record["name"] == .text("Alpha") ? .refused : .done }
        let first = try bench.run()
        #expect(first.counts.rejected == 1 && first.counts.created == 1 && first.run.watermarkAfter == "2")
        bench.definition.map = nameAndCode
        return bench
    }

    @Test("A reject that an interrupted attempt took is read again", arguments: [false, true], [false, true])
    func aRejectThatAnInterruptedAttemptTook(isLost: Bool, startsAnew: Bool) throws {
        let bench = try rejectBehindTheWatermark()
        bench.connector.setFate { _, _ in isLost ? .lostBefore : .later }
        #expect(try bench.runWithoutAsking().run.status == .unfinished)
        bench.connector.setFate { _, _ in .done }
        let last = try bench.run { $0.abandonsUnfinished = startsAnew }
        #expect(last.run.status == .finished)
        #expect(bench.names.sorted() == ["Alpha", "Beta"])
        // Nothing is reached back to any more.
        #expect(try bench.run().counts.fetched == 0)
    }

    @Test func aRejectThatAFullRefreshTookIsReadAgainByARunThatStartsAnew() throws {
        let bench = try rejectBehindTheWatermark()
        bench.connector.setFate { _, _ in .later }
        #expect(try bench.run { $0.isFullRefresh = true }.run.status == .unfinished)
        bench.connector.setFate { _, _ in .done }
        #expect(try bench.run { $0.abandonsUnfinished = true }.run.status == .finished)
        #expect(bench.names.sorted() == ["Alpha", "Beta"])
    }

    @Test(
        "A lost create that never was goes when its row comes back",
        arguments: [FetchDefinition.Mode.full, .incremental])
    func aLostCreateThatNeverWasAndWhoseRowComesBack(mode: FetchDefinition.Mode) throws {
        let rows = [row("a", "Alpha", at: 1), row("b", "Beta", at: 2), row("c", "Gamma", at: 3)]
        let bench = try Bench(
            rows, map: nameOnly, fetch: mode == .full ? FetchDefinition() : incremental)
        bench.connector.setFate { _, record in record["name"] == .text("Gamma") ? .lostBefore : .done }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        bench.set(Array(rows.prefix(2)))
        #expect(try bench.run().run.status == .finished)
        bench.set(rows)
        _ = try bench.run()
        #expect(bench.names.filter { $0 == "Gamma" }.count == 1)
    }

    @Test("A row does not take the record of an earlier row's lost create", arguments: ["1", "2"])
    func aRowDoesNotTakeTheRecordOfALostCreate(code: String) throws {
        let bench = try Bench(
            [row("a", "Same", code: "1"), row("b", "Same", code: code)], map: nameAndCode, insert: byName)
        bench.connector.setFate { number, _ in number == 1 ? .lostAfter : .done }
        _ = try bench.runWithoutAsking()
        bench.connector.setFate { _, _ in .done }
        let report = try bench.run()
        #expect(report.rejectsByCode.map(\.code) == ["duplicate-target"])
        #expect(bench.connector.records.values.map { $0["code"] } == [.text("1")])
    }

    @Test func aReplayLeavesARecordToTheRowThatHasIt() throws {
        let bench = try Bench(
            [row("a", id: "1", "One"), row("b", id: "1", "Two")],
            map: [MapEntry(target: "id", from: "id"), MapEntry(target: "name", from: "name")],
            insert: InsertDefinition(mode: .update))
        bench.connector.addRecord(["name": .text("Old")])
        #expect(try bench.run().counts.rejected == 1)
        #expect(try bench.run { $0.replays = ReplayChoice() }.counts.rejected == 1)
        #expect(bench.names == ["One"])
    }

    @Test func aLostCreateThatNeverWasGoesToTheRecordThatIsFoundByItsMatch() throws {
        let bench = try Bench([row("a", "Alpha", code: "1")], map: nameAndCode, insert: byName)
        bench.connector.setFate { _, _ in .lostBefore }
        _ = try bench.runWithoutAsking()
        bench.connector.addRecord(["name": .text("Alpha"), "code": .text("x")])
        bench.connector.setFate { _, _ in .done }
        // The one after it decides about the row as about any other.
        let resumed = try bench.run()
        #expect(resumed.run.status == .unfinished && resumed.left == 1 && bench.connector.records.count == 1)
        #expect(try bench.run().run.status == .finished)
        #expect(bench.connector.records.values.map { $0["code"] } == [.text("1")])
    }

    @Test func aGoneRecordBehindTheWatermarkIsCreatedAnew() throws {
        let rows = [row("a", "Alpha", at: 1), row("b", "Beta", at: 9)]
        let bench = try Bench(rows, map: nameAndCode, fetch: incremental, insert: byName)
        #expect(try bench.run().counts.created == 2)
        bench.connector.removeRecord(1)
        bench.set([row("a", "Alpha", code: "new", at: 1), row("b", "Beta", at: 9)])
        #expect(try bench.run { $0.isFullRefresh = true }.rejectsByCode.map(\.code) == ["record-gone"])
        #expect(try bench.run().counts.created == 1)
        #expect(bench.names.sorted() == ["Alpha", "Beta"])
        #expect(try bench.run().counts.created == 0)
    }

    @Test func aGoneRecordBehindTheWatermarkIsCreatedAnewWhenItsRunWasInterrupted() throws {
        let rows = [row("a", "Alpha", at: 1), row("b", "Beta", at: 9)]
        let bench = try Bench(rows, map: nameAndCode, fetch: incremental, insert: byName)
        #expect(try bench.run().counts.created == 2)
        bench.connector.removeRecord(1)
        bench.set([row("a", "Alpha", code: "new", at: 1), row("b", "Beta", code: "new", at: 9)])
        bench.connector.setFate { _, record in record["name"] == .text("Beta") ? .later : .done }
        let stopped = try bench.run { $0.isFullRefresh = true }
        #expect(stopped.rejectsByCode.map(\.code) == ["record-gone"] && stopped.run.status == .unfinished)
        bench.connector.setFate { _, _ in .done }
        #expect(try bench.run { $0.abandonsUnfinished = true }.run.status == .finished)
        #expect(bench.names.sorted() == ["Alpha", "Beta"])
        #expect(try bench.run().counts.created == 0)
    }

    @Test("What reads everything once makes later runs read no more", arguments: [false, true])
    func whatReadsEverythingOnce(isReplay: Bool) throws {
        let rows = [row("a", "Alpha", at: 1), row("b", "Beta", at: 2), row("c", "Gamma", at: 3)]
        let bench = try Bench(rows, map: nameAndCode, fetch: incremental, insert: byName)
        bench.connector.setFate { _, record in record["name"] == .text("Alpha") ? .refused : .done }
        #expect(try bench.run().counts.rejected == 1)
        if isReplay {
            #expect(try bench.run { $0.replays = ReplayChoice() }.counts.rejected == 1)
        } else {
            _ = try bench.run {
                $0.isFullRefresh = true
                $0.rowsMax = 1
            }
        }
        let next = try bench.run()
        #expect(next.counts.fetched == 0 && next.counts.rejected == 0)
    }
}
