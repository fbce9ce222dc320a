// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Proposes which column fills which field: by names, by types, and by what some rows hold.
///
/// A pure value: the same fields and columns give the same proposals, whatever the order of anything but their own. No
/// column and no field is proposed twice, and nothing is proposed of which no value could be converted.
package struct AutoMap: Sendable {
    /// A column that may be mapped.
    package struct Column: Sendable, Hashable {
        /// The name.
        package var name: String
        /// The type of its values.
        package var type: DataType
        /// Some of its values, without NULL.
        package var samples: [Value]
        /// Whether it is the source's own key, or part of it.
        package var isKey: Bool

        /// A column that may be mapped.
        package init(_ name: String, _ type: DataType, samples: [Value] = [], isKey: Bool = false) {
            self.name = name
            self.type = type
            self.samples = samples
            self.isKey = isKey
        }
    }

    /// How sure a proposal is.
    package enum Confidence: String, Sendable, Hashable, Comparable, CaseIterable {
        /// Little speaks for it: a person has to look.
        case unlikely
        /// Names or values speak for it.
        case likely
        /// The names are the same, and nothing speaks against it.
        case exact

        /// Less sure before more sure.
        package static func < (left: Confidence, right: Confidence) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .unlikely: 0
            case .likely: 1
            case .exact: 2
            }
        }
    }

    /// One column for one field.
    package struct Proposal: Sendable, Hashable {
        /// The field's place among the fields.
        package var field: Int
        /// The field as a map names it.
        package var target: String
        /// The column's name.
        package var column: String
        /// How sure it is.
        package var confidence: Confidence
        /// Why, in a few words.
        package var reason: String
        /// What the column's texts are to be split at, or nil.
        package var split: String?
    }

    /// What is written: words that say nothing within it, for example `organization_name` for an organization's name.
    package struct Subject: Sendable, Hashable {
        /// The object's id.
        package var object: String
        /// Other names for the system that is written.
        package var system: [String]

        /// What is written.
        ///
        /// - Parameters:
        ///   - object: The object's id.
        ///   - system: Other names for the destination: of its connector, of the connection.
        package init(object: String, system: [String] = []) {
            self.object = object
            self.system = system
        }
    }

    private let fields: [DestinationField]
    private let columns: [Column]
    private let subject: Subject

    /// What may be proposed.
    ///
    /// - Parameters:
    ///   - fields: The fields of the object, with their options where they are known; those that cannot be written are
    ///     passed over.
    ///   - columns: The columns of the table or model.
    package init(fields: [DestinationField], columns: [Column], subject: Subject) {
        self.fields = fields
        self.columns = columns
        self.subject = subject
    }

    /// The proposals in the order of the fields, those that a new record needs and the id first.
    ///
    /// - Parameter taken: Fields by key, and columns, that are mapped already and are not proposed again.
    package func proposals(without taken: (fields: Set<String>, columns: Set<String>) = ([], [])) -> [Proposal] {
        var matches: [FieldMatch] = []
        for (field, description) in fields.enumerated() where !taken.fields.contains(description.key) {
            for (column, candidate) in columns.enumerated() where !taken.columns.contains(candidate.name) {
                let scale = MatchScale(field: description, column: candidate, subject: subject)
                if let match = scale.match(field: field, column: column) { matches.append(match) }
            }
        }
        matches.sort { $0.precedes($1) }
        var usedFields: Set<String> = []
        var usedColumns: Set<String> = []
        var chosen: [FieldMatch] = []
        for match in matches {
            let (key, name) = (fields[match.field].key, columns[match.column].name)
            guard !usedFields.contains(key), !usedColumns.contains(name) else { continue }
            usedFields.insert(key)
            usedColumns.insert(name)
            chosen.append(match)
        }
        return chosen.sorted { (rank($0.field), $0.field) < (rank($1.field), $1.field) }.map(proposal)
    }

    private func rank(_ field: Int) -> Int {
        fields[field].kind == .id ? 0 : fields[field].isRequiredOnCreate ? 1 : fields[field].isCustom ? 3 : 2
    }

    private func proposal(_ match: FieldMatch) -> Proposal {
        Proposal(
            field: match.field, target: FieldLookup(fields).shortestName(of: match.field),
            column: columns[match.column].name, confidence: match.confidence, reason: match.reason,
            split: match.split)
    }
}

/// A column held against a field.
struct FieldMatch: Sendable, Hashable {
    var field: Int
    var column: Int
    /// The higher, the better; at most 130.
    var score: Int
    var isExact: Bool
    var reason: String
    var split: String?

    /// From so many points on a match is likely.
    static let likely = 50
    /// Under so many points there is no match.
    static let least = 30

    var confidence: AutoMap.Confidence {
        score < Self.likely ? .unlikely : isExact ? .exact : .likely
    }

    /// Whether it is chosen first: the better one, then by the order of fields and columns.
    func precedes(_ other: FieldMatch) -> Bool {
        (other.score, field, column) < (score, other.field, other.column)
    }
}
