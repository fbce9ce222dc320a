// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// An object of Pipedrive: everything in which one differs from the next.
///
/// Adding one is a file like `Organization.swift` and its line in ``all``.
package struct PipedriveObject: Sendable {
    /// The name for project files and messages, in the singular.
    package var id: String
    /// The name for people.
    package var title: String
    /// The path of its records below `/api/v2/`.
    package var path: String
    /// The path of its field definitions below `/api/v2/`.
    package var fieldsPath: String
    /// What requests cost, in tokens.
    package var costs: RequestCosts
    /// The fields that the vendor made, in the order in which they are shown.
    package var fields: [BuiltInField]

    /// The path below `/api/v2/` of the records that the list leaves out because they are archived, or nil.
    package var archivePath: String?
    /// What a page of archived records costs, in tokens.
    package var archivePageCost: Int64 = 0

    /// The objects that can be written.
    package static let all: [PipedriveObject] = [.organization, .person, .deal]

    /// The object named `id`.
    ///
    /// - Throws: ``ConnectorError`` `notFound`.
    static func named(_ id: String) throws(ConnectorError) -> PipedriveObject {
        guard let object = all.first(where: { $0.id == id }) else {
            let names = all.map(\.id).joined(separator: ", ")
            throw ConnectorError(
                .notFound, "The Pipedrive connector has no object named \(id); it has \(names).", field: "object")
        }
        return object
    }

    /// What the host is told without a connection.
    var descriptor: ObjectDescriptor {
        ObjectDescriptor(
            id: id, title: title,
            requiredOnCreate: fields.filter(\.field.isRequiredOnCreate).map(\.field.key), costs: costs,
            createdAtField: "add_time", updatedAtField: "update_time")
    }
}

/// A field that the vendor made.
package struct BuiltInField: Sendable {
    /// What the host is told; label and options come from the account where it lists the field.
    package var field: DestinationField
    /// How a value stands in a request.
    package var wire: WireShape
    /// What an account needs so that the field is there, as the end of a sentence; empty where it is always there.
    package var feature: String
    /// Other codes under which the list of fields may name it.
    package var listedAs: [String]
    /// Where its options come from.
    package var optionSource: OptionSource
    /// Whether answers have it only where `include_fields` asks for it.
    package var isIncludedOnDemand: Bool

    /// A field that the vendor made.
    ///
    /// - Parameter wire: nil for the usual shape of the field's kind.
    package init(
        _ field: DestinationField, wire: WireShape? = nil, feature: String = "", listedAs: [String] = [],
        optionSource: OptionSource? = nil, isIncludedOnDemand: Bool = false
    ) {
        self.field = field
        self.wire = wire ?? WireShape(field.kind)
        self.feature = feature
        self.listedAs = listedAs
        self.optionSource = optionSource ?? (field.kind == .user ? .users : .listing)
        self.isIncludedOnDemand = isIncludedOnDemand
    }

    /// A field that is only read.
    package static func readOnly(
        _ key: String, _ kind: DestinationField.Kind, _ label: String, isIncludedOnDemand: Bool = false,
        listedAs: [String] = []
    ) -> BuiltInField {
        BuiltInField(
            DestinationField(key, kind, label: label, isWritableOnCreate: false, isWritableOnUpdate: false),
            listedAs: listedAs, isIncludedOnDemand: isIncludedOnDemand)
    }
}

/// Where the options of a field come from.
package enum OptionSource: Sendable, Hashable {
    /// The account's list of fields.
    case listing
    /// The table of the object: the API takes these and no others.
    case table
    /// The account's users.
    case users
    /// The account's pipelines.
    case pipelines
    /// The stages of the account's pipelines.
    case stages
}

/// How a value stands in a request's JSON.
package enum WireShape: Sendable, Hashable {
    /// A string.
    case string
    /// A number with the text it came with.
    case number
    /// An integer.
    case integer
    /// `true` or `false`.
    case boolean
    /// A number, from the text of an id.
    case id
    /// An array of numbers, from an array of ids as strings; an empty one becomes `null`.
    case ids
    /// As ``ids``, but an empty one, and NULL, stay an empty array.
    case idsNeverNull
    /// `YYYY-MM-DD`.
    case date
    /// RFC 3339 in UTC, in whole seconds, which is what Pipedrive keeps.
    case instant
    /// `YYYY-MM-DD HH:MM:SS` in UTC.
    case utcTime
    /// The JSON as it came.
    case json
    /// As ``json``, but NULL is an empty array.
    case listNeverNull

    /// The usual shape of a kind.
    package init(_ kind: DestinationField.Kind) {
        switch kind {
        case .text: self = .string
        case .number: self = .number
        case .integer: self = .integer
        case .boolean: self = .boolean
        case .id, .option, .user, .reference: self = .id
        case .options: self = .ids
        case .date: self = .date
        case .instant: self = .instant
        case .contacts: self = .listNeverNull
        case .money, .dateRange, .time, .timeRange, .address, .texts, .json: self = .json
        }
    }
}
