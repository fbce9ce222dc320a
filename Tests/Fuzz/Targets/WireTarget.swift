// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import Glibc
import Synchronization

extension FuzzTarget {
    /// What a server writes on the wire: whatever it is, a create reaches the server once, is never held for unsent,
    /// and an answer keeps to the limits of its size.
    static let wire = FuzzTarget(
        "wire",
        pieces: [
            "HTTP/1.1 200 OK\r\n", "HTTP/1.1 201 Created\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.0 503 x\r\n",
            "HTTP/1.1 417 Expectation Failed\r\n", "HTTP/1.1 302 Found\r\nLocation: /other\r\n",
            "Content-Length: 2\r\n",
            "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n", "Retry-After: 5\r\n",
            "Connection: close\r\n",
            "2\r\n{}\r\n", "0\r\n\r\n", "\r\n", "\n", ": ", "{}", "\u{0}", "WWW-Authenticate: Basic\r\n",
        ]
    ) { bytes, isPlanted in
        guard let server = WireServer.shared else { return "the server cannot be started" }
        let (outcome, requests) = server.exchange(bytes)
        if requests != 1 { return "the request reached the server \(requests) times" }
        switch outcome {
        case .failure(let failure):
            return failure.wasNeverSent ? "held for unsent although it was read" : nil
        case .success(let response):
            if !(100...999).contains(response.status) { return "the status is \(response.status)" }
            if response.body.count > WireServer.bodyBytesMax { return "the body is longer than allowed" }
            if response.headers.contains(where: { $0.name != $0.name.lowercased() }) {
                return "a name is not lower case"
            }
            // The planted fault: a compressed answer on a connection that is kept.
            let isPacked = response.header("content-encoding") != nil && !response.body.isEmpty
            return isPlanted && isPacked && response.header("connection") == nil ? "planted" : nil
        }
    }
}

/// A server on loopback that reads a request, writes the bytes at hand, and closes.
private final class WireServer: Sendable {
    static let bodyBytesMax = 1 << 14
    /// The server of this process; nil where it cannot be had.
    static let shared = WireServer()

    private let listener: Int32
    private let settings: HTTPSettings
    private let url: String
    private let state = Mutex((answer: [UInt8](), requests: 0))

    private init?() {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Bool in
                bind(listener, address, size) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        guard listener >= 0, port else { return nil }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/records"
        var settings = HTTPSettings()
        settings.allowsPlainHTTP = true
        settings.timeoutMilliseconds = 5_000
        settings.bodyBytesMax = Self.bodyBytesMax
        settings.headerBytesMax = 4_096
        self.settings = settings
        start()
    }

    /// Sends a create that is answered with `bytes`; what came of it, and how often it reached the server.
    func exchange(_ bytes: [UInt8]) -> (HTTPOutcome, Int) {
        state.withLock { $0 = (bytes, 0) }
        let request = HTTPRequest(.post, url, body: Array("{\"name\":\"x\"}".utf8), isRepeatable: false)
        // With connections of its own: whether a kept one is dead already would be chance.
        let client = HTTPClient(settings)
        defer { client.close() }
        let outcome = client.send(request) { false }
        return (outcome, state.withLock { $0.requests })
    }

    private func start() {
        var thread = pthread_t()
        // The server lives as long as the process.
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let server = Unmanaged<WireServer>.fromOpaque(context).takeUnretainedValue()
                while true { server.serve(accept(server.listener, nil, nil)) }
            }, context)
        pthread_detach(thread)
    }

    private func serve(_ connection: Int32) {
        guard connection >= 0 else { return }
        defer { close(connection) }
        var request: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 4_096)
        // The body ends the request, and is known.
        while !request.suffix(2).elementsEqual("\"}".utf8) {
            let count = recv(connection, &room, room.count, 0)
            guard count > 0 else { return }
            request += room[..<count]
        }
        let answer = state.withLock { state in
            state.requests += 1
            return state.answer
        }
        var rest = answer[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
        shutdown(connection, Int32(SHUT_WR))
    }
}
