// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What counts as no value in a field.
package enum FieldEmptiness {
    /// Whether the cell says nothing for a field of `kind`: NULL, a blank text, a list without elements, a compound
    /// value without its main part.
    ///
    /// - Precondition: The column has the kind's column type.
    package static func isEmpty(_ column: Column, _ row: Int, _ kind: DestinationField.Kind) -> Bool {
        guard !column.isNull(row) else { return true }
        guard column.type.layout == .bytes else { return false }
        let bytes = column.byteSlice(row)
        guard column.type == .json else {
            // Only where there is no letter at the front does the text have to be looked at.
            if let first = bytes.first, first > 0x20, first < 0x7F { return false }
            return String(decoding: bytes, as: UTF8.self).isBlank
        }
        return JSONComparison.isEmpty(String(decoding: bytes, as: UTF8.self), kind)
    }
}

extension CompiledMapping {
    /// Whether some field's guard can be told only from the record as it is.
    package var needsRecord: Bool { targets.contains { $0.editGuard.needsRecord && !$0.isFinderOnly } }

    /// The places of the targets of which it is remembered what was written last.
    package var rememberedTargets: [Int] {
        targets.indices.filter { targets[$0].editGuard == .ifUnchangedSinceUs && !targets[$0].isFinderOnly }
    }

    /// Whether row `row` sets a field whose guard can be told only from the record as it is.
    package func needsRecord(_ mapped: MappedBatch, _ row: Int) -> Bool {
        targets.indices.contains { place in
            targets[place].editGuard.needsRecord && !targets[place].isFinderOnly && mapped.presence[row, place]
        }
    }

    /// What stands in the ledger for a row that was accepted without fields which guards hold back.
    ///
    /// It is none of the payloads that rows have, so that the row is looked at again, and changes with the guards.
    package func held(_ payload: Fingerprint) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine("held")
        hasher.combine(payload.low)
        hasher.combine(payload.high)
        for target in targets where target.editGuard.needsRecord {
            hasher.combine(target.field.key)
            hasher.combine(target.editGuard.rawValue)
        }
        return hasher.finish()
    }

    /// Leaves the fields alone that are guarded against nothing and of which a row says nothing.
    func leaveOutNothing(_ batch: inout MappedBatch) {
        for place in targets.indices where targets[place].editGuard == .neverNull {
            for row in 0..<batch.rowCount where batch.presence[row, place] {
                guard FieldEmptiness.isEmpty(batch.columns[place], row, targets[place].field.kind) else { continue }
                batch.presence[row, place] = false
            }
        }
    }
}
