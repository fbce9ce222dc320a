// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Synchronization

/// A source with an object for each thing that a source can do.
final class LoopbackSource: Source {
    private let host: any HostServices

    init(_ host: any HostServices) { self.host = host }

    func check() throws(ConnectorError) -> CheckReport {
        host.log(.info, "checked", ["step": "file"])
        return CheckReport(
            [
                .init("file", "found"),
                .init(
                    "right",
                    failure: ConnectorError(
                        .forbidden, "The file may not be read.", detail: "mode 0", field: "path",
                        vendorCode: "EACCES", retryAfterMilliseconds: 250)),
            ], identity: ["account": "Acme", "server": "1.0"])
    }

    func discover(_ ids: [String]) throws(ConnectorError) -> Catalog {
        if let unknown = ids.first(where: { $0 != "types" && $0 != "\u{e9}mpty" }) {
            throw ConnectorError(.notFound, "There is no object \(unknown).", field: unknown)
        }
        let objects = [
            CatalogObject(
                "types", .table, columns: LoopbackRows.schema.fields, primaryKey: ["int64"], estimatedRows: 3),
            CatalogObject("\u{e9}mpty", .file, columns: ids.isEmpty ? [] : [Schema.Field("n", .int64)]),
        ]
        return Catalog(ids.isEmpty ? objects : objects.filter { ids.contains($0.id) })
    }

    func describe(_ request: ReadRequest) throws(ConnectorError) -> Schema { try LoopbackRows.schema(request) }

    func read(_ request: ReadRequest) throws(ConnectorError) -> any RecordStream {
        host.progress(done: 1, total: nil, note: "reading")
        return LoopbackStream(try LoopbackRows.schema(request), request)
    }

    func close() { host.log(.debug, "closed", [:]) }
}

/// The rows that the source has.
package enum LoopbackRows {
    /// A column per type.
    package static let schema = Schema(
        DataType.allCases.map { Schema.Field($0.rawValue, $0, nativeType: "native \($0.rawValue)") })

    /// Extremes, NULLs, and things in between.
    package static let rows: [[Value]] = [
        [
            .bool(true), .int64(.min), .uint64(.max), .float64(-0.1), .decimal("-12345678901234567890.50"),
            .text("gr\u{fc}\u{df}e \u{1F600}"), .bytes([0, 255]), .date(-719_162), .time(86_399_999_999),
            .timestamp(-1), .instant(1_700_000_000_000_001), .json("{\"a\":[1,2]}"),
        ],
        [Value](repeating: .null, count: DataType.allCases.count),
        [
            .bool(false), .int64(.max), .uint64(0), .float64(.infinity), .decimal("0"), .text(""), .bytes([]),
            .date(2_932_896), .time(0), .timestamp(253_402_300_799_999_999), .instant(0), .json("null"),
        ],
    ]

    /// The columns of what a request reads.
    static func schema(_ request: ReadRequest) throws(ConnectorError) -> Schema {
        switch request.target {
        case .query(let text): return Schema([Schema.Field(text, .text, isNullable: false)])
        case .object("echo"): return Schema([Schema.Field("echo", .text)])
        case .object("cut"): return Schema([Schema.Field("t", .text)])
        case .object("types"): return try chosen(request.columns)
        case .object("many"), .object("endless"), .object("fails"): return Schema([Schema.Field("n", .int64)])
        case .object("rejects"): return Schema([Schema.Field("n", .int64), Schema.Field("t", .text)])
        case .object(let id): throw ConnectorError(.notFound, "There is no object \(id).", field: id)
        }
    }

    /// The rows of `types` that a request reads, in its order, with its columns.
    static func rows(_ request: ReadRequest) -> [[Value]] {
        func place(_ column: String) -> Int { schema.index(of: column) ?? 0 }
        var chosen = rows
        if let bound = request.lowerBound {
            chosen = chosen.filter { row in
                let value = row[place(bound.column)]
                return value == .null || bound.value.isBelow(value) || bound.isInclusive && value == bound.value
            }
        }
        if let first = request.order.first {
            chosen.sort { left, right in left[place(first)].isBelow(right[place(first)]) }
        }
        if let most = request.rowsMax { chosen = Array(chosen.prefix(Int(most))) }
        let places = request.columns.isEmpty ? Array(schema.fields.indices) : request.columns.map(place)
        return chosen.map { row in places.map { row[$0] } }
    }

    private static func chosen(_ columns: [String]) throws(ConnectorError) -> Schema {
        guard !columns.isEmpty else { return schema }
        return Schema(
            try columns.map { name throws(ConnectorError) in
                guard let index = schema.index(of: name) else {
                    throw ConnectorError(.notFound, "There is no column \(name).", field: name)
                }
                return schema.fields[index]
            })
    }
}

extension Value {
    /// Whether this comes before `other` of the same type; NULL comes first, and texts have no order here.
    fileprivate func isBelow(_ other: Value) -> Bool {
        switch (self, other) {
        case (.null, .null): false
        case (.null, _): true
        case (.int64(let left), .int64(let right)), (.date(let left), .date(let right)),
            (.time(let left), .time(let right)), (.timestamp(let left), .timestamp(let right)),
            (.instant(let left), .instant(let right)):
            left < right
        case (.uint64(let left), .uint64(let right)): left < right
        default: false
        }
    }
}

/// The rows of one read.
final class LoopbackStream: RecordStream {
    let schema: Schema
    private let request: ReadRequest
    private let isCancelled = Atomic(false)
    private var turn = 0

    init(_ schema: Schema, _ request: ReadRequest) {
        self.schema = schema
        self.request = request
    }

    func next() throws(ConnectorError) -> SourceBatch? {
        turn += 1
        if isCancelled.load(ordering: .relaxed) { throw ConnectorError(.cancelled, "The read was cancelled.") }
        switch request.target {
        case .query(let text): return once([[.text(text)]])
        case .object("echo"): return once([[.text("\(request)")]])
        case .object("cut"): return turn == 1 ? cutCharacter() : nil
        case .object("types"):
            let start = (turn - 1) * request.batchRowsMax
            let rows = LoopbackRows.rows(request).dropFirst(start).prefix(request.batchRowsMax)
            return rows.isEmpty ? nil : batch(Array(rows))
        case .object("many"):
            return turn > 3 ? nil : batch((0..<request.batchRowsMax).map { [.int64(Int64($0 * turn))] })
        case .object("endless"): return batch([[.int64(Int64(turn))]])
        case .object("fails"):
            guard turn == 1 else { throw ConnectorError(.unavailable, "The line is cut.", vendorCode: "08006") }
            return batch([[.int64(1)]])
        default:
            guard turn == 1 else { return nil }
            return SourceBatch(
                batch([[.int64(1), .text("a")], [.null, .text("b")], [.int64(3), .null]]).batch,
                rejects: [SourceReject(row: 1, column: "n", value: "x", message: "line 2, column 1: not a number")])
        }
    }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    func close() {}

    /// Two rows that are UTF-8 only together, and one that is by itself.
    private func cutCharacter() -> SourceBatch {
        var column = Column(.text)
        column.append(bytes: [0xC3])
        column.append(bytes: [0xA9])
        column.append(bytes: "\u{e9}".utf8)
        return SourceBatch(RecordBatch(schema, [column]))
    }

    private func once(_ rows: [[Value]]) -> SourceBatch? { turn == 1 ? batch(rows) : nil }

    private func batch(_ rows: [[Value]]) -> SourceBatch {
        var batch = RecordBatch(schema, capacity: rows.count)
        for row in rows { batch.append(row) }
        return SourceBatch(batch)
    }
}
