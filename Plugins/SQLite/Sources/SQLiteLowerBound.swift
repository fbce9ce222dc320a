// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A lower limit that is checked on the value as it is delivered.
struct SQLiteLowerBound {
    /// The column of the result.
    let position: Int
    private let value: Value
    private let decimal: SQLiteDecimal?
    private let isInclusive: Bool
    /// A batch of one value.
    private let builder: BatchBuilder

    init(position: Int, type: DataType, value: Value, isInclusive: Bool) {
        self.position = position
        self.value = value
        self.isInclusive = isInclusive
        builder = BatchBuilder(Schema([Schema.Field("", type)]))
        if case .decimal(let text) = value { decimal = SQLiteDecimal(text.utf8) } else { decimal = nil }
    }

    /// Whether the row is read: NULL is, and so is a value that does not fit its type.
    func admits(_ row: SQLiteStatement) -> Bool {
        let fault = SQLiteValues.append(row.cell(position), to: builder[0])
        let cell = builder.finish().columns[0]
        guard fault == nil, !cell.isNull(0) else { return true }
        switch value {
        case .date(let limit), .time(let limit), .timestamp(let limit), .instant(let limit):
            return isInclusive ? cell.int64s[0] >= limit : cell.int64s[0] > limit
        case .decimal:
            guard let decimal, let number = SQLiteDecimal(cell.bytes) else { return true }
            return isInclusive ? number >= decimal : number > decimal
        case .text(let limit):
            if limit.utf8.lexicographicallyPrecedes(cell.bytes) { return true }
            return isInclusive && limit.utf8.elementsEqual(cell.bytes)
        default: return true
        }
    }
}
