// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

extension ReadRequest {
    /// Lends the C form to `body`.
    package func lend<R>(_ body: (UnsafePointer<penstock_read_request>) -> R) -> R {
        var arena = TextArena()
        switch target {
        case .object(let id): arena.add(id.utf8)
        case .query(let text): arena.add(text.utf8)
        }
        arena.add(columns)
        arena.add(order)
        if let lowerBound {
            arena.add(lowerBound.column.utf8)
            arena.add(lowerBound.value.lentBytes)
        }
        return arena.lend { texts in
            var request = penstock_read_request()
            if case .object = target { request.target_kind = Int32(PENSTOCK_TARGET_OBJECT) }
            if case .query = target { request.target_kind = Int32(PENSTOCK_TARGET_QUERY) }
            request.target = texts[0]
            request.columns = texts.baseAddress.map { $0 + 1 }
            request.n_columns = UInt32(columns.count)
            request.order = texts.baseAddress.map { $0 + 1 + columns.count }
            request.n_order = UInt32(order.count)
            if let lowerBound {
                request.bound_column = texts[texts.count - 2]
                request.bound = lowerBound.value.lent(texts[texts.count - 1])
                request.bound_inclusive = lowerBound.isInclusive ? 1 : 0
            }
            request.batch_rows = Int64(batchRowsMax)
            request.batch_bytes = Int64(batchBytesMax)
            request.rows_max = rowsMax ?? -1
            request.ignores_writers = needsOpenWriters ? 0 : 1
            return body(&request)
        }
    }

    /// Copies a request of the host's.
    init(copying request: penstock_read_request, _ checks: ContractChecks) throws(ConnectorError) {
        let target = String(copying: request.target) ?? ""
        switch Int(request.target_kind) {
        case Int(PENSTOCK_TARGET_OBJECT): self.init(.object(target))
        case Int(PENSTOCK_TARGET_QUERY): self.init(.query(target))
        default: throw checks.breach("read", "the target kind \(request.target_kind) does not exist")
        }
        columns = copiedTexts(request.columns, request.n_columns)
        order = copiedTexts(request.order, request.n_order)
        if let column = String(copying: request.bound_column) {
            guard let value = Value(copying: request.bound) else {
                throw checks.breach("read", "the value kind \(request.bound.kind) does not exist")
            }
            lowerBound = LowerBound(column: column, value: value, isInclusive: request.bound_inclusive != 0)
        }
        batchRowsMax = Int(request.batch_rows)
        batchBytesMax = Int(request.batch_bytes)
        rowsMax = request.rows_max < 0 ? nil : request.rows_max
        needsOpenWriters = request.ignores_writers == 0
    }
}

extension Value {
    /// The bytes that ``lent(_:)`` refers to; empty for numbers.
    fileprivate var lentBytes: [UInt8] {
        switch self {
        case .decimal(let text), .text(let text), .json(let text): Array(text.utf8)
        case .bytes(let bytes): bytes
        default: []
        }
    }

    fileprivate func lent(_ bytes: penstock_str) -> penstock_value {
        var value = penstock_value()
        value.kind = Int32(kindNumber)
        switch self {
        case .null: break
        case .bool(let flag): value.i64 = flag ? 1 : 0
        case .int64(let number), .date(let number), .time(let number), .timestamp(let number),
            .instant(let number):
            value.i64 = number
        case .uint64(let number): value.i64 = Int64(bitPattern: number)
        case .float64(let number): value.f64 = number
        case .decimal, .text, .json, .bytes: value.text = bytes
        }
        return value
    }

    private var kindNumber: Int {
        switch self {
        case .null: Int(PENSTOCK_VALUE_NULL)
        case .bool: Int(PENSTOCK_VALUE_BOOL)
        case .int64: Int(PENSTOCK_VALUE_INT64)
        case .uint64: Int(PENSTOCK_VALUE_UINT64)
        case .float64: Int(PENSTOCK_VALUE_FLOAT64)
        case .decimal: Int(PENSTOCK_VALUE_DECIMAL)
        case .text: Int(PENSTOCK_VALUE_TEXT)
        case .bytes: Int(PENSTOCK_VALUE_BYTES)
        case .date: Int(PENSTOCK_VALUE_DATE)
        case .time: Int(PENSTOCK_VALUE_TIME)
        case .timestamp: Int(PENSTOCK_VALUE_TIMESTAMP)
        case .instant: Int(PENSTOCK_VALUE_INSTANT)
        case .json: Int(PENSTOCK_VALUE_JSON)
        }
    }

    /// Copies a value; nil for a kind that does not exist.
    fileprivate init?(copying value: penstock_value) {
        switch Int(value.kind) {
        case Int(PENSTOCK_VALUE_NULL): self = .null
        case Int(PENSTOCK_VALUE_BOOL): self = .bool(value.i64 != 0)
        case Int(PENSTOCK_VALUE_INT64): self = .int64(value.i64)
        case Int(PENSTOCK_VALUE_UINT64): self = .uint64(UInt64(bitPattern: value.i64))
        case Int(PENSTOCK_VALUE_FLOAT64): self = .float64(value.f64)
        case Int(PENSTOCK_VALUE_DECIMAL): self = .decimal(String(copying: value.text) ?? "")
        case Int(PENSTOCK_VALUE_TEXT): self = .text(String(copying: value.text) ?? "")
        case Int(PENSTOCK_VALUE_BYTES): self = .bytes([UInt8](copying: value.text))
        case Int(PENSTOCK_VALUE_DATE): self = .date(value.i64)
        case Int(PENSTOCK_VALUE_TIME): self = .time(value.i64)
        case Int(PENSTOCK_VALUE_TIMESTAMP): self = .timestamp(value.i64)
        case Int(PENSTOCK_VALUE_INSTANT): self = .instant(value.i64)
        case Int(PENSTOCK_VALUE_JSON): self = .json(String(copying: value.text) ?? "")
        default: return nil
        }
    }
}

extension ReadBackRequest {
    /// Lends the C form to `body`.
    package func lend<R>(_ body: (UnsafePointer<penstock_read_back_request>) -> R) -> R {
        var arena = TextArena()
        arena.add(object.utf8)
        arena.add(fields)
        if case .ids(let ids) = selection { arena.add(ids) }
        return arena.lend { texts in
            var request = penstock_read_back_request()
            request.object = texts[0]
            request.fields = texts.baseAddress.map { $0 + 1 }
            request.n_fields = UInt32(fields.count)
            switch selection {
            case .ids(let ids):
                request.selection = Int32(PENSTOCK_SELECT_IDS)
                request.ids = texts.baseAddress.map { $0 + 1 + fields.count }
                request.n_ids = UInt32(ids.count)
            case .changedSince(let milliseconds):
                request.selection = Int32(PENSTOCK_SELECT_CHANGED_SINCE)
                request.changed_since_ms = milliseconds
            case .all: request.selection = Int32(PENSTOCK_SELECT_ALL)
            }
            return body(&request)
        }
    }

    /// Copies a request of the host's.
    init(copying request: penstock_read_back_request, _ checks: ContractChecks) throws(ConnectorError) {
        let selection: Selection
        switch Int(request.selection) {
        case Int(PENSTOCK_SELECT_IDS): selection = .ids(copiedTexts(request.ids, request.n_ids))
        case Int(PENSTOCK_SELECT_CHANGED_SINCE): selection = .changedSince(request.changed_since_ms)
        case Int(PENSTOCK_SELECT_ALL): selection = .all
        default: throw checks.breach("read_back", "the selection \(request.selection) does not exist")
        }
        self.init(
            object: String(copying: request.object) ?? "", selection: selection,
            fields: copiedTexts(request.fields, request.n_fields))
    }
}
