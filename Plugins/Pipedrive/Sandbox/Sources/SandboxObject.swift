// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What an account can have beside what every account has.
package enum SandboxFeature: String, Sendable, CaseIterable {
    /// The fields about people that come with Contact Sync.
    case contactSync = "contact-sync"
    /// The product Campaigns.
    case campaigns
}

/// What the sandbox serves for one object; an object is one value of this type and one line in ``all``.
struct SandboxObject: Sendable {
    /// What a property of a request body may hold.
    enum Rule: Sendable {
        /// A text of at most so many characters; one that is required must not be blank.
        case text(max: Int)
        case integer
        case number
        case boolean
        /// `false`: a record cannot be deleted by writing.
        case notTrue
        /// RFC 3339 without fractions: when the record was created.
        case timestamp
        /// RFC 3339 without fractions.
        case instant
        /// `YYYY-MM-DD HH:MM:SS`.
        case utcTime
        case date
        /// 1, 3, 5 or 7.
        case visibility
        /// The id of an active user.
        case owner
        /// The id of a record of another object.
        case reference(String)
        case pipeline
        case stage
        /// One of these texts.
        case choice([String])
        /// A code of three capitals.
        case currency
        /// Option ids of the field with the property's name.
        case optionList
        /// One option id of the field with the property's name.
        case option
        case address
        case contacts
        case customFields
    }

    /// One property of a request body.
    struct Property: Sendable {
        let name: String
        let rule: Rule
        var nullable = false
        var createOnly = false
        /// What the account must have for it, or nil.
        var feature: SandboxFeature?
        /// Whether it is answered only where `include_fields` asks for it.
        var isOnDemand = false
        /// Whether it is answered at all.
        var isAnswered = true
    }

    /// Works out what follows from a request for the whole record; an answer refuses the request.
    typealias Finish = @Sendable (inout [String: JSON], RecordChange) -> SandboxAnswer?

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
    /// What is answered besides, with the value that a record has where nothing sets one.
    var answered: [(name: String, value: JSON)] = []
    /// What `include_fields` may name; all of them are counts here, which are 0, but for ids and texts, which are null.
    let includable: [String]
    /// Properties by whose number a list can be narrowed.
    var filters: [String] = []
    /// Whether a list can be narrowed by `status`.
    var hasStatus = false
    /// Whether records can be archived, and are then in a list of their own.
    var hasArchive = false
    /// Where search may look.
    let searchable: [String]
    /// Parameters that narrow a search, with the properties that they name.
    var searchFilters: [String: String] = [:]
    /// The fields that are there without anybody creating them.
    let builtInFields: [FieldDefinition]
    /// The custom fields of a new account.
    let customFields: [(name: String, type: FieldType, options: [String]?)]
    /// What follows from a request for the whole record.
    var finish: Finish?

    /// The object's name as a sentence starts with it.
    var title: String { name.prefix(1).uppercased() + name.dropFirst() }

    /// The property with this name, where the request may name it.
    func property(_ name: String, creating: Bool) -> Property? {
        properties.first { $0.name == name && (creating || !$0.createOnly) }
    }

    /// Every object that the sandbox serves.
    static let all: [SandboxObject] = [.organization, .person, .deal]
}

/// What a request does to a record, for the rules about the whole of it.
struct RecordChange {
    /// The properties before, or nil for a new record.
    let old: [String: JSON]?
    /// The properties that the request names.
    let named: Set<String>
    /// Seconds since 1970.
    let now: Int64
    /// The pipelines and stages.
    let sales: SalesDirectory
}
