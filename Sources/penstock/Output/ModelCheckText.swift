// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel
import PenstockProject

/// What a check of a model found, for people and for programs.
struct ModelCheckText {
    let model: Model
    let reading: ModelReading
    /// The syncs that read it.
    let users: [String]
    /// What of them does not fit it.
    let diagnostics: [Diagnostic]
    let renderer: DiagnosticRenderer

    /// The columns of several models, for pipes.
    static var listing: Listing {
        Listing(
            kind: "model.check",
            columns: ["MODEL", "COLUMN", "TYPE", "SOURCE TYPE"].map { Listing.Column($0) }
                + [Listing.Column(number: "NULLS"), Listing.Column("KEY")])
    }

    /// Columns of the key that are not there.
    private var missingKeys: [String] { model.key.filter { reading.schema.index(of: $0) == nil } }

    /// What was written down of columns, and is not so.
    private var wrongColumns: [(column: String, sentence: String)] {
        model.columns.compactMap { column in
            guard let index = reading.schema.index(of: column.name) else {
                let near = NearestName.of(column.name, in: reading.schema.fields.map(\.name))
                return (
                    column.name,
                    "model \(model.name) has no column \"\(column.name)\", which \(model.file) describes"
                        + (near.map { "\n  = did you mean \"\($0)\"?" } ?? "")
                )
            }
            let actual = reading.schema.fields[index].type
            guard let written = column.type.flatMap({ DataType(rawValue: $0.lowercased()) }), written != actual else {
                return nil
            }
            return (column.name, "column \(column.name) is \(actual.rawValue), and described as \(written.rawValue)")
        }
    }

    /// The exit code: 78 where something does not fit, 65 where rows are not as they must be.
    var exitCode: ExitCode {
        let hasMisfits = !missingKeys.isEmpty || !wrongColumns.isEmpty || diagnostics.contains { $0.severity == .error }
        if hasMisfits { return .config }
        return reading.isKeyGood && reading.unreadable == 0 ? .ok : .data
    }

    /// What is wrong, each with its code and what to do.
    var findings: [String] {
        var found = missingKeys.map { column in
            let names = reading.schema.fields.map(\.name)
            let near = NearestName.of(column, in: names).map { "\n  = did you mean \"\($0)\"?" } ?? ""
            return "error[unknown-column]: model \(model.name) has no column \"\(column)\", which its key names\(near)"
        }
        found += wrongColumns.map { "error[model-column]: \($0.sentence)" }
        let key = model.key.joined(separator: ", ")
        if reading.repeats > 0 {
            let rows = counted(reading.repeats, "row")
            found.append(
                "error[duplicate-key]: the key \(key) of model \(model.name) is not unique: \(rows) "
                    + (reading.repeats == 1 ? "has" : "have") + " a key that an earlier row has"
                    + Self.examples(reading.repeatExamples) + consequence("duplicate-key"))
        }
        if reading.nullKeys > 0 {
            found.append(
                "error[key-null]: the key \(key) of model \(model.name) is NULL in \(counted(reading.nullKeys, "row"))"
                    + Self.examples(reading.nullExamples) + consequence("key-null"))
        }
        if reading.unreadable > 0 {
            let examples = reading.unreadableExamples.map { "\n  = \($0.column): \($0.message)".printable }
            found.append(
                "error[source-value]: \(counted(reading.unreadable, "row")) of model \(model.name) cannot be represented"
                    + examples.map { $0.replacing("\\n", with: "\n") }.joined())
        }
        if !diagnostics.isEmpty { found.append(renderer.render(diagnostics)) }
        return found
    }

    private func consequence(_ code: String) -> String {
        guard !users.isEmpty else { return "" }
        let names = users.joined(separator: ", ")
        return "\n  = \(names) would reject \(users.count == 1 ? "them" : "them each") as \(code)"
    }

    private static func examples(_ examples: [ModelReading.Example]) -> String {
        examples.map { "\n  = row \($0.row.grouped): " + $0.key.printable }.joined()
    }

    private var verdict: String {
        if model.key.isEmpty { return "no key: rows are known by their content" }
        let key = model.key.joined(separator: ", ")
        guard missingKeys.isEmpty else { return "key \(key): a column is missing" }
        if reading.isKeyGood { return "key \(key): unique, never NULL" }
        let parts = [
            reading.repeats > 0 ? "not unique" : "", reading.nullKeys > 0 ? "NULL in some rows" : "",
        ]
        return "key \(key): " + parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// Adds a line a column.
    func add(to listing: inout Listing) {
        for (index, field) in reading.schema.fields.enumerated() {
            listing.add(
                [
                    model.name, field.name, field.type.rawValue, field.nativeType, String(reading.nulls[index]),
                    model.key.contains(field.name) ? "key" : "",
                ], .null)
        }
    }

    /// One page for people.
    func page(width: Int?) -> String {
        var listing = Listing(
            kind: "model.check",
            columns: ["COLUMN", "TYPE", "SOURCE TYPE"].map { Listing.Column($0) } + [Listing.Column(number: "NULLS")])
        for (index, field) in reading.schema.fields.enumerated() {
            listing.add([field.name, field.type.rawValue, field.nativeType, reading.nulls[index].grouped], .null)
        }
        let syncs = users.isEmpty ? "read by no sync" : "read by \(users.joined(separator: ", "))"
        return "\(model.name): \(counted(reading.rows, "row")) of \(model.connection); \(verdict); \(syncs)\n\n"
            + listing.text(.table, width: width) + "\n"
    }

    /// The same for programs.
    var json: JSON {
        func examples(_ examples: [ModelReading.Example]) -> JSON {
            .array(examples.map { .object(["row": .integer($0.row), "key": .string($0.key)]) })
        }
        return .object([
            "name": .string(model.name), "ok": .bool(exitCode == .ok), "exit_code": .integer(exitCode.rawValue),
            "rows": .integer(reading.rows), "key": .strings(model.key),
            "duplicates": .integer(reading.repeats), "duplicate_examples": examples(reading.repeatExamples),
            "null_keys": .integer(reading.nullKeys), "null_examples": examples(reading.nullExamples),
            "unreadable": .integer(reading.unreadable), "syncs": .strings(users),
            "columns": .array(
                reading.schema.fields.enumerated().map { index, field in
                    .object([
                        "name": .string(field.name), "type": .string(field.type.rawValue),
                        "source_type": .string(field.nativeType), "nulls": .integer(reading.nulls[index]),
                    ])
                }),
            "findings": .strings(findings), "diagnostics": .array(diagnostics.map(\.json)),
        ])
    }
}
