// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// One JSON line per request, appended to a file; no token is in it.
final class RequestLog: Sendable {
    private let descriptor: CInt

    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SandboxStartError(description: "The log \(path) cannot be opened for writing; choose another file.")
        }
    }

    deinit { close(descriptor) }

    func append(_ request: SandboxRequest, _ reply: SandboxReply, now: Int64) {
        let isAnswered = reply.delivery != .reset && reply.delivery != .hang
        let isSecret = request.target.hasPrefix("/oauth/")
        let line = JSON.members([
            "ms": .integer(now / 1_000_000), "method": .string(request.method),
            "path": .string(isSecret ? RequestTarget(request.target).path : request.target),
            "status": isAnswered ? .integer(reply.answer.status) : .null, "cost": .integer(reply.cost),
            "id": reply.answer.recordID.map { .integer($0) } ?? .null,
            "fault": reply.fault.map { .string($0) } ?? .null,
            "body": .string(isSecret ? "" : String(decoding: request.body, as: UTF8.self)),
        ])
        let bytes = line.utf8 + [UInt8(ascii: "\n")]
        // A full disk must not stop the sandbox; the line is lost and nothing else.
        _ = write(descriptor, bytes, bytes.count)
    }
}
