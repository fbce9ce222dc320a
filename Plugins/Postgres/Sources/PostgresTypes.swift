// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A native type as the server describes it, a domain already followed to its base.
struct PostgresNative: Hashable, Sendable {
    /// The number of the type.
    var number: UInt32
    /// `pg_type.typtype`: `b` base, `c` composite, `e` enum, `r` range and so on.
    var sort = "b"
    /// `pg_type.typcategory`; `A` for arrays.
    var category = "U"
}

/// How a column is asked for, how it arrives, and how it is compared.
struct PostgresType: Hashable, Sendable {
    /// How a value lies in the binary copy.
    enum Wire: Hashable, Sendable {
        case bool, int16, int32, int64, oid, float32, float64, numeric, text, bytes, uuid, date, time, moment, json
        case jsonb
    }

    /// What is asked for instead of the column itself.
    enum Form: Hashable, Sendable {
        case plain, text, json, numeric, network, block
    }

    /// The type of what is delivered.
    var type: DataType
    /// How a value lies in the binary copy.
    var wire: Wire
    /// What is asked for.
    var form = Form.plain

    /// The SQL that is selected for the column `name`.
    func selected(_ name: String) -> String {
        switch form {
        case .plain: name
        case .text: "\(name)::text"
        case .json: "to_json(\(name))"
        case .numeric: "\(name)::numeric"
        // The cast of these two adds the length of the prefix, which their output leaves out.
        case .network: "textin(inet_out(\(name)))"
        case .block: "textin(cidr_out(\(name)))"
        }
    }

    private static let text = PostgresType(type: .text, wire: .text)

    /// The types that arrive as themselves, by the numbers that `pg_type.dat` fixes for ever.
    private static let known: [UInt32: PostgresType] = [
        16: PostgresType(type: .bool, wire: .bool),
        17: PostgresType(type: .bytes, wire: .bytes),
        19: text, 25: text, 1042: text, 1043: text, 142: text,
        20: PostgresType(type: .int64, wire: .int64),
        21: PostgresType(type: .int64, wire: .int16),
        23: PostgresType(type: .int64, wire: .int32),
        26: PostgresType(type: .int64, wire: .oid),
        114: PostgresType(type: .json, wire: .json),
        700: PostgresType(type: .float64, wire: .float32),
        701: PostgresType(type: .float64, wire: .float64),
        790: PostgresType(type: .decimal, wire: .numeric, form: .numeric),
        869: PostgresType(type: .text, wire: .text, form: .network),
        650: PostgresType(type: .text, wire: .text, form: .block),
        1082: PostgresType(type: .date, wire: .date),
        1083: PostgresType(type: .time, wire: .time),
        1114: PostgresType(type: .timestamp, wire: .moment),
        1184: PostgresType(type: .instant, wire: .moment),
        1700: PostgresType(type: .decimal, wire: .numeric),
        2950: PostgresType(type: .text, wire: .uuid),
        3802: PostgresType(type: .json, wire: .jsonb),
    ]

    /// The type for a native one.
    init(_ native: PostgresNative) {
        if let known = Self.known[native.number] {
            self = known
        } else if native.sort == "e" {
            self = Self.text
        } else if native.category == "A" {
            self.init(type: .json, wire: .json, form: .json)
        } else {
            self.init(type: .text, wire: .text, form: .text)
        }
    }

    private init(type: DataType, wire: Wire, form: Form = .plain) {
        self.type = type
        self.wire = wire
        self.form = form
    }

    /// Whether the values have an order by their meaning that an Incremental Key can follow.
    var isOrdered: Bool {
        switch type {
        case .int64, .float64, .decimal, .date, .timestamp, .instant: true
        case .text: form == .plain && wire == .text
        default: false
        }
    }
}

/// How a column is compared and ordered: as its delivered values are.
struct PostgresKey {
    private let column: PostgresRelation.Column
    private let name: String
    private let hasUTF8Order: Bool

    /// The key of a column.
    ///
    /// - Parameters:
    ///   - name: The column, as SQL.
    ///   - encoding: That of the database; in some the bytes of texts have another order than in UTF-8.
    init(_ column: PostgresRelation.Column, _ name: String, encoding: String) {
        self.column = column
        self.name = name
        hasUTF8Order = ["UTF8", "SQL_ASCII", "LATIN1"].contains(encoding)
    }

    /// The SQL to order by.
    var expression: String {
        switch column.type.type {
        case .text where column.type.wire == .uuid: name
        case .text: bytewise(column.native == 1042 ? "textin(bpcharout(\(name)))" : textual)
        case .json: bytewise("\(name)::text")
        // Doubles are made of the text of a real, which is not the real's own width.
        case .float64 where column.type.wire == .float32: "\(name)::text::float8"
        case .int64 where column.type.wire == .oid: "\(name)::int8"
        default: column.type.form == .plain ? name : column.type.selected(name)
        }
    }

    private var textual: String {
        column.type.form == .plain ? "\(name)::text" : column.type.selected(name)
    }

    private func bytewise(_ text: String) -> String {
        hasUTF8Order ? "(\(text)) COLLATE \"C\"" : "convert_to(\(text), 'UTF8')"
    }

    /// The SQL for rows past a limit, without those that are NULL; nil where there is no order that a limit could
    /// use.
    ///
    /// - Parameter literal: Makes an SQL literal of a text.
    func condition(
        _ bound: ReadRequest.LowerBound, literal: (String) -> String?
    ) -> String? {
        let comparison = bound.isInclusive ? ">=" : ">"
        guard bound.value.type == column.type.type, let limit = limit(bound.value, literal) else { return nil }
        return "\(limit.operand) \(comparison) \(limit.literal)"
    }

    private func limit(_ value: Value, _ literal: (String) -> String?) -> (operand: String, literal: String)? {
        switch value {
        case .bool(let flag): return (expression, flag ? "true" : "false")
        case .int64(let number): return (expression, "'\(number)'::int8")
        case .float64(let number): return number.isNaN ? nil : (expression, "'\(number)'::float8")
        case .decimal(let text):
            guard PostgresNumeric.isPlain(text) else { return nil }
            return (expression, "'\(text)'::numeric")
        case .text(let text):
            if column.type.wire == .uuid {
                if Self.isUUID(text) { return (expression, "'\(text)'::uuid") }
                return literal(text).map { ("(\(name)::text) COLLATE \"C\"", $0) }
            }
            guard let quoted = literal(text) else { return nil }
            return (expression, hasUTF8Order ? quoted : "convert_to(\(quoted), 'UTF8')")
        case .date(let day): return (expression, PostgresTime.sql(day: day))
        case .time(let time): return (expression, "'\(TimeText.time(min(max(time, 0), TimeText.dayLength - 1)))'::time")
        case .timestamp(let moment): return (expression, PostgresTime.sql(moment: moment, "timestamp"))
        case .instant(let moment): return (expression, PostgresTime.sql(moment: moment, "timestamptz"))
        case .null, .uint64, .bytes, .json: return nil
        }
    }

    /// Whether the text is a UUID as it is delivered, so that the order of its bytes is that of its text.
    private static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.indices.allSatisfy { index in
            let byte = bytes[index]
            if [8, 13, 18, 23].contains(index) { return byte == UInt8(ascii: "-") }
            return (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
        }
    }
}
