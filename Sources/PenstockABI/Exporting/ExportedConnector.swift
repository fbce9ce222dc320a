// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// A Swift connector as the C tables of the boundary.
///
/// A connector's entry keeps one of these in a global constant and returns its ``pointer``.
public final class ExportedConnector: Sendable {
    // Written below, before anybody sees it, and never changed.
    private nonisolated(unsafe) let table: UnsafePointer<penstock_connector>

    /// The connector's table, the same every time; never freed.
    public var pointer: UnsafePointer<penstock_connector> { table }

    /// Makes the tables of `connector`, which are kept for as long as the process lives.
    public init(_ connector: any Connector) {
        let descriptor = connector.descriptor
        var table = penstock_connector()
        table.size = UInt32(MemoryLayout<penstock_connector>.size)
        table.major = UInt16(PENSTOCK_MAJOR)
        table.minor = UInt16(PENSTOCK_MINOR)
        // Balanced by nothing: the contract says that a connector lives as long as the process.
        table.owner = Unmanaged.passRetained(ConnectorBox(connector)).toOpaque()
        table.id = Self.kept(descriptor.id)
        table.title = Self.kept(descriptor.title)
        table.version = Self.kept(descriptor.version)
        table.summary = Self.kept(descriptor.summary)
        table.caps = descriptor.capabilities.rawValue
        table.config_schema = Self.kept(ConfigSchema.document(descriptor.settings, login: descriptor.login).text)
        if descriptor.capabilities.contains(.destination) {
            table.objects_json = Self.kept(ObjectDescriptor.document(descriptor.objects).text)
            table.destination = Self.kept(DestinationTable.make())
        }
        if descriptor.capabilities.contains(.source) { table.source = Self.kept(SourceTable.make()) }
        self.table = Self.kept(table)
    }

    private static func kept(_ text: String) -> UnsafePointer<CChar>? {
        penstock_text(giving: Array(text.utf8)).ptr
    }

    private static func kept<T>(_ table: T) -> UnsafePointer<T> {
        let room = UnsafeMutablePointer<T>.allocate(capacity: 1)
        room.initialize(to: table)
        return UnsafePointer(room)
    }
}

/// Holds the connector that a table belongs to.
final class ConnectorBox: Sendable {
    let connector: any Connector

    init(_ connector: any Connector) { self.connector = connector }

    /// The connector behind a table, with what `open` was called with.
    static func opened(
        _ table: UnsafePointer<penstock_connector>?, _ args: UnsafePointer<penstock_open_args>?
    ) throws(ConnectorError) -> (connector: any Connector, settings: JSON, host: BorrowedHost) {
        let checks = ContractChecks.ofHost
        guard let owner = table?.pointee.owner, let args else { throw checks.breach("open", "an argument is NULL") }
        let settings: JSON
        do {
            settings = try JSON(parsing: [UInt8](copying: args.pointee.config_json))
        } catch {
            throw checks.breach("open", "the settings are not JSON: \(error)")
        }
        let box = Unmanaged<ConnectorBox>.fromOpaque(owner).takeUnretainedValue()
        return (box.connector, settings, try BorrowedHost(args.pointee.host))
    }
}

/// Hands `object` to C as an opaque pointer; ``taken(_:_:)`` with the same type takes it back.
func given<T: AnyObject>(_ object: T) -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(object).toOpaque()) }

/// The object behind a pointer that ``given(_:)`` made, which stays with C.
func lent<T: AnyObject>(_ pointer: OpaquePointer?, _ type: T.Type) throws(ConnectorError) -> T {
    guard let pointer else { throw ContractChecks.ofHost.breach("a call", "the handle is NULL") }
    return Unmanaged<T>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

/// The object behind a pointer that ``given(_:)`` made, taken back from C; nil for NULL.
func taken<T: AnyObject>(_ pointer: OpaquePointer?, _ type: T.Type) -> T? {
    pointer.map { Unmanaged<T>.fromOpaque(UnsafeRawPointer($0)).takeRetainedValue() }
}
