// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState

/// What was found by reading a model to its end.
package struct ModelReading: Sendable {
    /// A value of the key that several rows have, or a row that has none.
    package struct Example: Sendable, Hashable {
        /// The key for people.
        package var key: String
        /// Which row it was, counted from 1.
        package var row: Int64
    }

    /// A row that the source could not represent.
    package struct Unreadable: Sendable, Hashable {
        /// The column at fault, or empty.
        package var column: String
        /// What is wrong.
        package var message: String
    }

    /// The columns as they were read.
    package let schema: Schema
    /// How many rows there are.
    package private(set) var rows: Int64 = 0
    /// How many rows are NULL, by column.
    package private(set) var nulls: [Int64]
    /// How many rows have a key that an earlier row has.
    package private(set) var repeats: Int64 = 0
    /// Some of them.
    package private(set) var repeatExamples: [Example] = []
    /// How many rows have a NULL in their key.
    package private(set) var nullKeys: Int64 = 0
    /// Some of them.
    package private(set) var nullExamples: [Example] = []
    /// How many rows could not be represented.
    package private(set) var unreadable: Int64 = 0
    /// Some of them.
    package private(set) var unreadableExamples: [Unreadable] = []

    private static let examplesMax = 5

    private let keyColumns: [Int]

    private init(_ schema: Schema, key: [String]) {
        self.schema = schema
        keyColumns = key.compactMap(schema.index(of:))
        nulls = [Int64](repeating: 0, count: schema.fields.count)
    }

    /// Whether every row has a key of its own, as far as the key's columns exist.
    package var isKeyGood: Bool { repeats == 0 && nullKeys == 0 }

    /// Reads `stream` to its end, in the same amount of memory however many rows there are.
    ///
    /// Blocks; the stream is not closed.
    ///
    /// - Parameters:
    ///   - key: The columns that should identify a row; may be empty.
    ///   - folder: On whose disk keys are put aside where there are many.
    /// - Throws: `ConnectorError` of the stream, `StateError` where the disk is full.
    package static func of(_ stream: any RecordStream, key: [String], folder: String) throws -> ModelReading {
        var reading = ModelReading(stream.schema, key: key)
        let seen = SeenKeys(folder: folder)
        while let next = try stream.next() { try reading.add(next, seen) }
        return reading
    }

    private mutating func add(_ next: SourceBatch, _ seen: SeenKeys) throws(StateError) {
        let batch = next.batch
        for index in batch.columns.indices { nulls[index] += Int64(batch.columns[index].nullCount) }
        let spoiled = Set(next.rejects.map(\.row))
        for reject in next.rejects {
            unreadable += 1
            guard unreadableExamples.count < Self.examplesMax else { continue }
            unreadableExamples.append(Unreadable(column: reject.column, message: reject.message))
        }
        if !keyColumns.isEmpty {
            let digests = batch.fingerprints(of: keyColumns)
            // A row that cannot be represented is a reject of its own, whatever its key.
            for row in 0..<batch.rowCount where !spoiled.contains(row) { try add(row, of: batch, digests[row], seen) }
        }
        rows += Int64(batch.rowCount)
    }

    private mutating func add(
        _ row: Int, of batch: RecordBatch, _ digest: Fingerprint, _ seen: SeenKeys
    ) throws(StateError) {
        if keyColumns.contains(where: { batch.columns[$0].isNull(row) }) {
            nullKeys += 1
            if nullExamples.count < Self.examplesMax { nullExamples.append(example(batch, row)) }
        } else if try seen.insert(digest) > 0 {
            repeats += 1
            if repeatExamples.count < Self.examplesMax { repeatExamples.append(example(batch, row)) }
        }
    }

    private func example(_ batch: RecordBatch, _ row: Int) -> Example {
        let texts = keyColumns.map { index -> String in
            let value = batch.value(row, index)
            return value.isNull ? "NULL" : SourceRowText.text(of: value)
        }
        return Example(key: texts.joined(separator: ", "), row: rows + Int64(row) + 1)
    }
}
