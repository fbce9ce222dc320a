// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Rows for a destination that follow from its fields alone.
struct RowMaker {
    /// The object to write.
    let object: String
    /// The fields that rows have: those that a create must have, else one text.
    let fields: [DestinationField]
    private let mark: String

    /// A maker for an object.
    ///
    /// - Parameter mark: What texts start with, so that the records can be told from others.
    /// - Throws: ``CheckSkip`` where a required field cannot be filled without knowing the account.
    init(_ descriptor: ObjectDescriptor, _ all: [DestinationField], mark: String) throws(CheckSkip) {
        object = descriptor.id
        self.mark = mark
        var fields = all.filter { descriptor.requiredOnCreate.contains($0.key) || $0.isRequiredOnCreate }
        if fields.isEmpty {
            guard let text = all.first(where: { $0.kind == .text && $0.isWritableOnCreate && $0.isWritableOnUpdate })
            else {
                throw CheckSkip("\(descriptor.id) has no text that could be written")
            }
            fields = [text]
        }
        self.fields = fields
        for field in fields where Self.value(field, "x") == nil {
            throw CheckSkip(
                "\(descriptor.id) requires \(field.key), of the kind \(field.kind.rawValue), which cannot be made up")
        }
    }

    /// The columns of a write.
    func schema(_ mode: WriteRequest.Mode) -> Schema {
        var columns = [Schema.Field(WriteRequest.rowKeyColumn, .text, isNullable: false)]
        if mode != .create { columns.append(Schema.Field(WriteRequest.remoteIDColumn, .text, isNullable: false)) }
        if mode != .delete { columns += fields.map { Schema.Field($0.key, $0.kind.columnType) } }
        return Schema(columns)
    }

    /// A batch of rows.
    ///
    /// - Parameter ids: The records' ids, for updates and deletes.
    func batch(_ mode: WriteRequest.Mode, _ numbers: Range<Int>, ids: [String] = [], word: String = "") -> RecordBatch {
        var batch = RecordBatch(schema(mode), capacity: numbers.count)
        for (place, number) in numbers.enumerated() {
            var row: [Value] = [.text("\(mark)-\(number)")]
            if mode != .create { row.append(.text(ids[place])) }
            if mode != .delete { row += fields.map { Self.value($0, "\(mark)\(word)-\(number)") ?? .null } }
            batch.append(row)
        }
        return batch
    }

    private static func value(_ field: DestinationField, _ text: String) -> Value? {
        switch field.kind {
        case .text: .text(String(text.suffix(field.lengthMax ?? 60)))
        case .number: .decimal("12.5")
        case .integer: .int64(7)
        case .boolean: .bool(true)
        case .money: .json("{\"value\": 12.5, \"currency\": \"EUR\"}")
        case .date: .date(20_454)
        case .dateRange: .json("{\"value\": \"2026-01-01\", \"until\": \"2026-01-31\"}")
        case .time: .json("{\"value\": \"13:30:00\"}")
        case .timeRange: .json("{\"value\": \"13:30:00\", \"until\": \"14:30:00\"}")
        case .instant: .instant(1_767_225_600_000_000)
        case .option, .user: field.options.first { $0.isActive }.map { .text($0.id) }
        case .options: field.options.first { $0.isActive }.map { .json(JSON.strings([$0.id]).text) }
        case .address: .json("{\"value\": \"Main Street 1\"}")
        case .contacts: .json("[{\"value\": \"ann@example.com\", \"primary\": true, \"label\": \"work\"}]")
        case .texts: .json("[\"one\"]")
        case .json: .json("{}")
        case .id, .reference: nil
        }
    }
}
