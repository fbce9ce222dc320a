// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the sandbox serves for one object; an object is one value of this type and one line in ``all``.
struct SandboxObject: Sendable {
    /// What a property of a request body may hold.
    enum Rule: Sendable {
        /// A text of at most so many characters; one that is required must not be blank.
        case text(max: Int)
        case integer
        /// RFC 3339 without fractions.
        case timestamp
        /// 1, 3, 5 or 7.
        case visibility
        /// The id of an active user.
        case owner
        /// Option ids of the field with the property's name.
        case optionList
        /// One option id of the field with the property's name.
        case option
        case address
        case customFields
    }

    /// One property of a request body.
    struct Property: Sendable {
        let name: String
        let rule: Rule
        var nullable = false
        var createOnly = false
    }

    /// The object's id, for example `organization`.
    let name: String
    /// The last part of its path, for example `organizations`.
    let path: String
    /// The last part of its fields' path.
    let fieldsPath: String
    /// What a create must name.
    let required: [String]
    /// Everything a request body may name.
    let properties: [Property]
    /// What `include_fields` may name; all of them are counts here, which are 0, but for ids and texts, which are null.
    let includable: [String]
    /// The fields that are there without anybody creating them.
    let builtInFields: [FieldDefinition]
    /// The custom fields of a new account.
    let customFields: [(name: String, type: FieldType, options: [String]?)]

    /// The object's name as a sentence starts with it.
    var title: String { name.prefix(1).uppercased() + name.dropFirst() }

    /// The property with this name, where the request may name it.
    func property(_ name: String, creating: Bool) -> Property? {
        properties.first { $0.name == name && (creating || !$0.createOnly) }
    }

    /// Every object that the sandbox serves.
    static let all: [SandboxObject] = [.organization]
}
