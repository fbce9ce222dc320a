// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// Lower bounds, order, and going on where a read stopped.
enum BoundChecks {
    private static let readable = ArrowChecks.readable + ["read.repeat"]
    /// How many columns of an object are tried.
    private static let columnsMax = 3
    /// How many values, and how many places to resume at, are tried of each; all where there are fewer.
    private static let valuesMax = 12
    private static let boundariesMax = 200

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "read.order", "rows come in the order asked for", "Sources", [.source, .order], .settings, needs: readable,
            by: order),
        ConformanceCheck(
            "read.bound",
            "a lower bound lets through what lies above it, what equals it if inclusive, and what is NULL",
            "Sources", [.source, .lowerBound], .settings, needs: readable, by: bound),
        ConformanceCheck(
            "read.resume", "a read that goes on after any row leaves no gap and repeats nothing but ties", "Sources",
            [.source, .lowerBound], .settings, needs: readable + ["read.order", "read.bound"], by: resume),
    ]

    /// Runs `body` for some ordered columns of every target, with all rows.
    private static func forColumns(
        _ context: CheckContext, _ body: (SourceUnderTest, ReadRequest.Target, Sample, Int) throws -> Void
    ) throws {
        try context.forEachTarget { source, target in
            let whole = try context.sample(source, ReadRequest(target))
            guard whole.rejected.isEmpty else {
                throw CheckSkip("\(target.name) has rows that are rejected; name an object without")
            }
            let columns = whole.orderedColumns.shuffled(using: &context.numbers).prefix(columnsMax)
            guard !columns.isEmpty else {
                throw CheckSkip("\(target.name) has no column of a whole number, date or time with a value")
            }
            for column in columns { try body(source, target, whole, column) }
        }
    }

    private static func order(_ context: CheckContext) throws {
        try forColumns(context) { source, target, whole, column in
            let name = whole.schema.fields[column].name
            let size = Int.random(in: 1...50, using: &context.numbers)
            let sample = try context.sample(
                source, ReadRequest(target, order: [name], batchRowsMax: max(size, whole.rows.count / 500)))
            if let difference = Sample.difference(expected: whole.keys, found: sample.keys) {
                context.find("\(target.name): ordered by \(name), \(difference)")
            }
            let values = sample.values(column)
            let filled = values.filter { $0 != .null }
            if let place = filled.indices.dropFirst().first(where: { filled[$0].precedes(filled[$0 - 1]) }) {
                context.find("\(target.name): ordered by \(name), \(filled[place]) comes after \(filled[place - 1])")
            }
            let nulls = values.indices.filter { values[$0] == .null }
            if let first = nulls.first, let last = nulls.last, last - first != nulls.count - 1 {
                context.find("\(target.name): ordered by \(name), NULLs stand in the middle")
            }
        }
    }

    private static func passes(_ value: Value, _ bound: Value, isInclusive: Bool) -> Bool {
        value == .null || bound.precedes(value) || isInclusive && value == bound
    }

    private static func bound(_ context: CheckContext) throws {
        try forColumns(context) { source, target, whole, column in
            let name = whole.schema.fields[column].name
            let values = Set(whole.values(column)).filter { $0 != .null }.sorted { $0.precedes($1) }
            var chosen = Array(values.shuffled(using: &context.numbers).prefix(valuesMax))
            chosen += [values.first, values.last].compactMap { $0 }
            for value in chosen {
                for isInclusive in [true, false] {
                    let request = ReadRequest(
                        target, lowerBound: .init(column: name, value: value, isInclusive: isInclusive))
                    let sample = try context.sample(source, request)
                    let expected = whole.rows.filter { passes($0[column], value, isInclusive: isInclusive) }.map(
                        Sample.key)
                    if let difference = Sample.difference(expected: expected, found: sample.keys) {
                        let kind = isInclusive ? "from" : "above"
                        context.find("\(target.name): \(kind) \(name) \(value), \(difference)")
                    }
                }
            }
        }
    }

    private static func resume(_ context: CheckContext) throws {
        let hasOrder = try context.connector().capabilities.contains(.order)
        try forColumns(context) { source, target, whole, column in
            let name = whole.schema.fields[column].name
            let filled = whole.rows.filter { $0[column] != .null }.sorted { $0[column].precedes($1[column]) }
            let all = Array(filled.indices)
            let places =
                all.count <= boundariesMax ? all : Array(all.shuffled(using: &context.numbers).prefix(boundariesMax))
            for place in places {
                let value = filled[place][column]
                let isInclusive = Bool.random(using: &context.numbers)
                let request = ReadRequest(
                    target, order: hasOrder ? [name] : [],
                    lowerBound: .init(column: name, value: value, isInclusive: isInclusive),
                    batchRowsMax: Int.random(
                        in: max(1, all.count / 500)...max(8, all.count / 2), using: &context.numbers))
                let rest = try context.sample(source, request)
                // What was seen before, without the ties that come again, and what comes now.
                let seen = filled.filter { $0[column].precedes(value) || !isInclusive && $0[column] == value }
                if let difference = Sample.difference(expected: whole.keys, found: seen.map(Sample.key) + rest.keys) {
                    let kind = isInclusive ? "with" : "after"
                    context.find("\(target.name): going on \(kind) row \(place + 1) by \(name), \(difference)")
                }
            }
        }
    }
}
