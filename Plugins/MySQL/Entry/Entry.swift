// SPDX-License-Identifier: Apache-2.0

import CPenstock
import ConnectorKit
import MySQLConnector

private let exported = ExportedConnector(MySQLConnector())

/// The one symbol of this library.
@c @implementation public func penstock_connector_v1() -> UnsafePointer<penstock_connector>? { exported.pointer }
