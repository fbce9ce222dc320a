// SPDX-License-Identifier: Apache-2.0

/// Open rows by number, as a ``DeliveryMachine`` knows them; the number of a row that has ended is given to another.
struct RowSlots<Row> {
    private var rows: [Row?] = []
    private var free: [Int] = []

    /// Keeps a row, and gives it a number.
    mutating func add(_ row: Row) -> Int {
        guard let number = free.popLast() else {
            rows.append(row)
            return rows.count - 1
        }
        rows[number] = row
        return number
    }

    /// The row with this number.
    ///
    /// - Precondition: It was added, and not removed since.
    subscript(_ number: Int) -> Row {
        get {
            guard let row = rows[number] else { preconditionFailure("no row has the number \(number)") }
            return row
        }
        set { rows[number] = newValue }
    }

    /// Forgets a row.
    ///
    /// - Precondition: As for ``subscript(_:)``.
    mutating func remove(_ number: Int) -> Row {
        guard let row = rows[number].take() else { preconditionFailure("no row has the number \(number)") }
        free.append(number)
        return row
    }
}
