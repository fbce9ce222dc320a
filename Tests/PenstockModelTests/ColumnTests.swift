// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Testing

@Suite struct ColumnTests {
    @Test("NULLs are told from values wherever the first NULL stands", arguments: 0..<20)
    func nullsAreToldFromValues(position: Int) {
        var column = Column(.int64)
        for row in 0..<20 { if row == position { column.appendNull() } else { column.append(Int64(row)) } }
        #expect(column.nullCount == 1)
        for row in 0..<20 { #expect(column.value(row) == (row == position ? .null : .int64(Int64(row)))) }
        #expect(column.validity.count == 3)
    }

    @Test func anEmptyTextIsNotNull() {
        var column = Column(.text)
        column.append(bytes: [])
        column.appendNull()
        #expect(column.value(0) == .text(""))
        #expect(column.value(1) == .null)
    }

    @Test("rows of another column are as if appended one by one", arguments: DataType.allCases)
    func rowsOfAnotherColumn(type: DataType) {
        for nulls in [0, 7, 2] {
            var other = Column(type)
            for row in 0..<60 { Self.append(row, isNull: nulls > 0 && row % nulls == 1, to: &other) }
            for start in [0, 1, 9] {
                var whole = Column(type)
                var single = Column(type)
                for row in 0..<start {
                    Self.append(row, isNull: row == 4, to: &whole)
                    Self.append(row, isNull: row == 4, to: &single)
                }
                for rows in [3..<3, 0..<60, 5..<6, 2..<41] {
                    whole.append(other, rows: rows)
                    for row in rows { single.append(other.value(row)) }
                }
                #expect(whole == single, "every \(nulls)th is NULL, behind \(start)")
            }
        }
    }

    private static func append(_ row: Int, isNull: Bool, to column: inout Column) {
        guard !isNull else { return column.appendNull() }
        switch column.type.layout {
        case .int64: column.append(column.type == .bool ? Int64(row % 2) : Int64(row))
        case .uint64: column.append(UInt64(row))
        case .float64: column.append(Double(row))
        case .bytes: column.append(bytes: String(repeating: "x", count: row % 5).utf8)
        }
    }

    @Test(arguments: [1, 3]) func rowsOfOneWidth(width: Int) {
        var column = Column(.bytes)
        let bytes = (0..<UInt8(4 * width)).map { $0 }
        for row in 0..<4 { column.append(bytes: bytes[row * width..<(row + 1) * width]) }
        #expect(Column(.bytes, repeating: width, bytes) == column)
        #expect(Column(.bytes, repeating: width, []) == Column(.bytes))
    }
}

@Suite struct ColumnPointersTests {
    @Test("pointers show what the column holds", arguments: DataType.allCases)
    func pointersShowWhatTheColumnHolds(type: DataType) {
        var column = Column(type)
        column.withPointers { #expect($0.count == 0 && $0.validity == nil) }
        for row in 0..<50 {
            if row % 7 == 3 {
                column.appendNull()
                continue
            }
            switch type.layout {
            case .int64: column.append(Int64(row))
            case .uint64: column.append(UInt64(row))
            case .float64: column.append(Double(row))
            case .bytes: column.append(bytes: String(repeating: "x", count: row % 5).utf8)
            }
        }
        let batch = RecordBatch(Schema([.init("a", type), .init("b", type)]), [column, column])
        batch.withPointers { columns in
            #expect(columns.count == 2)
            for row in 0..<50 {
                #expect(columns[1].isNull(row) == column.isNull(row))
                switch columns[1].layout {
                case .int64: #expect(columns[1].int64s[row] == column.int64s[row])
                case .uint64: #expect(columns[1].uint64s[row] == column.uint64s[row])
                case .float64: #expect(columns[1].float64s[row] == column.float64s[row])
                case .bytes: #expect(Array(columns[1].cell(row)) == Array(column.byteSlice(row)))
                }
            }
        }
        #expect(batch.withPointers(of: [1]) { $0.map(\.nullCount) } == [7])
    }
}
