// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel
import Testing

/// Holds Swift's view of every struct that crosses to the numbers that `Sources/CPenstock/layout.c` states for C.
@Suite struct LayoutTests {
    private func check<T>(_ type: T.Type, size: Int, _ fields: [(PartialKeyPath<T>, Int)]) {
        #expect(MemoryLayout<T>.size == size, "size of \(T.self)")
        for (index, field) in fields.enumerated() {
            #expect(MemoryLayout<T>.offset(of: field.0) == field.1, "field \(index) of \(T.self)")
        }
    }

    @Test func arrowArrayStreamKeepsItsLayout() {
        check(
            ArrowArrayStream.self, size: 40,
            [
                (\.get_schema, 0), (\.get_next, 8), (\.get_last_error, 16), (\.release, 24), (\.private_data, 32),
            ])
    }

    @Test func arrowArrayKeepsItsLayout() {
        check(
            ArrowArray.self, size: 80,
            [
                (\.length, 0), (\.null_count, 8), (\.offset, 16), (\.n_buffers, 24), (\.n_children, 32),
                (\.buffers, 40), (\.children, 48), (\.dictionary, 56), (\.release, 64), (\.private_data, 72),
            ])
    }

    @Test func arrowSchemaKeepsItsLayout() {
        check(
            ArrowSchema.self, size: 72,
            [
                (\.format, 0), (\.name, 8), (\.metadata, 16), (\.flags, 24), (\.n_children, 32), (\.children, 40),
                (\.dictionary, 48), (\.release, 56), (\.private_data, 64),
            ])
    }

    @Test func strKeepsItsLayout() {
        check(
            penstock_str.self, size: 16,
            [
                (\.ptr, 0), (\.len, 8),
            ])
    }

    @Test func textKeepsItsLayout() {
        check(
            penstock_text.self, size: 32,
            [
                (\.ptr, 0), (\.len, 8), (\.release, 16), (\.owner, 24),
            ])
    }

    @Test func errorKeepsItsLayout() {
        check(
            penstock_error.self, size: 1776,
            [
                (\.code, 0), (\.has_retry_after, 4), (\.retry_after_ms, 8), (\.vendor_code, 16), (\.field, 80),
                (\.message, 208), (\.detail, 720), (\.reserved, 1744),
            ])
    }

    @Test func valueKeepsItsLayout() {
        check(
            penstock_value.self, size: 40,
            [
                (\.kind, 0), (\.reserved, 4), (\.i64, 8), (\.f64, 16), (\.text, 24),
            ])
    }

    @Test func intentKeepsItsLayout() {
        check(
            penstock_intent.self, size: 80,
            [
                (\.bucket, 0), (\.cost, 16), (\.kind, 24), (\.has_row, 28), (\.batch_id, 32), (\.row, 40),
                (\.timeout_ms, 48), (\.reserved, 56),
            ])
    }

    @Test func permitKeepsItsLayout() {
        check(
            penstock_permit.self, size: 40,
            [
                (\.granted, 0), (\.reserved0, 4), (\.ticket, 8), (\.wait_ms, 16), (\.reserved, 24),
            ])
    }

    @Test func answerKeepsItsLayout() {
        check(
            penstock_answer.self, size: 40,
            [
                (\.http_status, 0), (\.never_sent, 4), (\.has_retry_after, 8), (\.is_blocked, 12),
                (\.retry_after_ms, 16), (\.server_time_ms, 24), (\.reserved, 32),
            ])
    }

    @Test func rateLimitKeepsItsLayout() {
        check(
            penstock_rate_limit.self, size: 64,
            [
                (\.bucket, 0), (\.limit, 16), (\.remaining, 24), (\.window_ms, 32), (\.resets_in_ms, 40),
                (\.reserved, 48),
            ])
    }

    @Test func hostKeepsItsLayout() {
        check(
            penstock_host.self, size: 120,
            [
                (\.size, 0), (\.major, 4), (\.minor, 6), (\.ctx, 8), (\.name, 16), (\.version, 24), (\.log, 32),
                (\.cancelled, 40), (\.now_ms, 48), (\.pause, 56), (\.progress, 64), (\.acquire, 72), (\.release, 80),
                (\.rate_limit, 88), (\.save_credential, 96), (\.lock_credential, 104), (\.unlock_credential, 112),
            ])
    }

    @Test func connectorKeepsItsLayout() {
        check(
            penstock_connector.self, size: 88,
            [
                (\.size, 0), (\.major, 4), (\.minor, 6), (\.owner, 8), (\.id, 16), (\.title, 24), (\.version, 32),
                (\.summary, 40), (\.caps, 48), (\.config_schema, 56), (\.objects_json, 64), (\.source, 72),
                (\.destination, 80),
            ])
    }

    @Test func openArgsKeepsItsLayout() {
        check(
            penstock_open_args.self, size: 56,
            [
                (\.host, 0), (\.config_json, 8), (\.reserved, 24),
            ])
    }

    @Test func readRequestKeepsItsLayout() {
        check(
            penstock_read_request.self, size: 160,
            [
                (\.target_kind, 0), (\.bound_inclusive, 4), (\.target, 8), (\.columns, 24), (\.order, 32),
                (\.n_columns, 40), (\.n_order, 44), (\.bound_column, 48), (\.bound, 64), (\.batch_rows, 104),
                (\.batch_bytes, 112), (\.rows_max, 120), (\.ignores_writers, 128), (\.reserved0, 132),
                (\.reserved, 136),
            ])
    }

    @Test func sourceApiKeepsItsLayout() {
        check(
            penstock_source_api.self, size: 80,
            [
                (\.size, 0), (\.reserved, 4), (\.open, 8), (\.close, 16), (\.check, 24), (\.discover, 32),
                (\.describe, 40), (\.read, 48), (\.read_cancel, 56), (\.read_error, 64), (\.read_close, 72),
            ])
    }

    @Test func readBackRequestKeepsItsLayout() {
        check(
            penstock_read_back_request.self, size: 88,
            [
                (\.object, 0), (\.selection, 16), (\.n_ids, 20), (\.n_fields, 24), (\.reserved0, 28), (\.ids, 32),
                (\.changed_since_ms, 40), (\.fields, 48), (\.reserved, 56),
            ])
    }

    @Test func rowResultKeepsItsLayout() {
        check(
            penstock_row_result.self, size: 144,
            [
                (\.row, 0), (\.row_status, 8), (\.code, 12), (\.http_status, 16), (\.has_retry_after, 20),
                (\.retry_after_ms, 24), (\.remote_id, 32), (\.field, 48), (\.vendor_code, 64), (\.message, 80),
                (\.detail, 96), (\.reserved, 112),
            ])
    }

    @Test func writeRequestKeepsItsLayout() {
        check(
            penstock_write_request.self, size: 80,
            [
                (\.object, 0), (\.mode, 16), (\.in_flight_max, 20), (\.schema, 24), (\.on_results, 32),
                (\.results_ctx, 40), (\.reserved, 48),
            ])
    }

    @Test func destinationApiKeepsItsLayout() {
        check(
            penstock_destination_api.self, size: 128,
            [
                (\.size, 0), (\.reserved, 4), (\.open, 8), (\.close, 16), (\.check, 24), (\.fields, 32),
                (\.limits, 40), (\.read_back, 48), (\.read_cancel, 56), (\.read_error, 64), (\.read_close, 72),
                (\.begin, 80), (\.submit, 88), (\.flush, 96), (\.abort, 104), (\.end, 112), (\.prepare, 120),
            ])
    }

    @Test func theNumbersThatCrossAreTheModels() {
        let codes: [(Int, ConnectorError.Code)] = [
            (Int(PENSTOCK_UNSUPPORTED), .unsupported), (Int(PENSTOCK_BAD_CONFIG), .badConfig),
            (Int(PENSTOCK_BAD_REQUEST), .badRequest), (Int(PENSTOCK_UNAUTHORIZED), .unauthorized),
            (Int(PENSTOCK_FORBIDDEN), .forbidden), (Int(PENSTOCK_NOT_FOUND), .notFound),
            (Int(PENSTOCK_CONFLICT), .conflict), (Int(PENSTOCK_BAD_DATA), .badData),
            (Int(PENSTOCK_UNAVAILABLE), .unavailable), (Int(PENSTOCK_RATE_LIMITED), .rateLimited),
            (Int(PENSTOCK_QUOTA_SPENT), .quotaSpent), (Int(PENSTOCK_TIMED_OUT), .timedOut),
            (Int(PENSTOCK_CANCELLED), .cancelled), (Int(PENSTOCK_BUSY), .busy),
            (Int(PENSTOCK_SCHEMA_CHANGED), .schemaChanged), (Int(PENSTOCK_BROKEN), .broken),
            (Int(PENSTOCK_NO_MEMORY), .noMemory), (Int(PENSTOCK_INTERNAL), .internalFault),
            (Int(PENSTOCK_CONTRACT_BREACH), .contractBreach),
        ]
        for (number, code) in codes { #expect(number == Int(code.rawValue)) }
        let statuses: [(Int, RowResult.Status)] = [
            (Int(PENSTOCK_ROW_CREATED), .created), (Int(PENSTOCK_ROW_UPDATED), .updated),
            (Int(PENSTOCK_ROW_UNCHANGED), .unchanged), (Int(PENSTOCK_ROW_DELETED), .deleted),
            (Int(PENSTOCK_ROW_REJECTED), .rejected), (Int(PENSTOCK_ROW_RETRY), .retry),
            (Int(PENSTOCK_ROW_UNKNOWN), .unknown), (Int(PENSTOCK_ROW_NOT_TRIED), .notTried),
        ]
        for (number, status) in statuses { #expect(number == Int(status.rawValue)) }
        let kinds: [(Int, RequestIntent.Kind)] = [
            (Int(PENSTOCK_REQUEST_READ), .read), (Int(PENSTOCK_REQUEST_CREATE), .create),
            (Int(PENSTOCK_REQUEST_UPDATE), .update), (Int(PENSTOCK_REQUEST_DELETE), .delete),
        ]
        for (number, kind) in kinds { #expect(number == Int(kind.rawValue)) }
        let modes: [(Int, WriteRequest.Mode)] = [
            (Int(PENSTOCK_WRITE_CREATE), .create), (Int(PENSTOCK_WRITE_UPDATE), .update),
            (Int(PENSTOCK_WRITE_DELETE), .delete),
        ]
        for (number, mode) in modes { #expect(number == Int(mode.rawValue)) }
        let levels: [(Int, LogLevel)] = [
            (Int(PENSTOCK_LOG_TRACE), .trace), (Int(PENSTOCK_LOG_DEBUG), .debug), (Int(PENSTOCK_LOG_INFO), .info),
            (Int(PENSTOCK_LOG_WARNING), .warning), (Int(PENSTOCK_LOG_ERROR), .error),
        ]
        for (number, level) in levels { #expect(number == Int(level.rawValue)) }
    }

    @Test func theCapabilityBitsAreTheModels() {
        let bits: [(UInt64, Capabilities)] = [
            (PENSTOCK_CAP_SOURCE, .source), (PENSTOCK_CAP_DESTINATION, .destination), (PENSTOCK_CAP_QUERY, .query),
            (PENSTOCK_CAP_LOWER_BOUND, .lowerBound), (PENSTOCK_CAP_ORDER, .order), (PENSTOCK_CAP_PREPARE, .prepare),
            (PENSTOCK_CAP_DELETE, .delete), (PENSTOCK_CAP_ROTATES_CREDENTIAL, .rotatesCredential),
        ]
        for (bit, capability) in bits { #expect(bit == capability.rawValue) }
    }
}
