// SPDX-License-Identifier: Apache-2.0

/// A field of a destination's object, as this connection has it now.
public struct DestinationField: Sendable, Hashable {
    /// What a field holds, and with that which column type and text shape crosses to the connector.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The record's id. Column: text. Never written.
        case id
        /// A text. Column: text.
        case text
        /// A number with a fraction. Column: decimal.
        case number
        /// An integer. Column: int64.
        case integer
        /// True or false. Column: bool.
        case boolean
        /// An amount with a currency. Column: JSON `{"value": number, "currency": "EUR"}`.
        case money
        /// A date. Column: date.
        case date
        /// Two dates. Column: JSON `{"value": "2026-01-01", "until": "2026-01-31"}`.
        case dateRange = "date_range"
        /// A time of day. Column: JSON `{"value": "13:30:00"}`, with `timezone_name` where there is one.
        case time
        /// Two times. Column: JSON `{"value": "13:30:00", "until": "14:00:00"}`, with `timezone_name` as for ``time``.
        case timeRange = "time_range"
        /// An instant. Column: instant.
        case instant
        /// One of ``DestinationField/options``. Column: text, the option's id.
        case option
        /// Some of ``DestinationField/options``. Column: JSON array of the options' ids as strings.
        case options
        /// A user of the account. Column: text, the user's id, which is one of ``DestinationField/options``.
        case user
        /// The id of a record of another object. Column: text.
        case reference
        /// A postal address. Column: JSON `{"value": "…"}`, with parts as in ``DestinationField/parts``; one that is
        /// read back may have ``DestinationField/derivedParts`` besides.
        case address
        /// E-mail addresses or phone numbers. Column: JSON `[{"value": "…", "primary": true, "label": "work"}]`.
        case contacts
        /// A list of texts. Column: JSON array of strings.
        case texts
        /// Any JSON. Column: JSON.
        case json
    }

    /// The key by which columns and results name it, for example `owner_id` or a 40-character code.
    public var key: String
    /// The name that people see.
    public var label: String
    /// What it holds.
    public var kind: Kind
    /// Whether the account made it, rather than the vendor.
    public var isCustom: Bool
    /// Whether a create must have it, not empty.
    public var isRequiredOnCreate: Bool
    /// Whether a create may have it.
    public var isWritableOnCreate: Bool
    /// Whether an update may have it.
    public var isWritableOnUpdate: Bool
    /// Whether NULL may be written to clear it.
    public var isClearable: Bool
    /// The most characters (Unicode scalars) of a text, or nil.
    public var lengthMax: Int?
    /// The values to choose from, for kinds option, options and user; empty where they were not asked for.
    public var options: [FieldOption]
    /// The parts of an address besides `value`; empty for other kinds.
    public var parts: [String]
    /// The object that a reference points to, or empty.
    public var referenceObject: String
    /// What reading this field's options costs on top of the fields, or 0.
    public var optionsCost: Int64
    /// The key of the field whose option says which of this field's options go with it, as
    /// ``FieldOption/group`` names it (a pipeline, and its stages); empty where all of them always may be chosen.
    public var optionsWithin: String
    /// When the field may have a value, or nil for always.
    public var condition: FieldCondition?
    /// What its texts are, for kinds text, texts and contacts.
    public var content: Content
    /// Whether a record in which this field (of kind boolean) is true refuses every update that does not set it to
    /// false.
    public var locksRecord: Bool
    /// A remark for people, one sentence, above all why the field cannot be written here; or empty.
    public var note: String

    /// A field of a destination's object.
    public init(
        _ key: String, _ kind: Kind, label: String = "", isCustom: Bool = false, isRequiredOnCreate: Bool = false,
        isWritableOnCreate: Bool = true, isWritableOnUpdate: Bool = true, isClearable: Bool = false,
        lengthMax: Int? = nil, options: [FieldOption] = [], parts: [String] = [], referenceObject: String = "",
        optionsCost: Int64 = 0, optionsWithin: String = "", condition: FieldCondition? = nil,
        content: Content = .plain, locksRecord: Bool = false, note: String = ""
    ) {
        self.key = key
        self.label = label.isEmpty ? key : label
        self.kind = kind
        self.isCustom = isCustom
        self.isRequiredOnCreate = isRequiredOnCreate
        self.isWritableOnCreate = isWritableOnCreate
        self.isWritableOnUpdate = isWritableOnUpdate
        self.isClearable = isClearable
        self.lengthMax = lengthMax
        self.options = options
        self.parts = parts
        self.referenceObject = referenceObject
        self.optionsCost = optionsCost
        self.optionsWithin = optionsWithin
        self.condition = condition
        self.content = content
        self.locksRecord = locksRecord
        self.note = note
    }
}

extension DestinationField {
    /// The member of an address that is read back which lists the parts that the destination has found by itself.
    ///
    /// Where a sync has not sent such a part, nobody needs to have edited it. It is never written.
    public static var derivedParts: String { "derived" }

    /// What the texts of a field are.
    ///
    /// It says how records are found by the field where a sync does not say it.
    public enum Content: String, Sendable, Hashable, CaseIterable {
        /// Any text.
        case plain
        /// E-mail addresses.
        case email
        /// Phone numbers.
        case phone
        /// Web addresses.
        case url
    }
}

/// When a field may have a value: where another field has one of some values.
public struct FieldCondition: Sendable, Hashable {
    /// The key of the other field, which is of kind option.
    public var field: String
    /// The ids of the other field's options with which this field may have a value.
    public var values: [String]
    /// The id of the option that a new record has where nothing is said of the other field; empty for none.
    public var initial: String

    /// When a field may have a value.
    public init(_ field: String, _ values: [String], initial: String = "") {
        self.field = field
        self.values = values
        self.initial = initial
    }
}

extension DestinationField.Kind {
    /// The type of the column that carries this kind to the connector and back.
    public var columnType: DataType {
        switch self {
        case .id, .text, .option, .user, .reference: .text
        case .number: .decimal
        case .integer: .int64
        case .boolean: .bool
        case .date: .date
        case .instant: .instant
        case .money, .dateRange, .time, .timeRange, .options, .address, .contacts, .texts, .json: .json
        }
    }
}

/// One value that a field may take.
public struct FieldOption: Sendable, Hashable {
    /// The id that is written, as text.
    public var id: String
    /// The name that people see.
    public var label: String
    /// Other names for it: for a user, the e-mail address.
    public var aliases: [String]
    /// Whether it may be chosen; a user who has left may not.
    public var isActive: Bool
    /// The id of the option of ``DestinationField/optionsWithin`` that it goes with; empty where there is none.
    public var group: String

    /// One value that a field may take.
    public init(id: String, label: String, aliases: [String] = [], isActive: Bool = true, group: String = "") {
        self.group = group
        self.id = id
        self.label = label
        self.aliases = aliases
        self.isActive = isActive
    }
}
