// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel

/// A batch that a connector handed out; it is given back when nobody uses it any more.
final class BatchUnderTest {
    private let room: UnsafeMutablePointer<ArrowArray>

    /// Takes over an array.
    init(_ array: ArrowArray) {
        room = .allocate(capacity: 1)
        room.initialize(to: array)
    }

    deinit {
        room.pointee.release?(room)
        room.deallocate()
    }

    /// How many rows it says it has.
    var rowCount: Int { Int(room.pointee.length) }

    /// What is wrong with the memory of it.
    func flaws(_ schema: ImportedSchema) -> [ArrowFlaw] {
        var inspection = ArrowInspection(room.pointee, schema)
        inspection.inspect()
        return inspection.flaws
    }

    /// The rows; the memory must have been found right.
    ///
    /// - Throws: ``CheckFailure`` for what the host would refuse.
    func rows(_ schema: ImportedSchema) throws(CheckFailure) -> SourceBatch {
        do {
            return try SourceBatch(room.pointee, schema, "get_next", ContractChecks(connector: "under test"))
        } catch {
            throw CheckFailure(error.message)
        }
    }

    /// About how many bytes the values take; the memory must have been found right.
    func byteCount(_ schema: ImportedSchema) -> Int {
        var total = 0
        for (index, format) in schema.formats.enumerated() {
            guard let child = room.pointee.children?[index]?.pointee else { continue }
            total += ArrowInspection.byteCount(child, format, rows: rowCount)
        }
        return total
    }

    /// Releases the batch.
    ///
    /// - Returns: Whether it is marked as released afterwards.
    func release() -> Bool {
        room.pointee.release?(room)
        let isMarked = room.pointee.release == nil
        room.pointee.release = nil
        return isMarked
    }

    /// Moves the batch to another address, as Arrow allows: a copy of the struct, and no release of the old one.
    func moved() -> BatchUnderTest {
        let other = BatchUnderTest(room.pointee)
        room.pointee.release = nil
        return other
    }

    /// Moves the first column out, releases the rest, and then the column.
    ///
    /// - Returns: Whether the column's release marked it as released.
    func survivesMovingAColumnOut() -> Bool {
        guard let place = room.pointee.children?[0], place.pointee.release != nil else { return false }
        var column = place.pointee
        place.pointee.release = nil
        _ = release()
        column.release?(&column)
        return column.release == nil
    }
}
