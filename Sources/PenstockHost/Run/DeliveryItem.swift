// SPDX-License-Identifier: Apache-2.0

/// A chunk that several rows on their way share.
final class ChunkBox: Sendable {
    let chunk: DecidedChunk

    init(_ chunk: DecidedChunk) { self.chunk = chunk }
}

extension Delivery {
    /// A row with the rows it came with, which are needed to send it and to explain a refusal.
    ///
    /// It is the row's place among them, because it is handed on several times until the row is settled. Loops over
    /// many rows read what they need of `chunk.chunk.rows[place]`, which copies no more; ``row`` copies all of it.
    struct Item: Sendable {
        let chunk: ChunkBox
        /// The row's place among the rows of the chunk.
        let place: Int

        /// The row at a place of a chunk.
        init(_ place: Int, of chunk: ChunkBox) {
            self.chunk = chunk
            self.place = place
        }

        /// A row that is about a row of the source in `chunk`, and is none of the rows that were decided there.
        init(row: DecidedRow, chunk: ChunkBox) {
            var own = chunk.chunk
            own.rows = [row]
            self.init(0, of: ChunkBox(own))
        }

        var row: DecidedRow { chunk.chunk.rows[place] }

        /// The same with `row`, which is about the same row of the source.
        func with(_ row: DecidedRow) -> Item { Item(row: row, chunk: chunk) }
    }
}
