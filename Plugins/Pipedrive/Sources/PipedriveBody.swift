// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Turns rows of one write request into request bodies.
package struct PipedriveBody: Sendable {
    private struct Cell {
        var column: Int
        var key: String
        var wire: WireShape
        /// The key in quotes, with the colon.
        var prefix: [UInt8]
    }

    private let cells: [Cell]
    private let customCells: [Cell]
    private let presenceColumn: Int?
    private let leavesOutNulls: Bool

    /// A plan for rows of this request.
    ///
    /// - Throws: ``ConnectorError``: `notFound` for an unknown field, `badRequest` for one that cannot be written in
    ///   this mode, has the wrong type, or is missing.
    package init(_ request: WriteRequest, object: PipedriveObject, fields: PipedriveFields) throws(ConnectorError) {
        var cells: [Cell] = []
        var customCells: [Cell] = []
        for (column, shape) in request.schema.fields.enumerated() where !Self.reserved.contains(shape.name) {
            let field = try Self.check(shape, request.mode, object, fields)
            var prefix: [UInt8] = []
            JSON.writeString(shape.name.utf8, into: &prefix)
            prefix.append(UInt8(ascii: ":"))
            let cell = Cell(column: column, key: shape.name, wire: field.wire, prefix: prefix)
            if field.field.isCustom { customCells.append(cell) } else { cells.append(cell) }
        }
        try Self.checkWhole(request, object)
        self.cells = cells
        self.customCells = customCells
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
    package func render(_ batch: RecordBatch, _ row: Int, into out: inout [UInt8]) throws(ConnectorError) -> Bool {
        out.append(UInt8(ascii: "{"))
        let start = out.count
        try write(cells, batch, row, into: &out)
        let customStart = out.count
        if customStart > start { out.append(UInt8(ascii: ",")) }
        out.append(contentsOf: Self.customPrefix)
        let membersStart = out.count
        try write(customCells, batch, row, into: &out)
        if out.count > membersStart {
            out.append(UInt8(ascii: "}"))
        } else {
            out.removeSubrange(customStart...)
        }
        out.append(UInt8(ascii: "}"))
        return out.count > start + 1
    }

    private static let customPrefix = Array("\"custom_fields\":{".utf8)

    private func write(
        _ cells: [Cell], _ batch: RecordBatch, _ row: Int, into out: inout [UInt8]
    ) throws(ConnectorError) {
        var isFirst = true
        for cell in cells where isPresent(batch, row, cell.column) {
            let isNull = batch.columns[cell.column].isNull(row)
            if isNull && leavesOutNulls { continue }
            let before = out.count
            if !isFirst { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: cell.prefix)
            let isWritten =
                isNull ? writeNull(cell.wire, into: &out) : try write(cell, batch, row, into: &out)
            if isWritten { isFirst = false } else { out.removeSubrange(before...) }
        }
    }

    private func isPresent(_ batch: RecordBatch, _ row: Int, _ column: Int) -> Bool {
        guard let presenceColumn else { return true }
        let bits = batch.columns[presenceColumn].byteSlice(row)
        let index = bits.startIndex + column >> 3
        return index < bits.endIndex && bits[index] & (1 << UInt8(column & 7)) != 0
    }

    private func writeNull(_ wire: WireShape, into out: inout [UInt8]) -> Bool {
        out.append(contentsOf: (wire == .idsNeverNull || wire == .listNeverNull ? "[]" : "null").utf8)
        return true
    }

    /// Returns whether there was something to write: an empty list in a new record is not.
    private func write(
        _ cell: Cell, _ batch: RecordBatch, _ row: Int, into out: inout [UInt8]
    ) throws(ConnectorError) -> Bool {
        switch cell.wire {
        case .string: Self.writeString(batch.columns[cell.column].byteSlice(row), into: &out)
        case .number:
            let text = batch.columns[cell.column].byteSlice(row)
            guard Self.isNumber(text) else { throw Self.fault(cell, text, "is not a number") }
            out.append(contentsOf: text)
        case .integer: out.append(contentsOf: String(batch.columns[cell.column].int64s[row]).utf8)
        case .boolean: out.append(contentsOf: (batch.columns[cell.column].int64s[row] != 0 ? "true" : "false").utf8)
        case .id:
            let text = batch.columns[cell.column].byteSlice(row)
            guard Self.isID(text) else { throw Self.fault(cell, text, "is not the number of an id") }
            out.append(contentsOf: text)
        case .ids, .idsNeverNull:
            let before = out.count
            let text = batch.columns[cell.column].byteSlice(row)
            guard Self.writeIDs(text, into: &out) else { throw Self.fault(cell, text, "is not a list of ids") }
            guard out.count == before + 2 else { return true }
            if leavesOutNulls { return false }
            out.removeSubrange(before...)
            return writeNull(cell.wire, into: &out)
        case .date, .instant, .utcTime: try writeTime(cell, batch.columns[cell.column].int64s[row], into: &out)
        case .json, .listNeverNull: out.append(contentsOf: batch.columns[cell.column].byteSlice(row))
        }
        return true
    }

    /// Appends a JSON string; most texts have nothing to escape and are copied in one piece.
    private static func writeString(_ text: ArraySlice<UInt8>, into out: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        guard text.allSatisfy({ $0 >= 0x20 && $0 != quote && $0 != UInt8(ascii: "\\") }) else {
            return JSON.writeString(text, into: &out)
        }
        out.append(quote)
        out.append(contentsOf: text)
        out.append(quote)
    }

    private func writeTime(_ cell: Cell, _ value: Int64, into out: inout [UInt8]) throws(ConnectorError) {
        let isDate = cell.wire == .date
        guard isDate ? PipedriveTime.isWritable(days: value) : PipedriveTime.isWritable(microseconds: value) else {
            throw ConnectorError(
                .badData, "The value of \(cell.key) lies outside the years 1 to 9999.", field: cell.key)
        }
        out.append(UInt8(ascii: "\""))
        switch cell.wire {
        case .date: PipedriveTime.writeDate(value, into: &out)
        case .utcTime: PipedriveTime.writeUTC(value, into: &out)
        default: PipedriveTime.writeInstant(value, into: &out)
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func fault(_ cell: Cell, _ text: ArraySlice<UInt8>, _ what: String) -> ConnectorError {
        let shown = String(decoding: text.prefix(80), as: UTF8.self)
        return ConnectorError(.badData, "The value \"\(shown)\" of \(cell.key) \(what).", field: cell.key)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Whether the bytes are an integer without sign and leading zero.
    package static func isID(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, text.count <= 19, text.allSatisfy(isDigit) else { return false }
        return first != UInt8(ascii: "0") || text.count == 1
    }

    /// Whether the bytes are a JSON number.
    package static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        func digits() -> Bool {
            let run = rest.prefix(while: isDigit)
            rest = rest[run.endIndex...]
            return !run.isEmpty
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        if rest.first == UInt8(ascii: "0") { rest.removeFirst() } else if !digits() { return false }
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard digits() else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
            guard digits() else { return false }
        }
        return rest.isEmpty
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
