// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A short mark of what a new record was given, by which it can be told later whether the record still holds it.
///
/// Fields that a destination keeps in a shape of its own (amounts, addresses, lists) are left out of it: of them only
/// the record's time of change tells.
package enum RecordMark {
    /// The mark of what row `row` gives its record.
    package static func of(_ mapped: MappedBatch, _ row: Int, _ kinds: [DestinationField.Kind]) -> [UInt8] {
        let presence = mapped.presence.bits(row, reserved: 0)
        return presence + digest(mapped.columns, row, kinds, presence)
    }

    /// Whether a record holds what the mark says; true for an empty mark, which says nothing.
    ///
    /// - Parameters:
    ///   - columns: Those of the fields, in the order in which the mark counts them; nil for a field that is gone.
    ///   - kinds: The kinds that the fields had.
    package static func holds(
        _ mark: [UInt8], _ columns: [Column?], _ row: Int, _ kinds: [DestinationField.Kind]
    ) -> Bool {
        guard !mark.isEmpty else { return true }
        let presence = Array(mark.prefix((kinds.count + 7) >> 3))
        guard mark.count == presence.count + 8 else { return false }
        let held = zip(columns, kinds).map { column, kind in
            guard let column, column.type == kind.columnType else {
                var nothing = Column(kind.columnType, capacity: 1)
                for _ in 0...row { nothing.appendNull() }
                return nothing
            }
            return column
        }
        return digest(held, row, kinds, presence) == Array(mark.suffix(8))
    }

    private static func digest(
        _ columns: [Column], _ row: Int, _ kinds: [DestinationField.Kind], _ presence: [UInt8]
    ) -> [UInt8] {
        var hasher = FingerprintHasher()
        for (place, kind) in kinds.enumerated() where presence[place >> 3] & (1 << UInt8(place & 7)) != 0 {
            guard kind.columnType != .json else { continue }
            hasher.combine(UInt64(place))
            let column = columns[place]
            if FieldEmptiness.isEmpty(column, row, kind) {
                hasher.combine(UInt64.max)
            } else if column.type.layout == .int64 {
                hasher.combine(1)
                hasher.combine(UInt64(bitPattern: column.int64s[row]))
            } else if kind == .number {
                let text = String(decoding: column.byteSlice(row), as: UTF8.self)
                hasher.combine(DecimalText(text)?.canonicalText ?? text)
            } else {
                hasher.combine(String(decoding: column.byteSlice(row), as: UTF8.self))
            }
        }
        let low = hasher.finish().low
        return (0..<8).map { UInt8(truncatingIfNeeded: low >> (UInt64($0) * 8)) }
    }
}
