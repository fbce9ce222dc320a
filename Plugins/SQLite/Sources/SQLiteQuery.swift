// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// The SQL text of one request, its parameters, and what SQL cannot decide exactly.
struct SQLiteQuery {
    /// The text.
    private(set) var sql: String
    /// What its question marks stand for.
    private(set) var parameters: [SQLiteParameter] = []
    /// The columns of the result that are delivered, in order.
    private(set) var delivered: [Int]
    /// What rows must pass after they were read, where the text lets more rows through than were asked for.
    private(set) var filter: SQLiteLowerBound?

    /// The text for `request`.
    ///
    /// - Parameter collation: A collation that compares bytes of UTF-8.
    /// - Throws: ``ConnectorError``: `notFound` for an unknown column, `badRequest` for a limit of another type.
    init(_ request: ReadRequest, _ relation: SQLiteRelation, collation: String) throws(ConnectorError) {
        delivered = try relation.positions(of: request.columns)
        let order = request.order.isEmpty ? [] : try relation.positions(of: request.order)
        guard relation.kind != .query || request.lowerBound != nil || !order.isEmpty else {
            sql = relation.wholeText
            return
        }
        if relation.kind == .query {
            sql = "SELECT * FROM \(relation.source)"
        } else {
            var selected = delivered
            delivered = Array(selected.indices)
            if let bound = request.lowerBound { selected.append(try relation.position(of: bound.column)) }
            let list = selected.map { SQLiteNames.quoted(relation.columns[$0].sqlName) }.joined(separator: ", ")
            sql = "SELECT \(list) FROM \(relation.source)"
        }
        if let bound = request.lowerBound { try restrict(to: bound, relation, collation) }
        if !order.isEmpty {
            let keys = order.map { Self.orderKey(relation, $0, collation) }
            sql += " ORDER BY " + keys.joined(separator: ", ")
        }
        if let rowsMax = request.rowsMax, filter == nil { sql += " LIMIT \(max(0, rowsMax))" }
    }

    private mutating func restrict(
        to bound: ReadRequest.LowerBound, _ relation: SQLiteRelation, _ collation: String
    ) throws(ConnectorError) {
        let position = try relation.position(of: bound.column)
        let column = relation.columns[position]
        // In a view or query SQLite may lend a column the affinity of another one (UNION), and would compare as text
        // what is a number; the plus sign takes the affinity away, and the index with it.
        let name = (relation.kind == .table ? "" : "+") + SQLiteNames.quoted(column.sqlName)
        guard bound.value.type == column.type,
            let limit = Limit(bound.value, name, collation, isText: relation.holdsTextOnly(position))
        else {
            throw ConnectorError(
                .badRequest,
                "The column \(SQLiteNames.quoted(column.name)) is read as \(column.type.rawValue), for which the "
                    + "lower limit of the type \(bound.value.type?.rawValue ?? "NULL") cannot be used.",
                field: column.name)
        }
        let comparison = bound.isInclusive || !limit.isExact ? ">=" : ">"
        let alsoRead = limit.alsoRead.map { " OR " + $0 } ?? ""
        sql += " WHERE (\(name) IS NULL OR \(limit.operand) \(comparison) ?1\(alsoRead))"
        parameters = [limit.parameter]
        if !limit.isExact {
            let place = relation.kind == .query ? position : delivered.count
            filter = SQLiteLowerBound(
                position: place, type: column.type, value: bound.value, isInclusive: bound.isInclusive)
        }
    }

    private static func orderKey(_ relation: SQLiteRelation, _ position: Int, _ collation: String) -> String {
        let name = SQLiteNames.quoted(relation.columns[position].sqlName)
        switch relation.columns[position].type {
        case .timestamp, .instant: return "\(SQLiteDatabase.microsecondsFunction)(\(name))"
        case .text, .json:
            return (relation.holdsTextOnly(position) ? name : "CAST(\(name) AS TEXT)") + " COLLATE \(collation)"
        case .date, .time: return "\(name) COLLATE \(collation)"
        default: return name
        }
    }

    /// A statement without the blanks, semicolons and comments before it, and without the semicolons at its end.
    static func body(_ query: String) -> Substring {
        var rest = Substring(query)
        while let character = rest.first {
            if character.isWhitespace || character == ";" || character == "\u{FEFF}" {
                rest = rest.dropFirst()
            } else if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                rest = rest.firstRange(of: "*/").map { rest[$0.upperBound...] } ?? ""
            } else {
                break
            }
        }
        while let last = rest.last, last.isWhitespace || last == ";" { rest = rest.dropLast() }
        return rest
    }

    /// Whether a statement begins with a word that only reads.
    static func isReading(_ query: String) -> Bool {
        ["SELECT", "WITH", "VALUES"].contains(body(query).prefix { $0.isLetter }.uppercased())
    }
}

/// A lower limit in SQL.
private struct Limit {
    /// What is compared with the parameter.
    let operand: String
    /// What the operand is compared with.
    let parameter: SQLiteParameter
    /// Whether the comparison lets through exactly the rows that were asked for.
    let isExact: Bool
    /// A condition whose rows are read too, or nil.
    let alsoRead: String?

    private init(_ operand: String, _ parameter: SQLiteParameter, isExact: Bool = true, alsoRead: String? = nil) {
        self.operand = operand
        self.parameter = parameter
        self.isExact = isExact
        self.alsoRead = alsoRead
    }

    /// Nil where values of this type have no order that a limit could use.
    ///
    /// - Parameters:
    ///   - name: The column, as SQL.
    ///   - isText: Whether SQLite keeps nothing but texts and blobs in the column.
    init?(_ value: Value, _ name: String, _ collation: String, isText: Bool) {
        switch value {
        case .bool(let flag): self.init(name, .integer(flag ? 1 : 0))
        case .int64(let number): self.init(name, .integer(number))
        case .float64(let number):
            if number.isNaN { return nil }
            self.init(name, .real(number))
        case .decimal(let text):
            guard SQLiteDecimal(text.utf8) != nil, let number = Double(text) else { return nil }
            // The next double below is below the limit itself, which may lie between two doubles.
            self.init(name, .real(number.nextDown), isExact: false)
        case .text(let text):
            if isText {
                self.init("\(name) COLLATE \(collation)", .text(text))
            } else {
                // A double is delivered with more digits than this cast gives it; a blob is rejected.
                self.init(
                    "CAST(\(name) AS TEXT) COLLATE \(collation)", .text(text), isExact: false,
                    alsoRead: "typeof(\(name)) IN ('real', 'blob')")
            }
        case .date(let day): self.init(isoText: SQLiteTime.text(day: day), name, collation)
        case .time(let time): self.init(isoText: SQLiteTime.minuteText(time), name, collation)
        case .timestamp(let moment):
            self.init(isoText: SQLiteTime.text(day: TimeText.day(of: moment)), name, collation)
        case .instant(let moment):
            // A zone moves the written day by one at most.
            self.init(isoText: SQLiteTime.text(day: TimeText.day(of: moment) - 1), name, collation)
        case .null, .uint64, .bytes, .json: return nil
        }
    }

    /// A limit on ISO texts of several forms, which all begin alike.
    ///
    /// Numbers and texts that begin below `1` are none of them; they are read so that they are rejected.
    private init(isoText: String, _ name: String, _ collation: String) {
        let operand = "\(name) COLLATE \(collation)"
        self.init(operand, .text(isoText), isExact: false, alsoRead: "\(operand) < '1-'")
    }
}
