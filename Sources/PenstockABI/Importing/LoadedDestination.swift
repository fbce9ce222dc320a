// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// A destination of a loaded connector.
final class LoadedDestination: Destination {
    private var handle: DestinationHandle?
    private let descriptor: ConnectorDescriptor
    private let host: any HostServices
    private let checks: ContractChecks

    init(
        _ handle: DestinationHandle, _ descriptor: ConnectorDescriptor, _ host: any HostServices,
        _ checks: ContractChecks
    ) {
        self.handle = handle
        self.descriptor = descriptor
        self.host = host
        self.checks = checks
    }

    func check() throws(ConnectorError) -> CheckReport {
        let handle = try opened()
        return try checks.document("check", CheckReport.init(document:)) { text, error in
            handle.table.check(handle.pointer, text, error)
        }
    }

    func fields(of object: String, optionsOf: [String]) throws(ConnectorError) -> [DestinationField] {
        let handle = try opened()
        var arena = TextArena()
        arena.add(object.utf8)
        arena.add(optionsOf)
        return try checks.document("fields", DestinationField.list(document:)) { text, error in
            arena.lend { texts in
                handle.table.fields(
                    handle.pointer, texts[0], texts.baseAddress.map { $0 + 1 }, UInt32(optionsOf.count), text, error)
            }
        }
    }

    func limits() throws(ConnectorError) -> [RateLimit] {
        let handle = try opened()
        return try checks.document("limits", RateLimit.list(document:)) { text, error in
            handle.table.limits(handle.pointer, text, error)
        }
    }

    func readBack(_ request: ReadBackRequest) throws(ConnectorError) -> any RecordStream {
        let handle = try opened()
        var read: OpaquePointer?
        var stream = ArrowArrayStream()
        try checks.checked("read_back") { error in
            request.lend { handle.table.read_back(handle.pointer, $0, &read, &stream, error) }
        }
        let slots = LoadedStream.Slots(
            cancel: handle.table.read_cancel, error: handle.table.read_error, close: handle.table.read_close)
        return try LoadedStream(
            taking: stream, read, slots, keeping: handle,
            limits: LoadedStream.Limits(columns: ["id"] + request.fields), checks)
    }

    func begin(
        _ request: WriteRequest, onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) throws(ConnectorError) -> any WriteSession {
        let handle = try opened()
        if request.mode == .delete, !descriptor.capabilities.contains(.delete) {
            throw ConnectorError(.unsupported, "The connector \(descriptor.id) cannot delete records.")
        }
        return try LoadedSession(request, handle, host, checks, onResults)
    }

    func prepareMarker(of object: String, label: String) throws(ConnectorError) -> String {
        let handle = try opened()
        guard let prepare = handle.table.prepare, descriptor.capabilities.contains(.prepare) else {
            throw ConnectorError(.unsupported, "The connector \(descriptor.id) cannot create a marker field.")
        }
        var arena = TextArena()
        arena.add([object, label])
        var text = penstock_text()
        try checks.checked("prepare") { error in
            arena.lend { texts in prepare(handle.pointer, texts[0], texts[1], &text, error) }
        }
        let key = String(decoding: [UInt8](taking: &text), as: UTF8.self)
        guard !key.isEmpty else { throw checks.breach("prepare", "it reported success without a key") }
        return key
    }

    func close() { handle = nil }

    private func opened() throws(ConnectorError) -> DestinationHandle {
        guard let handle else { throw ConnectorError(.badRequest, "The destination is closed already.") }
        return handle
    }
}
