// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// Rows that a read has delivered.
struct Sample {
    /// The columns.
    let schema: Schema
    /// The rows, in order.
    private(set) var rows: [[Value]] = []
    /// The positions of rows that are to be rejected.
    private(set) var rejected: Set<Int> = []
    /// How many rows each batch had.
    private(set) var batchSizes: [Int] = []
    /// How many bytes each batch took.
    private(set) var batchBytes: [Int] = []

    /// No rows.
    init(_ schema: Schema) { self.schema = schema }

    /// Copies a batch.
    mutating func append(_ batch: BatchUnderTest, _ imported: ImportedSchema) throws(CheckFailure) {
        let flaws = batch.flaws(imported)
        if let flaw = flaws.first(where: { $0.kind != .values && $0.kind != .alignment }) {
            throw CheckFailure(flaw.text)
        }
        batchSizes.append(batch.rowCount)
        batchBytes.append(batch.byteCount(imported))
        guard batch.rowCount > 0 else { return }
        let delivered = try batch.rows(imported)
        for reject in delivered.rejects { rejected.insert(rows.count + reject.row) }
        for row in 0..<delivered.batch.rowCount { rows.append(delivered.batch.columns.map { $0.value(row) }) }
    }

    /// Each row as one text, by which rows are compared.
    var keys: [String] { rows.map(Self.key) }

    /// A row as one text.
    static func key(_ row: [Value]) -> String { row.map { "\($0)" }.joined(separator: "\u{1F}") }

    /// The values of a column.
    func values(_ column: Int) -> [Value] { rows.map { $0[column] } }

    /// The positions of the columns whose values have an order that every source agrees on, keys first.
    var orderedColumns: [Int] {
        schema.fields.indices.filter { index in
            guard Value.ordered.contains(schema.fields[index].type) else { return false }
            return values(index).contains { $0 != .null }
        }
    }

    /// How two multisets of rows differ, as a clause; nil where they are the same.
    static func difference(expected: [String], found: [String]) -> String? {
        var counts: [String: Int] = [:]
        for key in expected { counts[key, default: 0] += 1 }
        for key in found { counts[key, default: 0] -= 1 }
        let missing = counts.values.filter { $0 > 0 }.reduce(0, +)
        let surplus = -counts.values.filter { $0 < 0 }.reduce(0, +)
        switch (missing, surplus) {
        case (0, 0): return nil
        case (let missing, 0): return "\(rows(missing)) of \(expected.count) missing"
        case (0, let surplus): return "\(rows(surplus)) too many"
        default: return "\(rows(missing)) of \(expected.count) missing, \(rows(surplus)) too many"
        }
    }

    private static func rows(_ count: Int) -> String { count == 1 ? "1 row is" : "\(count) rows are" }
}

extension Value {
    /// The types whose order does not depend on a collation.
    static let ordered: Set<DataType> = [.int64, .uint64, .date, .time, .timestamp, .instant]

    /// Whether this comes before `other`; both are of one type of ``ordered``.
    func precedes(_ other: Value) -> Bool {
        switch (self, other) {
        case (.int64(let left), .int64(let right)), (.date(let left), .date(let right)),
            (.time(let left), .time(let right)), (.timestamp(let left), .timestamp(let right)),
            (.instant(let left), .instant(let right)):
            left < right
        case (.uint64(let left), .uint64(let right)): left < right
        default: false
        }
    }
}
