// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// A connector for tests, with its table and its records in memory, and a fate for every write.
///
/// It runs the same protocols as a loaded one; the engine cannot tell the two apart.
package final class InMemoryConnector: Connector {
    /// What becomes of a write.
    package enum Fate: Sendable, Hashable {
        /// It is carried out and answered.
        case done
        /// It is refused for good.
        case refused
        /// It is refused for the moment.
        case later
        /// It is carried out, and the answer is lost.
        case lostAfter
        /// It never arrives, which nobody can tell.
        case lostBefore
        /// It is carried out, and no result is ever delivered: a breach of the contract.
        case silent
    }

    /// One record of the destination: its values by field key.
    package typealias Record = [String: Value]

    struct State {
        var table: RecordBatch
        var primaryKey: [String]
        var records: [Int64: Record] = [:]
        var nextID: Int64 = 1
        var writes = 0
        var fate: @Sendable (Int, Record) -> Fate = { _, _ in .done }
        var reads = 0
        var cuts: [Int] = []
        var openWriters: OpenWriters?
        var readsWithWriters = 0
        var onCut: (@Sendable () -> Void)?
    }

    let state: Mutex<State>
    private let capabilities: Capabilities
    private let rowsAtOnce: Int

    /// A connector over one table called `rows`.
    ///
    /// - Parameters:
    ///   - isOrdered: Whether reads honour an order and a lower limit, so that they can be continued.
    ///   - rowsAtOnce: What the object says of rows that go together; 0 where each is a request.
    package init(_ table: RecordBatch, primaryKey: [String] = [], isOrdered: Bool = false, rowsAtOnce: Int = 0) {
        self.rowsAtOnce = rowsAtOnce
        state = Mutex(State(table: table, primaryKey: primaryKey))
        capabilities = isOrdered ? [.source, .destination, .order, .lowerBound] : [.source, .destination]
    }

    /// Cuts reads: the first one after so many batches as the first number says, the next one after the second, and
    /// so on; further reads come to their end.
    ///
    /// - Parameter onCut: Called when a read is cut, for example to change the table.
    package func setCuts(_ batches: [Int], onCut: (@Sendable () -> Void)? = nil) {
        state.withLock {
            $0.cuts = batches
            $0.reads = 0
            $0.onCut = onCut
        }
    }

    /// What reads say of open writers from now on.
    package func setOpenWriters(_ writers: OpenWriters?) { state.withLock { $0.openWriters = writers } }

    /// How many reads were to say who else was writing.
    package var readsWithWriters: Int { state.withLock { $0.readsWithWriters } }

    /// How many reads were started since ``setCuts(_:onCut:)``.
    package var reads: Int { state.withLock { $0.reads } }

    /// Replaces the table's rows.
    package func setTable(_ table: RecordBatch) { state.withLock { $0.table = table } }

    /// Decides what becomes of each write from now on: it gets the number of the write, from 1, and the values.
    package func setFate(_ fate: @escaping @Sendable (Int, Record) -> Fate) { state.withLock { $0.fate = fate } }

    /// The records, by id.
    package var records: [Int64: Record] { state.withLock { $0.records } }

    /// How many writes arrived at the connector.
    package var writes: Int { state.withLock { $0.writes } }

    /// Removes a record, as somebody at the destination might.
    package func removeRecord(_ id: Int64) { state.withLock { $0.records[id] = nil } }

    /// Adds a record, as somebody at the destination might, and returns its id.
    @discardableResult
    package func addRecord(_ record: Record) -> Int64 { state.withLock { $0.add(record) } }

    package var descriptor: ConnectorDescriptor {
        ConnectorDescriptor(
            id: "memory", title: "Memory", version: "1.0.0", summary: "Rows and records in memory.",
            capabilities: capabilities, settings: [],
            objects: [
                ObjectDescriptor(
                    id: "thing", title: "Thing", requiredOnCreate: ["name"],
                    costs: RequestCosts(
                        create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10,
                        readPageMax: 500), rowsAtOnce: rowsAtOnce)
            ])
    }

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        InMemorySource(self)
    }

    package func openDestination(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Destination {
        InMemoryDestination(self, host)
    }
}

extension InMemoryConnector.State {
    mutating func add(_ record: InMemoryConnector.Record) -> Int64 {
        defer { nextID += 1 }
        records[nextID] = record
        return nextID
    }
}

private final class InMemorySource: Source {
    private let connector: InMemoryConnector

    init(_ connector: InMemoryConnector) { self.connector = connector }

    func check() throws(ConnectorError) -> CheckReport { CheckReport([CheckReport.Step("memory")]) }

    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog {
        let (table, key) = connector.state.withLock { ($0.table, $0.primaryKey) }
        return Catalog([CatalogObject("rows", .table, columns: table.schema.fields, primaryKey: key)])
    }

    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema {
        connector.state.withLock { $0.table.schema }
    }

    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        let (table, cut, writers, onCut) = connector.state.withLock { state in
            defer { state.reads += 1 }
            if request.needsOpenWriters { state.readsWithWriters += 1 }
            let cut = state.cuts.indices.contains(state.reads) ? state.cuts[state.reads] : nil
            return (state.table, cut, state.openWriters, state.onCut)
        }
        let places = request.columns.compactMap(table.schema.index(of:))
        let schema = Schema(places.map { table.schema.fields[$0] })
        var rows = RecordBatch(schema)
        for row in Self.rows(of: table, request) { rows.append(places.map { table.value(row, $0) }) }
        let stream = InMemoryStream(rows, rowsMax: request.batchRowsMax)
        stream.openWriters = request.needsOpenWriters ? writers : nil
        stream.batchesLeft = cut
        stream.onCut = onCut
        return stream
    }

    /// The rows that are asked for, NULLs first.
    private static func rows(of table: RecordBatch, _ request: ReadRequest) -> [Int] {
        var rows = Array(0..<table.rowCount)
        if let bound = request.lowerBound, let place = table.schema.index(of: bound.column) {
            rows = rows.filter { row in
                let value = table.value(row, place)
                return value.isNull
                    || (bound.isInclusive ? !isBefore(value, bound.value) : isBefore(bound.value, value))
            }
        }
        guard let order = request.order.first, let place = table.schema.index(of: order) else { return rows }
        return rows.sorted { isBefore(table.value($0, place), table.value($1, place)) }
    }

    private static func isBefore(_ first: Value, _ second: Value) -> Bool {
        switch (first, second) {
        case (.null, .null): false
        case (.null, _): true
        case (.int64(let first), .int64(let second)), (.instant(let first), .instant(let second)): first < second
        case (.text(let first), .text(let second)): first.utf8.lexicographicallyPrecedes(second.utf8)
        default: false
        }
    }

    func close() {}
}

private final class InMemoryStream: RecordStream {
    let schema: Schema
    private let rows: RecordBatch
    private let rowsMax: Int
    private var position = 0
    var openWriters: OpenWriters?
    var batchesLeft: Int?
    var onCut: (@Sendable () -> Void)?

    init(_ rows: RecordBatch, rowsMax: Int) {
        self.rows = rows
        self.rowsMax = rowsMax
        schema = rows.schema
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        if batchesLeft == 0 {
            onCut?()
            throw ConnectorError(.unavailable, "The connection was cut.")
        }
        batchesLeft = batchesLeft.map { $0 - 1 }
        guard position < rows.rowCount else { return nil }
        var batch = RecordBatch(schema)
        for row in position..<min(rows.rowCount, position + rowsMax) {
            batch.append(rows.columns.map { $0.value(row) })
        }
        position += batch.rowCount
        return SourceBatch(batch)
    }

    func cancel() {}
    func close() {}
}

private final class InMemoryDestination: Destination {
    private let connector: InMemoryConnector
    private let host: any HostServices

    init(_ connector: InMemoryConnector, _ host: any HostServices) {
        self.connector = connector
        self.host = host
    }

    func check() throws(ConnectorError) -> CheckReport { CheckReport([CheckReport.Step("memory")]) }

    func fields(of object: String, optionsOf: [String]) throws(ConnectorError) -> [DestinationField] {
        [
            DestinationField("id", .id, isWritableOnCreate: false, isWritableOnUpdate: false),
            DestinationField("name", .text, isRequiredOnCreate: true),
            DestinationField("code", .text, isClearable: true),
        ]
    }

    func limits() throws(ConnectorError) -> [RateLimit] { [] }

    func readBack(_ request: ReadBackRequest) throws(ConnectorError) -> any RecordStream {
        let schema = Schema(
            [Schema.Field("id", .text, isNullable: false)] + request.fields.map { Schema.Field($0, .text) })
        var batch = RecordBatch(schema)
        for (id, record) in connector.records.sorted(by: { $0.key < $1.key }) {
            if case .ids(let ids) = request.selection, !ids.contains(String(id)) { continue }
            batch.append([.text(String(id))] + request.fields.map { record[$0] ?? .null })
        }
        return InMemoryStream(batch, rowsMax: 500)
    }

    func begin(
        _ request: WriteRequest, onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) throws(ConnectorError) -> any WriteSession {
        InMemorySession(connector, host, request, onResults)
    }

    func close() {}
}

private final class InMemorySession: WriteSession {
    private let connector: InMemoryConnector
    private let host: any HostServices
    private let request: WriteRequest
    private let onResults: @Sendable (UInt64, [RowResult]) -> Void
    private let isAborted = Mutex(false)

    init(
        _ connector: InMemoryConnector, _ host: any HostServices, _ request: WriteRequest,
        _ onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) {
        self.connector = connector
        self.host = host
        self.request = request
        self.onResults = onResults
    }

    func submit(_ batch: RecordBatch, id: UInt64) throws(ConnectorError) -> Bool {
        for row in 0..<batch.rowCount {
            if let result = try result(batch, row, id) { onResults(id, [result]) }
        }
        return true
    }

    private func result(_ batch: RecordBatch, _ row: Int, _ id: UInt64) throws(ConnectorError) -> RowResult? {
        guard !isAborted.withLock({ $0 }) else { return RowResult(row: row, status: .notTried) }
        let kind: RequestIntent.Kind = request.mode == .create ? .create : .update
        let intent = RequestIntent(
            bucket: "memory", cost: 5, kind: kind, row: BatchRow(batch: id, row: row), timeoutMilliseconds: 1)
        guard case .granted(let ticket) = try host.acquire(intent) else {
            return RowResult(row: row, status: .retry, error: ConnectorError(.rateLimited, "Later."))
        }
        defer { host.release(ticket, RequestAnswer(status: 200)) }
        let (values, remoteID) = values(batch, row)
        return connector.state.withLock { $0.write(request.mode, values, remoteID, row) }
    }

    private func values(_ batch: RecordBatch, _ row: Int) -> (InMemoryConnector.Record, Int64?) {
        var values: InMemoryConnector.Record = [:]
        var presence: [UInt8] = []
        var remoteID: Int64?
        for (place, field) in batch.schema.fields.enumerated() {
            switch (field.name, batch.value(row, place)) {
            case (WriteRequest.remoteIDColumn, .text(let id)): remoteID = Int64(id)
            case (WriteRequest.presenceColumn, .bytes(let bits)): presence = bits
            case (WriteRequest.rowKeyColumn, _): break
            case (_, let value):
                if presence[place >> 3] & (1 << UInt8(place & 7)) != 0 { values[field.name] = value }
            }
        }
        return (values, remoteID)
    }

    func flush() throws(ConnectorError) {}
    func abort() { isAborted.withLock { $0 = true } }
    func end() {}
}

extension InMemoryConnector.State {
    fileprivate mutating func write(
        _ mode: WriteRequest.Mode, _ values: InMemoryConnector.Record, _ remoteID: Int64?, _ row: Int
    ) -> RowResult? {
        writes += 1
        let fate = fate(writes, values)
        switch fate {
        case .refused:
            return RowResult(
                row: row, status: .rejected, error: ConnectorError(.badData, "It is refused."), httpStatus: 400)
        case .later:
            return RowResult(
                row: row, status: .retry, error: ConnectorError(.unavailable, "It is down."), httpStatus: 503)
        case .lostBefore:
            return RowResult(row: row, status: .unknown, error: ConnectorError(.timedOut, "No answer came."))
        case .done, .lostAfter, .silent: break
        }
        var id = remoteID ?? 0
        if mode == .create {
            id = add(values)
        } else if let record = records[id] {
            records[id] = record.merging(values) { $1 }
        } else {
            return RowResult(
                row: row, status: .rejected, error: ConnectorError(.notFound, "There is none."), httpStatus: 404)
        }
        switch fate {
        case .silent: return nil
        case .lostAfter:
            return RowResult(row: row, status: .unknown, error: ConnectorError(.timedOut, "No answer came."))
        default: return RowResult(row: row, status: mode == .create ? .created : .updated, remoteID: String(id))
        }
    }
}
