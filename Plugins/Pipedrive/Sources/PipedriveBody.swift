// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// Turns rows of one write request into request bodies.
package struct PipedriveBody: Sendable {
    /// A field; nothing in it is counted by owners, so that going over many costs nothing.
    private struct Cell {
        var column: Int
        var wire: WireShape
        /// Where a comma and the key in quotes, with the colon, lie in ``PipedriveBody/prefixes``.
        var prefix: Range<Int>
    }

    private let cells: [Cell]
    private let customCells: [Cell]
    private let prefixes: [UInt8]
    private let schema: Schema
    private let presenceColumn: Int?
    private let leavesOutNulls: Bool

    /// A plan for rows of this request.
    ///
    /// - Throws: ``ConnectorError``: `notFound` for an unknown field, `badRequest` for one that cannot be written in
    ///   this mode, has the wrong type, or is missing.
    package init(_ request: WriteRequest, object: PipedriveObject, fields: PipedriveFields) throws(ConnectorError) {
        var cells: [Cell] = []
        var customCells: [Cell] = []
        var prefixes: [UInt8] = []
        for (column, shape) in request.schema.fields.enumerated() where !Self.reserved.contains(shape.name) {
            let field = try Self.check(shape, request.mode, object, fields)
            let start = prefixes.count
            prefixes.append(UInt8(ascii: ","))
            JSON.writeString(shape.name.utf8, into: &prefixes)
            prefixes.append(UInt8(ascii: ":"))
            let cell = Cell(column: column, wire: field.wire, prefix: start..<prefixes.count)
            if field.field.isCustom { customCells.append(cell) } else { cells.append(cell) }
        }
        try Self.checkWhole(request, object)
        self.cells = cells
        self.customCells = customCells
        self.prefixes = prefixes
        schema = request.schema
        presenceColumn = request.schema.index(of: WriteRequest.presenceColumn)
        leavesOutNulls = request.mode == .create
    }

    private static let reserved = [
        WriteRequest.rowKeyColumn, WriteRequest.remoteIDColumn, WriteRequest.presenceColumn,
    ]

    private static func check(
        _ shape: Schema.Field, _ mode: WriteRequest.Mode, _ object: PipedriveObject, _ fields: PipedriveFields
    ) throws(ConnectorError) -> PipedriveField {
        guard let field = fields[shape.name] else {
            throw ConnectorError(
                .notFound, "The \(object.id) of this account has no field \(shape.name).", field: shape.name)
        }
        let isWritable =
            switch mode {
            case .create: field.field.isWritableOnCreate
            case .update: field.field.isWritableOnUpdate
            case .delete: true
            }
        guard isWritable else {
            throw ConnectorError(
                .badRequest, "The field \(shape.name) cannot be written by this kind of request.", field: shape.name)
        }
        guard shape.type == field.field.kind.columnType else {
            throw ConnectorError(
                .badRequest,
                "The field \(shape.name) is written from \(field.field.kind.columnType.rawValue), not from "
                    + "\(shape.type.rawValue).", field: shape.name)
        }
        return field
    }

    private static func checkWhole(_ request: WriteRequest, _ object: PipedriveObject) throws(ConnectorError) {
        if request.mode == .create {
            for key in object.descriptor.requiredOnCreate where request.schema.index(of: key) == nil {
                throw ConnectorError(.badRequest, "A new \(object.id) needs the field \(key).", field: key)
            }
        } else if request.schema.index(of: WriteRequest.remoteIDColumn) == nil {
            throw ConnectorError(
                .badRequest, "To change or delete a record of \(object.id), its id is needed.",
                field: WriteRequest.remoteIDColumn)
        }
    }

    /// Appends the body of row `row` to `out`.
    ///
    /// Fields that the row does not set are left out; so is `custom_fields` where no custom field is set, because an
    /// empty one is said to clear them all.
    /// - Returns: Whether the row sets any field; without one nothing was appended that is worth sending.
    /// - Throws: ``ConnectorError`` `badData`, naming the field.
    package func render(
        _ batch: RecordBatch, _ row: Int, into out: JSONBuffer
    ) throws(ConnectorError) -> Bool {
        try batch.withPointers { columns throws(ConnectorError) in try render(columns, row, into: out) }
    }

    /// The same for who renders many rows of a batch: `columns` are all of its columns.
    package func render(
        _ columns: [ColumnPointers], _ row: Int, into out: JSONBuffer
    ) throws(ConnectorError) -> Bool {
        let presence = presenceColumn.map { columns[$0].bits(row) }
        out.append(UInt8(ascii: "{"))
        let start = out.count
        try write(cells, columns, row, into: out, where: presence)
        let customStart = out.count
        if customStart > start { out.append(UInt8(ascii: ",")) }
        out.append(Self.customPrefix)
        let membersStart = out.count
        try write(customCells, columns, row, into: out, where: presence)
        if out.count > membersStart { out.append(UInt8(ascii: "}")) } else { out.truncate(to: customStart) }
        out.append(UInt8(ascii: "}"))
        return out.count > start + 1
    }

    private static let customPrefix = Array("\"custom_fields\":{".utf8)
    private static let null = Array("null".utf8)
    private static let emptyList = Array("[]".utf8)
    private static let yes = Array("true".utf8)
    private static let no = Array("false".utf8)

    private func write(
        _ cells: [Cell], _ columns: [ColumnPointers], _ row: Int, into out: JSONBuffer, where presence: CellBits?
    ) throws(ConnectorError) {
        var isFirst = true
        for cell in cells where presence?[cell.column] ?? true {
            let column = columns[cell.column]
            let isNull = column.isNull(row)
            if isNull && leavesOutNulls { continue }
            let before = out.count
            out.append(prefixes, isFirst ? cell.prefix.dropFirst() : cell.prefix)
            let isWritten = isNull ? writeNull(cell.wire, into: out) : try write(cell, column, row, into: out)
            if isWritten { isFirst = false } else { out.truncate(to: before) }
        }
    }

    private func writeNull(_ wire: WireShape, into out: JSONBuffer) -> Bool {
        out.append(wire == .idsNeverNull || wire == .listNeverNull ? Self.emptyList : Self.null)
        return true
    }

    /// Returns whether there was something to write: an empty list in a new record is not.
    private func write(
        _ cell: Cell, _ column: ColumnPointers, _ row: Int, into out: JSONBuffer
    ) throws(ConnectorError) -> Bool {
        switch cell.wire {
        case .string: out.appendString(column.cell(row))
        case .integer: out.append(column.int64s[row])
        case .boolean: out.append(column.int64s[row] != 0 ? Self.yes : Self.no)
        case .json, .listNeverNull: out.append(column.cell(row))
        case .number:
            guard Self.isNumber(column.cell(row)) else { throw fault(cell, column, row, "is not a number") }
            out.append(column.cell(row))
        case .id:
            guard Self.isID(column.cell(row)) else { throw fault(cell, column, row, "is not the number of an id") }
            out.append(column.cell(row))
        case .ids, .idsNeverNull:
            var list: [UInt8] = []
            guard Self.writeIDs(Array(column.cell(row))[...], into: &list) else {
                throw fault(cell, column, row, "is not a list of ids")
            }
            if list.count == 2 { return leavesOutNulls ? false : writeNull(cell.wire, into: out) }
            out.append(list)
        case .date, .instant, .utcTime: try writeTime(cell, column.int64s[row], into: out)
        }
        return true
    }

    private func writeTime(_ cell: Cell, _ value: Int64, into out: JSONBuffer) throws(ConnectorError) {
        let isDate = cell.wire == .date
        guard isDate ? PipedriveTime.isWritable(days: value) : PipedriveTime.isWritable(microseconds: value) else {
            let key = schema.fields[cell.column].name
            throw ConnectorError(.badData, "The value of \(key) lies outside the years 1 to 9999.", field: key)
        }
        let day = isDate ? value : TimeText.day(of: value)
        out.append(UInt8(ascii: "\""))
        out.append(CivilDate(near: day))
        if !isDate {
            out.append(cell.wire == .utcTime ? UInt8(ascii: " ") : UInt8(ascii: "T"))
            // A fraction of a second is left out.
            out.append(timeOfDay: (value - day * TimeText.dayLength) / 1_000_000)
            if cell.wire == .instant { out.append(UInt8(ascii: "Z")) }
        }
        out.append(UInt8(ascii: "\""))
    }

    private func fault(_ cell: Cell, _ column: ColumnPointers, _ row: Int, _ what: String) -> ConnectorError {
        let shown = String(decoding: column.cell(row).prefix(80), as: UTF8.self)
        let key = schema.fields[cell.column].name
        return ConnectorError(.badData, "The value \"\(shown)\" of \(key) \(what).", field: key)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Whether the bytes are an integer without sign and leading zero.
    package static func isID(_ text: some Collection<UInt8>) -> Bool {
        guard let first = text.first, text.count <= 19, text.allSatisfy(isDigit) else { return false }
        return first != UInt8(ascii: "0") || text.count == 1
    }

    /// Whether the bytes are a JSON number.
    package static func isNumber(_ text: some Collection<UInt8>) -> Bool {
        var bytes = text.makeIterator()
        var next = bytes.next()
        func take(_ isWanted: (UInt8) -> Bool) -> Bool {
            guard let byte = next, isWanted(byte) else { return false }
            next = bytes.next()
            return true
        }
        func digits() -> Bool {
            guard take(isDigit) else { return false }
            while take(isDigit) {}
            return true
        }
        _ = take { $0 == UInt8(ascii: "-") }
        if !take({ $0 == UInt8(ascii: "0") }) { guard digits() else { return false } }
        if take({ $0 == UInt8(ascii: ".") }) { guard digits() else { return false } }
        if take({ $0 | 0x20 == UInt8(ascii: "e") }) {
            _ = take { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
            guard digits() else { return false }
        }
        return next == nil
    }

    /// Appends `[1,2]` for `["1","2"]`; false where the text is something else.
    private static func writeIDs(_ text: ArraySlice<UInt8>, into out: inout [UInt8]) -> Bool {
        var rest = text.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }[...]
        guard rest.popFirst() == UInt8(ascii: "["), rest.popLast() == UInt8(ascii: "]") else { return false }
        out.append(UInt8(ascii: "["))
        for (index, item) in rest.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).enumerated()
        where !rest.isEmpty {
            guard item.count > 2, item.first == UInt8(ascii: "\""), item.last == UInt8(ascii: "\""),
                isID(item.dropFirst().dropLast())
            else { return false }
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: item.dropFirst().dropLast())
        }
        out.append(UInt8(ascii: "]"))
        return true
    }
}
