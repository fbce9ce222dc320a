// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How creates whose answer was lost are settled in one sync.
package enum DeliveryGuarantee: Sendable, Hashable {
    /// By the marker in this field.
    case exactlyOnce(marker: DestinationField)
    /// By the whole payload.
    case byMatch
    /// By a person.
    case atMostOnce

    /// Its name in `insert.delivery`.
    package var name: String {
        switch self {
        case .exactlyOnce: InsertDefinition.Delivery.exactlyOnce.rawValue
        case .byMatch: InsertDefinition.Delivery.byMatch.rawValue
        case .atMostOnce: InsertDefinition.Delivery.atMostOnce.rawValue
        }
    }

    /// What is said of it in one line.
    package var note: String {
        switch self {
        case .exactlyOnce(let marker): "a lost answer is settled by the marker in \"\(marker.label)\""
        case .byMatch: "a lost answer is settled by comparing the whole record"
        case .atMostOnce: "a row whose answer is lost waits for: penstock reject resolve"
        }
    }

    /// Why a delivery cannot be had.
    package enum Problem: Error, Sendable, Hashable {
        /// The object has no marker field.
        case noMarkerField
        /// The map fills the marker field itself.
        case markerIsMapped
        /// Records cannot be read back.
        case noReadBack
    }

    /// The strongest that is possible and asked for.
    ///
    /// - Parameters:
    ///   - fields: The object's fields.
    ///   - mapped: The keys of the fields that the map fills.
    ///   - canReadBack: Whether the destination lists changed records.
    package static func resolve(
        _ wanted: InsertDefinition.Delivery, fields: [DestinationField], mapped: Set<String>, canReadBack: Bool
    ) throws(Problem) -> DeliveryGuarantee {
        let marker = fields.first { $0.label == Marker.fieldLabel && $0.kind == .text && $0.isCustom }
        switch wanted {
        case .atMostOnce: return .atMostOnce
        case .byMatch:
            guard canReadBack else { throw .noReadBack }
            return .byMatch
        case .exactlyOnce:
            guard canReadBack else { throw .noReadBack }
            guard let marker else { throw .noMarkerField }
            guard !mapped.contains(marker.key) else { throw .markerIsMapped }
            return .exactlyOnce(marker: marker)
        case .auto:
            guard canReadBack else { return .atMostOnce }
            guard let marker, !mapped.contains(marker.key) else { return .byMatch }
            return .exactlyOnce(marker: marker)
        }
    }
}
