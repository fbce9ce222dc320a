// SPDX-License-Identifier: Apache-2.0

/// One thing wrong with a field map, with its place.
package struct MappingProblem: Sendable, Hashable {
    /// What is wrong.
    ///
    /// The raw values are stable and end up in messages and documentation.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// No field of the object has this name.
        case unknownField = "unknown-field"
        /// The source has no column of this name.
        case unknownColumn = "unknown-column"
        /// The destination does not let this field be written in the insert mode.
        case readOnlyField = "read-only-field"
        /// Several fields bear this label.
        case ambiguousLabel = "ambiguous-label"
        /// Two entries fill one field.
        case duplicateTarget = "duplicate-target"
        /// An entry says neither `from` nor `value` nor parts.
        case sourceMissing = "source-missing"
        /// An entry says more than one of `from`, `value` and the part that they would fill.
        case sourceAmbiguous = "source-ambiguous"
        /// No value of the column's type can become a value of the field.
        case typeMismatch = "type-mismatch"
        /// A column without a time zone is to fill a field that needs one.
        case zoneMissing = "zone-missing"
        /// `option` on a field without options, or `option: label` on a user.
        case optionNotAllowed = "option-not-allowed"
        /// `split` on a field that is no list, on a column that is no text, or empty.
        case splitNotAllowed = "split-not-allowed"
        /// `when_missing` on a field without options.
        case whenMissingNotAllowed = "when-missing-not-allowed"
        /// `link` on a field that does not refer to what the linked sync writes, or beside `default`.
        case linkNotAllowed = "link-not-allowed"
        /// `guard` on the field that is the id.
        case guardNotAllowed = "guard-not-allowed"
        /// `default` beside `value`.
        case defaultNotAllowed = "default-not-allowed"
        /// A `value` or `default` does not convert.
        case constantInvalid = "constant-invalid"
        /// The field has no part of this name.
        case partUnknown = "part-unknown"
        /// A part that the field needs is not filled.
        case partMissing = "part-missing"
        /// A field that a new record needs is not mapped.
        case requiredNotMapped = "required-not-mapped"
        /// The field that finds the record is not mapped.
        case matchNotMapped = "match-not-mapped"
        /// Records cannot be found by a field of this kind.
        case matchNotAllowed = "match-not-allowed"
        /// The way in which match values are to be compared is none for this field.
        case matchRuleNotAllowed = "match-rule-not-allowed"
        /// A new record can have this field only together with another one, which is not mapped.
        case conditionNotMapped = "condition-not-mapped"
        /// `id` is mapped although another field finds the record.
        case idNotUsed = "id-not-used"
    }

    /// Where in an entry it is wrong.
    package enum Part: Sendable, Hashable {
        /// The target's name.
        case target
        /// The column.
        case from
        /// The constant.
        case value
        /// What stands in for NULL.
        case defaultValue
        /// How options are named.
        case option
        /// The separator.
        case split
        /// What happens to unknown elements.
        case whenMissing
        /// The sync that is linked to.
        case link
        /// When an update may change it.
        case editGuard
        /// The part of a compound target with this name.
        case part(String)
        /// The insert mode's `match`; there is no entry.
        case match

        /// The key in the file.
        package var name: String {
            switch self {
            case .target: "target"
            case .from: "from"
            case .value: "value"
            case .defaultValue: "default"
            case .option: "option"
            case .split: "split"
            case .whenMissing: "when_missing"
            case .link: "link"
            case .editGuard: "guard"
            case .part(let name): name
            case .match: "match"
            }
        }
    }

    /// The entry's place in the map, or nil where no entry is at fault.
    package var entry: Int?
    /// Where in the entry.
    package var part: Part
    /// What is wrong.
    package var code: Code
    /// One sentence for people.
    package var message: String
    /// The name that was probably meant, or nil.
    package var suggestion: String?
    /// What there is to choose from: columns, fields, codes or parts.
    package var notes: [String]

    /// A problem of an entry, or of the whole map.
    package init(
        entry: Int?, part: Part, code: Code, message: String, suggestion: String? = nil, notes: [String] = []
    ) {
        self.entry = entry
        self.part = part
        self.code = code
        self.message = message
        self.suggestion = suggestion
        self.notes = notes
    }
}

/// Everything wrong with a field map, in the order of the map.
package struct MappingProblems: Error, Sendable, Hashable {
    /// At least one.
    package let problems: [MappingProblem]
}
