// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState

/// Batches on their way from the thread that reads to the one that works, in order.
///
/// A few wait in memory. Where the work stands still for longer than ``patience``, the rest waits in a nameless file,
/// so that neither memory grows nor the source waits (ADR 0013). Work that goes on, however slowly it began, gets its
/// batches through memory again once the file is used up.
package final class BatchQueue: @unchecked Sendable {  // Guarded by `condition`, but for the file itself.
    /// How many batches wait in memory.
    package static let batchesInMemory = 3
    /// How long the source waits after a batch was taken before the file is used: work that keeps up never needs it.
    package static let patience = 0.2
    /// How long the source waits in one go at most, so that no server takes it for dead.
    private static let waitMax = 1.0

    private enum Kept {
        case memory(SourceBatch)
        case file(SpoolFile.Place, Schema)
    }

    private let folder: String
    private let rowsAheadMax: Int64?
    private let condition = NSCondition()
    private var kept: [Kept] = []
    private var inMemory = 0
    private var inFile = 0
    private var spool: SpoolFile?
    private var rowsAhead: Int64 = 0
    private var rowsPut: Int64 = 0
    private var lastTaken = Date()
    private var isClosing = false
    private var hasEnded = false
    private var batchesWritten = 0

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - folder: On whose disk the file is made, if it comes to that.
    ///   - rowsAheadMax: The most rows that may wait at once, or nil.
    package init(folder: String, rowsAheadMax: Int64?) {
        self.folder = folder
        self.rowsAheadMax = rowsAheadMax
    }

    /// How many batches went through the file so far.
    package var spooled: Int { condition.holding { batchesWritten } }

    /// Puts a batch at the end; one thread.
    ///
    /// - Returns: False where nobody wants it any more.
    /// - Throws: ``StateError`` where the file cannot be written.
    package func put(_ batch: SourceBatch) throws(StateError) -> Bool {
        condition.lock()
        waitForRoom(Int64(batch.batch.rowCount))
        guard !isClosing else {
            condition.unlock()
            return false
        }
        if inMemory < Self.batchesInMemory {
            add(.memory(batch), batch)
            inMemory += 1
            condition.unlock()
            return true
        }
        // Once everything was taken out of it, the file begins anew.
        let offset = inFile == 0 ? 0 : end
        condition.unlock()
        let file: SpoolFile
        if let spool { file = spool } else { file = try SpoolFile(folder: folder) }
        if offset == 0 { file.truncate() }
        let place = try file.write(batch, at: offset)
        condition.holding {
            spool = file
            inFile += 1
            batchesWritten += 1
            add(.file(place, batch.batch.schema), batch)
        }
        return true
    }

    /// The end of the last batch in the file.
    private var end: Int64 {
        for entry in kept.reversed() { if case .file(let place, _) = entry { return place.end } }
        return 0
    }

    private func add(_ entry: Kept, _ batch: SourceBatch) {
        kept.append(entry)
        rowsAhead += Int64(batch.batch.rowCount)
        rowsPut += Int64(batch.batch.rowCount)
        condition.broadcast()
    }

    private func waitForRoom(_ rows: Int64) {
        if let rowsAheadMax {
            while rowsAhead > 0, rowsAhead + rows > rowsAheadMax, !isClosing { condition.wait() }
        }
        let last = Date(timeIntervalSinceNow: Self.waitMax)
        while inMemory >= Self.batchesInMemory, !isClosing {
            let deadline = min(lastTaken.addingTimeInterval(Self.patience), last)
            guard deadline.timeIntervalSinceNow > 0 else { return }
            _ = condition.wait(until: deadline)
        }
    }

    /// Says that no more batches come.
    package func finish() {
        condition.holding {
            hasEnded = true
            condition.broadcast()
        }
    }

    /// Waits until so many rows were put since the queue began, or no more come; takes none of them.
    ///
    /// - Precondition: As many may wait at once.
    /// - Parameter pause: Called every tenth of a second while it waits.
    /// - Returns: How many were put.
    package func waitForRows(_ rows: Int64, _ pause: () -> Void) -> Int64 {
        condition.holding {
            while rowsPut < rows && !hasEnded {
                _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
                pause()
            }
            return rowsPut
        }
    }

    /// The next batch, or nil at the end; one thread.
    ///
    /// - Parameter pause: Called every tenth of a second while there is nothing.
    /// - Throws: ``StateError`` where the file cannot be read or does not hold what was written.
    package func next(_ pause: () -> Void) throws(StateError) -> SourceBatch? {
        condition.lock()
        while kept.isEmpty && !hasEnded {
            _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
            pause()
        }
        guard let first = kept.first else {
            condition.unlock()
            return nil
        }
        if case .memory(let batch) = first {
            inMemory -= 1
            take(batch)
            condition.unlock()
            return batch
        }
        guard case .file(let place, let schema) = first, let spool else {
            preconditionFailure("a batch waits in a file that there is not")
        }
        condition.unlock()
        // It stays in the queue meanwhile, so that nothing is written over it.
        let batch = try spool.read(place, schema)
        condition.holding {
            inFile -= 1
            take(batch)
        }
        return batch
    }

    private func take(_ batch: SourceBatch) {
        kept.removeFirst()
        rowsAhead -= Int64(batch.batch.rowCount)
        lastTaken = Date()
        condition.broadcast()
    }

    /// Makes a waiting or later ``put(_:)`` return false.
    package func close() {
        condition.holding {
            isClosing = true
            condition.broadcast()
        }
    }
}

extension NSCondition {
    /// Runs `body` under the lock.
    func holding<R>(_ body: () -> R) -> R {
        lock()
        defer { unlock() }
        return body()
    }
}
