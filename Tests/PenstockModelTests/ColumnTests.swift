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
