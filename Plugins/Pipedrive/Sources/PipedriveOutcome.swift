// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import ConnectorKit

/// What became of one row's request.
package struct PipedriveOutcome: Sendable, Hashable {
    /// The row's result; its ``RowResult/row`` is set by the caller.
    package var result: RowResult
    /// Why no further row may be sent, or nil.
    package var ending: ConnectorError?

    /// Answers after which it is certain that nothing was changed.
    private static let refusals: Set<Int> = [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429]

    /// What `outcome` means for a row.
    package init(_ outcome: HTTPOutcome, mode: WriteRequest.Mode, object: PipedriveObject, api: PipedriveAPI) {
        switch outcome {
        case .failure(let failure):
            let problem = PipedriveProblem(failure, site: api.siteName)
            result = RowResult(row: 0, status: failure.wasNeverSent ? .retry : .unknown, error: problem.error)
            if problem.endsWork { ending = problem.error }
        case .success(let response) where response.status == 200 || response.status == 201:
            if let scan = PipedriveAnswerScan(response.body), PipedriveBody.isID(Array(scan.id.utf8)[...]) {
                result = Self.success(scan.id, isDeleted: scan.isDeleted, mode, object, response.status)
                return
            }
            result = Self.success(api.answer(outcome, object: object), mode, object, response.status)
        case .success(let response):
            let problem = api.problem(response, object: object)
            let status: RowResult.Status =
                if !Self.refusals.contains(response.status) {
                    .unknown
                } else if problem.endsWork || response.status == 429 {
                    .retry
                } else {
                    .rejected
                }
            result = RowResult(row: 0, status: status, error: problem.error, httpStatus: response.status)
            if problem.endsWork { ending = problem.error }
        }
    }

    private static func success(
        _ answer: Result<JSON, PipedriveProblem>, _ mode: WriteRequest.Mode, _ object: PipedriveObject, _ status: Int
    ) -> RowResult {
        let json: JSON
        switch answer {
        case .failure(let problem):
            return RowResult(row: 0, status: .unknown, error: problem.error, httpStatus: status)
        case .success(let found): json = found
        }
        let id = json["data"]?["id"]?.numberText
        guard let id, PipedriveBody.isID(Array(id.utf8)[...]) else {
            let error = ConnectorError(
                .unavailable, "Pipedrive answered with status \(status) but without the id of the \(object.id).",
                vendorCode: String(status))
            return RowResult(row: 0, status: .unknown, error: error, httpStatus: status)
        }
        let isDeleted = json["data"]?["is_deleted"]?.boolValue == true
        return success(id, isDeleted: isDeleted, mode, object, status)
    }

    private static func success(
        _ id: String, isDeleted: Bool, _ mode: WriteRequest.Mode, _ object: PipedriveObject, _ status: Int
    ) -> RowResult {
        switch mode {
        case .create: return RowResult(row: 0, status: .created, httpStatus: status, remoteID: id)
        case .delete: return RowResult(row: 0, status: .deleted, httpStatus: status, remoteID: id)
        case .update where isDeleted:
            let error = ConnectorError(
                .notFound, "The \(object.id) \(id) is deleted in Pipedrive.", field: "id")
            return RowResult(row: 0, status: .rejected, error: error, httpStatus: status, remoteID: id)
        case .update: return RowResult(row: 0, status: .updated, httpStatus: status, remoteID: id)
        }
    }
}
