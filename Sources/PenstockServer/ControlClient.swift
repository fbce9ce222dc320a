// SPDX-License-Identifier: Apache-2.0

import CService
import Foundation
import PenstockModel

/// Asks the server of a project over its socket.
package struct ControlClient: Sendable {
    /// Why there is no answer.
    package enum Problem: Error {
        /// Nobody listens there.
        case noServer
        /// Somebody does, and the answer cannot be had; a clause.
        case broken(String)
    }

    private let path: String

    private static let answerMax = 1 << 26
    private static let patience = 30

    /// A client for the server that listens at `path`.
    package init(path: String) { self.path = path }

    /// Sends a request and waits for the answer.
    ///
    /// - Throws: ``Problem``.
    package func ask(_ method: String, _ target: String) throws(Problem) -> (status: Int, body: JSON) {
        let descriptor = SocketPath.reached(path) { penstock_connect($0) }
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ECONNREFUSED { throw .noServer }
            throw .broken("\(path) cannot be connected to: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let request = "\(method) \(target) HTTP/1.1\r\nHost: penstock\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        let bytes = Array(request.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw .broken("the server does not take the request")
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while answer.count < Self.answerMax {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            answer += buffer.prefix(count)
        }
        return try Self.parse(answer)
    }

    private static func parse(_ answer: [UInt8]) throws(Problem) -> (status: Int, body: JSON) {
        let words = String(decoding: answer.prefix(64), as: UTF8.self).split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw .broken("the server ended the connection without an answer")
        }
        var end = 0
        while end + 4 <= answer.count, answer[end] != 13 || answer[end + 1] != 10 || answer[end + 2] != 13 { end += 1 }
        guard end + 4 <= answer.count else { throw .broken("the answer breaks off") }
        // A body that is no JSON is told by the status alone.
        let body = try? JSON(parsing: Array(answer[(end + 4)...]))
        return (status, body ?? .null)
    }
}

/// Names sockets whose path is too long for an address.
package enum SocketPath {
    private static let lengthMax = 100

    /// Calls `body` with a path that leads to the socket at `path` and fits into an address.
    package static func reached<R>(_ path: String, _ body: (String) throws -> R) rethrows -> R {
        guard path.utf8.count > lengthMax, let slash = path.lastIndex(of: "/") else { return try body(path) }
        let folder = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return try body(path) }
        defer { close(folder) }
        return try body("/proc/self/fd/\(folder)" + path[slash...])
    }
}
