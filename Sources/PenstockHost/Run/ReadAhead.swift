// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState

/// Reads a source on a thread of its own, as fast as it can, and keeps what is not worked on yet in a ``BatchQueue``.
final class ReadAhead: @unchecked Sendable {  // Guarded by `condition`, but for `read`, which only the thread uses.
    /// Why the next rows cannot be had.
    enum Failure: Error {
        /// The source.
        case source(ConnectorError)
        /// The file that was read ahead to.
        case spool(StateError)
    }

    private let read: ContinuedRead
    private let isCancelled: () -> Bool
    private let cancellation: StreamHandle
    private let queue: BatchQueue
    private let condition = NSCondition()

    private var end: Result<Void, Failure>?
    private var hasThreadEnded = false
    private var writers: OpenWriters?
    private var continuationCount = 0

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - read: Only this object uses it from now on, and closes it.
    ///   - folder: On whose disk the file is made, if it comes to that.
    ///   - rowsAheadMax: The most rows that may wait at once, or nil.
    ///   - isCancelled: Whether the work is to stop; asked from the thread that takes rows.
    init(_ read: ContinuedRead, folder: String, rowsAheadMax: Int64?, isCancelled: @escaping () -> Bool) {
        self.read = read
        self.isCancelled = isCancelled
        cancellation = read.cancellation
        queue = BatchQueue(folder: folder, rowsAheadMax: rowsAheadMax)
        writers = read.openWriters
        let thread = Thread { self.run() }
        thread.name = "penstock-read"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// What the source says of open writers.
    var openWriters: OpenWriters? { condition.holding { writers } }

    /// How often the read went on in a new snapshot so far.
    var continuations: Int { condition.holding { continuationCount } }

    /// The next rows in the order of the source, or nil at the end.
    ///
    /// - Throws: ``Failure``, after everything that was read before it; only ``close()`` is allowed afterwards.
    func next() throws(Failure) -> SourceBatch? {
        let batch: SourceBatch?
        do {
            // A call into the source may last for as long as its server sorts: only from here can it be cut short.
            batch = try queue.next { if isCancelled() { cancellation.cancel() } }
        } catch {
            throw .spool(error)
        }
        if batch == nil, case .failure(let failure) = condition.holding({ end }) { throw failure }
        return batch
    }

    /// Waits until so many rows were read, or the source has no more; all of them are still to be taken.
    ///
    /// - Returns: How many were read.
    /// - Throws: ``Failure``, where the source failed before; only ``close()`` is allowed afterwards.
    func waitForRows(_ rows: Int64) throws(Failure) -> Int64 {
        let count = queue.waitForRows(rows) { if isCancelled() { cancellation.cancel() } }
        if count < rows, case .failure(let failure) = condition.holding({ end }) { throw failure }
        return count
    }

    /// Ends the read, and waits until the source has given back what it held.
    func close() {
        queue.close()
        cancellation.cancel()
        condition.lock()
        while !hasThreadEnded { condition.wait() }
        condition.unlock()
    }

    // MARK: - The thread

    private func run() {
        let result = Result { () throws(Failure) in try readAll() }
        read.close()
        condition.holding {
            end = result
            hasThreadEnded = true
            condition.broadcast()
        }
        queue.finish()
    }

    private func readAll() throws(Failure) {
        while true {
            let batch: SourceBatch?
            do {
                batch = try read.next()
            } catch {
                throw .source(error)
            }
            condition.holding {
                writers = read.openWriters
                continuationCount = read.continuations
            }
            do {
                guard let batch, try queue.put(batch) else { return }
            } catch {
                throw .spool(error)
            }
        }
    }
}
