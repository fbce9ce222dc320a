// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A saved sync with places left open: `templates/NAME.yml`.
package struct SyncTemplate: Sendable {
    /// What may stand at an open place.
    package enum ParameterType: String, Sendable, Hashable, CaseIterable {
        /// The name of a connection, of a certain connector where the template names one.
        case connection
        /// The name of a model.
        case model
        /// A table or view.
        case table
        /// A cron expression.
        case cron
        /// Any text.
        case text
        /// A number.
        case number
        /// One of several words.
        case choice
    }

    /// One open place.
    package struct Parameter: Sendable {
        /// The name, which stands between two pairs of braces.
        package var name: String
        /// What may stand there.
        package var type: ParameterType
        /// What it is for, or nil.
        package var description: String?
        /// For connections: the connector's id, or nil for any.
        package var connector: String?
        /// For choices: the words.
        package var choices: [String] = []
        /// What stands there where nothing is said, or nil.
        package var standard: String?
        /// Whether something must be said where there is no default.
        package var isRequired = true
        /// Where it stands in the file.
        package var span: SourceSpan
    }

    /// The name, which is its file's name.
    package var name: String
    /// The file, relative to the project's folder.
    package var file: String
    /// What it is for, or nil.
    package var description: String?
    /// The open places, in the order of the file.
    package var parameters: [Parameter] = []
    /// Whether an error was found in it.
    package var hasErrors = false
    /// The sync, with open places in its texts and keys.
    let sync: YAMLNode

    /// The parameter called `name`, or nil.
    package func parameter(_ name: String) -> Parameter? { parameters.first { $0.name == name } }

    /// What is wrong with a value for a parameter, in one clause; nil where nothing is.
    ///
    /// - Parameter project: Where names are looked up; nil leaves them alone.
    package static func fault(
        of value: String, for parameter: Parameter, in project: Project?
    ) -> (reason: String, suggestion: String?, allowed: [String])? {
        func unknown(_ what: String, _ names: [String]) -> (String, String?, [String])? {
            guard !names.contains(value) else { return nil }
            return ("there is no \(what) \"\(value)\"", NearestName.of(value, in: names), names)
        }
        switch parameter.type {
        case .connection:
            guard let project else { return nil }
            let fitting = project.connections.filter { connection in
                parameter.connector.map { $0 == connection.connector } ?? true
            }
            let kind = parameter.connector.map { "connection of the connector \($0)" } ?? "connection"
            return unknown(kind, fitting.map(\.name))
        case .model: return project.flatMap { unknown("model", $0.models.map(\.name)) }
        case .choice:
            guard !parameter.choices.contains(value) else { return nil }
            return (
                "\"\(value)\" is not one of the choices", NearestName.of(value, in: parameter.choices),
                parameter.choices
            )
        case .cron:
            guard let problem = SyncDraft.Schedule.cron(value).problem(zone: nil) else { return nil }
            return (problem.message, problem.suggestion, [])
        case .number: return ScalarText.isDecimal(value) ? nil : ("\"\(value)\" is not a number", nil, [])
        case .table, .text: return value.isEmpty ? ("it is empty", nil, []) : nil
        }
    }

    /// The text of a sync's file with `values` at the open places.
    ///
    /// An entry whose only content is an open place without a value is left out, and a map that is then empty too.
    ///
    /// - Parameter name: The name of the sync.
    package func text(name: String, values: [String: String]) -> String {
        var filled = values
        for parameter in parameters where filled[parameter.name] == nil { filled[parameter.name] = parameter.standard }
        let node = Self.filling(sync, filled) ?? .emptyMap(at: sync.span)
        var entries: [(key: String, value: YAMLValue)] = [("version", .integer(1)), ("name", .text(name))]
        if case .map(let own) = YAMLValue(node) {
            entries += own.filter { !["version", "name", "template", "renamed_from"].contains($0.key) }.map {
                ($0.key, Self.styledMap($0))
            }
        }
        entries.append(("template", .text(self.name)))
        return YAMLValue.map(entries).document()
    }

    /// The settings of one target field stand on one line.
    static func styledMap(_ entry: (key: String, value: YAMLValue)) -> YAMLValue {
        guard entry.key == "map", case .map(let targets) = entry.value else { return entry.value }
        return .map(
            targets.map { target in
                if case .map = target.value { return (target.key, .flow(target.value)) }
                return target
            })
    }

    /// The tree with values at its open places; nil where one has none.
    static func filling(_ node: YAMLNode, _ values: [String: String]) -> YAMLNode? {
        var result = node
        switch node.content {
        case .scalar(let text, let isPlain):
            guard let filled = OpenPlace.filling(text, values) else { return nil }
            result.content = .scalar(text: filled, isPlain: isPlain && filled == text)
        case .list(let items): result.content = .list(items.compactMap { filling($0, values) })
        case .map(let entries):
            let kept = entries.compactMap { entry -> YAMLNode.Entry? in
                guard let key = OpenPlace.filling(entry.key, values), let value = filling(entry.value, values) else {
                    return nil
                }
                return YAMLNode.Entry(key: key, keySpan: entry.keySpan, value: value)
            }
            if kept.isEmpty, !entries.isEmpty { return nil }
            result.content = .map(kept)
        case .invalid: break
        }
        return result
    }
}

/// An open place in a text of a template: a name between two pairs of braces.
struct OpenPlace: Sendable, Hashable {
    var name: String
    /// In Unicode scalars, the braces included.
    var offset: Int
    var length: Int

    /// The open places of a text.
    static func all(in text: String) -> [OpenPlace] {
        let scalars = Array(text.unicodeScalars)
        var places: [OpenPlace] = []
        var index = 0
        while index + 1 < scalars.count {
            guard scalars[index] == "{", scalars[index + 1] == "{" else {
                index += 1
                continue
            }
            var end = index + 2
            while end + 1 < scalars.count, !(scalars[end] == "}" && scalars[end + 1] == "}") { end += 1 }
            guard end + 1 < scalars.count else { return places }
            var name = String.UnicodeScalarView()
            name.append(contentsOf: scalars[(index + 2)..<end])
            let trimmed = String(name).split(separator: " ").joined(separator: " ")
            places.append(OpenPlace(name: trimmed, offset: index, length: end + 2 - index))
            index = end + 2
        }
        return places
    }

    /// The text with values at its open places; nil where one has none.
    static func filling(_ text: String, _ values: [String: String]) -> String? {
        let places = all(in: text)
        guard !places.isEmpty else { return text }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var position = 0
        for place in places {
            guard let value = values[place.name] else { return nil }
            result.append(contentsOf: scalars[position..<place.offset])
            result.append(contentsOf: value.unicodeScalars)
            position = place.offset + place.length
        }
        result.append(contentsOf: scalars[position...])
        return String(result)
    }
}
