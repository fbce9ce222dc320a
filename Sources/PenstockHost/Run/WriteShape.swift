// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// The columns in which rows cross to a destination.
enum WriteShape {
    /// The reserved columns of a mode, then one per target, and for a create the marker where there is one.
    static func schema(_ mode: WriteRequest.Mode, _ sync: OpenSync) -> Schema {
        var fields = [Schema.Field(WriteRequest.rowKeyColumn, .text, isNullable: false)]
        if mode != .create { fields.append(Schema.Field(WriteRequest.remoteIDColumn, .text, isNullable: false)) }
        fields.append(Schema.Field(WriteRequest.presenceColumn, .bytes, isNullable: false))
        fields += sync.mapping.fieldSchema.fields
        if mode == .create, case .exactlyOnce(let marker) = sync.guarantee {
            fields.append(Schema.Field(marker.key, marker.kind.columnType))
        }
        return Schema(fields)
    }

    /// The values of a row, in the order of ``schema(_:_:)``.
    ///
    /// An update sets only what differs, where that is known, and what that depends on; never what only finds records.
    ///
    /// - Parameter marker: The marker of a record that is to be created, or nil where it gets none.
    static func row(
        _ row: DecidedRow, _ mapped: MappedBatch, _ mode: WriteRequest.Mode, _ sync: OpenSync, marker: String?
    ) -> [Value] {
        let mapping = sync.mapping
        let reserved = mode == .create ? 2 : 3
        var presence = mapped.presence.bits(row.row, reserved: reserved)
        var values: [Value] = [.text(row.keyText)]
        if case .update(let id, let changes) = row.fate {
            values.append(.text(id))
            let sent = changes.map { withCompanions($0.map(\.target), mapping) } ?? Array(mapping.targets.indices)
            let kept = row.conflicts.map(\.target)
            presence = narrowed(
                presence, to: sent.filter { !mapping.targets[$0].isFinderOnly && !kept.contains($0) },
                reserved: reserved)
        }
        if mode == .create, marker != nil { set(mapping.targets.count + reserved, in: &presence) }
        values.append(.bytes(presence))
        for (target, column) in mapped.columns.enumerated() {
            values.append(mapped.presence[row.row, target] ? column.value(row.row) : .null)
        }
        if mode == .create, let marker { values.append(.text(marker)) }
        return values
    }

    private static func set(_ place: Int, in bits: inout [UInt8]) {
        while bits.count <= place >> 3 { bits.append(0) }
        bits[place >> 3] |= 1 << UInt8(place & 7)
    }

    /// The targets with those that they depend on: a stage goes with its pipeline, a reason for losing with the status.
    private static func withCompanions(_ targets: [Int], _ mapping: CompiledMapping) -> [Int] {
        targets + targets.compactMap { mapping.targets[$0].companion }
    }

    private static func narrowed(_ bits: [UInt8], to targets: [Int], reserved: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: bits.count)
        for target in targets {
            let place = target + reserved
            out[place >> 3] |= bits[place >> 3] & (1 << UInt8(place & 7))
        }
        return out
    }
}
