// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel

/// Something wrong with the memory of a batch.
struct ArrowFlaw: Hashable {
    /// Which rule it breaks.
    enum Kind: Hashable {
        /// Lengths, numbers of buffers and columns, addresses.
        case layout
        /// Addresses that do not suit the values.
        case alignment
        /// The ends of texts and bytes.
        case offsets
        /// The count of NULLs, and NULLs where there must be none.
        case nulls
        /// Values that are not of their type.
        case values
    }

    let kind: Kind
    /// What is wrong, as a clause without a full stop.
    let text: String
}

/// Looks through the memory of one batch, and reads nothing that was found wrong.
struct ArrowInspection {
    private let array: ArrowArray
    private let schema: ImportedSchema
    private(set) var flaws: [ArrowFlaw] = []

    /// A look at `array`, whose columns are those of `schema`.
    init(_ array: ArrowArray, _ schema: ImportedSchema) {
        self.array = array
        self.schema = schema
    }

    /// Looks at everything.
    mutating func inspect() {
        guard inspectTop() else { return }
        let names = schema.schema.fields.map(\.name) + (schema.rejectFormat == nil ? [] : [SourceReject.columnName])
        let formats = schema.formats + (schema.rejectFormat.map { [$0] } ?? [])
        var readable: [Int: ArrowArray] = [:]
        for (index, format) in formats.enumerated() {
            guard let child = array.children?[index]?.pointee else {
                note(.layout, "column \(names[index]) of a batch is NULL")
                continue
            }
            let before = flaws.count
            inspectLayout(child, format, names[index])
            guard flaws.count == before else { continue }
            inspectAlignment(child, format, names[index])
            if inspectOffsets(child, format, names[index]) { readable[index] = child }
        }
        let rejected = rejectedRows(readable, formats.count)
        for (index, child) in readable.sorted(by: { $0.key < $1.key }) {
            let isReject = index == schema.formats.count
            let field = isReject ? Schema.Field(names[index], .text) : schema.schema.fields[index]
            inspectNulls(child, formats[index], field, rejected)
            inspectValues(child, formats[index], field, rejected)
        }
    }

    private mutating func note(_ kind: ArrowFlaw.Kind, _ text: String) {
        flaws.append(ArrowFlaw(kind: kind, text: text))
    }

    // MARK: - Lengths and addresses

    private mutating func inspectTop() -> Bool {
        if array.length < 0 || array.offset < 0 {
            note(.layout, "a batch has \(array.length) rows from row \(array.offset) on")
            return false
        }
        if array.n_children != Int64(schema.childCount) {
            note(.layout, "a batch has \(array.n_children) columns where its schema has \(schema.childCount)")
            return false
        }
        if array.n_buffers != 1 { note(.layout, "a batch has \(array.n_buffers) buffers of its own, not one") }
        if array.null_count > 0 {
            note(.nulls, "a batch says that \(array.null_count) of its rows are NULL as a whole")
        }
        if array.dictionary != nil { note(.layout, "a batch has a dictionary") }
        return true
    }

    private mutating func inspectLayout(_ child: ArrowArray, _ format: ArrowFormat, _ name: String) {
        if child.release == nil { note(.layout, "column \(name) of a batch is marked as released") }
        if child.n_children != 0 || child.dictionary != nil { note(.layout, "column \(name) has columns of its own") }
        if child.n_buffers != format.bufferCount {
            note(.layout, "column \(name) has \(child.n_buffers) buffers where its format has \(format.bufferCount)")
            return
        }
        guard child.length >= 0, child.offset >= 0, child.length - array.offset >= array.length else {
            note(.layout, "column \(name) has \(child.length) rows where its batch has \(array.length)")
            return
        }
        guard format.bufferCount > 0 else { return }
        guard let buffers = child.buffers else {
            note(.layout, "column \(name) has no buffers")
            return
        }
        if array.length > 0, buffers[1] == nil { note(.layout, "column \(name) lacks buffer 1") }
    }

    private mutating func inspectAlignment(_ child: ArrowArray, _ format: ArrowFormat, _ name: String) {
        guard format.bufferCount > 1, let values = child.buffers?[1] else { return }
        let size = Self.elementSize(format)
        if size > 1, UInt(bitPattern: values) % UInt(min(size, 8)) != 0 {
            note(.alignment, "buffer 1 of column \(name) does not lie on a multiple of \(min(size, 8)) bytes")
        }
    }

    /// How many bytes one value of buffer 1 takes; 0 for bits.
    private static func elementSize(_ format: ArrowFormat) -> Int {
        switch format {
        case .null, .bool: 0
        case .int8, .uint8: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .float32, .date32, .time32: 4
        case .int64, .uint64, .float64, .date64, .time64, .timestamp: 8
        case .text(let isLarge), .binary(let isLarge): isLarge ? 8 : 4
        case .decimal128: 16
        case .fixedBinary(let width): width
        }
    }

    // MARK: - Ends of texts

    private mutating func inspectOffsets(_ child: ArrowArray, _ format: ArrowFormat, _ name: String) -> Bool {
        guard array.length > 0, let ends = Self.ends(child, format, start: start(child), rows: rows) else {
            return true
        }
        guard ends[0] >= 0 else {
            note(.offsets, "the texts of column \(name) start at \(ends[0])")
            return false
        }
        if let row = ends.indices.dropFirst().first(where: { ends[$0] < ends[$0 - 1] }) {
            note(.offsets, "the ends of column \(name) go back from \(ends[row - 1]) to \(ends[row]) at row \(row - 1)")
            return false
        }
        if let last = ends.last, last > ends[0], child.buffers?[2] == nil {
            note(.layout, "column \(name) lacks the buffer of its bytes")
            return false
        }
        return true
    }

    private var rows: Int { Int(array.length) }

    private func start(_ child: ArrowArray) -> Int { Int(child.offset + array.offset) }

    /// Where each row's bytes start and end; nil for formats without such.
    private static func ends(_ child: ArrowArray, _ format: ArrowFormat, start: Int, rows: Int) -> [Int]? {
        guard let buffer = child.buffers?[1] else { return nil }
        switch format {
        case .text(let isLarge), .binary(let isLarge):
            return (start...start + rows).map { place in
                isLarge
                    ? Int(buffer.loadUnaligned(fromByteOffset: place * 8, as: Int64.self))
                    : Int(buffer.loadUnaligned(fromByteOffset: place * 4, as: Int32.self))
            }
        default: return nil
        }
    }

    // MARK: - NULLs

    private func isNull(_ child: ArrowArray, _ format: ArrowFormat, _ row: Int) -> Bool {
        if format == .null { return true }
        guard let bits = child.buffers?[0] else { return false }
        let place = start(child) + row
        return bits.loadUnaligned(fromByteOffset: place >> 3, as: UInt8.self) >> UInt8(place & 7) & 1 == 0
    }

    private func rejectedRows(_ readable: [Int: ArrowArray], _ count: Int) -> Set<Int> {
        guard let format = schema.rejectFormat, let child = readable[count - 1] else { return [] }
        return Set((0..<rows).filter { !isNull(child, format, $0) })
    }

    private mutating func inspectNulls(
        _ child: ArrowArray, _ format: ArrowFormat, _ field: Schema.Field, _ rejected: Set<Int>
    ) {
        let nulls = (0..<rows).filter { isNull(child, format, $0) }
        if format != .null, child.null_count > 0, child.buffers?[0] == nil {
            note(.nulls, "column \(field.name) states \(child.null_count) NULLs but has no validity buffer")
        } else if child.null_count >= 0, child.length == array.length, Int(child.null_count) != nulls.count {
            note(.nulls, "column \(field.name) states \(child.null_count) NULLs where it has \(nulls.count)")
        }
        if !field.isNullable, let row = nulls.first(where: { !rejected.contains($0) }) {
            note(.nulls, "column \(field.name) must not be NULL but is in row \(row)")
        }
    }

    // MARK: - Values

    private mutating func inspectValues(
        _ child: ArrowArray, _ format: ArrowFormat, _ field: Schema.Field, _ rejected: Set<Int>
    ) {
        for row in 0..<rows where !isNull(child, format, row) && !rejected.contains(row) {
            guard let fault = fault(child, format, field, row) else { continue }
            note(.values, "row \(row) of column \(field.name) \(fault)")
            return
        }
    }

    private func fault(_ child: ArrowArray, _ format: ArrowFormat, _ field: Schema.Field, _ row: Int) -> String? {
        let place = start(child) + row
        switch format {
        case .text:
            guard let ends = Self.ends(child, format, start: place, rows: 1) else { return nil }
            let bytes = UnsafeRawBufferPointer(start: child.buffers?[2].map { $0 + ends[0] }, count: ends[1] - ends[0])
            guard let text = String(validating: bytes, as: UTF8.self) else { return "is not UTF-8" }
            if field.type == .decimal, !Self.isDecimal(text) { return "is not a decimal: \(text.prefix(40))" }
            if field.type == .json, (try? JSON(parsing: text)) == nil {  // Only whether it can be read matters.
                return "is not JSON: \(text.prefix(40))"
            }
            return nil
        case .time64(.microsecond):
            let value = child.buffers?[1]?.loadUnaligned(fromByteOffset: place * 8, as: Int64.self) ?? 0
            return (0...86_400_000_000).contains(value) ? nil : "is no time of day: \(value) microseconds"
        default: return nil
        }
    }

    private static func isDecimal(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// About how many bytes the values of a column take.
    static func byteCount(_ child: ArrowArray, _ format: ArrowFormat, rows: Int) -> Int {
        guard rows > 0, let ends = ends(child, format, start: Int(child.offset), rows: rows), let last = ends.last
        else {
            return elementSize(format) * rows
        }
        return last - ends[0] + elementSize(format) * rows
    }
}
