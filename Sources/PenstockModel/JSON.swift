// SPDX-License-Identifier: Apache-2.0

/// A JSON value whose numbers keep the text they were written with.
///
/// Identifiers above 2⁵³ and decimals therefore pass through unchanged; nothing goes through a double.
public enum JSON: Sendable, Hashable {
    /// The literal `null`.
    case null
    /// The literals `true` and `false`.
    case bool(Bool)
    /// A number, as its JSON text, for example `12`, `-0.5` or `1e3`.
    case number(String)
    /// A string, without quotes and with escapes resolved.
    case string(String)
    /// An array, in order.
    case array([JSON])
    /// An object; keys keep the order in which they were written.
    case object(JSONObject)

    /// A number from an integer.
    public static func integer(_ value: some BinaryInteger) -> JSON { .number(String(value)) }

    /// A number from a finite double, in its shortest text that reads back as the same double.
    ///
    /// - Returns: `null` for NaN and the infinities, which JSON cannot hold.
    public static func double(_ value: Double) -> JSON {
        guard value.isFinite else { return .null }
        let text = "\(value)"
        return .number(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    /// An array of strings.
    public static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }

    /// The member named `key`, or nil where this is not an object or has no such member.
    public subscript(key: String) -> JSON? {
        if case .object(let object) = self { return object[key] }
        return nil
    }

    /// The text of a string, or nil.
    public var stringValue: String? { if case .string(let text) = self { text } else { nil } }

    /// The value of a boolean, or nil.
    public var boolValue: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// The value of an integral number that fits 64 bits, or nil.
    ///
    /// `1.0` and `1e3` are not integral here.
    public var intValue: Int? { if case .number(let text) = self { Int(text) } else { nil } }

    /// The nearest double of a number, or nil.
    public var doubleValue: Double? { if case .number(let text) = self { Double(text) } else { nil } }

    /// The text of a number, or nil.
    public var numberText: String? { if case .number(let text) = self { text } else { nil } }

    /// The elements of an array, or nil.
    public var arrayValue: [JSON]? { if case .array(let items) = self { items } else { nil } }

    /// The members of an object, or nil.
    public var objectValue: JSONObject? { if case .object(let object) = self { object } else { nil } }

    /// Whether this is `null`.
    public var isNull: Bool { self == .null }
}

/// The members of a JSON object, in the order in which they were written.
public struct JSONObject: Sendable, Hashable, Sequence, ExpressibleByDictionaryLiteral {
    /// The members in order; keys are unique.
    public private(set) var members: [Member] = []

    /// One key and its value.
    public struct Member: Sendable, Hashable {
        /// The key, without quotes.
        public var key: String
        /// The value.
        public var value: JSON

        /// A key with its value.
        public init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// An object without members.
    public init() {}

    /// An object from a literal; a later pair replaces an earlier one with the same key.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        for (key, value) in elements { self[key] = value }
    }

    /// The value of `key`; assigning nil removes the member, assigning to a new key appends it.
    ///
    /// - Complexity: linear in the number of members.
    public subscript(key: String) -> JSON? {
        get { members.first { $0.key == key }?.value }
        set {
            guard let index = members.firstIndex(where: { $0.key == key }) else {
                if let newValue { members.append(Member(key: key, value: newValue)) }
                return
            }
            if let newValue { members[index].value = newValue } else { members.remove(at: index) }
        }
    }

    /// Appends a member without looking for an earlier one with the same key, for keys known to be new.
    public mutating func append(_ key: String, _ value: JSON) { members.append(Member(key: key, value: value)) }

    /// The keys, in order.
    public var keys: [String] { members.map(\.key) }

    /// How many members there are.
    public var count: Int { members.count }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// Visits the members in order.
    public func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }
}
