// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The SQL text of one request.
struct MySQLQuery {
    /// The text.
    private(set) var sql: String
    /// The columns of the result that are delivered, in order.
    private(set) var delivered: [Int]
    /// The bytes of the longest text that rows are ordered by; 0 without one.
    private(set) var sortBytesMax = 0

    /// The text for `request`.
    ///
    /// - Throws: ``ConnectorError``: `notFound` for an unknown column, `badRequest` for a limit of another type.
    init(_ request: ReadRequest, _ relation: MySQLRelation) throws(ConnectorError) {
        delivered = try relation.positions(of: request.columns)
        let order = request.order.isEmpty ? [] : try relation.positions(of: request.order)
        if let query = relation.query, request.lowerBound == nil, order.isEmpty {
            sql = query
            return
        }
        let names = Self.names(relation)
        let list = delivered.map { names[$0] }.joined(separator: ", ")
        delivered = Array(delivered.indices)
        if relation.query == nil {
            sql = "SELECT \(list) FROM \(relation.source)"
        } else if Set(relation.columns.map { $0.name.lowercased() }).count == relation.columns.count {
            sql = "SELECT \(list) FROM \(relation.source) AS penstock_query"
        } else {
            sql =
                "WITH penstock_query (\(names.joined(separator: ", "))) AS \(relation.source) "
                + "SELECT \(list) FROM penstock_query"
        }
        if let bound = request.lowerBound {
            let position = try relation.position(of: bound.column)
            let condition = try MySQLLowerBound.condition(bound, relation.columns[position], names[position])
            sql += " WHERE \(condition)"
        }
        if !order.isEmpty {
            let keys = order.map { Self.orderKey(relation.columns[$0], names[$0]) }
            sql += " ORDER BY " + keys.joined(separator: ", ")
            for position in order where [.text, .json, .bytes].contains(relation.columns[position].type) {
                sortBytesMax = max(sortBytesMax, relation.columns[position].bytesMax)
            }
        }
        if let rowsMax = request.rowsMax { sql += " LIMIT \(max(0, rowsMax))" }
    }

    /// How each column is reached in SQL: by its name, or by its place where a query repeats names.
    private static func names(_ relation: MySQLRelation) -> [String] {
        let isClear =
            relation.query == nil
            || Set(relation.columns.map { $0.name.lowercased() }).count == relation.columns.count
        return relation.columns.enumerated().map { index, column in
            isClear ? MySQLNames.quoted(column.name) : "penstock_\(index)"
        }
    }

    private static func orderKey(_ column: MySQLRelation.Column, _ name: String) -> String {
        switch column.type {
        case .text, .json: column.comparesBytes ? name : MySQLLowerBound.bytes(of: name)
        default: name
        }
    }
}

/// Lower limits as SQL.
///
/// Values become literals that are written here, digit by digit, and never copied from a text as they are.
enum MySQLLowerBound {
    /// A text as the bytes of its UTF-8, which compare without padding and without a collation.
    static func bytes(of name: String) -> String { "CAST(CONVERT(\(name) USING utf8mb4) AS BINARY)" }

    /// The condition that a row must meet.
    ///
    /// Rows without a value meet it, and so do those whose value will be rejected because it is none of its type:
    /// they must not be passed over in silence.
    /// - Throws: ``ConnectorError`` `badRequest` for a limit of another type.
    static func condition(
        _ bound: ReadRequest.LowerBound, _ column: MySQLRelation.Column, _ name: String
    ) throws(ConnectorError) -> String {
        let sign = bound.isInclusive ? ">=" : ">"
        let comparison: String?
        if bound.value.type != column.type {
            comparison = nil
        } else {
            switch bound.value {
            case .bool(let flag): comparison = "\(name) \(sign) \(flag ? 1 : 0) OR \(name) NOT IN (0, 1)"
            case .int64(let number): comparison = "\(name) \(sign) \(number)"
            case .uint64(let number): comparison = "\(name) \(sign) \(number)"
            case .float64(let number):
                comparison =
                    number.isNaN
                    ? nil
                    : column.isFloat ? float(number, bound.isInclusive, name) : "\(name) \(sign) \(literal(number))"
            case .decimal(let text): comparison = decimal(text).map { "\(name) \(sign) \($0)" }
            case .text(let text):
                comparison = "\(bytes(of: name)) \(sign) X'\(MySQLNames.hexadecimal(text.utf8))'"
            case .date(let day):
                comparison = "\(name) \(sign) \(date(day)) OR \(name) = 0"
            case .time(let time):
                comparison =
                    "\(name) \(sign) TIME'\(TimeText.time(min(max(time, 0), TimeText.dayLength - 1)))' OR \(name) < TIME'00:00:00'"
            case .timestamp(let moment), .instant(let moment):
                comparison = "\(name) \(sign) \(timestamp(moment)) OR \(name) = 0"
            case .null, .bytes, .json: comparison = nil
            }
        }
        guard let comparison else {
            throw ConnectorError(
                .badRequest,
                "The column \(MySQLNames.quoted(column.name)) is read as \(column.type.rawValue), for which the lower "
                    + "limit of the type \(bound.value.type?.rawValue ?? "NULL") cannot be used.",
                field: column.name)
        }
        return "(\(name) IS NULL OR \(comparison))"
    }

    /// A double, exactly; the exponent keeps the server from taking it for a decimal.
    private static func literal(_ number: Double) -> String {
        if number == .infinity { return "1.7976931348623157e308" }
        if number == -.infinity { return "-1.7976931348623157e308" }
        let text = number.description
        return text.contains("e") ? text : text + "e0"
    }

    /// The least float whose delivered value, ``MySQLValues/shortest(_:)``, is past the limit.
    private static func float(_ limit: Double, _ isInclusive: Bool, _ name: String) -> String {
        func isPast(_ value: Float) -> Bool {
            let delivered = MySQLValues.shortest(value)
            return isInclusive ? delivered >= limit : delivered > limit
        }
        var least = Float(limit)
        if least == -.infinity { least = -.greatestFiniteMagnitude }
        while least.isFinite, isPast(least.nextDown), least.nextDown.isFinite { least = least.nextDown }
        while least.isFinite, !isPast(least) { least = least.nextUp }
        return least.isFinite ? "\(name) >= \(literal(Double(least)))" : "FALSE"
    }

    /// A decimal as it is, where it is one that the server can hold: at most 65 digits.
    private static func decimal(_ text: String) -> String? {
        var digits = text.utf8[...]
        if digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
        let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { part in !part.isEmpty && part.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }
        guard areDigits, parts.count <= 2, parts.reduce(0, { $0 + $1.count }) <= 65 else { return nil }
        return text
    }

    /// Dates of the years that the server knows; what lies outside is moved to the edge.
    private static func date(_ day: Int64) -> String {
        "DATE'\(CivilDate(days: min(max(day, -719_528), 2_932_896))?.text ?? "9999-12-31")'"
    }

    private static func timestamp(_ moment: Int64) -> String {
        let first: Int64 = -719_528 * TimeText.dayLength
        let last: Int64 = 2_932_897 * TimeText.dayLength - 1
        let text = TimeText.timestamp(min(max(moment, first), last))
        return "TIMESTAMP'\(String(text.map { $0 == "T" ? " " : $0 }))'"
    }
}
