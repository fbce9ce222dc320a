// SPDX-License-Identifier: Apache-2.0
// The layout of every struct that crosses, on 64-bit machines. A line here changes only with a new major version;
// growing a table adds a line at its end. Tests/PenstockABITests/LayoutTests.swift holds Swift's view to the same.
#include "penstock.h"

#if UINTPTR_MAX == UINT64_MAX

#define SIZE(T, bytes) _Static_assert(sizeof(T) == (bytes), "size of " #T)
#define AT(T, field, bytes) _Static_assert(offsetof(T, field) == (bytes), "offset of " #T "." #field)

SIZE(struct ArrowArrayStream, 40);
AT(struct ArrowArrayStream, get_schema, 0);
AT(struct ArrowArrayStream, get_next, 8);
AT(struct ArrowArrayStream, get_last_error, 16);
AT(struct ArrowArrayStream, release, 24);
AT(struct ArrowArrayStream, private_data, 32);

SIZE(struct ArrowArray, 80);
AT(struct ArrowArray, length, 0);
AT(struct ArrowArray, null_count, 8);
AT(struct ArrowArray, offset, 16);
AT(struct ArrowArray, n_buffers, 24);
AT(struct ArrowArray, n_children, 32);
AT(struct ArrowArray, buffers, 40);
AT(struct ArrowArray, children, 48);
AT(struct ArrowArray, dictionary, 56);
AT(struct ArrowArray, release, 64);
AT(struct ArrowArray, private_data, 72);

SIZE(struct ArrowSchema, 72);
AT(struct ArrowSchema, format, 0);
AT(struct ArrowSchema, name, 8);
AT(struct ArrowSchema, metadata, 16);
AT(struct ArrowSchema, flags, 24);
AT(struct ArrowSchema, n_children, 32);
AT(struct ArrowSchema, children, 40);
AT(struct ArrowSchema, dictionary, 48);
AT(struct ArrowSchema, release, 56);
AT(struct ArrowSchema, private_data, 64);

SIZE(penstock_str, 16);
AT(penstock_str, ptr, 0);
AT(penstock_str, len, 8);

SIZE(penstock_text, 32);
AT(penstock_text, ptr, 0);
AT(penstock_text, len, 8);
AT(penstock_text, release, 16);
AT(penstock_text, owner, 24);

SIZE(penstock_error, 1776);
AT(penstock_error, code, 0);
AT(penstock_error, has_retry_after, 4);
AT(penstock_error, retry_after_ms, 8);
AT(penstock_error, vendor_code, 16);
AT(penstock_error, field, 80);
AT(penstock_error, message, 208);
AT(penstock_error, detail, 720);
AT(penstock_error, reserved, 1744);

SIZE(penstock_value, 40);
AT(penstock_value, kind, 0);
AT(penstock_value, reserved, 4);
AT(penstock_value, i64, 8);
AT(penstock_value, f64, 16);
AT(penstock_value, text, 24);

SIZE(penstock_intent, 80);
AT(penstock_intent, bucket, 0);
AT(penstock_intent, cost, 16);
AT(penstock_intent, kind, 24);
AT(penstock_intent, has_row, 28);
AT(penstock_intent, batch_id, 32);
AT(penstock_intent, row, 40);
AT(penstock_intent, timeout_ms, 48);
AT(penstock_intent, reserved, 56);

SIZE(penstock_permit, 40);
AT(penstock_permit, granted, 0);
AT(penstock_permit, reserved0, 4);
AT(penstock_permit, ticket, 8);
AT(penstock_permit, wait_ms, 16);
AT(penstock_permit, reserved, 24);

SIZE(penstock_answer, 40);
AT(penstock_answer, http_status, 0);
AT(penstock_answer, never_sent, 4);
AT(penstock_answer, has_retry_after, 8);
AT(penstock_answer, is_blocked, 12);
AT(penstock_answer, retry_after_ms, 16);
AT(penstock_answer, server_time_ms, 24);
AT(penstock_answer, reserved, 32);

SIZE(penstock_rate_limit, 64);
AT(penstock_rate_limit, bucket, 0);
AT(penstock_rate_limit, limit, 16);
AT(penstock_rate_limit, remaining, 24);
AT(penstock_rate_limit, window_ms, 32);
AT(penstock_rate_limit, resets_in_ms, 40);
AT(penstock_rate_limit, reserved, 48);

SIZE(penstock_host, 120);
AT(penstock_host, size, 0);
AT(penstock_host, major, 4);
AT(penstock_host, minor, 6);
AT(penstock_host, ctx, 8);
AT(penstock_host, name, 16);
AT(penstock_host, version, 24);
AT(penstock_host, log, 32);
AT(penstock_host, cancelled, 40);
AT(penstock_host, now_ms, 48);
AT(penstock_host, pause, 56);
AT(penstock_host, progress, 64);
AT(penstock_host, acquire, 72);
AT(penstock_host, release, 80);
AT(penstock_host, rate_limit, 88);
AT(penstock_host, save_credential, 96);
AT(penstock_host, lock_credential, 104);
AT(penstock_host, unlock_credential, 112);

SIZE(penstock_connector, 88);
AT(penstock_connector, size, 0);
AT(penstock_connector, major, 4);
AT(penstock_connector, minor, 6);
AT(penstock_connector, owner, 8);
AT(penstock_connector, id, 16);
AT(penstock_connector, title, 24);
AT(penstock_connector, version, 32);
AT(penstock_connector, summary, 40);
AT(penstock_connector, caps, 48);
AT(penstock_connector, config_schema, 56);
AT(penstock_connector, objects_json, 64);
AT(penstock_connector, source, 72);
AT(penstock_connector, destination, 80);

SIZE(penstock_open_args, 56);
AT(penstock_open_args, host, 0);
AT(penstock_open_args, config_json, 8);
AT(penstock_open_args, reserved, 24);

SIZE(penstock_read_request, 160);
AT(penstock_read_request, target_kind, 0);
AT(penstock_read_request, bound_inclusive, 4);
AT(penstock_read_request, target, 8);
AT(penstock_read_request, columns, 24);
AT(penstock_read_request, order, 32);
AT(penstock_read_request, n_columns, 40);
AT(penstock_read_request, n_order, 44);
AT(penstock_read_request, bound_column, 48);
AT(penstock_read_request, bound, 64);
AT(penstock_read_request, batch_rows, 104);
AT(penstock_read_request, batch_bytes, 112);
AT(penstock_read_request, rows_max, 120);
AT(penstock_read_request, ignores_writers, 128);
AT(penstock_read_request, reserved0, 132);
AT(penstock_read_request, reserved, 136);

SIZE(penstock_source_api, 80);
AT(penstock_source_api, size, 0);
AT(penstock_source_api, reserved, 4);
AT(penstock_source_api, open, 8);
AT(penstock_source_api, close, 16);
AT(penstock_source_api, check, 24);
AT(penstock_source_api, discover, 32);
AT(penstock_source_api, describe, 40);
AT(penstock_source_api, read, 48);
AT(penstock_source_api, read_cancel, 56);
AT(penstock_source_api, read_error, 64);
AT(penstock_source_api, read_close, 72);

SIZE(penstock_read_back_request, 88);
AT(penstock_read_back_request, object, 0);
AT(penstock_read_back_request, selection, 16);
AT(penstock_read_back_request, n_ids, 20);
AT(penstock_read_back_request, n_fields, 24);
AT(penstock_read_back_request, reserved0, 28);
AT(penstock_read_back_request, ids, 32);
AT(penstock_read_back_request, changed_since_ms, 40);
AT(penstock_read_back_request, fields, 48);
AT(penstock_read_back_request, reserved, 56);

SIZE(penstock_row_result, 144);
AT(penstock_row_result, row, 0);
AT(penstock_row_result, row_status, 8);
AT(penstock_row_result, code, 12);
AT(penstock_row_result, http_status, 16);
AT(penstock_row_result, has_retry_after, 20);
AT(penstock_row_result, retry_after_ms, 24);
AT(penstock_row_result, remote_id, 32);
AT(penstock_row_result, field, 48);
AT(penstock_row_result, vendor_code, 64);
AT(penstock_row_result, message, 80);
AT(penstock_row_result, detail, 96);
AT(penstock_row_result, reserved, 112);

SIZE(penstock_write_request, 80);
AT(penstock_write_request, object, 0);
AT(penstock_write_request, mode, 16);
AT(penstock_write_request, in_flight_max, 20);
AT(penstock_write_request, schema, 24);
AT(penstock_write_request, on_results, 32);
AT(penstock_write_request, results_ctx, 40);
AT(penstock_write_request, reserved, 48);

SIZE(penstock_destination_api, 128);
AT(penstock_destination_api, size, 0);
AT(penstock_destination_api, reserved, 4);
AT(penstock_destination_api, open, 8);
AT(penstock_destination_api, close, 16);
AT(penstock_destination_api, check, 24);
AT(penstock_destination_api, fields, 32);
AT(penstock_destination_api, limits, 40);
AT(penstock_destination_api, read_back, 48);
AT(penstock_destination_api, read_cancel, 56);
AT(penstock_destination_api, read_error, 64);
AT(penstock_destination_api, read_close, 72);
AT(penstock_destination_api, begin, 80);
AT(penstock_destination_api, submit, 88);
AT(penstock_destination_api, flush, 96);
AT(penstock_destination_api, abort, 104);
AT(penstock_destination_api, end, 112);
AT(penstock_destination_api, prepare, 120);

#endif

_Static_assert(PENSTOCK_CONTRACT_BREACH == 19 && PENSTOCK_ROW_NOT_TRIED == 19 && PENSTOCK_VALUE_JSON == 12,
               "numbers that have shipped never change");
