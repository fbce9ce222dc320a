// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
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

    /// Waits until so many rows were read, or the source has no more; nothing is decided about them, and all of them
    /// are still to be taken.
    ///
    /// - Returns: How many were read.
    /// - Throws: ``RunStop``; only ``close()`` is allowed afterwards.
    func readAhead(_ rows: Int64) throws(RunStop) -> Int64 {
        do {
            return try reader.waitForRows(rows)
        } catch {
            throw stop(error)
        }
    }

    /// Why the run stops where reading has failed.
    func stop(_ failure: ReadAhead.Failure) -> RunStop {
        switch failure {
        case .source(let error): sync.stop(error, .source, "reading")
        case .spool(let error): .spool(error)
        }
    }

    /// Gives rows that were decided before the digests of what is sent for them now that all they refer to is there.
    func fitPayloads(_ chunk: inout DecidedChunk) {
        for place in chunk.rows.indices {
            let row = chunk.rows[place].row
            guard chunk.rows[place].payload != nil, !chunk.mapped.isRejected(row) else { continue }
            chunk.rows[place].payload = chunk.mapped.payloads[row]
            if chunk.rows[place].held != nil { chunk.rows[place].held = guards.held(chunk.mapped, row) }
        }
    }
}
