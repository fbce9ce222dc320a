// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The ids of records that were created: numbers as ranges in the rows of `pack_created`, other ids in `created`.
struct CreatedTable {
    let connection: SQLiteConnection

    private static let salt: UInt64 = 0x7061_636b_2063_7265
    private static let room = 4_000

    /// Numbers from one to another.
    private struct Span {
        var low: Int64
        var high: Int64
    }

    /// Remembers records; those that are known stay so.
    func add(_ ids: [String]) throws(StateError) {
        var (numbers, texts): ([Int64], [String]) = ([], [])
        for id in ids {
            if let number = PackKind.number(id), number < UInt64(Int64.max) {
                numbers.append(Int64(number))
            } else {
                texts.append(id)
            }
        }
        if !texts.isEmpty { try add(texts: texts) }
        numbers.sort()
        var rest = numbers[...]
        while let number = rest.first {
            let (first, spans) = try page(for: number)
            let end = try firstNumber(after: max(first ?? number, number)) ?? .max
            let count = rest.prefix { $0 < end }.count
            try write(merge(spans, rest.prefix(count)), replacing: first)
            rest = rest.dropFirst(count)
        }
    }

    private func add(texts: [String]) throws(StateError) {
        let meta = MetaTable(connection: connection)
        var sum: UInt64
        if let known = try meta.value(MetaTable.created) {
            guard let number = UInt64(known) else { throw .damaged("the setting \(MetaTable.created)") }
            sum = number
        } else {
            sum = try self.sum()
        }
        let statement = try connection.statement(
            "INSERT INTO created (remote_id) VALUES (?1) ON CONFLICT DO NOTHING")
        for id in texts {
            try statement.execute([.text(id)])
            if connection.changes == 1 { sum &+= Self.number(id) }
        }
        try meta.set(MetaTable.created, String(sum))
    }

    /// What all ids that are texts are together, whatever their order: an id has no place for a checksum beside it.
    private func sum() throws(StateError) -> UInt64 {
        var sum: UInt64 = 0
        try connection.statement("SELECT remote_id FROM created").rows([]) { row in
            sum &+= Self.number(row.text(0) ?? "")
        }
        return sum
    }

    private static func number(_ id: String) -> UInt64 {
        var check = RowCheck("created")
        check.add(id)
        return UInt64(bitPattern: check.value)
    }

    /// Whether a record is remembered.
    func contains(_ id: String) throws(StateError) -> Bool {
        if let number = PackKind.number(id), number < UInt64(Int64.max) {
            let number = Int64(number)
            let sql = "SELECT first, \"check\", data FROM pack_created WHERE first <= ?1 ORDER BY first DESC LIMIT 1"
            let found = try connection.statement(sql).first([.integer(number)]) { row throws(StateError) in
                try Self.spans(row).contains { $0.low <= number && $0.high >= number }
            }
            if found == true { return true }
        }
        let found: Int64? = try connection.statement("SELECT 1 FROM created WHERE remote_id = ?1")
            .first([.text(id)]) { $0.integer(0) }
        return found != nil
    }

    /// Reads every row and compares it with its checksum.
    ///
    /// - Throws: ``StateError``, `damaged`.
    func check() throws(StateError) {
        if let known = try MetaTable(connection: connection).value(MetaTable.created) {
            let sum = String(try sum())
            guard sum == known else { throw .damaged("the ids of created records") }
        }
        var last: Int64 = -1
        try connection.statement("SELECT first, \"check\", data FROM pack_created ORDER BY first").rows([]) {
            row throws(StateError) in
            let spans = try Self.spans(row)
            guard let low = spans.first?.low, low > last, let high = spans.last?.high else {
                throw .damaged("the created records from \(row.integer(0)) on")
            }
            last = high
        }
    }

    // MARK: - Pages

    /// The page to which a number belongs, the first one where it lies before all; nil where there is none.
    private func page(for number: Int64) throws(StateError) -> (first: Int64?, spans: [Span]) {
        for (condition, order) in [("first <= ?1", "DESC"), ("first > ?1", "ASC")] {
            let sql =
                "SELECT first, \"check\", data FROM pack_created WHERE \(condition) ORDER BY first \(order) LIMIT 1"
            let found = try connection.statement(sql).first([.integer(number)]) { row throws(StateError) in
                (row.integer(0), try Self.spans(row))
            }
            if let found { return (found.0, found.1) }
        }
        return (nil, [])
    }

    private func firstNumber(after number: Int64) throws(StateError) -> Int64? {
        try connection.statement("SELECT first FROM pack_created WHERE first > ?1 ORDER BY first LIMIT 1")
            .first([.integer(number)]) { $0.integer(0) }
    }

    private func merge(_ spans: [Span], _ numbers: ArraySlice<Int64>) -> [Span] {
        var merged: [Span] = []
        var (next, rest) = (0, numbers)
        func add(_ span: Span) {
            if let last = merged.last, span.low <= last.high + 1 {
                merged[merged.count - 1].high = max(last.high, span.high)
            } else {
                merged.append(span)
            }
        }
        while next < spans.count || !rest.isEmpty {
            if let number = rest.first, next == spans.count || number < spans[next].low {
                add(Span(low: number, high: number))
                rest.removeFirst()
            } else {
                add(spans[next])
                next += 1
            }
        }
        return merged
    }

    private func write(_ spans: [Span], replacing first: Int64?) throws(StateError) {
        var replaced = first
        var writer = PackWriter(capacity: Self.room + 32)
        var (low, before): (Int64, Int64) = (spans.first?.low ?? 0, spans.first?.low ?? 0)
        for span in spans {
            if writer.bytes.count > Self.room {
                try store(writer.bytes, low, replacing: &replaced)
                writer = PackWriter(capacity: Self.room + 32)
                (low, before) = (span.low, span.low)
            }
            writer.add(UInt64(span.low - before))
            writer.add(UInt64(span.high - span.low))
            before = span.high
        }
        try store(writer.bytes, low, replacing: &replaced)
    }

    private func store(_ bytes: [UInt8], _ first: Int64, replacing replaced: inout Int64?) throws(StateError) {
        if let old = replaced, old != first {
            try connection.statement("DELETE FROM pack_created WHERE first = ?1").execute([.integer(old)])
        }
        replaced = nil
        try connection.statement("INSERT OR REPLACE INTO pack_created (first, \"check\", data) VALUES (?1, ?2, ?3)")
            .execute([
                .integer(first), .integer(PackCheck.value(bytes, id: first, salt: Self.salt)), .bytes(bytes),
            ])
    }

    private static func spans(_ row: SQLiteStatement) throws(StateError) -> [Span] {
        let (first, bytes) = (row.integer(0), row.bytes(2))
        let damaged = StateError.damaged("the created records from \(first) on")
        guard PackCheck.value(bytes, id: first, salt: salt) == row.integer(1) else { throw damaged }
        var reader = PackReader(bytes)
        var spans: [Span] = []
        var before = first
        while !reader.isAtEnd, !reader.isDamaged {
            let low = before &+ Int64(truncatingIfNeeded: reader.number())
            let high = low &+ Int64(truncatingIfNeeded: reader.number())
            guard low >= before, high >= low else { throw damaged }
            spans.append(Span(low: low, high: high))
            before = high
        }
        guard !reader.isDamaged else { throw damaged }
        return spans
    }
}
