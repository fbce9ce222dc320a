// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// Rows on their way to Pipedrive: the side that the host calls; ``PipedriveWriteLoop`` is the thread behind it.
final class PipedriveWriteSession: WriteSession {
    /// What the two sides share.
    struct Shared {
        /// A batch that the loop has not taken over yet.
        struct Arrival {
            var batch: RecordBatch
            var id: UInt64
        }

        var arrivals: [Arrival] = []
        /// Rows whose request has not been started.
        var waitingRows = 0
        /// Rows without a result.
        var openRows = 0
        var isAborted = false
        var isEnded = false
        /// Why the session has given up, or nil.
        var failure: ConnectorError?
    }

    private let shared = Monitor(Shared())
    private let multi: HTTPMulti
    private let thread: WorkerThread
    private let waitingRowsMax: Int

    init(
        _ request: WriteRequest, object: PipedriveObject, body: PipedriveBody, api: PipedriveAPI,
        onResults: @escaping @Sendable (UInt64, [RowResult]) -> Void
    ) {
        let multi = HTTPMulti(api.http, transfersMax: request.inFlightMax)
        let shared = shared
        self.multi = multi
        waitingRowsMax = 2 * request.inFlightMax
        thread = WorkerThread("penstock-pd") {
            var loop = PipedriveWriteLoop(
                request, object: object, body: body, api: api, multi: multi, shared: shared, onResults: onResults)
            loop.run()
        }
    }

    func submit(_ batch: RecordBatch, id: UInt64) throws(ConnectorError) -> Bool {
        let verdict: Result<Bool, ConnectorError> = shared.update { shared in
            if let failure = shared.failure {
                return .failure(ConnectorError(.broken, "The session has given up: \(failure.message)"))
            }
            if shared.isAborted || shared.isEnded {
                return .failure(ConnectorError(.broken, "The session has been stopped."))
            }
            guard shared.waitingRows < waitingRowsMax else { return .success(false) }
            shared.arrivals.append(Shared.Arrival(batch: batch, id: id))
            shared.waitingRows += batch.rowCount
            shared.openRows += batch.rowCount
            return .success(true)
        }
        if case .success(true) = verdict { multi.wakeUp() }
        return try verdict.get()
    }

    func flush() throws(ConnectorError) {
        let failure: ConnectorError? = shared.wait { shared in shared.openRows == 0 ? .some(shared.failure) : nil }
        if let failure { throw failure }
    }

    func abort() {
        shared.update { $0.isAborted = true }
        multi.wakeUp()
    }

    func end() {
        shared.update { $0.isEnded = true }
        multi.wakeUp()
        thread.join()
    }
}
