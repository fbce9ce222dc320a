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

    /// The objects that can be written.
    package static let all: [PipedriveObject] = [.organization]

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
            createdAtField: "add_time")
    }
}

/// A field that the vendor made.
package struct BuiltInField: Sendable {
    /// What the host is told; label and options come from the account where it lists the field.
    package var field: DestinationField
    /// How a value stands in a request.
    package var wire: WireShape
    /// Whether it exists even where the account's list of fields does not name it.
    package var isAlwaysThere: Bool
    /// Other codes under which the list of fields may name it.
    package var listedAs: [String]

    /// A field that the vendor made.
    ///
    /// - Parameter wire: nil for the usual shape of the field's kind.
    package init(
        _ field: DestinationField, wire: WireShape? = nil, isAlwaysThere: Bool = true, listedAs: [String] = []
    ) {
        self.field = field
        self.wire = wire ?? WireShape(field.kind)
        self.isAlwaysThere = isAlwaysThere
        self.listedAs = listedAs
    }
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
    /// The JSON as it came.
    case json

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
        case .money, .dateRange, .time, .timeRange, .address, .contacts, .texts, .json: self = .json
        }
    }
}
