// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How many rows are given to a session of a destination at once.
struct DeliveryWindow {
    /// The most that may be on their way.
    let inFlightMax: Int
    /// The most that are handed over together.
    let batchRows: Int
    /// How many rows may be open while further ones are read and decided about.
    let openRows: Int
    /// How many results are awaited before a session that had no room is asked again.
    let resultsPerRoom: Int

    /// How many suit where a row is a request.
    private static let requestsMax = 64
    /// The most of an object that takes many rows together: as many as four batches of a source, which then go whole.
    private static let rowsMax = 16_384

    /// The window where a row is a request, and where a person settles every row that is lost on the way.
    static let requests = DeliveryWindow(inFlightMax: requestsMax)

    /// The window for an object.
    init(_ object: ObjectDescriptor) {
        self.init(inFlightMax: object.rowsAtOnce > 0 ? min(object.rowsAtOnce, Self.rowsMax) : Self.requestsMax)
    }

    private init(inFlightMax: Int) {
        self.inFlightMax = inFlightMax
        batchRows = max(min(inFlightMax, Self.requestsMax), inFlightMax / 4)
        openRows = max(RowPipeline.batchRows / 4, inFlightMax / 2)
        resultsPerRoom = max(1, inFlightMax / 2)
    }

    /// Whether a session that had no room with `full` rows on their way is asked again, now that there are `open`.
    func mayHaveRoom(_ open: Int, full: Int) -> Bool { open <= full - max(1, min(resultsPerRoom, full / 2)) }
}
