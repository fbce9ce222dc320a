// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState

/// Reads a source on a thread of its own, as fast as it can, and keeps what is not worked on yet.
///
/// A few batches wait in memory. Where the work is slower than the source, the rest waits in a nameless file, so that
/// neither memory grows nor the source's snapshot stays open for as long as the work takes (ADR 0013).
final class ReadAhead: @unchecked Sendable {  // Guarded by `condition`, but for `read`, which only the thread uses.
    /// Why the next rows cannot be had.
    enum Failure: Error {
        /// The source.
        case source(ConnectorError)
        /// The file that was read ahead to.
        case spool(StateError)
    }

    /// How many batches wait in memory.
    static let batchesInMemory = 4
    /// How long the source waits for room in memory before the file is used: work that keeps up never needs it.
    static let patience = 0.2

    /// How often a wait looks whether the work is to stop, in seconds.
    private static let cancellationPause = 0.1

    private let read: ContinuedRead
    private let isCancelled: () -> Bool
    private let cancellation: StreamHandle
    private let folder: String
    private let rowsAheadMax: Int64?
    private let condition = NSCondition()

    private var waiting: [SourceBatch] = []
    private var spooled: [SpoolFile.Place] = []
    private var spool: SpoolFile?
    private var rowsAhead: Int64 = 0
    private var schema: Schema?
    private var end: Result<Void, Failure>?
    private var isClosing = false
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
        self.folder = folder
        self.rowsAheadMax = rowsAheadMax
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
        condition.lock()
        while waiting.isEmpty && spooled.isEmpty && end == nil {
            // A call into the source may last for as long as its server sorts: only from here can it be cut short.
            _ = condition.wait(until: Date(timeIntervalSinceNow: Self.cancellationPause))
            if isCancelled() { cancellation.cancel() }
        }
        if !waiting.isEmpty {
            let batch = waiting.removeFirst()
            leave(batch)
            condition.unlock()
            return batch
        }
        guard let place = spooled.first, let spool, let schema else {
            let end = self.end
            condition.unlock()
            if case .failure(let failure) = end { throw failure }
            return nil
        }
        condition.unlock()
        let result = Result { () throws(StateError) in try spool.read(place, schema) }
        condition.lock()
        spooled.removeFirst()
        if case .success(let batch) = result { leave(batch) }
        condition.unlock()
        do {
            return try result.get()
        } catch {
            throw .spool(error)
        }
    }

    private func leave(_ batch: SourceBatch) {
        rowsAhead -= Int64(batch.batch.rowCount)
        condition.broadcast()
    }

    /// Ends the read, and waits until the source has given back what it held.
    func close() {
        condition.lock()
        isClosing = true
        condition.broadcast()
        condition.unlock()
        cancellation.cancel()
        condition.lock()
        while !hasThreadEnded { condition.wait() }
        condition.unlock()
    }

    // MARK: - The thread

    private func run() {
        let result = Result { () throws(Failure) in try readAll() }
        read.close()
        condition.lock()
        end = result
        hasThreadEnded = true
        condition.broadcast()
        condition.unlock()
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
            guard let batch, try put(batch) else { return }
        }
    }

    /// Keeps a batch; false where nobody wants it any more.
    private func put(_ batch: SourceBatch) throws(Failure) -> Bool {
        condition.lock()
        schema = batch.batch.schema
        if let rowsAheadMax {
            while rowsAhead > 0, rowsAhead + Int64(batch.batch.rowCount) > rowsAheadMax, !isClosing {
                condition.wait()
            }
        }
        let deadline = Date(timeIntervalSinceNow: Self.patience)
        while spooled.isEmpty, waiting.count >= Self.batchesInMemory, !isClosing {
            guard condition.wait(until: deadline) else { break }
        }
        guard !isClosing else {
            condition.unlock()
            return false
        }
        rowsAhead += Int64(batch.batch.rowCount)
        if spooled.isEmpty, waiting.count < Self.batchesInMemory {
            waiting.append(batch)
            condition.broadcast()
            condition.unlock()
            return true
        }
        // Once everything was taken out of it, the file begins anew.
        let offset = spooled.last?.end ?? 0
        condition.unlock()
        do throws(StateError) {
            let file: SpoolFile
            if let spool { file = spool } else { file = try SpoolFile(folder: folder) }
            if offset == 0 { file.truncate() }
            let place = try file.write(batch, at: offset)
            condition.holding {
                spool = file
                spooled.append(place)
                condition.broadcast()
            }
        } catch {
            throw .spool(error)
        }
        return true
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
