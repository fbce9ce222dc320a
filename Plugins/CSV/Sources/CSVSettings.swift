// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The settings of a connection, checked.
package struct CSVSettings: Sendable {
    /// When an empty field is NULL.
    package enum NullRule: String, Sendable, Hashable, CaseIterable {
        /// Without quotes it is NULL, with quotes it is an empty text.
        case unquotedEmpty = "unquoted-empty"
        /// With or without quotes it is NULL.
        case empty
        /// It is an empty text.
        case never
    }

    /// The file, folder or glob.
    package var path: String
    /// The delimiter where the setting was given.
    package var delimiter: UInt8?
    /// How records are cut; the delimiter is that of the file.
    package var dialect = CSVDialect()
    /// Whether the first record names the columns.
    package var hasHeader: Bool
    /// How bytes become characters.
    package var encoding: CSVEncoding
    /// When an empty field is NULL.
    package var nullRule: NullRule
    /// An unquoted field of these bytes is NULL too, where given.
    package var nullText: [UInt8]?
    /// The declared types, by column, in the order of the setting.
    package var types: [(column: String, type: CSVType)] = []

    /// The descriptions of the settings, in the order of a form.
    package static let fields: [ConfigField] = [
        ConfigField(
            "path", .path, "The file, folder or glob; every file is a table named like the file without extension.",
            isRequired: true, example: "data/*.csv"),
        ConfigField(
            "delimiter", .string,
            "The byte between fields, or tab; left out it is a tab for .tsv files and a comma for others.",
            example: ";"),
        ConfigField(
            "quote", .string, "The byte around quoted fields; empty where quotes mean nothing.",
            defaultValue: .string("\""), isAdvanced: true),
        ConfigField(
            "header", .boolean, "Whether the first line names the columns; without it they are c1, c2 and so on.",
            defaultValue: .bool(true)),
        ConfigField(
            "encoding", .choice(CSVEncoding.allCases.map(\.rawValue)), "How bytes become characters.",
            defaultValue: .string(CSVEncoding.utf8.rawValue), isAdvanced: true),
        ConfigField(
            "null", .choice(NullRule.allCases.map(\.rawValue)),
            "Which empty fields are NULL: those without quotes, all, or none.",
            defaultValue: .string(NullRule.unquotedEmpty.rawValue), isAdvanced: true),
        ConfigField(
            "null_text", .string, "A text that means NULL where it stands without quotes.", example: "\\N",
            isAdvanced: true),
        ConfigField(
            "types", .map(CSVType.allCases.map(\.rawValue)), "The types of columns; a column not named here is text.",
            example: "employees: integer", isAdvanced: true),
        ConfigField(
            "trim", .boolean, "Whether blanks and tabs around fields are dropped, inside quotes excepted.",
            defaultValue: .bool(false), isAdvanced: true),
    ]

    /// Settings from what the host hands over.
    ///
    /// - Throws: ``ConnectorError`` `badConfig`, with the setting at fault.
    package init(_ values: JSON) throws(ConnectorError) {
        let settings = ConnectorSettings(values, Self.fields)
        path = try settings.requiredText("path")
        delimiter = try Self.byte(settings.text("delimiter"), "delimiter")
        if let delimiter { dialect.delimiter = delimiter }
        let quote = settings.text("quote")
        dialect.quote = quote == "" ? nil : try Self.byte(quote, "quote")
        dialect.trims = settings.flag("trim")
        hasHeader = settings.flag("header")
        encoding = try Self.choice(settings.text("encoding"), "encoding")
        nullRule = try Self.choice(settings.text("null"), "null")
        nullText = settings.text("null_text").map { Array($0.utf8) }
        for (column, type) in settings.map("types") { types.append((column, try Self.choice(type, "types"))) }
        if dialect.quote == dialect.delimiter {
            throw ConnectorError(
                .badConfig, "The settings delimiter and quote are the same byte; change one of them.", field: "quote")
        }
    }

    /// The dialect for one file.
    package func dialect(for table: CSVTable) -> CSVDialect {
        var dialect = dialect
        if delimiter == nil && table.fileExtension == "tsv" { dialect.delimiter = UInt8(ascii: "\t") }
        return dialect
    }

    /// The declared type of a column.
    package func type(of column: String) -> CSVType {
        types.first { $0.column.utf8.elementsEqual(column.utf8) }?.type ?? .text
    }

    private static func byte(_ text: String?, _ field: String) throws(ConnectorError) -> UInt8? {
        guard let text else { return nil }
        let bytes = text == "tab" || text == "\\t" ? [UInt8(ascii: "\t")] : Array(text.utf8)
        guard bytes.count == 1, bytes[0] < 0x80, bytes[0] != 0, bytes[0] != 10, bytes[0] != 13 else {
            throw ConnectorError(
                .badConfig, "The setting \(field) must be one ASCII character, or tab, and no line end.", field: field)
        }
        return bytes[0]
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ text: String?, _ field: String
    ) throws(ConnectorError) -> Choice where Choice.RawValue == String {
        if let choice = text.flatMap(Choice.init(rawValue:)) { return choice }
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw ConnectorError(
            .badConfig, "The setting \(field) has a value that is not one of \(known).", field: field)
    }
}
