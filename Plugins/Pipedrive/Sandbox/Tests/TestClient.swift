// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import PipedriveSandbox

/// What a client sees of a connection that does not answer.
enum ConnectionError: Error, Equatable {
    case refused
    case reset
    case closed
    case malformed(String)
}

/// An answer as it came over the wire.
struct TestResponse {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> JSON { try JSON(parsing: body) }

    func data() throws -> JSON { try json()["data"] ?? .null }

    func error() throws -> String { try json()["error"]?.stringValue ?? "" }
}

/// A blocking HTTP/1.1 client with one kept-alive connection, over plain sockets.
final class TestClient {
    var token: String? = "sandbox-token"
    private let descriptor: CInt
    private var buffer: [UInt8] = []

    init(_ sandbox: RunningSandbox) throws {
        var hints = addrinfo()
        hints.ai_family = AF_INET
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list = hints.ai_next
        guard getaddrinfo("127.0.0.1", String(sandbox.port), &hints, &list) == 0, let address = list else {
            throw ConnectionError.refused
        }
        defer { freeaddrinfo(address) }
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            throw ConnectionError.refused
        }
    }

    deinit { close(descriptor) }

    /// Sends a request and reads the answer.
    func send(
        _ method: String, _ target: String, _ body: String? = nil, contentType: String? = "application/json",
        headers: [String] = []
    ) throws -> TestResponse {
        try start(method, target, body, contentType: contentType, headers: headers)
        return try receive()
    }

    /// Sends a request and does not wait.
    func start(
        _ method: String, _ target: String, _ body: String? = nil, contentType: String? = "application/json",
        headers: [String] = []
    ) throws {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: 127.0.0.1"] + headers
        if let token { lines.append("x-api-token: \(token)") }
        if let body {
            if let contentType { lines.append("Content-Type: \(contentType)") }
            lines.append("Content-Length: \(body.utf8.count)")
        }
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")).utf8)
        var sent = 0
        while sent < bytes.count {
            let rest = Array(bytes[sent...])
            let count = Glibc.send(descriptor, rest, rest.count, CInt(MSG_NOSIGNAL))
            guard count > 0 else { throw errno == ECONNRESET ? ConnectionError.reset : .closed }
            sent += count
        }
    }

    /// Whether bytes of an answer have arrived, without waiting for them.
    var hasAnswer: Bool {
        var byte: [UInt8] = [0]
        return recv(descriptor, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    private func fill() throws {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { throw count < 0 && errno == ECONNRESET ? ConnectionError.reset : .closed }
        buffer += bytes.prefix(count)
    }

    /// Reads one answer.
    func receive() throws -> TestResponse {
        let mark = Array("\r\n\r\n".utf8)
        var headEnd = buffer.firstRange(of: mark)
        while headEnd == nil {
            try fill()
            headEnd = buffer.firstRange(of: mark)
        }
        guard let headEnd else { throw ConnectionError.closed }
        let head = String(decoding: buffer[..<headEnd.lowerBound], as: UTF8.self)
        // A carriage return and a line feed are one character.
        let lines = head.split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw ConnectionError.malformed(head)
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            headers[pair[0].lowercased()] = pair.count == 2 ? String(pair[1].drop { $0 == " " }) : ""
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        let end = headEnd.upperBound + length
        while buffer.count < end { try fill() }
        let body = Array(buffer[headEnd.upperBound..<end])
        buffer.removeFirst(end)
        return TestResponse(status: status, headers: headers, body: body)
    }
}
