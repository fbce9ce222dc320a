// SPDX-License-Identifier: Apache-2.0

import PenstockModel

extension RowPipeline {
    /// Counts the rows behind those that were taken; only ``close()`` is allowed afterwards.
    ///
    /// - Parameter milliseconds: How long it may take, apart from the last call into the source.
    /// - Returns: Nil where that does not suffice, or the source fails.
    func countRest(within milliseconds: Int64) -> Int64? { countRest(within: milliseconds, room: rowLimit.room) }

    /// Counts the rows behind those that were taken, whatever the run may take, up to `room`.
    func countRest(within milliseconds: Int64, room: Int64?) -> Int64? {
        let deadline = WallClock.milliseconds + milliseconds
        var rows = Int64(held.rowCount)
        do {
            while let batch = try reader.next() {
                rows += Int64(batch.batch.rowCount)
                if let room, rows >= room { return room }
                guard WallClock.milliseconds < deadline else { return nil }
            }
        } catch {
            return nil
        }
        return rows
    }
}
