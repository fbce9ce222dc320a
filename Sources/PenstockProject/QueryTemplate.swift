// SPDX-License-Identifier: Apache-2.0

/// A query with places for values: `:name` or `{{name}}`.
///
/// A value goes in only where every database that speaks SQL reads the place as one in the open, outside of texts,
/// quoted names and comments. Where readings differ, the query is refused: what one database takes for the end of a
/// text, another takes for a part of it, and a value could then become a part of the query.
package struct QueryTemplate: Sendable, Hashable {
    /// What is wrong with the places of a query.
    struct Problem: Error, Hashable {
        /// What is wrong, as one clause.
        var message: String
        /// What to do.
        var suggestion: String?
        /// The bytes of the query that it is about.
        var bytes: Range<Int>
    }

    private let bytes: [UInt8]
    private let places: [Range<Int>]
    private let names: [String]
    private let parameters: [ModelParameter]

    /// The template of a query.
    ///
    /// - Throws: The first thing that is wrong with it.
    init(_ query: String, parameters: [ModelParameter]) throws(Problem) {
        let bytes = Array(query.utf8)
        self.bytes = bytes
        self.parameters = parameters
        let plain = QueryReading(bytes, [.nestedComments, .dollarTexts])
        guard !parameters.isEmpty else {
            if let place = plain.open.first(where: { bytes[$0.bytes.lowerBound] == UInt8(ascii: "{") }) {
                throw Problem(
                    message: "the model has no parameter \"\(place.name)\"",
                    suggestion: "declare it: params: {\(place.name): {type: text}}", bytes: place.bytes)
            }
            (places, names) = ([], [])
            return
        }
        let known = parameters.map(\.name)
        for place in plain.quoted where known.contains(place.name) {
            throw Problem(
                message: "the parameter \(place.name) stands in quotes", suggestion: "remove the quotes",
                bytes: place.bytes)
        }
        for dialect in QueryReading.Dialect.all {
            let other = QueryReading(bytes, dialect)
            guard other.open == plain.open else {
                throw Self.ambiguity(plain.open, other.open, bytes.count)
            }
        }
        for place in plain.open where !known.contains(place.name) {
            throw Problem(
                message: "the model has no parameter \"\(place.name)\"",
                suggestion: Spelling.suggestion(place.name, in: known) ?? "declare it under params:",
                bytes: place.bytes)
        }
        places = plain.open.map(\.bytes)
        names = plain.open.map(\.name)
    }

    private static func ambiguity(
        _ first: [QueryReading.Place], _ second: [QueryReading.Place], _ count: Int
    ) -> Problem {
        let differing =
            zip(first, second).first { $0 != $1 }?.0 ?? (first + second).dropFirst(min(first.count, second.count)).first
        return Problem(
            message: "databases do not agree on whether this place of the query is in a text or a comment",
            suggestion: "keep backslashes, #, [ ] and odd quotes off the lines with parameters",
            bytes: differing?.bytes ?? 0..<count)
    }

    /// The names that the query uses, each once, in the order of the query.
    package var used: [String] { names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }

    /// The query with values in its places.
    ///
    /// - Parameter values: Values by name, as texts; defaults stand in for what is missing.
    /// - Throws: ``ModelParameterProblem`` for a name that is unknown, and for a value that is missing or wrong.
    package func query(_ values: [String: String]) throws(ModelParameterProblem) -> String {
        let known = parameters.map(\.name)
        if let name = values.keys.sorted().first(where: { !known.contains($0) }) {
            throw .unknown(name, known: known)
        }
        var literals: [String: String] = [:]
        for parameter in parameters {
            guard let text = values[parameter.name] ?? parameter.defaultText else { throw .missing(parameter.name) }
            guard let literal = parameter.kind.literal(text) else {
                throw .wrongValue(text, name: parameter.name, parameter.kind)
            }
            literals[parameter.name] = literal
        }
        var result: [UInt8] = []
        var position = 0
        for (place, name) in zip(places, names) {
            result += bytes[position..<place.lowerBound]
            result += (literals[name] ?? "").utf8
            position = place.upperBound
        }
        return String(decoding: result + bytes[position...], as: UTF8.self)
    }
}
