// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// Looks records up at the destination: by id in groups, or by a field through an index of all of them.
final class RemoteLookup {
    private let sync: OpenSync
    private let scratchFolder: String
    /// The records that the list has shown so far.
    private var index: RemoteIndex?
    /// The list, as far as it is not read yet.
    private var list: (any RecordStream)?
    /// What the list has cost so far.
    private var listSpent: Int64 = 0
    private let readFields: [String]
    /// The field that, where it is true, keeps a record from being changed; nil where the object has none.
    private let lock: DestinationField?

    /// Keeps what is read of records; nil where nothing is kept.
    var keeper: RecordKeeper?
    /// What was read of records before, where nobody is asked; nil where there is nothing.
    var kept: KeptRecords?

    /// The columns of every record: `id`, then one per target, then that of the lock where no target is it.
    let readSchema: Schema

    /// A lookup for `sync`, which has not asked anything yet.
    init(_ sync: OpenSync, scratchFolder: String) {
        self.sync = sync
        self.scratchFolder = scratchFolder
        let targets = sync.mapping.targets.map(\.field.key)
        lock = sync.fields.first { $0.locksRecord && $0.kind == .boolean }
        let beside = lock.flatMap { targets.contains($0.key) ? nil : $0 }
        readFields = targets + (beside.map { [$0.key] } ?? [])
        readSchema = Schema(
            [Schema.Field("id", .text, isNullable: false)] + sync.mapping.fieldSchema.fields
                + (beside.map { [Schema.Field($0.key, .bool)] } ?? []))
    }

    /// The field that keeps `record` from being changed as the row wants it, or nil where nothing does.
    func lock(on record: RecordBatch, _ mapped: MappedBatch, _ row: Int) -> DestinationField? {
        guard let lock, let column = record.schema.index(of: lock.key), record.value(0, column) == .bool(true) else {
            return nil
        }
        let target = sync.mapping.targets.firstIndex { $0.field.key == lock.key }
        let opens = target.map { mapped.presence[row, $0] && mapped.columns[$0].value(row) == .bool(false) } ?? false
        return opens ? nil : lock
    }

    /// The records with these ids that exist, by id.
    func records(_ ids: [String]) throws(RunStop) -> [String: RecordBatch] {
        var found: [String: RecordBatch] = [:]
        let request = ReadBackRequest(object: sync.object.id, selection: .ids(ids), fields: readFields)
        try forEachRecord(request) { batch, row in
            if case .text(let id) = batch.value(row, 0) { found[id] = Self.single(batch, row) }
        }
        keeper?.keep(found, of: ids) { matchTexts($0, 0) }
        return found
    }

    /// What is kept of a record.
    enum Remembered {
        /// It was this, or did not exist.
        case known(RecordBatch?)
        /// Nothing is known of it.
        case unknown
    }

    /// What is kept of the record with this id; nobody is asked.
    func remembered(_ id: String) -> Remembered {
        switch kept?.find(id: id) ?? .unknown {
        case .record(let entry): .known(decoded(entry.record))
        case .absent: .known(nil)
        case .unknown: .unknown
        }
    }

    /// The values of the match field by which the record in row `row` is found.
    private func matchTexts(_ batch: RecordBatch, _ row: Int) -> [String] {
        guard case .target(let target) = sync.mapping.match else { return [] }
        return sync.mapping.matching?.texts(batch.columns[target + 1], row) ?? []
    }

    /// The ids of at most three records whose match field holds one of `texts`, with the record where it is the only
    /// one; reads the list to its end before.
    ///
    /// - Returns: Nil where nobody is asked, and it is not known.
    func matches(_ texts: [String]) throws(RunStop) -> (ids: [String], record: RecordBatch?)? {
        if sync.destinationHost.isOffline {
            return kept?.find(matches: texts).map { entries in
                (entries.map(\.id), entries.count == 1 ? decoded(entries[0].record) : nil)
            }
        }
        while !knowsAll { try page { _, _ in } }
        guard let index else { return ([], nil) }
        var found: [RemoteIndex.Entry] = []
        do {
            for text in texts where found.count < 3 {
                for entry in try index.find(match: text, limit: 3) where !found.contains(where: { $0.id == entry.id }) {
                    found.append(entry)
                }
            }
        } catch {
            throw .state(error)
        }
        return (found.prefix(3).map(\.id), found.count == 1 ? decoded(found[0].record) : nil)
    }

    /// Whether all records were read, so that what is missing among them does not exist.
    private(set) var knowsAll = false

    /// What reading the whole list has cost, once that is known.
    var listCost: Int64? { knowsAll ? listSpent : nil }

    /// What reading has cost so far, whatever was read.
    var spent: Int64 { sync.destinationHost.meter.tokens[.read] ?? 0 }

    /// Reads one more page of the list of all records, unless it ended with the one before.
    ///
    /// - Parameter body: Is told the id of every record, with what gives the record.
    func page(_ body: (String, () -> RecordBatch) throws(RunStop) -> Void) throws(RunStop) {
        guard !knowsAll else { return }
        let before = spent
        defer { listSpent += spent - before }
        guard let batch = try nextOfList() else { return }
        try add(batch, body)
        // A page that is not full is the last one, as a rule; to ask costs nothing then.
        guard batch.rowCount < sync.object.costs.readPageMax, let further = try nextOfList() else { return }
        try add(further, body)
    }

    /// The next records of the list; nil at its end.
    private func nextOfList() throws(RunStop) -> RecordBatch? {
        do throws(ConnectorError) {
            if list == nil {
                let request = ReadBackRequest(object: sync.object.id, selection: .all, fields: readFields)
                list = try sync.destination.readBack(request)
            }
            if let next = try list?.next() { return next.batch }
        } catch {
            throw sync.stop(error, .destination, "reading records back")
        }
        close()
        knowsAll = true
        keeper?.endList()
        return nil
    }

    /// Keeps records of the list, and tells `body` of them.
    private func add(
        _ batch: RecordBatch, _ body: (String, () -> RecordBatch) throws(RunStop) -> Void
    ) throws(RunStop) {
        do throws(StateError) {
            let index = try openedIndex()
            for row in 0..<batch.rowCount {
                guard case .text(let id) = batch.value(row, 0) else { continue }
                let matches = matchTexts(batch, row)
                let record = RecordCodec.encode(batch, row)
                try index.add(matches: matches, id: id, record: record)
                keeper?.keepListed(id, matches, record)
            }
        } catch {
            throw .state(error)
        }
        for row in 0..<batch.rowCount {
            if case .text(let id) = batch.value(row, 0) { try body(id) { Self.single(batch, row) } }
        }
    }

    private func openedIndex() throws(StateError) -> RemoteIndex {
        if let index { return index }
        let made = try RemoteIndex(folder: scratchFolder)
        index = made
        return made
    }

    /// Ends the read of the list, wherever it is.
    func close() {
        list?.close()
        list = nil
    }

    /// The record with this id among those that the list has shown; nil where it is not among them.
    func indexed(_ id: String) throws(RunStop) -> RecordBatch? {
        do {
            return try index?.find(id: id).map(decoded)
        } catch {
            throw .state(error)
        }
    }

    private func forEachRecord(
        _ request: ReadBackRequest, _ body: (RecordBatch, Int) -> Void
    ) throws(RunStop) {
        do {
            let stream = try sync.destination.readBack(request)
            defer { stream.close() }
            while let next = try stream.next() {
                for row in 0..<next.batch.rowCount { body(next.batch, row) }
            }
        } catch {
            throw sync.stop(error, .destination, "reading records back")
        }
    }

    private static func single(_ batch: RecordBatch, _ row: Int) -> RecordBatch {
        var one = RecordBatch(batch.schema, capacity: 1)
        one.append(batch.columns.map { $0.value(row) })
        return one
    }

    private func decoded(_ bytes: [UInt8]) -> RecordBatch { RecordCodec.decode(bytes, readSchema) }
}

/// One record as bytes, for the index of all records.
enum RecordCodec {
    /// The bytes of a row: per column a flag for NULL, then 8 bytes or a length and that many bytes.
    static func encode(_ batch: RecordBatch, _ row: Int) -> [UInt8] {
        var out: [UInt8] = []
        for column in batch.columns {
            guard !column.isNull(row) else {
                out.append(0)
                continue
            }
            out.append(1)
            switch column.type.layout {
            case .int64: append(UInt64(bitPattern: column.int64s[row]), &out)
            case .uint64: append(column.uint64s[row], &out)
            case .float64: append(column.float64s[row].bitPattern, &out)
            case .bytes:
                append(UInt64(column.byteSlice(row).count), &out)
                out.append(contentsOf: column.byteSlice(row))
            }
        }
        return out
    }

    /// The row of ``encode(_:_:)`` again, as a batch of one row.
    static func decode(_ bytes: [UInt8], _ schema: Schema) -> RecordBatch {
        var batch = RecordBatch(schema, capacity: 1)
        var position = 0
        for index in schema.fields.indices {
            let isNull = bytes[position] == 0
            position += 1
            batch.withColumn(index) { column in
                guard !isNull else { return column.appendNull() }
                let number = number(bytes, &position)
                switch column.type.layout {
                case .int64: column.append(Int64(bitPattern: number))
                case .uint64: column.append(number)
                case .float64: column.append(Double(bitPattern: number))
                case .bytes:
                    column.append(bytes: bytes[position..<position + Int(number)])
                    position += Int(number)
                }
            }
        }
        return batch
    }

    private static func append(_ number: UInt64, _ out: inout [UInt8]) {
        for shift in 0..<8 { out.append(UInt8(truncatingIfNeeded: number >> (UInt64(shift) * 8))) }
    }

    private static func number(_ bytes: [UInt8], _ position: inout Int) -> UInt64 {
        defer { position += 8 }
        return (0..<8).reduce(0) { $0 | UInt64(bytes[position + $1]) << (UInt64($1) * 8) }
    }
}
