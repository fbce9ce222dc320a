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

    /// The columns of `mode` for `sync`.
    init(_ mode: WriteRequest.Mode, _ sync: OpenSync) {
        self.mode = mode
        targets = sync.mapping.targets
        var fields = [Schema.Field(WriteRequest.rowKeyColumn, .text, isNullable: false)]
        if mode != .create { fields.append(Schema.Field(WriteRequest.remoteIDColumn, .text, isNullable: false)) }
        fields.append(Schema.Field(WriteRequest.presenceColumn, .bytes, isNullable: false))
        reserved = fields.count
        fields += sync.mapping.fieldSchema.fields
        if mode == .create, case .exactlyOnce(let marker) = sync.guarantee {
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

    /// The rows as they cross.
    ///
    /// An update sets only what differs, where that is known, and what that depends on; never what only finds records.
    ///
    /// - Parameter marker: The marker of a record that is to be created, or nil where it gets none.
    func batch(_ items: [Delivery.Item], marker: (DecidedRow) -> String?) -> RecordBatch {
        var batch = RecordBatch(schema, capacity: items.count)
        let markers = hasMarker ? items.map { marker($0.row) } : []
        batch.withColumn(0) { keys in for item in items { keys.append(bytes: item.row.keyText.utf8) } }
        if mode != .create {
            batch.withColumn(1) { ids in for item in items { ids.append(bytes: (Delivery.id(of: item.row) ?? "").utf8) }
            }
        }
        batch.withColumn(reserved - 1) { bits in
            for (place, item) in items.enumerated() {
                bits.append(bytes: presence(item, hasMarker: hasMarker && markers[place] != nil))
            }
        }
        for target in targets.indices { batch.withColumn(target + reserved) { append(items, target, to: &$0) } }
        if hasMarker {
            batch.withColumn(targets.count + reserved) { column in
                for marker in markers { if let marker { column.append(.text(marker)) } else { column.appendNull() } }
            }
        }
        return batch
    }

    /// Appends the cells of a target, those of one chunk after those of another.
    private func append(_ items: [Delivery.Item], _ target: Int, to column: inout Column) {
        var start = 0
        while start < items.count {
            let chunk = items[start].chunk
            var end = start + 1
            while end < items.count, items[end].chunk === chunk { end += 1 }
            let presence = chunk.chunk.mapped.presence
            chunk.chunk.mapped.columns[target].withPointers { cells in
                for place in start..<end {
                    let row = items[place].row.row
                    guard presence[row, target], !cells.isNull(row) else {
                        column.appendNull()
                        continue
                    }
                    switch cells.layout {
                    case .int64: column.append(cells.int64s[row])
                    case .uint64: column.append(cells.uint64s[row])
                    case .float64: column.append(cells.float64s[row])
                    case .bytes: column.append(bytes: cells.cell(row))
                    }
                }
            }
            start = end
        }
    }

    /// The bits of the columns that a row sets.
    private func presence(_ item: Delivery.Item, hasMarker: Bool) -> [UInt8] {
        var bits = item.chunk.chunk.mapped.presence.bits(item.row.row, reserved: reserved)
        if case .update(_, let changes) = item.row.fate {
            let sent = changes.map { mask(withCompanions($0.map(\.target))) } ?? writable
            for place in bits.indices { bits[place] &= sent[place] & writable[place] }
            for conflict in item.row.conflicts {
                let place = conflict.target + reserved
                bits[place >> 3] &= ~(1 << UInt8(place & 7))
            }
        }
        if hasMarker { Self.set(targets.count + reserved, in: &bits) }
        return bits
    }

    private func mask(_ chosen: [Int]) -> [UInt8] {
        var bits = [UInt8](repeating: 0, count: writable.count)
        for target in chosen { Self.set(target + reserved, in: &bits) }
        return bits
    }

    private static func set(_ place: Int, in bits: inout [UInt8]) {
        while bits.count <= place >> 3 { bits.append(0) }
        bits[place >> 3] |= 1 << UInt8(place & 7)
    }

    /// The targets with those that they depend on: a stage goes with its pipeline, a reason for losing with the status.
    private func withCompanions(_ chosen: [Int]) -> [Int] { chosen + chosen.compactMap { targets[$0].companion } }
}
