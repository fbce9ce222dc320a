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
