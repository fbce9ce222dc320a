// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// A source of a loaded connector.
final class LoadedSource: Source {
    private var handle: SourceHandle?
    private let descriptor: ConnectorDescriptor
    private let checks: ContractChecks

    init(_ handle: SourceHandle, _ descriptor: ConnectorDescriptor, _ checks: ContractChecks) {
        self.handle = handle
        self.descriptor = descriptor
        self.checks = checks
    }

    func check() throws(ConnectorError) -> CheckReport {
        let handle = try opened()
        return try checks.document("check", CheckReport.init(document:)) { text, error in
            handle.table.check(handle.pointer, text, error)
        }
    }

    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog {
        let handle = try opened()
        var arena = TextArena()
        arena.add(ids)
        let catalog = try checks.document("discover", Catalog.init(document:)) { text, error in
            arena.lend { ids in
                handle.table.discover(handle.pointer, ids.baseAddress, UInt32(ids.count), text, error)
            }
        }
        guard !ids.isEmpty else { return catalog }
        // A connector may list more than it was asked for, and leave the columns to describe.
        let byID = Dictionary(catalog.objects.map { ($0.id, $0) }) { first, _ in first }
        var chosen: [CatalogObject] = []
        for id in ids {
            guard var object = byID[id] else {
                throw ConnectorError(.notFound, "The source has no object \(id).", field: id)
            }
            if object.columns.isEmpty { object.columns = try describe(ReadRequest(.object(id))).fields }
            chosen.append(object)
        }
        return Catalog(chosen)
    }

    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema {
        let handle = try opened()
        try refuseUnsupported(request)
        var room = ArrowSchema()
        try checks.checked("describe") { error in
            request.lend { handle.table.describe(handle.pointer, $0, &room, error) }
        }
        return try OwnedSchema(taking: room).withSchema { schema throws(ConnectorError) in
            try ImportedSchema(schema, "describe", checks).schema
        }
    }

    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        let handle = try opened()
        try refuseUnsupported(request)
        var read: OpaquePointer?
        var stream = ArrowArrayStream()
        try checks.checked("read") { error in
            request.lend { handle.table.read(handle.pointer, $0, &read, &stream, error) }
        }
        let slots = LoadedStream.Slots(
            cancel: handle.table.read_cancel, error: handle.table.read_error, close: handle.table.read_close)
        return try LoadedStream(
            taking: stream, read, slots, keeping: handle,
            limits: LoadedStream.Limits(
                columns: request.columns, batchRowsMax: request.batchRowsMax, rowsMax: request.rowsMax),
            checks)
    }

    func close() { handle = nil }

    private func opened() throws(ConnectorError) -> SourceHandle {
        guard let handle else { throw ConnectorError(.badRequest, "The source is closed already.") }
        return handle
    }

    private func refuseUnsupported(_ request: ReadRequest) throws(ConnectorError) {
        func refuse(_ capability: Capabilities, _ what: String) throws(ConnectorError) {
            guard !descriptor.capabilities.contains(capability) else { return }
            throw ConnectorError(.unsupported, "The connector \(descriptor.id) cannot \(what).")
        }
        if case .query = request.target { try refuse(.query, "read a query") }
        if request.lowerBound != nil { try refuse(.lowerBound, "read from a lower limit on") }
        if !request.order.isEmpty { try refuse(.order, "order what it reads") }
    }
}
