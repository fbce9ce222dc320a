// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState

/// The rows of a run with what is to be done about them: as they come from the source, or from where they are held.
protocol DecidedRows: AnyObject {
    /// Whether the source was read to its end, rather than to a limit.
    var isExhausted: Bool { get }
    /// Whether the run has all the rows that it may have.
    var isAtLimit: Bool { get }
    /// The least Incremental Key of a row that was left to the next run, or nil.
    var postponedFrom: Value? { get }
    /// What the source says of open writers.
    var openWriters: OpenWriters? { get }
    /// How often the read went on in a new snapshot.
    var continuations: Int { get }
    /// Called before each look at records, so that other work goes on meanwhile.
    var keepUp: (() throws(RunStop) -> Void)? { get set }

    /// The next rows, decided; nil at the end.
    func next() throws(RunStop) -> DecidedChunk?
    /// The records whose rows the source no longer has, or nil; for after the last row.
    func removedRows() throws(RunStop) -> RemovedRows?
    /// Counts the rows behind those that were taken; nil where that takes too long.
    func countRest(within milliseconds: Int64) -> Int64?
    /// Keeps what the list of records cost for the next run.
    func noteListCost(in store: StateStore) throws(RunStop)
    /// What looks at the records of guarded rows before they are sent again; nil where they cannot be looked at.
    var secondLook: SecondLook? { get }
    /// Ends the read.
    func close()
}

extension RowPipeline: DecidedRows {
    var secondLook: SecondLook? { SecondLook(self, nil) }
}

/// Rows that were decided and wait in a nameless file until it is sure that they may be sent.
///
/// Behind them the rest of the source follows, where not all of it is held. Memory does not grow with the rows: of each
/// batch its place in the file is kept.
final class HeldRows: DecidedRows {
    private struct Batch {
        /// The rows that need something, in the file; nil where there are none.
        var places: (source: SpoolFile.Place, rows: SpoolFile.Place)?
        var quiet: QuietRows
    }

    private let pipeline: RowPipeline
    private let codec: DecidedRowCodec
    private let folder: String
    private var spool: SpoolFile?
    private var schema: Schema?
    private var batches: [Batch] = []
    private var nextBatch = 0
    private var end: Int64 = 0
    private var hasEnded = false
    /// Whether what the rows refer to was looked up again since they were held.
    private var isRelinked = false

    /// Nothing yet.
    ///
    /// - Parameter folder: On whose disk the file is made.
    init(_ pipeline: RowPipeline, folder: String, cursorIndex: Int?) {
        self.pipeline = pipeline
        self.folder = folder
        codec = DecidedRowCodec(cursorIndex: cursorIndex)
    }

    /// Whether the source was read to its end, rather than to a limit, whatever was taken of it.
    var hasReadAll: Bool { pipeline.isExhausted }
    var secondLook: SecondLook? { pipeline.secondLook }

    var isExhausted: Bool { hasReadAll && nextBatch == batches.count }
    var isAtLimit: Bool { pipeline.isAtLimit }
    var postponedFrom: Value? { pipeline.postponedFrom }
    var openWriters: OpenWriters? { pipeline.openWriters }
    var continuations: Int { pipeline.continuations }
    var keepUp: (() throws(RunStop) -> Void)? {
        get { pipeline.keepUp }
        set { pipeline.keepUp = newValue }
    }

    func noteListCost(in store: StateStore) throws(RunStop) { try pipeline.noteListCost(in: store) }

    /// Takes the next rows from the source, keeps them, and lends them to `body`.
    ///
    /// - Returns: False at the end.
    func hold(_ body: (DecidedChunk) throws(RunStop) -> Void) throws(RunStop) -> Bool {
        guard let chunk = try pipeline.next() else {
            hasEnded = true
            return false
        }
        try body(chunk)
        var batch = Batch(quiet: chunk.quiet)
        if !chunk.rows.isEmpty { batch.places = try kept(chunk) }
        // Batches of nothing but quiet rows are one.
        if batch.places == nil, let last = batches.last, last.places == nil {
            batches[batches.count - 1].quiet.add(batch.quiet)
        } else {
            batches.append(batch)
        }
        return true
    }

    private func kept(_ chunk: DecidedChunk) throws(RunStop) -> (source: SpoolFile.Place, rows: SpoolFile.Place) {
        do throws(StateError) {
            let file: SpoolFile
            if let spool { file = spool } else { file = try SpoolFile(folder: folder) }
            spool = file
            schema = chunk.source.schema
            let source = try file.write(SourceBatch(chunk.source, rejects: []), at: end)
            let rows = try file.write(SourceBatch(codec.encoded(chunk.rows), rejects: []), at: source.end)
            end = rows.end
            return (source, rows)
        } catch {
            throw .spool(error)
        }
    }

    func next() throws(RunStop) -> DecidedChunk? {
        guard nextBatch < batches.count else { return hasEnded ? nil : try pipeline.next() }
        let batch = batches[nextBatch]
        nextBatch += 1
        guard var chunk = try chunk(batch) else { return try pipeline.quietChunk(batch.quiet) }
        chunk.quiet = batch.quiet
        if isRelinked { pipeline.fitPayloads(&chunk) }
        return chunk
    }

    /// The rows of a batch that need something, from the file; nil where there are none.
    private func chunk(_ batch: Batch) throws(RunStop) -> DecidedChunk? {
        guard let places = batch.places, let spool, let schema else { return nil }
        let source: SourceBatch
        let rows: SourceBatch
        do throws(StateError) {
            source = try spool.read(places.source, schema)
            rows = try spool.read(places.rows, DecidedRowCodec.schema)
        } catch {
            throw .spool(error)
        }
        return try pipeline.chunk(source.batch, rows: codec.decoded(rows.batch, source.batch))
    }

    /// Lets go of the states of linked syncs, whose runs come first: ``relink(_:)`` looks into them again.
    ///
    /// Rows that are not held yet can no longer be taken until then.
    func releaseLinks() throws(RunStop) { try pipeline.openLinks([]) }

    /// Looks up again what the rows refer to, for after the runs of linked syncs.
    ///
    /// - Parameter body: Is told of each row that was to be sent, and can no longer be.
    /// - Throws: ``RunStop``.
    func relink(_ body: (DecidedRow, RowReject) -> Void) throws(RunStop) {
        try pipeline.openLinks(pipeline.sync.mapping.links)
        isRelinked = true
        for batch in batches {
            guard let chunk = try chunk(batch), !chunk.mapped.rejects.isEmpty else { continue }
            let rejects = Dictionary(chunk.mapped.rejects.map { ($0.row, $0.reject) }) { first, _ in first }
            for row in chunk.rows where row.fate.isSent {
                if let reject = rejects[row.row] { body(row, reject) }
            }
        }
    }

    func removedRows() throws(RunStop) -> RemovedRows? { try pipeline.removedRows() }

    func countRest(within milliseconds: Int64) -> Int64? {
        var rows: Int64 = 0
        for batch in batches[nextBatch...] {
            rows += batch.quiet.unchanged
            guard let places = batch.places, let spool else { continue }
            // What cannot be read back cannot be counted; the run itself says so.
            guard let held = try? spool.read(places.rows, DecidedRowCodec.schema) else { return nil }
            rows += Int64(held.batch.rowCount)
        }
        if hasEnded { return rows }
        return pipeline.countRest(within: milliseconds).map { $0 + rows }
    }

    func close() { pipeline.close() }
}
