// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Finds the field that a map's target names.
package struct FieldLookup: Sendable {
    /// What a name leads to.
    package enum Answer: Sendable, Hashable {
        /// This field, by its place.
        case found(Int)
        /// These fields bear the name as their label.
        case ambiguous([Int])
        /// No field; perhaps this name was meant.
        case unknown(suggestion: String?)
    }

    private let fields: [DestinationField]

    /// A lookup among `fields`.
    package init(_ fields: [DestinationField]) { self.fields = fields }

    /// Finds the vendor's field with this key, else the custom field with exactly this label, else that with this code.
    ///
    /// A label that differs in case only is a suggestion, not an answer.
    package func find(_ name: String) -> Answer {
        if let place = fields.firstIndex(where: { !$0.isCustom && $0.key == name }) { return .found(place) }
        let labelled = fields.indices.filter { fields[$0].isCustom && fields[$0].label == name }
        if labelled.count > 1 { return .ambiguous(labelled) }
        if let place = labelled.first { return .found(place) }
        if let place = fields.firstIndex(where: { $0.key == name }) { return .found(place) }
        return .unknown(suggestion: suggestion(for: name))
    }

    /// How people name a field in a map: a custom one by its label.
    package static func name(of field: DestinationField) -> String { field.isCustom ? field.label : field.key }

    /// The name by which a map finds the field at `place`: as ``name(of:)``, unless several bear that one.
    package func shortestName(of place: Int) -> String {
        let name = FieldLookup.name(of: fields[place])
        return find(name) == .found(place) ? name : fields[place].key
    }

    private func suggestion(for name: String) -> String? {
        // The vendor's fields are named by key, but somebody may have written what the destination's pages show.
        if let field = fields.first(where: { $0.label.lowercased() == name.lowercased() }) {
            return FieldLookup.name(of: field)
        }
        return NearestName.of(name, in: fields.map(FieldLookup.name(of:)))
    }
}
