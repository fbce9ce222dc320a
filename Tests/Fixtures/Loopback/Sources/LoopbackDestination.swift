// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Synchronization

/// The records that a destination has, by id.
final class LoopbackMemory: Sendable {
    private struct State {
        var records: [Int: [Value]] = [:]
        var last = 0
    }

    private let state = Mutex(State())

    func create(_ row: [Value]) -> Int {
        state.withLock { state in
            state.last += 1
            state.records[state.last] = row
            return state.last
        }
    }

    /// Sets or removes a record; false where there is none.
    func change(_ id: Int, to row: [Value]?) -> Bool {
        state.withLock { state in
            guard state.records[id] != nil else { return false }
            state.records[id] = row
            return true
        }
    }

    func all() -> [(id: Int, row: [Value])] {
        state.withLock { state in state.records.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
}

/// A destination that keeps what it is given, and asks the host before each row.
final class LoopbackDestination: Destination {
    private let memory: LoopbackMemory
    private let host: any HostServices

    init(_ memory: LoopbackMemory, _ host: any HostServices) {
        self.memory = memory
        self.host = host
    }

    func check() throws(ConnectorError) -> CheckReport { CheckReport([.init("network", "reached")]) }

    func fields(of object: String, optionsOf: [String]) throws(ConnectorError) -> [DestinationField] {
        guard object == "thing" else {
            throw ConnectorError(.notFound, "There is no object \(object).", field: object)
        }
        let options = optionsOf.map {
            FieldOption(id: $0, label: "Label of \($0)", aliases: ["a@b.c"], isActive: false)
        }
        return [
            DestinationField("id", .id, label: "ID", isWritableOnCreate: false, isWritableOnUpdate: false),
            DestinationField(
                "name", .text, label: "Name", isRequiredOnCreate: true, isClearable: true, lengthMax: 255),
            DestinationField(
                "owner", .user, label: "Owner", isCustom: true, options: options, referenceObject: "user",
                optionsCost: 20),
            DestinationField("place", .address, label: "Place", parts: ["city", "country"]),
            DestinationField(
                "stage", .option, options: [FieldOption(id: "1", label: "New", group: "7")], optionsWithin: "owner",
                condition: FieldCondition("owner", ["7", "8"], initial: "7"), content: .url, note: "A remark."),
            DestinationField("closed", .boolean, locksRecord: true),
        ]
    }

    func limits() throws(ConnectorError) -> [RateLimit] {
        host.report(RateLimit(bucket: RateLimit.burst, limit: 40, windowMilliseconds: 2_000))
        return [RateLimit(bucket: RateLimit.daily, limit: 10_000, remaining: 0, resetsInMilliseconds: 3_600_000)]
    }

    func readBack(_ request: ReadBackRequest) throws(ConnectorError) -> any RecordStream {
        LoopbackReadBack(request, memory)
    }

    func begin(
        _ request: WriteRequest, onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) throws(ConnectorError) -> any WriteSession {
        guard request.object == "thing" else {
            throw ConnectorError(.notFound, "There is no object \(request.object).", field: request.object)
        }
        let fields = try fields(of: request.object, optionsOf: [])
        for column in request.schema.fields where !column.name.hasPrefix("__penstock_") {
            guard let field = fields.first(where: { $0.key == column.name }), field.isWritableOnCreate else {
                throw ConnectorError(
                    .notFound, "There is no field \(column.name) that can be written.", field: column.name)
            }
        }
        return LoopbackSession(request, memory, host, onResults)
    }

    func prepareMarker(of object: String, label: String) throws(ConnectorError) -> String { "\(object).\(label)" }

    func close() { host.log(.debug, "closed", [:]) }
}

/// The records read back, as one batch with the request in it.
final class LoopbackReadBack: RecordStream {
    let schema: Schema
    private var rows: [[Value]]

    init(_ request: ReadBackRequest, _ memory: LoopbackMemory) {
        schema = Schema(
            [Schema.Field("id", .text, isNullable: false)] + request.fields.map { Schema.Field($0, .text) })
        // No id at all stands for all of them here.
        var wanted: Set<String>?
        if case .ids(let ids) = request.selection, !ids.isEmpty { wanted = Set(ids) }
        rows = memory.all().filter { wanted?.contains(String($0.id)) ?? true }.map { id, _ in
            [.text(String(id))] + request.fields.map { _ in .text("\(request.selection)") }
        }
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        guard !rows.isEmpty else { return nil }
        var batch = RecordBatch(schema)
        for row in rows { batch.append(row) }
        rows = []
        return SourceBatch(batch)
    }

    func cancel() {}

    func close() {}
}

/// A session that answers on `flush`, or when the window is full.
final class LoopbackSession: WriteSession {
    private let request: WriteRequest
    private let memory: LoopbackMemory
    private let host: any HostServices
    private let onResults: @Sendable (UInt64, [RowResult]) -> Void
    private var waiting: [(id: UInt64, batch: RecordBatch)] = []
    private let isAborted = Atomic(false)

    init(
        _ request: WriteRequest, _ memory: LoopbackMemory, _ host: any HostServices,
        _ onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) {
        self.request = request
        self.memory = memory
        self.host = host
        self.onResults = onResults
    }

    func submit(_ batch: RecordBatch, id: UInt64) throws(ConnectorError) -> Bool {
        if batch.value(0, 0) == .text("broken") { throw ConnectorError(.broken, "The session has given up.") }
        let rows = waiting.reduce(batch.rowCount) { $0 + $1.batch.rowCount }
        guard rows <= request.inFlightMax else {
            answer()
            return false
        }
        waiting.append((id, batch))
        return true
    }

    func flush() throws(ConnectorError) { answer() }

    func abort() { isAborted.store(true, ordering: .relaxed) }

    func end() { answer() }

    private func answer() {
        for (id, batch) in waiting {
            onResults(id, (0..<batch.rowCount).map { row in result(id, row, batch.columns.map { $0.value(row) }) })
        }
        waiting = []
    }

    private func result(_ batch: UInt64, _ row: Int, _ values: [Value]) -> RowResult {
        let kind: RequestIntent.Kind =
            switch request.mode {
            case .create: .create
            case .update: .update
            case .delete: .delete
            }
        let intent = RequestIntent(
            bucket: RateLimit.burst, cost: request.mode == .delete ? 3 : 5, kind: kind,
            row: BatchRow(batch: batch, row: row))
        do throws(ConnectorError) {
            host.release(try ticket(intent), RequestAnswer(status: 201, retryAfterMilliseconds: 7))
        } catch {
            return RowResult(row: row, status: .notTried, error: error)
        }
        if values.first == .text("bad") {
            return RowResult(
                row: row, status: .rejected,
                error: ConnectorError(
                    .badData, "The name is bad.", detail: "body", field: "name", vendorCode: "E1",
                    retryAfterMilliseconds: 9), httpStatus: 400)
        }
        return written(row, values)
    }

    private func ticket(_ intent: RequestIntent) throws(ConnectorError) -> UInt64 {
        while true {
            if isAborted.load(ordering: .relaxed) { throw ConnectorError(.cancelled, "The session was aborted.") }
            switch try host.acquire(intent) {
            case .granted(let ticket): return ticket
            case .wait(let milliseconds): try host.pause(milliseconds: milliseconds)
            }
        }
    }

    private func written(_ row: Int, _ values: [Value]) -> RowResult {
        if request.mode == .create {
            return RowResult(row: row, status: .created, httpStatus: 201, remoteID: String(memory.create(values)))
        }
        var id = ""
        let place = request.schema.index(of: WriteRequest.remoteIDColumn)
        if let place, case .text(let text) = values[place] { id = text }
        guard memory.change(Int(id) ?? 0, to: request.mode == .delete ? nil : values) else {
            return RowResult(
                row: row, status: .rejected, error: ConnectorError(.notFound, "There is no record \(id).", field: "id"))
        }
        return RowResult(row: row, status: request.mode == .delete ? .deleted : .updated, remoteID: id)
    }
}
