// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// Holds a Swift write session for C.
final class SessionBox {
    /// The session.
    let session: any WriteSession
    private let schema: ImportedSchema
    private let checks: ContractChecks

    /// Begins a session of `destination` as the host asks.
    init(
        _ request: penstock_write_request, of destination: any Destination, _ checks: ContractChecks
    ) throws(ConnectorError) {
        guard let mode = WriteRequest.Mode(rawValue: request.mode) else {
            throw checks.breach("begin", "the mode \(request.mode) does not exist")
        }
        guard let schema = request.schema, let onResults = request.on_results else {
            throw checks.breach("begin", "the schema or on_results is NULL")
        }
        self.checks = checks
        self.schema = try ImportedSchema(schema.pointee, "begin", checks)
        // The host's context: it may be used from any thread until `end` returns.
        nonisolated(unsafe) let context = request.results_ctx
        session = try destination.begin(
            WriteRequest(
                object: String(copying: request.object) ?? "", mode: mode, schema: self.schema.schema,
                inFlightMax: Int(request.in_flight_max))
        ) { batch, results in
            SessionBox.lend(results) { rows in onResults(context, batch, rows.baseAddress, UInt32(rows.count)) }
        }
    }

    /// Takes a batch of the host's over, if the session does.
    func submit(_ id: UInt64, _ array: UnsafeMutablePointer<ArrowArray>?) throws(ConnectorError) -> Bool {
        guard let array, array.pointee.release != nil else { throw checks.breach("submit", "the batch is released") }
        let batch = try SourceBatch(array.pointee, schema, "submit", checks)
        if let fault = batch.rejects.first {
            throw checks.breach("submit", "row \(fault.row) cannot be represented: \(fault.message)")
        }
        guard try session.submit(batch.batch, id: id) else { return false }
        // Moved: the rows are copied, so the array is given back at once.
        array.pointee.release(array)
        return true
    }

    private static func lend(
        _ results: [RowResult], _ body: (UnsafeBufferPointer<penstock_row_result>) -> Void
    ) {
        var arena = TextArena()
        for result in results {
            arena.add(result.remoteID.utf8)
            arena.add((result.error?.field ?? "").utf8)
            arena.add((result.error?.vendorCode ?? "").utf8)
            arena.add((result.error?.message ?? "").utf8)
            arena.add((result.error?.detail ?? "").utf8)
        }
        arena.lend { texts in
            let rows = results.enumerated().map { index, result in
                var row = penstock_row_result()
                row.row = Int64(result.row)
                row.row_status = result.status.rawValue
                row.code = result.error?.code.rawValue ?? penstock_status(PENSTOCK_OK)
                row.http_status = Int32(truncatingIfNeeded: result.httpStatus)
                if let milliseconds = result.error?.retryAfterMilliseconds {
                    row.has_retry_after = 1
                    row.retry_after_ms = milliseconds
                }
                row.remote_id = texts[index * 5]
                row.field = texts[index * 5 + 1]
                row.vendor_code = texts[index * 5 + 2]
                row.message = texts[index * 5 + 3]
                row.detail = texts[index * 5 + 4]
                return row
            }
            rows.withUnsafeBufferPointer(body)
        }
    }
}
