// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A request as the sandbox sees it.
package struct SandboxRequest: Sendable {
    /// The method, in capitals.
    package var method: String
    /// The path with the query, as sent.
    package var target: String
    /// The value of `x-api-token`, or the token of `Authorization: Bearer`, or nil.
    package var token: String?
    /// The value of `Authorization`, or nil.
    package var authorization: String?
    /// The value of `Content-Type`, or nil.
    package var contentType: String?
    /// The body.
    package var body: [UInt8]

    /// A request.
    package init(
        method: String, target: String, token: String? = nil, authorization: String? = nil,
        contentType: String? = nil, body: [UInt8] = []
    ) {
        self.authorization = authorization
        self.method = method
        self.target = target
        self.token = token
        self.contentType = contentType
        self.body = body
    }
}

/// An answer of the sandbox.
package struct SandboxAnswer: Sendable {
    /// The status.
    package var status: Int
    /// Headers beside `Content-Type` and `Content-Length`.
    package var headers: [(name: String, value: String)] = []
    /// The media type.
    package var contentType = "application/json; charset=utf-8"
    /// The body.
    package var body: [UInt8]
    /// The id of the record that the answer is about, for the log.
    package var recordID: Int?

    static func json(_ json: JSON, status: Int = 200, id: Int? = nil) -> SandboxAnswer {
        SandboxAnswer(status: status, body: json.utf8, recordID: id)
    }

    /// A success with its data.
    static func data(_ data: JSON, id: Int? = nil) -> SandboxAnswer {
        json(.members(["success": .bool(true), "data": data]), id: id)
    }

    /// One page of a list.
    static func page(_ data: JSON, next: Cursor?) -> SandboxAnswer {
        json(
            .members([
                "success": .bool(true), "data": data,
                "additional_data": .members(["next_cursor": next.map { .string($0.text) } ?? .null]),
            ]))
    }

    /// An error as v2 shapes it.
    static func failure(_ status: Int, _ error: String, code: String) -> SandboxAnswer {
        json(
            .members(["success": .bool(false), "error": .string(error), "code": .string(code)]), status: status)
    }

    /// 400 for these reasons, each "path: reason".
    static func invalid(_ reasons: [String]) -> SandboxAnswer {
        failure(
            400, "Validation failed: " + reasons.joined(separator: "; "), code: "ERR_SCHEMA_VALIDATION_FAILED")
    }

    /// 404 for a record or field that is not there.
    static func notFound(_ noun: String) -> SandboxAnswer {
        failure(404, "\(noun) not found", code: "ERR_NOT_FOUND")
    }

    /// An error as the gateway shapes it.
    static func gateway(_ status: Int, _ error: String, headers: [(name: String, value: String)]) -> SandboxAnswer {
        let body = JSON.members([
            "success": .bool(false), "error": .string(error), "errorCode": .integer(status),
            "error_info": .string("Please check developers.pipedrive.com"),
        ])
        return SandboxAnswer(status: status, headers: headers, body: body.utf8)
    }

    /// An HTML page with a title and nothing more.
    static func html(_ status: Int, _ title: String) -> SandboxAnswer {
        let page = "<!DOCTYPE html>\n<html><head><title>\(title)</title></head><body><h1>\(title)</h1></body></html>\n"
        return SandboxAnswer(status: status, contentType: "text/html; charset=utf-8", body: [UInt8](page.utf8))
    }
}
