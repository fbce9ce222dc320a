// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// Whether a read delivers what was asked for.
enum ReadChecks {
    private static let readable = ArrowChecks.readable
    /// How many bytes a batch is asked to have in the check of that bound.
    private static let batchBytes = 16 << 10

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "read.repeat", "two reads of the same data deliver the same rows", "Sources", .source, .settings,
            needs: readable, by: repeats),
        ConformanceCheck(
            "read.batch-rows", "no batch has more rows than asked for, and no row gets lost by it", "Sources", .source,
            .settings, needs: readable + ["read.repeat"], by: batchRows),
        ConformanceCheck(
            "read.batch-bytes", "a batch keeps to about the bytes asked for", "Sources", .source, .settings,
            needs: readable,
            by: batchBytesKept),
        ConformanceCheck(
            "read.rows-max", "no more rows are read than asked for, and none at all still has columns", "Sources",
            .source,
            .settings, needs: readable + ["read.repeat"], by: rowsMax),
        ConformanceCheck(
            "read.columns", "exactly the columns asked for are delivered, in their order", "Sources", .source,
            .settings,
            needs: readable + ["read.repeat"], by: columns),
        ConformanceCheck(
            "read.interleaved", "two reads of one connection do not disturb each other", "Rules for every call",
            .source,
            .settings, needs: readable + ["read.repeat"], by: interleaved),
        ConformanceCheck(
            "read.parallel", "several connections read at once, from threads that change", "Rules for every call",
            .source,
            .settings, needs: readable + ["read.repeat"], by: parallel),
    ]

    private static func repeats(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let first = try context.sample(source, ReadRequest(target))
            let second = try context.sample(source, ReadRequest(target))
            if let difference = Sample.difference(expected: first.keys, found: second.keys) {
                context.find("\(target.name): \(difference) the second time")
            }
        }
    }

    private static func batchRows(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let whole = try context.sample(source, ReadRequest(target))
            let sizes = [1, 2, Int.random(in: 3...100, using: &context.numbers), max(1, whole.rows.count - 1)]
            for size in sizes where whole.rows.count / size <= 2_000 {
                let sample = try context.sample(source, ReadRequest(target, batchRowsMax: size))
                if let largest = sample.batchSizes.max(), largest > size {
                    context.find("\(target.name): a batch has \(largest) rows where \(size) are allowed")
                }
                if let difference = Sample.difference(expected: whole.keys, found: sample.keys) {
                    context.find("\(target.name): in batches of \(size), \(difference)")
                }
            }
        }
    }

    private static func batchBytesKept(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let whole = try context.sample(source, ReadRequest(target))
            let total = whole.batchBytes.reduce(0, +)
            guard total >= 8 * batchBytes else {
                throw CheckSkip("\(target.name) has \(total) bytes; \(8 * batchBytes) are needed to tell")
            }
            let sample = try context.sample(
                source, ReadRequest(target, batchRowsMax: 1 << 20, batchBytesMax: batchBytes))
            for (rows, bytes) in zip(sample.batchSizes, sample.batchBytes) where bytes > 4 * batchBytes && rows > 1 {
                context.find("\(target.name): a batch has \(bytes) bytes where about \(batchBytes) were asked for")
            }
        }
    }

    private static func rowsMax(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let whole = try context.sample(source, ReadRequest(target))
            let count = whole.rows.count
            var bounds = [0, 1, count, count + 10]
            if count > 2 { bounds.append(Int.random(in: 2..<count, using: &context.numbers)) }
            for bound in bounds {
                let sample = try context.sample(source, ReadRequest(target, batchRowsMax: 7, rowsMax: Int64(bound)))
                if sample.rows.count != min(bound, count) {
                    context.find(
                        "\(target.name): \(sample.rows.count) rows came where at most \(bound) of \(count) were asked for"
                    )
                }
                if sample.schema.fields.map(\.name) != whole.schema.fields.map(\.name) {
                    context.find("\(target.name): with at most \(bound) rows the columns are others")
                }
                var rest: [String: Int] = [:]
                for key in whole.keys { rest[key, default: 0] += 1 }
                for key in sample.keys { rest[key, default: 0] -= 1 }
                if rest.values.contains(where: { $0 < 0 }) {
                    context.find("\(target.name): with at most \(bound) rows, a row came that is not there otherwise")
                }
            }
        }
    }

    private static func columns(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let whole = try context.sample(source, ReadRequest(target))
            let fields = whole.schema.fields
            for round in 0..<4 {
                let order = fields.indices.shuffled(using: &context.numbers)
                let count = round == 0 ? fields.count : Int.random(in: 1...fields.count, using: &context.numbers)
                let places = Array(order.prefix(count))
                let names = places.map { fields[$0].name }
                let request = ReadRequest(target, columns: names)
                let sample = try context.sample(source, request)
                let delivered = sample.schema.fields.map(\.name)
                guard delivered == names else {
                    context.find(
                        "\(target.name): asked for \(names.joined(separator: ", ")), got \(delivered.joined(separator: ", "))"
                    )
                    continue
                }
                if try source.describe(request).imported().schema.fields.map(\.name) != names {
                    context.find("\(target.name): describe names other columns than asked for")
                }
                // A row that is rejected for one column is whole without it.
                guard whole.rejected.isEmpty, sample.rejected.isEmpty else { continue }
                let expected = whole.rows.map { row in Sample.key(places.map { row[$0] }) }
                if let difference = Sample.difference(expected: expected, found: sample.keys) {
                    context.find("\(target.name): with the columns \(names.joined(separator: ", ")), \(difference)")
                }
            }
        }
    }

    private static func interleaved(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let whole = try context.sample(source, ReadRequest(target))
            let size = max(1, whole.rows.count / 5)
            let reads = [
                try source.read(ReadRequest(target, batchRowsMax: size)),
                try source.read(ReadRequest(target, batchRowsMax: size + 1)),
            ]
            defer { for read in reads { read.close() } }
            let schemas = try reads.map { try $0.schema().imported() }
            var samples = schemas.map { Sample($0.schema) }
            var open = [0, 1]
            while !open.isEmpty {
                for index in open {
                    guard let batch = try reads[index].next() else {
                        open.removeAll { $0 == index }
                        continue
                    }
                    try samples[index].append(batch, schemas[index])
                }
                _ = try source.describe(ReadRequest(target))
            }
            for sample in samples {
                if let difference = Sample.difference(expected: whole.keys, found: sample.keys) {
                    context.find("\(target.name): \(difference) where two reads took turns")
                }
            }
        }
    }

    private static func parallel(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let whole = try context.sample(source, ReadRequest(target))
            let next = Guarded(0)
            let found = Guarded<[String]>([])
            let carried = Carried(context)
            Threads.together(4) {
                let number = next.update {
                    $0 += 1; return $0
                }
                do {
                    let source = try carried.value.connector().openSource(
                        try carried.value.settings().text, carried.value.host())
                    defer { source.close() }
                    let sample = try carried.value.sample(
                        source, ReadRequest(target, batchRowsMax: max(1, whole.rows.count / number)))
                    if let difference = Sample.difference(expected: whole.keys, found: sample.keys) {
                        found.update { $0.append("\(difference) where four connections read at once") }
                    }
                } catch {
                    let text = (error as? Refusal)?.text ?? (error as? CheckFailure)?.reasons.first ?? "\(error)"
                    found.update { $0.append(text) }
                }
            }
            for text in found.value { context.find("\(target.name): \(text)") }
        }
    }
}
