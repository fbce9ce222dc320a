// SPDX-License-Identifier: Apache-2.0

import CPenstock

/// An open connection of a loaded connector, closed once nothing that came out of it uses it any more.
///
/// Connectors therefore never see a connection closed under a read or a session.
final class ConnectionHandle<Table> {
    /// The connector's handle, lent for one call.
    let pointer: OpaquePointer
    /// The connector's table.
    let table: Table
    private let close: @convention(c) (OpaquePointer?) -> Void
    private let host: HostTable

    /// Takes over `pointer`, which the connector has just opened and which `close` closes.
    init(
        taking pointer: OpaquePointer, _ table: Table, closing close: @escaping @convention(c) (OpaquePointer?) -> Void,
        _ host: HostTable
    ) {
        self.pointer = pointer
        self.table = table
        self.close = close
        self.host = host
    }

    deinit {
        close(pointer)
        host.withdraw()
    }
}

/// An open source, kept open by the source and its streams.
typealias SourceHandle = ConnectionHandle<penstock_source_api>

/// An open destination, kept open by the destination, its streams and its sessions.
typealias DestinationHandle = ConnectionHandle<penstock_destination_api>
