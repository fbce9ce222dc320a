// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A model that is about to be written: the texts of its files.
package struct ModelDraft: Sendable, Hashable {
    /// How names are written in a query that nobody has tried yet.
    package enum Quoting: Sendable, CaseIterable {
        /// As they are.
        case none
        /// In double quotes, as the SQL standard has it.
        case standard
        /// In backticks.
        case backticks

        /// The name, or one part of it.
        func quoted(_ name: String) -> String {
            switch self {
            case .none: name
            case .standard: QuotedText.text(name, quote: "\"", escape: "\"\"")
            case .backticks: QuotedText.text(name, quote: "`", escape: "``")
            }
        }
    }

    /// The name.
    package var name: String
    /// The connection's name.
    package var connection: String
    /// The query, without its header.
    package private(set) var sql: String
    /// The columns that identify a row; may be empty.
    package var key: [String]
    /// What it is for, or nil.
    package var description: String?
    /// What the query leaves open.
    package var parameters: [ModelParameter] = []

    /// A draft; lines at the top of `text` that say the connection or the key are taken out of it.
    ///
    /// - Parameters:
    ///   - connection: The connection; nil takes the one that the text names, else an empty one.
    ///   - key: The key; nil takes the one that the text names, else none.
    package init(name: String, connection: String?, text: String, key: [String]?, description: String? = nil) {
        let header = ModelHeader(SourceText(file: "", text: text))
        self.name = name
        self.connection = connection ?? header.connection?.text ?? ""
        self.key = key ?? header.keys.map(\.text)
        self.description = description
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let kept = lines.enumerated().filter { !header.lines.contains($0.offset) }.map(\.element)
        sql = ModelReader.trimmed(kept.joined(separator: "\n"))
    }

    /// Whether the name may be the name of a model.
    package var hasGoodName: Bool { ScalarText.isName(name) && !name.contains(":") }

    /// `models/NAME.sql`, relative to the project's folder.
    package var sqlFile: String { "models/\(name).sql" }

    /// `models/NAME.yml`, relative to the project's folder.
    package var yamlFile: String { "models/\(name).yml" }

    /// The text of the SQL file.
    package var sqlText: String {
        let keyLine = key.isEmpty || needsYAML ? "" : "-- key: \(key.joined(separator: ", "))\n"
        return "-- connection: \(connection)\n\(keyLine)\(sql)\n"
    }

    /// The text of the YAML file; nil where everything fits into the SQL file.
    package var yamlText: String? {
        guard needsYAML else { return nil }
        var entries: [(key: String, value: YAMLValue)] = [("version", .integer(1)), ("model", .text(name))]
        if let description { entries.append(("description", .text(description))) }
        if !key.isEmpty { entries.append(("key", .flow(.list(key.map { .text($0) })))) }
        if !parameters.isEmpty {
            entries.append(("params", .map(parameters.map { ($0.name, .flow(.map($0.entries))) })))
        }
        return YAMLValue.map(entries).document()
    }

    private var needsYAML: Bool {
        description != nil || !parameters.isEmpty || key.contains { $0.contains(",") || $0 != $0.trimmed }
    }

    /// A value for every parameter that has no default, so that the query can be looked at; it fits the parameter's
    /// kind and means nothing.
    package var samples: [String: String] {
        let open = parameters.filter { $0.defaultText == nil }
        return Dictionary(open.map { ($0.name, $0.kind.sample) }) { first, _ in first }
    }

    /// The query with samples in its places.
    ///
    /// - Throws: ``QueryProblem`` where a place or a default is wrong.
    package func sampleQuery() throws(QueryProblem) -> String {
        let template: QueryTemplate
        do throws(QueryTemplate.Problem) {
            template = try QueryTemplate(sql, parameters: parameters)
        } catch {
            throw QueryProblem(message: error.message, suggestion: error.suggestion)
        }
        do throws(ModelParameterProblem) {
            return try template.query(samples)
        } catch {
            throw QueryProblem(message: error.message(model: name), suggestion: error.suggestion)
        }
    }

    /// Why a query cannot be made.
    package struct QueryProblem: Error, Sendable {
        /// What is wrong, as one clause.
        package var message: String
        /// What to do, or nil.
        package var suggestion: String?
    }

    /// A SELECT of every column of a table or view.
    ///
    /// - Parameter table: The name; a dot stands between a schema and what is in it.
    package static func select(_ columns: [String], from table: String, _ quoting: Quoting) -> String {
        let whole = table.split(separator: ".").map { quoting.quoted(String($0)) }.joined(separator: ".")
        let list = columns.isEmpty ? "*" : columns.map(quoting.quoted).joined(separator: ",\n       ")
        return "SELECT \(list)\nFROM   \(whole)"
    }

    /// The ways to quote that are worth trying for these names, the most readable first.
    package static func quotings(for names: [String]) -> [Quoting] {
        let isPlain = names.allSatisfy { name in
            name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                part.utf8.first.map(\.isNameStart) == true
                    && part.utf8.allSatisfy { $0.isNamePart && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            }
        }
        // Unquoted, a name with capitals may be another name.
        return isPlain ? Quoting.allCases : [.standard, .backticks, .none]
    }
}

extension ModelParameter {
    /// A parameter as it is declared on a command line, `NAME:TYPE` or `NAME:TYPE=DEFAULT`; nil where it is not one.
    package init?(declaration: String) {
        let sides = declaration.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let words = sides[0].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 2, Self.isName(words[0]), let kind = Kind(rawValue: words[1].lowercased()) else {
            return nil
        }
        self.init(name: words[0], kind: kind, defaultText: sides.count == 2 ? sides[1] : nil)
    }
}

extension ModelParameter {
    /// What is written of it into a file.
    fileprivate var entries: [(key: String, value: YAMLValue)] {
        [("type", .text(kind.rawValue))] + (defaultText.map { [("default", .text($0))] } ?? [])
    }
}

extension ModelParameter.Kind {
    /// Some value.
    fileprivate var sample: String {
        switch self {
        case .text: ""
        case .integer, .number: "0"
        case .boolean: "false"
        case .date: "2000-01-01"
        case .timestamp: "2000-01-01T00:00:00"
        }
    }
}

extension String {
    /// The text without white space at its ends.
    fileprivate var trimmed: String {
        let rest = drop(while: \.isWhitespace)
        return String(rest.dropLast(rest.reversed().prefix(while: \.isWhitespace).count))
    }
}
