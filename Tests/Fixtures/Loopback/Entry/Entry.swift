// SPDX-License-Identifier: Apache-2.0

import CPenstock
import ConnectorKit
import LoopbackConnector

private let exported = ExportedConnector(LoopbackConnector())

/// The one symbol that this library exports.
@c @implementation public func penstock_connector_v1() -> UnsafePointer<penstock_connector>? { exported.pointer }
