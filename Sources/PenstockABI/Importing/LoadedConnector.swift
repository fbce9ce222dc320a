// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// A connector seen through its C tables.
///
/// `@unchecked Sendable`: the tables are copies that never change, the connector's own table is static, and the
/// contract lets `open` be called from any thread.
package final class LoadedConnector: Connector, @unchecked Sendable {
    package let descriptor: ConnectorDescriptor
    private let pointer: UnsafePointer<penstock_connector>
    private let sourceTable: penstock_source_api?
    private let destinationTable: penstock_destination_api?
    private let checks: ContractChecks

    /// Reads and checks the tables of a connector; nothing is opened.
    ///
    /// - Parameter table: What the library's entry returned; it stays valid as long as the process.
    /// - Throws: ``ConnectorError`` `contractBreach`, which names the connector and the rule.
    package init(_ table: UnsafePointer<penstock_connector>?) throws(ConnectorError) {
        let unnamed = ContractChecks(connector: "without an id")
        guard let table else { throw unnamed.breach("penstock_connector_v1", "it returned NULL") }
        var copy = penstock_connector()
        copyTable(table, into: &copy)
        guard copy.major == UInt16(PENSTOCK_MAJOR) else {
            throw unnamed.breach("penstock_connector_v1", "its table is of major version \(copy.major)")
        }
        let id = try unnamed.text(copy.id, "id")
        guard Self.isID(id) else {
            throw unnamed.breach(
                "penstock_connector_v1", "its id \"\(id.prefix(64))\" is not 1 to 32 of a-z, 0-9, _ and -")
        }
        checks = ContractChecks(connector: id)
        pointer = table
        descriptor = try Self.descriptor(copy, id, checks)
        sourceTable = try Self.sourceTable(copy.source, descriptor, checks)
        destinationTable = try Self.destinationTable(copy.destination, descriptor, checks)
    }

    package func openSource(_ settings: JSON, host: any HostServices) throws(ConnectorError) -> any Source {
        guard let sourceTable else {
            throw ConnectorError(.unsupported, "The connector \(descriptor.id) cannot be read from.")
        }
        let hostTable = HostTable(host)
        var handle: OpaquePointer?
        try opened(settings, hostTable) { args, error in sourceTable.open(pointer, args, &handle, error) }
        guard let handle else { throw checks.breach("open", "it reported success without a handle") }
        return LoadedSource(
            SourceHandle(taking: handle, sourceTable, closing: sourceTable.close, hostTable), descriptor, checks)
    }

    package func openDestination(
        _ settings: JSON, host: any HostServices
    ) throws(ConnectorError) -> any Destination {
        guard let destinationTable else {
            throw ConnectorError(.unsupported, "The connector \(descriptor.id) cannot be written to.")
        }
        let hostTable = HostTable(host)
        var handle: OpaquePointer?
        try opened(settings, hostTable) { args, error in destinationTable.open(pointer, args, &handle, error) }
        guard let handle else { throw checks.breach("open", "it reported success without a handle") }
        return LoadedDestination(
            DestinationHandle(taking: handle, destinationTable, closing: destinationTable.close, hostTable), descriptor,
            host, checks)
    }

    private func opened(
        _ settings: JSON, _ host: HostTable,
        _ open: (UnsafePointer<penstock_open_args>, UnsafeMutablePointer<penstock_error>) -> penstock_status
    ) throws(ConnectorError) {
        var arena = TextArena()
        arena.add(settings.utf8)
        try checks.checked("open") { error in
            arena.lend { texts in
                var args = penstock_open_args()
                args.host = UnsafePointer(host.pointer)
                args.config_json = texts[0]
                return open(&args, error)
            }
        }
    }

    // MARK: - Reading the tables

    private static func isID(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }

    private static func descriptor(
        _ table: penstock_connector, _ id: String, _ checks: ContractChecks
    ) throws(ConnectorError) -> ConnectorDescriptor {
        let capabilities = Capabilities(rawValue: table.caps)
        let (settings, login) = try document(table.config_schema, "config_schema", checks) {
            document throws(DocumentError) in
            let fields = try ConfigSchema.fields(document: document)
            return (fields, try BrowserLogin.of(schema: document, fields))
        }
        var objects: [ObjectDescriptor] = []
        if capabilities.contains(.destination) {
            objects = try document(table.objects_json, "objects_json", checks) {
                document throws(DocumentError) in try ObjectDescriptor.list(document: document)
            }
        }
        return ConnectorDescriptor(
            id: id, title: try checks.text(table.title, "title"), version: try checks.text(table.version, "version"),
            summary: try checks.text(table.summary, "summary"), capabilities: capabilities, settings: settings,
            objects: objects, login: login)
    }

    private static func document<T>(
        _ pointer: UnsafePointer<CChar>?, _ slot: String, _ checks: ContractChecks,
        _ decode: (JSON) throws(DocumentError) -> T
    ) throws(ConnectorError) -> T {
        let text = try checks.text(pointer, slot)
        do throws(DocumentError) {
            return try decode(try Document.parse(Array(text.utf8)))
        } catch {
            throw checks.breach("penstock_connector_v1", "its \(slot) is not as described, \(error.reason)")
        }
    }

    private static func sourceTable(
        _ pointer: UnsafePointer<penstock_source_api>?, _ descriptor: ConnectorDescriptor, _ checks: ContractChecks
    ) throws(ConnectorError) -> penstock_source_api? {
        guard descriptor.capabilities.contains(.source) else { return nil }
        guard let pointer else { throw checks.breach("penstock_connector_v1", "it is a source without a table") }
        var table = penstock_source_api()
        copyTable(pointer, into: &table)
        try checks.requireSlots(
            "source",
            [
                ("open", table.open != nil), ("close", table.close != nil), ("check", table.check != nil),
                ("discover", table.discover != nil), ("describe", table.describe != nil),
                ("read", table.read != nil), ("read_cancel", table.read_cancel != nil),
                ("read_error", table.read_error != nil), ("read_close", table.read_close != nil),
            ])
        return table
    }

    private static func destinationTable(
        _ pointer: UnsafePointer<penstock_destination_api>?, _ descriptor: ConnectorDescriptor,
        _ checks: ContractChecks
    ) throws(ConnectorError) -> penstock_destination_api? {
        guard descriptor.capabilities.contains(.destination) else { return nil }
        guard let pointer else {
            throw checks.breach("penstock_connector_v1", "it is a destination without a table")
        }
        var table = penstock_destination_api()
        copyTable(pointer, into: &table)
        try checks.requireSlots(
            "destination",
            [
                ("open", table.open != nil), ("close", table.close != nil), ("check", table.check != nil),
                ("fields", table.fields != nil), ("limits", table.limits != nil),
                ("read_back", table.read_back != nil), ("read_cancel", table.read_cancel != nil),
                ("read_error", table.read_error != nil), ("read_close", table.read_close != nil),
                ("begin", table.begin != nil), ("submit", table.submit != nil), ("flush", table.flush != nil),
                ("abort", table.abort != nil), ("end", table.end != nil),
                ("prepare", table.prepare != nil || !descriptor.capabilities.contains(.prepare)),
            ])
        return table
    }
}

extension ContractChecks {
    fileprivate func text(_ pointer: UnsafePointer<CChar>?, _ slot: String) throws(ConnectorError) -> String {
        guard let pointer else { throw breach("penstock_connector_v1", "its \(slot) is NULL") }
        guard let text = String(validatingCString: pointer) else {
            throw breach("penstock_connector_v1", "its \(slot) is not UTF-8")
        }
        return text
    }

    fileprivate func requireSlots(_ table: String, _ slots: [(String, Bool)]) throws(ConnectorError) {
        for (name, isFilled) in slots where !isFilled {
            throw breach("penstock_connector_v1", "its \(table) table lacks \(name)")
        }
    }
}
