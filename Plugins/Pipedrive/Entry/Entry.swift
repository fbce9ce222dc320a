// SPDX-License-Identifier: Apache-2.0

import CPenstock
import ConnectorKit
import PipedriveConnector

private let exported = ExportedConnector(PipedriveConnector())

/// The one symbol of this library.
@c @implementation public func penstock_connector_v1() -> UnsafePointer<penstock_connector>? { exported.pointer }
