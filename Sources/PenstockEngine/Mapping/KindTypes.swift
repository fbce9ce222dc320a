// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension DestinationField.Kind {
    private static let numeric: Set<DataType> = [.int64, .uint64, .float64, .decimal, .text]
    private static let textual: Set<DataType> = Set(DataType.allCases).subtracting([.bytes])
    private static let named: Set<DataType> = [.int64, .uint64, .decimal, .text]

    /// The types of columns of which some value can become a value of this kind.
    ///
    /// A column of another type is a fault of the map, not of its rows.
    var sourceTypes: Set<DataType> {
        switch self {
        case .id, .reference, .number, .integer, .user: Self.numeric
        case .text, .json: Self.textual
        case .boolean: [.bool, .int64, .uint64, .decimal, .text]
        case .money: Self.numeric.union([.json])
        case .date: [.date, .timestamp, .instant, .text]
        case .dateRange, .timeRange: [.text, .json]
        case .time: [.time, .text, .json]
        case .instant: [.instant, .text]
        case .option: Self.numeric.union([.bool])
        case .options, .texts: Self.numeric.union([.bool, .json])
        case .address: [.text, .json]
        case .contacts: Self.named.union([.json])
        }
    }

    /// Whether values are chosen from the field's options.
    var hasOptions: Bool { self == .option || self == .options || self == .user }

    /// Whether a text can be split into elements for it.
    var isList: Bool { self == .options || self == .texts || self == .contacts }

    /// Whether records can be found by it: equal values have one text, or each element of a list has.
    var isMatchable: Bool {
        switch self {
        case .text, .number, .integer, .date, .dateRange, .instant, .option, .user, .reference, .contacts, .texts:
            true
        case .id, .boolean, .money, .time, .timeRange, .options, .address, .json: false
        }
    }

    /// Whether records can be found by a field of this kind, `id` included.
    package var canFindRecords: Bool { self == .id || isMatchable }

    /// Whether it holds texts, which can be compared in more than one way.
    var isTextual: Bool { self == .text || self == .contacts || self == .texts }

    /// The kind in words, with its article.
    var phrase: String {
        switch self {
        case .id: "an id"
        case .text: "a text"
        case .number: "a number"
        case .integer: "an integer"
        case .boolean: "true or false"
        case .money: "an amount of money"
        case .date: "a date"
        case .dateRange: "a range of dates"
        case .time: "a time of day"
        case .timeRange: "a range of times"
        case .instant: "a date and time with a zone"
        case .option: "one option"
        case .options: "a list of options"
        case .user: "a user"
        case .reference: "the id of a record"
        case .address: "an address"
        case .contacts: "e-mail addresses or phone numbers"
        case .texts: "a list of texts"
        case .json: "JSON"
        }
    }
}
