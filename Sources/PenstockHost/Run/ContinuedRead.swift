// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel

/// Reads a source to its end, over several connections where one is cut.
///
/// A cut read goes on behind the last row in a new snapshot, where the rows have an order and a key. Not for two
/// threads at once, but for ``cancellation``.
final class ContinuedRead {
    /// How a read can be continued, where it can.
    struct Order {
        /// The column that rows are ordered by.
        let leading: String
        /// The columns that tell rows apart.
        let identity: [String]
    }

    /// How often a read is tried again before it is given up, unless a try brought rows.
    static let triesMax = 5

    private let reopen: () throws(ConnectorError) -> any Source
    private let host: ConnectionHost
    private let pauseMilliseconds: Int64
    private var request: ReadRequest
    private let schema: Schema
    private var position: ReadPosition?
    private let handle: StreamHandle
    private var ownSource: (any Source)?
    private var tries = 0
    private var rows: Int64 = 0

    /// What was said of open writers by all snapshots together.
    private(set) var openWriters: OpenWriters?
    /// How often the read went on in a new snapshot.
    private(set) var continuations = 0

    /// Starts reading.
    ///
    /// - Parameters:
    ///   - source: Stays open until the read is closed.
    ///   - reopen: Opens the same source once more.
    ///   - order: How the read can be continued; nil where it cannot.
    /// - Throws: ``ConnectorError``; nothing stays open then.
    init(
        _ source: any Source, _ request: ReadRequest, order: Order?, host: ConnectionHost,
        pauseMilliseconds: Int64, reopen: @escaping () throws(ConnectorError) -> any Source
    ) throws(ConnectorError) {
        self.reopen = reopen
        self.host = host
        self.pauseMilliseconds = pauseMilliseconds
        self.request = request
        if let order { self.request.order = [order.leading] }
        let stream = try source.read(self.request)
        handle = StreamHandle(stream)
        schema = stream.schema
        openWriters = stream.openWriters
        position = order.flatMap { order in
            schema.index(of: order.leading).map {
                ReadPosition(leading: $0, identity: order.identity.compactMap(schema.index(of:)))
            }
        }
    }

    /// The next rows, or nil at the end.
    ///
    /// - Throws: ``ConnectorError``; only ``close()`` is allowed afterwards.
    func next() throws(ConnectorError) -> SourceBatch? {
        while true {
            do {
                guard let batch = try handle.next() else { return nil }
                guard let fresh = self.fresh(batch) else { continue }
                tries = 0
                rows += Int64(fresh.batch.rowCount)
                return fresh
            } catch {
                try goOn(after: error)
            }
        }
    }

    /// What makes a running or later ``next()`` end; any thread.
    var cancellation: StreamHandle { handle }

    /// Ends the read.
    func close() {
        handle.close()
        ownSource?.close()
        ownSource = nil
    }

    private func fresh(_ batch: SourceBatch) -> SourceBatch? {
        guard position != nil else { return batch }
        var batch = batch
        if let rows = position?.fresh(batch.batch) {
            if rows.isEmpty { return nil }
            batch = batch.selecting(rows)
        }
        position?.note(batch.batch, rejected: Set(batch.rejects.map(\.row)))
        return batch
    }

    /// Goes on behind the last row, or throws what stopped the read.
    private func goOn(after failure: ConnectorError) throws(ConnectorError) {
        var failure = failure
        guard Self.isCut(failure), !handle.isCancelled, !host.isCancelled else { throw failure }
        guard let position else { throw Self.withoutOrder(failure, rows) }
        guard position.canContinue else { throw Self.withTooManyTies(failure) }
        while true {
            tries += 1
            guard tries <= Self.triesMax else { throw Self.givenUp(failure) }
            host.log(
                .warning, "The read was cut; it goes on behind its last row in a new snapshot.",
                ["rows": String(rows), "try": String(tries), "reason": failure.message])
            handle.close()
            ownSource?.close()
            ownSource = nil
            try pause(milliseconds: pauseMilliseconds << Int64(tries - 1))
            do {
                try restart()
                return
            } catch {
                guard Self.isCut(error), !handle.isCancelled else { throw error }
                failure = error
            }
        }
    }

    private func pause(milliseconds: Int64) throws(ConnectorError) {
        let end = host.monotonicMilliseconds + milliseconds
        while case let left = end - host.monotonicMilliseconds, left > 0 {
            if handle.isCancelled { throw ConnectorError(.cancelled, "The read was cancelled.") }
            try host.pause(milliseconds: min(left, 100))
        }
    }

    private func restart() throws(ConnectorError) {
        if let leading = request.order.first, let start = position?.start {
            request.lowerBound = ReadRequest.LowerBound(column: leading, value: start, isInclusive: true)
        }
        let source = try reopen()
        ownSource = source
        let stream = try self.stream(of: source)
        handle.replace(stream)
        if let difference = SchemaDifference.between(schema, stream.schema) {
            throw ConnectorError(.schemaChanged, "While it was read, \(difference.clause).", field: difference.column)
        }
        if let writers = stream.openWriters { merge(writers) }
        position?.restart()
        continuations += 1
    }

    private func stream(of source: any Source) throws(ConnectorError) -> any RecordStream {
        do {
            return try source.read(request)
        } catch  where error.code == .notFound {
            var error = error
            error.code = .schemaChanged
            throw error
        } catch {
            throw error
        }
    }

    /// What the first snapshot said stands: an older moment is the safer one.
    private func merge(_ writers: OpenWriters) {
        if writers.hasWriters { openWriters?.hasWriters = true }
    }

    private static func isCut(_ error: ConnectorError) -> Bool {
        error.code == .unavailable || error.code == .broken
    }

    private static func withoutOrder(_ failure: ConnectorError, _ rows: Int64) -> ConnectorError {
        var failure = failure
        if rows > 0 {
            failure.message +=
                " The read cannot go on behind row \(rows), because its rows have no key with an order; name one in "
                + "source.key."
        }
        return failure
    }

    private static func withTooManyTies(_ failure: ConnectorError) -> ConnectorError {
        var failure = failure
        failure.message +=
            " The read cannot go on, because more than \(ReadPosition.rememberedMax) rows share the value at which it was "
            + "cut."
        return failure
    }

    private static func givenUp(_ failure: ConnectorError) -> ConnectorError {
        var failure = failure
        failure.message += " The read was tried again \(triesMax) times."
        return failure
    }
}

/// The stream of a read, which another thread may cancel while it is replaced.
final class StreamHandle: @unchecked Sendable {  // Guarded by the lock, but for `next`, whose callers are serial.
    private let lock = NSLock()
    private var stream: any RecordStream
    private var isClosed = false
    private(set) var isCancelled = false

    init(_ stream: any RecordStream) { self.stream = stream }

    func next() throws(ConnectorError) -> SourceBatch? { try stream.next() }

    func cancel() {
        lock.withLock {
            isCancelled = true
            stream.cancel()
        }
    }

    func replace(_ stream: any RecordStream) {
        lock.withLock {
            self.stream = stream
            isClosed = false
            if isCancelled { stream.cancel() }
        }
    }

    func close() {
        // Outside of the lock: whoever cancels must not wait for the source to give back what it holds.
        let closing = lock.withLock { () -> (any RecordStream)? in
            defer { isClosed = true }
            return isClosed ? nil : stream
        }
        closing?.close()
    }
}

/// How the columns of a source differ from what they were.
struct SchemaDifference {
    /// The column at fault.
    let column: String
    /// What is different, without a full stop.
    let clause: String

    /// The first difference, or nil.
    static func between(_ old: Schema, _ new: Schema) -> SchemaDifference? {
        for field in old.fields {
            guard let place = new.index(of: field.name) else {
                return SchemaDifference(column: field.name, clause: "the column \(field.name) went away")
            }
            let type = new.fields[place].type
            if type != field.type {
                return SchemaDifference(
                    column: field.name,
                    clause: "the column \(field.name) turned from \(field.type.rawValue) into \(type.rawValue)")
            }
        }
        if let added = new.fields.first(where: { old.index(of: $0.name) == nil }) {
            return SchemaDifference(column: added.name, clause: "the column \(added.name) was added")
        }
        return old.fields.map(\.name) == new.fields.map(\.name)
            ? nil : SchemaDifference(column: "", clause: "the columns changed places")
    }
}
