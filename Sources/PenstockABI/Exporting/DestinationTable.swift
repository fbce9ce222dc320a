// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// Turns Swift destinations into the C table of a destination.
enum DestinationTable {
    /// Holds an open destination for C.
    private final class Box {
        let destination: any Destination
        init(_ destination: any Destination) { self.destination = destination }
    }

    /// The table; one for all Swift connectors, since `open` names the connector.
    static func make() -> penstock_destination_api {
        var table = penstock_destination_api()
        table.size = UInt32(MemoryLayout<penstock_destination_api>.size)
        fillAsking(&table)
        fillReading(&table)
        fillWriting(&table)
        return table
    }

    private static func fillAsking(_ table: inout penstock_destination_api) {
        table.open = { connector, args, out, error in
            reporting(error) { () throws(ConnectorError) in
                let opened = try ConnectorBox.opened(connector, args)
                let destination = try opened.connector.openDestination(opened.settings, host: opened.host)
                out?.pointee = given(Box(destination))
            }
        }
        table.close = { taken($0, Box.self)?.destination.close() }
        table.check = { destination, out, error in
            reporting(error) { () throws(ConnectorError) in
                let report = try lent(destination, Box.self).destination.check()
                out?.pointee = penstock_text(giving: report.document.utf8)
            }
        }
        table.fields = { destination, object, optionsOf, count, out, error in
            reporting(error) { () throws(ConnectorError) in
                let fields = try lent(destination, Box.self).destination
                    .fields(of: String(copying: object) ?? "", optionsOf: copiedTexts(optionsOf, count))
                out?.pointee = penstock_text(giving: DestinationField.document(fields).utf8)
            }
        }
        table.limits = { destination, out, error in
            reporting(error) { () throws(ConnectorError) in
                let limits = try lent(destination, Box.self).destination.limits()
                out?.pointee = penstock_text(giving: RateLimit.document(limits).utf8)
            }
        }
        table.prepare = { destination, object, label, out, error in
            reporting(error) { () throws(ConnectorError) in
                let key = try lent(destination, Box.self).destination
                    .prepareMarker(of: String(copying: object) ?? "", label: String(copying: label) ?? "")
                out?.pointee = penstock_text(giving: Array(key.utf8))
            }
        }
    }

    private static func fillReading(_ table: inout penstock_destination_api) {
        table.read_back = { destination, request, outRead, outStream, error in
            reporting(error) { () throws(ConnectorError) in
                let checks = ContractChecks.ofHost
                guard let request else { throw checks.breach("read_back", "the request is NULL") }
                let stream = try lent(destination, Box.self).destination
                    .readBack(try ReadBackRequest(copying: request.pointee, checks))
                StreamBox.give(stream, outRead, outStream)
            }
        }
        table.read_cancel = StreamBox.cancel
        table.read_error = StreamBox.error
        table.read_close = StreamBox.close
    }

    private static func fillWriting(_ table: inout penstock_destination_api) {
        table.begin = { destination, request, out, error in
            reporting(error) { () throws(ConnectorError) in
                let checks = ContractChecks.ofHost
                guard let request else { throw checks.breach("begin", "the request is NULL") }
                let session = try SessionBox(
                    request.pointee, of: try lent(destination, Box.self).destination, checks)
                out?.pointee = given(session)
            }
        }
        table.submit = { session, id, array, error in
            var isTaken = true
            let status = reporting(error) { () throws(ConnectorError) in
                isTaken = try lent(session, SessionBox.self).submit(id, array)
            }
            return isTaken ? status : penstock_status(PENSTOCK_BUSY)
        }
        table.flush = { session, error in
            reporting(error) { () throws(ConnectorError) in
                try lent(session, SessionBox.self).session.flush()
            }
        }
        table.abort = { session in
            guard let session else { return }
            Unmanaged<SessionBox>.fromOpaque(UnsafeRawPointer(session)).takeUnretainedValue().session.abort()
        }
        table.end = { taken($0, SessionBox.self)?.session.end() }
    }
}
