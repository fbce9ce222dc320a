// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockModel

/// A schema that came in from the other side, with the layout of every column.
package struct ImportedSchema {
    /// The columns, without the one for rejects.
    package let schema: Schema
    /// The layout of every column of ``schema``.
    package let formats: [ArrowFormat]
    /// The layout of the column for rejects, which is the last one where there is one.
    package let rejectFormat: ArrowFormat?
    /// What the metadata of a stream's schema say of its snapshot.
    let openWriters: OpenWriters?

    /// How many columns the arrays have.
    package var childCount: Int { formats.count + (rejectFormat == nil ? 0 : 1) }

    /// Reads a schema of Arrow, and leaves it to its owner.
    ///
    /// - Parameters:
    ///   - call: The call that delivered it, for messages.
    ///   - checks: Names who delivered it.
    /// - Throws: ``ConnectorError`` `contractBreach` for anything that is not accepted, with column and format.
    package init(_ schema: ArrowSchema, _ call: String, _ checks: ContractChecks) throws(ConnectorError) {
        guard schema.release != nil else { throw checks.breach(call, "its schema is released already") }
        guard let format = schema.format, String(cString: format) == "+s" else {
            throw checks.breach(call, "its schema is not a struct (format +s)")
        }
        guard schema.n_children > 0, schema.n_children <= 65_536, let children = schema.children else {
            throw checks.breach(call, "its schema has no columns, or more than 65536")
        }
        var fields: [Schema.Field] = []
        var formats: [ArrowFormat] = []
        var rejectFormat: ArrowFormat?
        for index in 0..<Int(schema.n_children) {
            guard let child = children[index]?.pointee else {
                throw checks.breach(call, "column \(index) of its schema is NULL")
            }
            let (field, format) = try Self.column(child, index, call, checks)
            if index == Int(schema.n_children) - 1, field.name == SourceReject.columnName {
                rejectFormat = format
            } else {
                fields.append(field)
                formats.append(format)
            }
        }
        if let rejectFormat, rejectFormat != .text(isLarge: false), rejectFormat != .text(isLarge: true) {
            throw checks.breach(call, "the column \(SourceReject.columnName) is not text (format u or U)")
        }
        guard !fields.isEmpty else { throw checks.breach(call, "its schema has no columns") }
        self.schema = Schema(fields)
        self.formats = formats
        self.rejectFormat = rejectFormat
        openWriters = try Self.openWriters(schema, call, checks)
    }

    private static func openWriters(
        _ schema: ArrowSchema, _ call: String, _ checks: ContractChecks
    ) throws(ConnectorError) -> OpenWriters? {
        guard let metadata = ArrowMetadata.decoded(schema.metadata) else {
            throw checks.breach(call, "its schema has metadata that cannot be read")
        }
        do {
            return try OpenWriters(metadata: metadata)
        } catch {
            throw checks.breach(call, "of the metadata of its schema, \(error.reason)")
        }
    }

    private static func column(
        _ child: ArrowSchema, _ index: Int, _ call: String, _ checks: ContractChecks
    ) throws(ConnectorError) -> (Schema.Field, ArrowFormat) {
        guard let namePointer = child.name, let name = String(validatingCString: namePointer) else {
            throw checks.breach(call, "column \(index) has no name in UTF-8")
        }
        guard let formatPointer = child.format else { throw checks.breach(call, "column \(name) has no format") }
        let text = String(cString: formatPointer)
        guard child.dictionary == nil else {
            throw checks.breach(call, "column \(name) has a dictionary, which is not accepted (format \(text))")
        }
        guard child.n_children == 0, let format = ArrowFormat(text) else {
            throw checks.breach(call, "column \(name) has the format \(text), which is not accepted")
        }
        guard let metadata = ArrowMetadata.decoded(child.metadata) else {
            throw checks.breach(call, "column \(name) has metadata that cannot be read")
        }
        let tag = metadata[ArrowFormat.typeKey]
        guard let type = format.type(tag: tag) else {
            throw checks.breach(
                call,
                "column \(name) of format \(text) has the \(ArrowFormat.typeKey) \(tag ?? ""), "
                    + "which does not go together")
        }
        let field = Schema.Field(
            name, type, isNullable: child.flags & Int64(ARROW_FLAG_NULLABLE) != 0,
            nativeType: metadata[ArrowFormat.nativeTypeKey] ?? "")
        return (field, format)
    }
}
