// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

/// What a table or query looks like: its columns and some of its rows.
struct SourceView {
    /// The columns.
    var schema: Schema
    /// The first rows.
    var batches: [RecordBatch]
    /// The table as its source describes it; nil for a query.
    var table: CatalogObject?

    /// How many rows are looked at.
    static let rowsMax: Int64 = 200

    /// Looks at a table or query, and only reads.
    init(_ target: ReadRequest.Target, _ side: SyncSetup.Side, _ workspace: Workspace) throws {
        var request = ReadRequest(target)
        request.rowsMax = Self.rowsMax
        (schema, batches) = try ConnectionCalls.preview(side, request, workspace)
        if case .object(let name) = target {
            table = try ConnectionCalls.discover(side, [name], workspace).objects.first { $0.id == name }
        }
    }

    /// How many rows were looked at.
    var rowCount: Int { batches.reduce(0) { $0 + $1.rowCount } }

    /// How many rows there are, as far as that is known: by the source's own estimate, or because all were seen.
    var rowsInAll: Int64? {
        if rowCount < Self.rowsMax { return Int64(rowCount) }
        return table?.estimatedRows
    }

    /// The columns with samples, for proposals.
    var columns: [AutoMap.Column] {
        schema.fields.enumerated().map { place, field in
            let values = batches.flatMap { batch in (0..<batch.rowCount).map { batch.columns[place].value($0) } }
            return AutoMap.Column(
                field.name, field.type, samples: values.filter { !$0.isNull },
                isKey: table?.primaryKey.contains(field.name) ?? false)
        }
    }

    /// The first value of a column that is there, as a text; empty where there is none.
    func sample(_ column: String) -> String {
        guard let place = schema.index(of: column) else { return "" }
        for batch in batches {
            for row in 0..<batch.rowCount where !batch.columns[place].isNull(row) {
                let text = CellText.of(batch.columns[place].value(row)).printable
                if !text.isBlank { return text }
            }
        }
        return ""
    }

    /// Whether each of the first rows has a value of its own in this column.
    func tellsApart(_ column: String) -> Bool {
        guard rowCount > 1, let place = schema.index(of: column) else { return false }
        var seen: Set<Value> = []
        return batches.allSatisfy { batch in
            (0..<batch.rowCount).allSatisfy { row in
                let value = batch.columns[place].value(row)
                return !value.isNull && seen.insert(value).inserted
            }
        }
    }

    /// The columns that suit as an Incremental Key, the best first.
    var cursorColumns: [Schema.Field] {
        let first = table?.cursorColumns ?? []
        let named = first.compactMap { name in schema.fields.first { $0.name == name } }
        let others = schema.fields.filter { !first.contains($0.name) && Self.rank($0.type) != nil }
        // Times first, then numbers, then texts, which sort by their bytes.
        return named + (0...2).flatMap { rank in others.filter { Self.rank($0.type) == rank } }
    }

    /// How well a type suits an Incremental Key, 0 the best; nil where it has no order that can be kept.
    private static func rank(_ type: DataType) -> Int? {
        switch type {
        case .date, .timestamp, .instant: 0
        case .int64, .uint64, .decimal: 1
        case .text: 2
        case .bool, .float64, .bytes, .time, .json: nil
        }
    }

    /// The type of a column for people.
    static func typeName(_ field: Schema.Field) -> String {
        field.nativeType.isEmpty ? field.type.rawValue : field.nativeType.lowercased()
    }
}
