// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// Turns Swift sources into the C table of a source.
enum SourceTable {
    /// Holds an open source for C.
    private final class Box {
        let source: any Source
        init(_ source: any Source) { self.source = source }
    }

    /// The table; one for all Swift connectors, since `open` names the connector.
    static func make() -> penstock_source_api {
        var table = penstock_source_api()
        table.size = UInt32(MemoryLayout<penstock_source_api>.size)
        table.open = { connector, args, out, error in
            reporting(error) { () throws(ConnectorError) in
                let opened = try ConnectorBox.opened(connector, args)
                let source = try opened.connector.openSource(opened.settings, host: opened.host)
                out?.pointee = given(Box(source))
            }
        }
        table.close = { taken($0, Box.self)?.source.close() }
        table.check = { source, out, error in
            reporting(error) { () throws(ConnectorError) in
                let report = try lent(source, Box.self).source.check()
                out?.pointee = penstock_text(giving: report.document.utf8)
            }
        }
        table.discover = { source, ids, count, out, error in
            reporting(error) { () throws(ConnectorError) in
                let catalog = try lent(source, Box.self).source.discover(copiedTexts(ids, count))
                out?.pointee = penstock_text(giving: catalog.document.utf8)
            }
        }
        table.describe = { source, request, out, error in
            reporting(error) { () throws(ConnectorError) in
                let schema = try lent(source, Box.self).source.describe(try SourceTable.copied(request))
                out?.pointee = ArrowSchema(schema, withRejects: false)
            }
        }
        table.read = { source, request, outRead, outStream, error in
            reporting(error) { () throws(ConnectorError) in
                let stream = try lent(source, Box.self).source.read(try SourceTable.copied(request))
                StreamBox.give(stream, outRead, outStream)
            }
        }
        table.read_cancel = StreamBox.cancel
        table.read_error = StreamBox.error
        table.read_close = StreamBox.close
        return table
    }

    private static func copied(
        _ request: UnsafePointer<penstock_read_request>?
    ) throws(ConnectorError) -> ReadRequest {
        let checks = ContractChecks.ofHost
        guard let request else { throw checks.breach("read", "the request is NULL") }
        return try ReadRequest(copying: request.pointee, checks)
    }
}
