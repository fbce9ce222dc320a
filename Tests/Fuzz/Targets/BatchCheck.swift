// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What holds for every batch that a source delivers, whatever it read.
enum BatchCheck {
    /// The rule that does not hold, or nil.
    static func fault(_ batch: SourceBatch) -> String? {
        let rows = batch.batch.rowCount
        for (field, column) in zip(batch.batch.schema.fields, batch.batch.columns) {
            if let fault = fault(column, rows) { return "column \(field.name) \(fault)" }
        }
        var last = -1
        for reject in batch.rejects {
            guard reject.row > last, reject.row < rows else { return "the reject of row \(reject.row) is out of place" }
            last = reject.row
            if reject.message.isEmpty || reject.message.contains("\n") { return "a reject has no one-line message" }
        }
        return nil
    }

    private static func fault(_ column: Column, _ rows: Int) -> String? {
        guard column.count == rows else { return "has \(column.count) rows, not \(rows)" }
        if column.nullCount > 0, column.validity.count != (rows + 7) / 8 { return "has too few validity bits" }
        if (0..<rows).count(where: { column.isNull($0) }) != column.nullCount { return "counts its NULLs wrongly" }
        let isFilled =
            switch column.type.layout {
            case .int64: column.int64s.count == rows
            case .uint64: column.uint64s.count == rows
            case .float64: column.float64s.count == rows
            case .bytes: column.offsets.count == rows + 1 && column.offsets.last.map(Int.init) == column.bytes.count
            }
        guard isFilled else { return "has another number of values than rows" }
        for row in 0..<rows {
            if column.type.layout == .bytes {
                guard column.offsets[row] <= column.offsets[row + 1] else { return "has offsets that go back" }
                let bytes = column.byteSlice(row)
                if column.isNull(row), !bytes.isEmpty { return "has bytes under a NULL" }
                if column.type != .bytes, String(validating: bytes, as: UTF8.self) == nil { return "is not UTF-8" }
            }
            if let fault = fault(column.value(row)) { return fault }
        }
        return nil
    }

    private static func fault(_ value: Value) -> String? {
        switch value {
        case .float64: nil
        case .time(let time): (0...TimeText.dayLength).contains(time) ? nil : "has a time outside the day"
        case .timestamp(let moment), .instant(let moment):
            TimeText.parseStamp(TimeText.timestamp(moment))?.local == moment ? nil : "has a moment without a text"
        default: nil
        }
    }
}
