// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A value that a model's query leaves open, and that a sync or a command gives.
package struct ModelParameter: Sendable, Hashable {
    /// What a value may be.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Any text on one line.
        case text
        /// A whole number.
        case integer
        /// A decimal number.
        case number
        /// `true` or `false`.
        case boolean
        /// A calendar date.
        case date
        /// A date with a time of day, without a zone.
        case timestamp

        /// How a value is written, for messages.
        package var example: String {
            switch self {
            case .text: "a text on one line, without backslashes"
            case .integer: "a whole number as 42"
            case .number: "a number as 12.50"
            case .boolean: "true or false"
            case .date: "a date as 2026-01-31"
            case .timestamp: "a time without a zone as 2026-01-31T06:15:00"
            }
        }

        private static let digitsMax = 38
        private static let textMax = 4_096

        /// The value as a literal that every SQL reads the same way, or nil where `text` is no such value.
        ///
        /// Nothing of a literal can be read as anything but a value: numbers hold digits, a sign and a point and stand
        /// in parentheses where they are negative; dates are made anew of what was read; texts have their quotes
        /// doubled and hold neither backslashes nor control characters.
        package func literal(_ text: String) -> String? {
            switch self {
            case .text: Self.quoted(text)
            case .integer: text.contains(".") ? nil : Self.number(text)
            case .number: Self.number(text)
            case .boolean: ScalarText.boolean(text).map { $0 ? "TRUE" : "FALSE" }
            case .date: Self.date(text)
            case .timestamp: Self.timestamp(text)
            }
        }

        private static func number(_ text: String) -> String? {
            guard ScalarText.isDecimal(text), text.utf8.count <= digitsMax else { return nil }
            return text.hasPrefix("-") ? "(\(text))" : text
        }

        private static func quoted(_ text: String) -> String? {
            guard text.utf8.count <= textMax else { return nil }
            let isPlain = text.unicodeScalars.allSatisfy { scalar in
                scalar != "\\" && (scalar == "\t" || scalar.properties.generalCategory != .control)
            }
            guard isPlain else { return nil }
            return QuotedText.text(text, quote: "'", escape: "''")
        }

        private static func date(_ text: String) -> String? {
            guard let days = TimeText.parseDate(text), CivilDate.fourDigitDays.contains(days) else { return nil }
            return TimeText.date(days).map { "'\($0)'" }
        }

        private static func timestamp(_ text: String) -> String? {
            guard let stamp = TimeText.parseStamp(text), stamp.offset == nil,
                CivilDate.fourDigitDays.contains(TimeText.day(of: stamp.local))
            else { return nil }
            return "'" + TimeText.timestamp(stamp.local).replacing("T", with: " ") + "'"
        }
    }

    /// The name, as it stands in the query behind a colon.
    package var name: String
    /// What its values are.
    package var kind: Kind
    /// The value where none is given, as it was written, or nil.
    package var defaultText: String?
    /// What it is for, or nil.
    package var description: String?

    /// Whether `text` may be the name of a parameter.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first.isNameStart, text.utf8.count <= 60 else { return false }
        return text.utf8.allSatisfy(\.isNamePart)
    }
}

/// Why a model's query cannot be made with the values that were given.
package enum ModelParameterProblem: Error, Sendable, Hashable {
    /// The model has no parameter of this name.
    case unknown(String, known: [String])
    /// The parameter has no value.
    case missing(String)
    /// The text is no value of the parameter's kind.
    case wrongValue(String, name: String, ModelParameter.Kind)

    /// What is wrong, as one clause.
    package func message(model: String) -> String {
        switch self {
        case .unknown(let name, _): "model \(model) has no parameter \"\(name)\""
        case .missing(let name): "model \(model) needs a value for its parameter \(name)"
        case .wrongValue(let text, let name, let kind):
            "\"\(text)\" is no value of the parameter \(name), which is \(kind.example)"
        }
    }

    /// What may have been meant, or nil.
    package var suggestion: String? {
        guard case .unknown(let name, let known) = self else { return nil }
        return Spelling.suggestion(name, in: known)
    }

    /// What there is to choose from.
    package var notes: [String] {
        guard case .unknown(_, let known) = self else { return [] }
        return [known.isEmpty ? "the model has no parameters" : "parameters: \(ScalarText.list(known))"]
    }
}

extension UInt8 {
    /// Whether a name can begin with this.
    var isNameStart: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || self == UInt8(ascii: "_")
    }

    /// Whether a name can go on with this.
    var isNamePart: Bool { isNameStart || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
