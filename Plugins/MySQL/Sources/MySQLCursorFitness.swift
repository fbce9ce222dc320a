// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Which columns suit as an Incremental Key.
enum MySQLCursorFitness {
    /// Names that tables give to the time of a row's last change, the likeliest first.
    private static let names = [
        "updated_at", "modified_at", "last_modified", "last_updated", "changed_at", "updated", "modified", "changed",
        "last_modified_at", "last_updated_at", "update_time", "modification_date", "date_modified", "date_updated",
        "updated_on", "modified_on", "mtime", "updatedat", "modifiedat", "row_version", "version", "seq",
    ]

    /// The columns with an order, the best first: those that lead an index, then by name, type and place.
    static func ranked(_ columns: [MySQLRelation.Column], _ indexes: [MySQLCatalog.Index]) -> [String] {
        let leading = Set(indexes.compactMap(\.columns.first))
        var found: [(column: String, score: [Int])] = []
        for (place, column) in columns.enumerated() {
            guard let type = rank(column.type) else { continue }
            let name = names.firstIndex(of: column.name.lowercased()) ?? names.count
            found.append((column.name, [leading.contains(column.name) ? 0 : 1, name, type, place]))
        }
        return found.sorted { $0.score.lexicographicallyPrecedes($1.score) }.map(\.column)
    }

    private static func rank(_ type: DataType) -> Int? {
        switch type {
        case .instant, .timestamp: 0
        case .int64, .uint64: 1
        case .date: 2
        case .decimal: 3
        case .bool, .float64, .text, .bytes, .time, .json: nil
        }
    }
}
