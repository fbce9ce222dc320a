// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

extension PostgresCatalog {
    /// A table or view with everything that is known of it.
    func object(_ entry: Entry) throws(ConnectorError) -> CatalogObject {
        let relation = try relation(entry)
        let indexes = try indexes(entry)
        let names = Set(relation.columns.map(\.name))
        // Of several unique keys the shortest, and of those the oldest, stands in for a primary key.
        let key = indexes.first { $0.identifies }?.columns.compactMap(\.self) ?? []
        return CatalogObject(
            entry.id, entry.kind, columns: relation.schema(Array(relation.columns.indices)).fields,
            primaryKey: names.isSuperset(of: key) ? key : [], estimatedRows: try estimatedRows(entry),
            cursorColumns: Self.cursorColumns(
                relation.columns, leading: Set(indexes.filter(\.isOrdered).compactMap { $0.columns.first ?? nil })),
            detail: entry.detail)
    }

    private struct Index {
        var number: String
        /// The columns in order; nil stands for an expression.
        var columns: [String?]
        var identifies: Bool
        var isOrdered: Bool
    }

    /// The indexes of a table: the primary key first, then by number of columns and age.
    private func indexes(_ entry: Entry) throws(ConnectorError) -> [Index] {
        let answer = try connection.run(
            """
            SELECT i.indexrelid, a.attname, a.attnotnull, i.indisunique AND i.indimmediate AND i.indpred IS NULL,
                m.amname = 'btree' AND i.indpred IS NULL
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
            CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND a.attnum > 0
            WHERE i.indrelid = $1::oid AND i.indisvalid AND k.place <= i.indnkeyatts
            ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid, k.place
            """, ["\(entry.number)"], doing: "Describing \(entry.id)")
        var indexes: [Index] = []
        for row in 0..<answer.rowCount {
            let number = answer.text(row, 0) ?? ""
            if indexes.last?.number != number {
                indexes.append(
                    Index(
                        number: number, columns: [], identifies: answer.flag(row, 3), isOrdered: answer.flag(row, 4)))
            }
            indexes[indexes.count - 1].columns.append(answer.text(row, 1))
            if !answer.flag(row, 2) { indexes[indexes.count - 1].identifies = false }
        }
        return indexes
    }

    /// About how many rows there are; a partitioned table counts its partitions.
    private func estimatedRows(_ entry: Entry) throws(ConnectorError) -> Int64? {
        guard entry.sort == "p" else { return entry.estimatedRows }
        let answer = try connection.run(
            """
            SELECT sum(c.reltuples)::int8 FROM pg_partition_tree($1::oid) t JOIN pg_class c ON c.oid = t.relid
            WHERE t.isleaf AND c.reltuples >= 0
            """, ["\(entry.number)"], doing: "Describing \(entry.id)")
        return answer.integer(0, 0)
    }

    /// The names that usually mean what an Incremental Key should, the best first.
    private static let usualNames = [
        "updated_at", "modified_at", "changed_at", "last_modified", "last_modified_at", "last_updated",
        "last_updated_at", "updated_on", "modified_on", "update_time", "modified", "updated", "mtime", "updatedat",
        "modifiedat", "updated_date", "modified_date", "sysmodtime", "systemmodstamp", "row_version", "created_at",
        "inserted_at", "created_on", "created", "createdat",
    ]

    /// The columns that suit as an Incremental Key, the best first: what leads an index, then usual names, then what
    /// tells the time, then numbers.
    ///
    /// Texts suit only where an index begins with them: then somebody orders by them already.
    static func cursorColumns(_ columns: [PostgresRelation.Column], leading: Set<String>) -> [String] {
        func rank(_ column: PostgresRelation.Column) -> [Int] {
            let kinds: [DataType] = [.instant, .timestamp, .int64, .decimal, .date, .float64, .text]
            return [
                leading.contains(column.name) ? 0 : 1,
                usualNames.firstIndex(of: column.name.lowercased()) ?? usualNames.count,
                kinds.firstIndex(of: column.type.type) ?? kinds.count,
            ]
        }
        let fit = columns.filter { $0.type.isOrdered && ($0.type.type != .text || leading.contains($0.name)) }
        let ranked = fit.enumerated().map { (name: $0.element.name, rank: rank($0.element) + [$0.offset]) }
        return ranked.sorted { $0.rank.lexicographicallyPrecedes($1.rank) }.map(\.name)
    }
}
