// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct DeliveryMachineTests {
    /// A machine in which `rows` updates are on their way, as batches of at most `batchRows`.
    private func machine(_ rows: Int, batchRows: Int) -> (DeliveryMachine, [DeliveryMachine.Batch]) {
        var machine = DeliveryMachine(
            DeliveryPolicy(), batchRows: batchRows, silenceMilliseconds: 1_000_000, now: 0)
        for row in 0..<rows { machine.add(row, .update) }
        var batches: [DeliveryMachine.Batch] = []
        while let batch = machine.next(0) {
            machine.took(batch, 0)
            batches.append(batch)
        }
        return (machine, batches)
    }

    private func failures(_ batch: DeliveryMachine.Batch) -> [RowResult] {
        let error = ConnectorError(.unavailable, "The other side has trouble.")
        return batch.rows.indices.map { RowResult(row: $0, status: .retry, error: error) }
    }

    @Test("Rows that go together fail together: one refused batch is sent once more", arguments: [64, 1_024])
    func aBatchThatFails(batchRows: Int) throws {
        let (started, batches) = self.machine(batchRows, batchRows: batchRows)
        var machine = started
        let batch = try #require(batches.first)
        #expect(batch.rows.count == batchRows && batches.count == 1)
        let none = machine.settle(batch.id, failures(batch), 1) { 0.5 }
        #expect(none.isEmpty)
        #expect(machine.stop == nil && machine.openRows == batchRows)
        let next = machine.next(1_000)
        let again = try #require(next)
        machine.took(again, 1_000)
        let results = again.rows.indices.map { RowResult(row: $0, status: .updated) }
        let endings = machine.settle(again.id, results, 1_001) { 0.5 }
        #expect(endings.count == batchRows && endings.allSatisfy { $0.outcome == .updated })
    }

    @Test("Where nothing succeeds, it ends after some batches, however large they are", arguments: [64, 1_024])
    func nothingSucceeds(batchRows: Int) {
        let (started, batches) = self.machine(4 * batchRows, batchRows: batchRows)
        var machine = started
        #expect(batches.count == 4)
        for batch in batches.reversed() { _ = machine.settle(batch.id, failures(batch), 1) { 0.5 } }
        #expect(machine.stop != nil)
    }

    @Test("A row that goes again is named, and can be taken back with what may have become of it")
    func goesAgain() throws {
        let (started, batches) = self.machine(3, batchRows: 8)
        var machine = started
        let batch = try #require(batches.first)
        #expect(batch.again.isEmpty)
        let error = ConnectorError(.unavailable, "The other side has trouble.")
        let results = [
            RowResult(row: 0, status: .unknown, error: error), RowResult(row: 1, status: .retry, error: error),
            RowResult(row: 2, status: .updated),
        ]
        _ = machine.settle(batch.id, results, 1) { 0.5 }
        machine.add(7, .update)
        let next = machine.next(10_000)
        let again = try #require(next)
        #expect(again.rows.sorted() == [0, 1, 7] && again.again.sorted() == [0, 1])
        let mayHaveArrived = [machine.withdraw(0, .update), machine.withdraw(1, .update)]
        #expect(mayHaveArrived == [true, false])
        let rest = machine.next(10_000)
        #expect(rest?.rows == [7] && machine.openRows == 1)
    }

    @Test("Creates go in batches of their own size")
    func creates() {
        var machine = DeliveryMachine(
            DeliveryPolicy(), batchRows: 1_024, createRows: 64, silenceMilliseconds: 1_000_000, now: 0)
        for row in 0..<200 { machine.add(row, row < 100 ? .create : .update) }
        var sizes: [String] = []
        while let batch = machine.next(0) {
            machine.took(batch, 0)
            sizes.append("\(batch.mode) \(batch.rows.count)")
        }
        #expect(sizes == ["update 100", "create 64", "create 36"])
    }

    @Test("Lost creates are counted by the size in which creates go", arguments: [(64, 10), (1_024, 160)])
    func lostCreates(createRows: Int, lostMax: Int) throws {
        var machine = DeliveryMachine(
            DeliveryPolicy(), batchRows: 1_024, createRows: createRows, silenceMilliseconds: 1_000_000, now: 0)
        for row in 0..<1_024 { machine.add(row, .create) }
        let next = machine.next(0)
        var batch = try #require(next)
        let error = ConnectorError(.unavailable, "The answer was lost.")
        var lost = 0
        while machine.stop == nil, lost < 1_000 {
            machine.took(batch, 0)
            for row in batch.rows.indices where machine.stop == nil {
                _ = machine.settle(batch.id, [RowResult(row: row, status: .unknown, error: error)], 1) { 0.5 }
                lost += 1
            }
            guard let more = machine.next(0) else { break }
            batch = more
        }
        #expect(lost == lostMax)
    }
}
