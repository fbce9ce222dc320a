// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import Foundation
import Logging
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockState

/// A sync from memory to memory, with its state in a folder of its own.
final class Bench {
    let connector: InMemoryConnector
    var definition: SyncDefinition
    let folder: String

    init(
        _ rows: [[Value]], key: [String] = ["k"], map: [MapEntry], fetch: FetchDefinition = FetchDefinition(),
        insert: InsertDefinition = InsertDefinition(), isOrdered: Bool = false, rowsAtOnce: Int = 0
    ) throws {
        connector = InMemoryConnector(Self.table(rows), isOrdered: isOrdered, rowsAtOnce: rowsAtOnce)
        definition = SyncDefinition(
            name: "sync", source: SyncSource(connection: "from", target: .object("rows"), key: key),
            destination: SyncDestination(connection: "to", object: "thing"), map: map, fetch: fetch, insert: insert)
        definition.insert.settleMilliseconds = 1
        folder = NSTemporaryDirectory() + "penstock-bench-" + UUID().uuidString
    }

    deinit {
        // A folder that cannot be removed is left to the system.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Columns k, id, name, code and at.
    static func table(_ rows: [[Value]]) -> RecordBatch {
        var batch = RecordBatch(
            Schema([
                .init("k", .text), .init("id", .text), .init("name", .text), .init("code", .text), .init("at", .int64),
            ]))
        for row in rows { batch.append(row) }
        return batch
    }

    func set(_ rows: [[Value]]) { connector.setTable(Self.table(rows)) }

    func open() throws -> OpenSync {
        let side = SyncSetup.Side(
            name: "memory", connector: connector, settings: .object([:] as JSONObject), redactor: Redactor([]),
            budget: ConnectionBudget(burst: 1_000_000))
        return try OpenSync(
            SyncSetup(project: "bench", definition: definition, source: side, destination: side), pins: [:],
            cancellation: Cancellation(), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Plans; the rows that are told of come with what is told of the whole.
    func plan(_ change: (inout PlanOptions) -> Void = { _ in }) throws -> (report: PlanReport, told: [PlanEntry]) {
        let store = try StateStore.openForReading(folder: folder, sync: "sync")
        let sync = try open()
        defer { sync.close() }
        var options = PlanOptions()
        change(&options)
        var told: [PlanEntry] = []
        let report = try SyncPlanner(sync, store: store, options: RunOptions(stateFolder: folder), plan: options) {
            told.append($0)
        }.plan()
        return (report, told)
    }

    /// Runs; `before` has the runner before that, and `observe` is told what happens.
    func run(
        _ change: (inout RunOptions) -> Void = { _ in }, before: (SyncRunner) throws -> Void = { _ in },
        observe: @escaping (RunEvent) -> Void = { _ in }
    ) throws -> RunReport {
        let owner = LockOwner(pid: 1, runID: "test", startedAtMilliseconds: 0)
        let store = try StateStore.openForWriting(folder: folder, sync: "sync", owner: owner)
        defer { store.close() }
        let sync = try open()
        defer { sync.close() }
        var options = RunOptions(stateFolder: folder)
        options.silenceMilliseconds = 100
        options.retryPauseMilliseconds = 1
        change(&options)
        let runner = SyncRunner(sync, store: store, options: options, observe: observe)
        defer { runner.close() }
        try before(runner)
        return try runner.run()
    }

    /// A run that leaves creates whose answer was lost to the next one.
    func runWithoutAsking() throws -> RunReport {
        let settle = definition.insert.settleMilliseconds
        defer { definition.insert.settleMilliseconds = settle }
        definition.insert.settleMilliseconds = 600_000
        return try run { $0.waitsForLost = false }
    }

    var names: [String] {
        connector.records.sorted { $0.key < $1.key }.map { record in
            if case .text(let name) = record.value["name"] { name } else { "" }
        }
    }
}
