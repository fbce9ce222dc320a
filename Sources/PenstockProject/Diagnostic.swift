// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// One finding in a file of the project.
package struct Diagnostic: Sendable, Hashable {
    /// How bad it is.
    package enum Severity: String, Sendable, Hashable, CaseIterable {
        /// The project cannot be run as it is.
        case error
        /// The project can be run, and the person who wrote it may not have meant it.
        case warning
    }

    /// How bad it is.
    package var severity: Severity
    /// The code, for example `unknown-key`; see ``DiagnosticCode``.
    package var code: String
    /// Where it is.
    package var span: SourceSpan
    /// What is wrong, as one clause without a full stop; never holds a secret.
    package var message: String
    /// The text after the carets, or nil.
    package var suggestion: String?
    /// Lines below the excerpt.
    package var notes: [String]
    /// Places in the same file that hold, or may hold, a secret and must not be shown in any excerpt.
    package var masks: [SourceSpan]

    /// A finding.
    package init(
        _ severity: Severity, _ code: String, at span: SourceSpan, _ message: String, suggestion: String? = nil,
        notes: [String] = [], masks: [SourceSpan] = []
    ) {
        self.severity = severity
        self.code = code
        self.span = span
        self.message = message
        self.suggestion = suggestion
        self.notes = notes
        self.masks = masks
    }

    /// The file, relative to the project's folder.
    package var file: String { span.file }
    /// The line, counted from 1; 0 for the file as a whole.
    package var line: Int { span.line }
    /// The column, counted from 1 in Unicode scalars.
    package var column: Int { span.column }
    /// How many Unicode scalars it covers.
    package var length: Int { span.length }

    /// The finding as a JSON object.
    package var json: JSON {
        var object = JSONObject()
        object.append("severity", .string(severity.rawValue))
        object.append("code", .string(code))
        object.append("file", .string(file))
        object.append("line", .integer(line))
        object.append("column", .integer(column))
        object.append("length", .integer(length))
        object.append("message", .string(message))
        object.append("suggestion", suggestion.map(JSON.string) ?? .null)
        object.append("notes", .strings(notes))
        return .object(object)
    }

    /// `7 problems (6 errors, 1 warning) in 5 files`.
    package static func summary(_ diagnostics: [Diagnostic]) -> String {
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        let errors = diagnostics.count { $0.severity == .error }
        let parts = [(errors, "error"), (diagnostics.count - errors, "warning")].filter { $0.0 > 0 }
        let detail = parts.isEmpty ? "" : " (\(parts.map { count($0.0, $0.1) }.joined(separator: ", ")))"
        let files = Set(diagnostics.map(\.file)).count
        return "\(count(diagnostics.count, "problem"))\(detail) in \(count(files, "file"))"
    }
}

/// Findings as they are collected.
package struct Findings: Sendable {
    /// What was found, in the order in which it was found.
    package private(set) var diagnostics: [Diagnostic] = []

    /// Nothing found yet.
    package init() {}

    /// How many errors there are.
    var errorCount: Int { diagnostics.count { $0.severity == .error } }

    /// Adds a finding, unless the same one is there already.
    mutating func add(_ diagnostic: Diagnostic) {
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }

    mutating func error(
        _ code: DiagnosticCode, at span: SourceSpan, _ message: String, suggestion: String? = nil, notes: [String] = []
    ) {
        add(Diagnostic(.error, code.rawValue, at: span, message, suggestion: suggestion, notes: notes))
    }

    /// Says of missing credentials among the findings from `start` on that a login gives them.
    mutating func adviseLogin(_ connection: String, from start: Int) {
        for index in diagnostics.indices.dropFirst(start)
        where diagnostics[index].code == DiagnosticCode.credMissing.rawValue {
            diagnostics[index].notes.insert("log in: penstock connection login \(connection)", at: 0)
        }
    }

    mutating func warning(
        _ code: DiagnosticCode, at span: SourceSpan, _ message: String, suggestion: String? = nil, notes: [String] = []
    ) {
        add(Diagnostic(.warning, code.rawValue, at: span, message, suggestion: suggestion, notes: notes))
    }
}
