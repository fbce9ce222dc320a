// SPDX-License-Identifier: Apache-2.0

/// What a limit may be written as, beside `off`.
enum LimitForm: Sendable {
    case count
    case percent
    case countOrPercent
}

/// What a value in a project file may be.
indirect enum SchemaNode: Sendable {
    /// A key of a map.
    struct Key: Sendable {
        var name: String
        var schema: SchemaNode
        var isRequired: Bool

        init(_ name: String, _ schema: SchemaNode, isRequired: Bool = false) {
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
        }
    }

    /// A map with known keys; an open one has others that somebody else checks.
    case map([Key], isOpen: Bool = false)
    /// A map with names of the user's own; `noun` says what they name.
    case dictionary(noun: String, SchemaNode)
    case list(SchemaNode)
    /// One text, or a list of texts, none of them empty; the result is always a list.
    case texts
    case text
    /// A text that is not empty.
    case word
    case integer(ClosedRange<Int>)
    case boolean
    /// One of these words in any case; the result has the spelling of the list.
    case choice(noun: String, [String])
    case duration
    /// A duration that is not shorter than another one.
    case durationFrom(String)
    case durationOrNumber
    /// A number of rows, or a percentage.
    case countOrPercent
    case percent
    /// A number, a percentage, or `off`.
    case limit(LimitForm)
    /// A scalar that is not empty, or else what the other schema says.
    case textOr(SchemaNode)
    /// What ``texts`` takes, or a map as the other schema says.
    case textsOr(SchemaNode)
    case any
}
