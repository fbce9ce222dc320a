// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// The columns in which rows cross to a destination with one mode.
struct WriteShape {
    /// The reserved columns of the mode, then one per target, and for a create the marker where there is one.
    let schema: Schema
    private let mode: WriteRequest.Mode
    private let targets: [CompiledMapping.Target]
    /// How many reserved columns stand before the targets.
    private let reserved: Int
    private let hasMarker: Bool
    /// The bits of the targets that an update sets where it is not known what differs: not what only finds records.
    private let writable: [UInt8]

    /// The columns of `mode` for what a map makes.
    init(_ mode: WriteRequest.Mode, _ mapping: CompiledMapping, _ guarantee: DeliveryGuarantee) {
        self.mode = mode
        targets = mapping.targets
        var fields = [Schema.Field(WriteRequest.rowKeyColumn, .text, isNullable: false)]
        if mode != .create { fields.append(Schema.Field(WriteRequest.remoteIDColumn, .text, isNullable: false)) }
        fields.append(Schema.Field(WriteRequest.presenceColumn, .bytes, isNullable: false))
        reserved = fields.count
        fields += mapping.fieldSchema.fields
        if mode == .create, case .exactlyOnce(let marker) = guarantee {
            fields.append(Schema.Field(marker.key, marker.kind.columnType))
            hasMarker = true
        } else {
            hasMarker = false
        }
        schema = Schema(fields)
        var writable = [UInt8](repeating: 0, count: (fields.count + 7) >> 3)
        for (place, target) in targets.enumerated() where !target.isFinderOnly {
            Self.set(place + reserved, in: &writable)
        }
        self.writable = writable
    }

    /// Rows that follow each other in a batch, in their chunk, and in what the source gave.
    private struct Run {
        let chunk: ChunkBox
        /// Their places among the rows that were decided.
        var places: Range<Int>
        /// Their rows in the columns.
        var rows: Range<Int>
    }

    /// The rows as they cross.
    ///
    /// An update sets only what differs, where that is known, and what that depends on; never what only finds records.
    ///
    /// - Parameter marker: The marker of a record that is to be created, or nil where it gets none.
    func batch(_ items: [Delivery.Item], marker: (DecidedRow) -> String?) -> RecordBatch {
        let runs = Self.runs(items)
        let markers = hasMarker ? items.map { marker($0.row) } : []
        var columns = [texts(runs, items.count) { $0.keyText }]
        if mode != .create { columns.append(texts(runs, items.count) { Delivery.id(of: $0) ?? "" }) }
        columns.append(presence(runs, markers))
        for target in targets.indices { columns.append(cells(of: target, runs, items.count)) }
        if hasMarker {
            var column = Column(schema.fields[targets.count + reserved].type, capacity: items.count)
            for marker in markers { if let marker { column.append(.text(marker)) } else { column.appendNull() } }
            columns.append(column)
        }
        return RecordBatch(schema, columns)
    }

    private static func runs(_ items: [Delivery.Item]) -> [Run] {
        var runs: [Run] = []
        for item in items {
            let row = item.chunk.chunk.rows[item.place].row
            if let last = runs.last, last.chunk === item.chunk, last.places.upperBound == item.place,
                last.rows.upperBound == row
            {
                runs[runs.count - 1].places = last.places.lowerBound..<item.place + 1
                runs[runs.count - 1].rows = last.rows.lowerBound..<row + 1
            } else {
                runs.append(Run(chunk: item.chunk, places: item.place..<item.place + 1, rows: row..<row + 1))
            }
        }
        return runs
    }

    private func texts(_ runs: [Run], _ count: Int, _ text: (DecidedRow) -> String) -> Column {
        var column = Column(.text, capacity: count)
        for run in runs {
            let rows = run.chunk.chunk.rows
            for place in run.places { column.append(bytes: text(rows[place]).utf8) }
        }
        return column
    }

    /// The cells of a target: those that are set in one row after another go together.
    private func cells(of target: Int, _ runs: [Run], _ count: Int) -> Column {
        if let whole = whole(target, runs) { return whole }
        var column = Column(schema.fields[target + reserved].type, capacity: count)
        for run in runs {
            var row = run.rows.lowerBound
            while row < run.rows.upperBound {
                let (isSet, end) = run.chunk.chunk.mapped.presence.run(of: target, row..<run.rows.upperBound)
                if isSet {
                    column.append(run.chunk.chunk.mapped.columns[target], rows: row..<end)
                } else {
                    for _ in row..<end { column.appendNull() }
                }
                row = end
            }
        }
        return column
    }

    /// The column of the map as it is, where all rows of one chunk go together and every one has it; else nil.
    private func whole(_ target: Int, _ runs: [Run]) -> Column? {
        guard runs.count == 1 else { return nil }
        let mapped = runs[0].chunk.chunk.mapped
        guard runs[0].rows == 0..<mapped.columns[target].count,
            mapped.columns[target].type == schema.fields[target + reserved].type
        else { return nil }
        let (isSet, end) = mapped.presence.run(of: target, runs[0].rows)
        return isSet && end == runs[0].rows.upperBound ? mapped.columns[target] : nil
    }

    /// The bits of the columns that each row sets.
    private func presence(_ runs: [Run], _ markers: [String?]) -> Column {
        let width = (targets.count + reserved + (hasMarker ? 1 : 0) + 7) >> 3
        var bits: [UInt8] = []
        for run in runs {
            let start = bits.count
            run.chunk.chunk.mapped.presence.append(run.rows, reserved: reserved, width: width, to: &bits)
            guard mode != .create else { continue }
            let rows = run.chunk.chunk.rows
            for (row, place) in run.places.enumerated() {
                let first = start + row * width
                for byte in writable.indices { bits[first + byte] &= writable[byte] }
                if rows[place].setsSome { limit(&bits, at: first, rows[place]) }
            }
        }
        if hasMarker {
            let place = targets.count + reserved
            for (row, marker) in markers.enumerated() where marker != nil {
                bits[row * width + place >> 3] |= 1 << UInt8(place & 7)
            }
        }
        return Column(.bytes, repeating: width, bits)
    }

    /// Leaves the bits of what an update of the row sets, which begin at `start`.
    private func limit(_ bits: inout [UInt8], at start: Int, _ row: DecidedRow) {
        var sent = [UInt8](repeating: 0, count: writable.count)
        for target in row.updated(of: targets) { Self.set(target + reserved, in: &sent) }
        for place in sent.indices { bits[start + place] &= sent[place] }
    }

    private static func set(_ place: Int, in bits: inout [UInt8]) {
        while bits.count <= place >> 3 { bits.append(0) }
        bits[place >> 3] |= 1 << UInt8(place & 7)
    }
}

extension DecidedRow {
    /// The targets that an update of the row sets where the row has them.
    ///
    /// Those that differ, where that is known, with those that they depend on: a stage goes with its pipeline, a reason
    /// for losing with the status. Never one that only finds records, nor one that a guard holds back.
    func updated(of targets: [CompiledMapping.Target]) -> [Int] {
        var changes: [FieldChange]?
        if case .update(_, let known) = fate { changes = known }
        let conflicts = conflicts
        return targets.indices.filter { place in
            if targets[place].isFinderOnly { return false }
            if let changes {
                let isMeant = changes.indices.contains {
                    changes[$0].target == place || targets[changes[$0].target].companion == place
                }
                guard isMeant else { return false }
            }
            return !conflicts.contains { $0.target == place }
        }
    }
}
