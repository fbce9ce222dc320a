// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// Whether batches and schemas keep to the Arrow C data interface.
enum ArrowChecks {
    private static let stream = ["read.stream"]
    /// The checks without which no row can be compared.
    static let readable = ["read.stream", "arrow.layout", "arrow.offsets", "arrow.nulls"]

    static let all: [ConformanceCheck] = [
        ConformanceCheck(
            "read.stream", "a read delivers a schema, batches and an end", "Sources", .source, .settings,
            needs: ["discover.schema"], by: streamEnds),
        inspection("arrow.layout", "lengths, buffers and columns of batches fit each other", .layout),
        inspection("arrow.alignment", "buffers lie where their values may lie", .alignment),
        inspection("arrow.offsets", "the ends of texts never go back", .offsets),
        inspection("arrow.nulls", "a stated count of NULLs is true, and no NULL stands where none may", .nulls),
        inspection("arrow.values", "texts are UTF-8, decimals are decimals, JSON is JSON", .values),
        ConformanceCheck(
            "arrow.release", "every release marks what it released, from any thread", "Rows as Arrow", .source,
            .settings,
            needs: stream, by: release),
        ConformanceCheck(
            "arrow.move", "batches, schemas and single columns can be moved to another address", "Rows as Arrow",
            .source,
            .settings, needs: readable + ["arrow.release"], by: move),
        ConformanceCheck(
            "arrow.lifetime", "batches outlive their stream and its connection", "Rows as Arrow", .source, .settings,
            needs: readable, by: lifetime),
    ]

    private static func streamEnds(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let read = try source.read(ReadRequest(target, rowsMax: Int64(CheckContext.rowsMax)))
            defer { read.close() }
            let schema = try read.schema()
            for flaw in schema.flaws() { context.find("\(target.name): \(flaw)") }
            _ = try schema.imported()
            var rows = 0
            while let batch = try read.next() { rows += batch.rowCount }
            if try read.next() != nil { context.find("\(target.name): a batch came after the end") }
            context.note("\(target.name): \(rows) rows")
        }
    }

    /// A check that looks for one kind of flaw in every batch.
    private static func inspection(_ id: String, _ title: String, _ kind: ArrowFlaw.Kind) -> ConformanceCheck {
        ConformanceCheck(id, title, "Rows as Arrow", .source, .settings, needs: stream) { context in
            try context.forEachTarget { source, target in
                let sizes = [Int.random(in: 1...7, using: &context.numbers), 4_096]
                for size in sizes {
                    let request = ReadRequest(
                        target, batchRowsMax: size, rowsMax: Int64(size == 4_096 ? CheckContext.rowsMax : 200))
                    let read = try source.read(request)
                    defer { read.close() }
                    let schema = try read.schema().imported()
                    while let batch = try read.next() {
                        for flaw in batch.flaws(schema) where flaw.kind == kind {
                            context.find("\(target.name): \(flaw.text)")
                        }
                    }
                }
            }
        }
    }

    private static func release(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let request = ReadRequest(target, batchRowsMax: 3, rowsMax: 9)
            if !(try source.describe(request).release()) {
                context.find("\(target.name): the release of describe's schema does not set release to NULL")
            }
            let read = try source.read(request)
            defer { read.close() }
            let schema = try read.schema()
            if !schema.release() {
                context.find("\(target.name): the release of a schema does not set release to NULL")
            }
            if let batch = try read.next(), !batch.release() {
                context.find("\(target.name): the release of a batch does not set release to NULL")
            }
            if let batch = try read.next() {
                let carried = Carried(batch)
                let isMarked = Guarded(true)
                Threads.together(1) {
                    let marked = carried.value.release()
                    isMarked.update { $0 = marked }
                }
                if !isMarked.value { context.find("\(target.name): released on another thread, a batch is not marked") }
            }
            if !read.release() { context.find("\(target.name): the release of a stream does not set release to NULL") }
        }
    }

    private static func move(_ context: CheckContext) throws {
        try context.forEachTarget { source, target in
            let request = ReadRequest(target, batchRowsMax: 3, rowsMax: 9)
            if !(try source.describe(request).survivesMovingAColumnOut()) {
                context.find("\(target.name): a column moved out of a schema does not survive the rest of it")
            }
            let read = try source.read(request)
            defer { read.close() }
            let schema = try read.schema().imported()
            if let batch = try read.next() {
                let before = try batch.rows(schema)
                let moved = batch.moved()
                if try moved.rows(schema) != before { context.find("\(target.name): a moved batch has other rows") }
                if !moved.release() { context.find("\(target.name): the release of a moved batch does not mark it") }
            }
            if let batch = try read.next(), !batch.survivesMovingAColumnOut() {
                context.find("\(target.name): a column that was moved out of a batch cannot be released by itself")
            }
        }
    }

    private static func lifetime(_ context: CheckContext) throws {
        let source = try context.source()
        var kept: [(BatchUnderTest, ImportedSchema, SourceBatch)] = []
        for target in try context.targets(source) {
            let read = try source.read(ReadRequest(target, batchRowsMax: 5, rowsMax: 50))
            defer { read.close() }
            let schema = try read.schema().imported()
            while let batch = try read.next() {
                if batch.rowCount > 0 { kept.append((batch, schema, try batch.rows(schema))) }
            }
        }
        source.close()
        guard !kept.isEmpty else { throw CheckSkip("there is no row to keep") }
        for (batch, schema, before) in kept where try batch.rows(schema) != before {
            context.find("a batch has other rows after its connection was closed")
        }
    }
}
