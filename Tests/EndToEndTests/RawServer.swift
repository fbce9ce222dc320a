// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A server on loopback that speaks HTTP with plain sockets, so that a test decides about every byte and every end.
final class RawServer: Sendable {
    /// What becomes of a request.
    enum Action {
        /// This JSON with status 200; the connection is kept.
        case json(String)
        /// No answer: the connection is closed.
        case close
    }

    /// The port on which it listens.
    let port: Int
    private let listener: Int32
    private let heard = Mutex<[String]>([])

    /// A server that asks `script` about every request: its method, path, body, and its number on its connection.
    init(_ script: @escaping @Sendable (String, String, String, Int) -> Action) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        port = try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, size) == 0, listen(listener, 64) == 0,
                    getsockname(listener, address, &size) == 0
                else { throw CocoaError(.fileReadUnknown) }
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        Thread.detachNewThread {
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                Thread.detachNewThread { self.serve(connection, script) }
            }
        }
    }

    /// Stops listening; connections end with their clients.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Method and body of every request, in order of arrival.
    var requests: [String] { heard.withLock { $0 } }

    private func serve(_ connection: Int32, _ script: @Sendable (String, String, String, Int) -> Action) {
        defer { close(connection) }
        var pending: [UInt8] = []
        var number = 0
        while let (method, path, body) = next(connection, &pending) {
            number += 1
            heard.withLock { $0.append("\(method) \(body)") }
            guard case .json(let text) = script(method, path, body, number) else { return }
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
            let bytes = Array((answer + text).utf8)
            guard send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return }
        }
    }

    private func next(_ connection: Int32, _ pending: inout [UInt8]) -> (String, String, String)? {
        while true {
            if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
                let lines = String(decoding: pending[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let length =
                    lines.first { $0.lowercased().hasPrefix("content-length:") }?
                    .split(separator: ":").last.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 0
                if pending.count >= end.upperBound + length {
                    let body = String(decoding: pending[end.upperBound..<end.upperBound + length], as: UTF8.self)
                    pending.removeFirst(end.upperBound + length)
                    let words = (lines.first ?? "").split(separator: " ").map(String.init)
                    return (words.first ?? "", words.count > 1 ? words[1] : "", body)
                }
            }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            pending += bytes[..<count]
        }
    }
}
