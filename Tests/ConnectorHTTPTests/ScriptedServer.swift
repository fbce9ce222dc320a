// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import Glibc
import Synchronization

/// A server on 127.0.0.1 that answers each request with what a script says, byte for byte.
final class ScriptedServer: Sendable {
    /// What to do with one request.
    enum Answer {
        /// These bytes go back; the connection is kept.
        case text(String)
        /// These bytes go back and the connection is closed.
        case last(String)
        /// Nothing goes back.
        case nothing
    }

    private struct State {
        var requests: [String] = []
        var connections = 0
    }

    /// `http://127.0.0.1:PORT`.
    let url: String
    private let listener: Int32
    private let state = Mutex(State())
    private let script: @Sendable (Int) -> Answer

    /// Starts a server.
    ///
    /// - Parameter script: Gets the number of the request, counted from 0 over all connections.
    init(_ script: @escaping @Sendable (Int) -> Answer) {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = bind(listener, pointer, size)
                _ = getsockname(listener, pointer, &size)
            }
        }
        _ = listen(listener, 64)
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        // The threads end with the connections; the accepting one with the listener.
        _ = WorkerThread("accept") { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                state.withLock { $0.connections += 1 }
                _ = WorkerThread("connection") { [self] in serve(connection) }
            }
        }
    }

    /// Lets no more connections in.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// The requests so far, each as it came.
    var requests: [String] { state.withLock { $0.requests } }

    /// How many connections were made.
    var connections: Int { state.withLock { $0.connections } }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var pending: [UInt8] = []
        while let request = next(connection, &pending) {
            let number = state.withLock { state in
                state.requests.append(request)
                return state.requests.count - 1
            }
            switch script(number) {
            case .text(let text): write(text, to: connection)
            case .last(let text):
                write(text, to: connection)
                return
            case .nothing: continue
            }
        }
    }

    private func write(_ text: String, to connection: Int32) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// The next whole request, or nil where the connection has ended.
    private func next(_ connection: Int32, _ pending: inout [UInt8]) -> String? {
        while true {
            let text = String(decoding: pending, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n") {
                let head = text[..<end.upperBound]
                let length =
                    head.lowercased().firstRange(of: "content-length: ").flatMap { range in
                        Int(head.lowercased()[range.upperBound...].prefix { $0.isNumber })
                    } ?? 0
                let size = head.utf8.count + length
                if pending.count >= size {
                    defer { pending.removeFirst(size) }
                    return String(decoding: pending[..<size], as: UTF8.self)
                }
            }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            pending += bytes[..<count]
        }
    }
}
