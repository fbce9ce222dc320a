// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A small server on loopback that keeps what it hears.
final class Receiver: Sendable {
    /// The port on which it listens.
    let port: Int
    private let listener: Int32
    private let texts = Mutex<[String]>([])

    /// What it has heard: requests of HTTP as a whole, or lines of SMTP.
    var heard: [String] { texts.withLock { $0 } }

    /// Its address.
    var address: String { "http://127.0.0.1:\(port)" }

    /// A web server that answers with these statuses, one after the other, then with the last one.
    static func http(_ statuses: [String]) throws -> Receiver {
        let count = Mutex(0)
        return try Receiver { connection, receiver in
            var pending: [UInt8] = []
            while let request = next(connection, &pending) {
                receiver.texts.withLock { $0.append(request) }
                let number = count.withLock { count in
                    defer { count += 1 }
                    return count
                }
                let status = statuses[min(number, statuses.count - 1)]
                say(connection, "HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
            }
        }
    }

    /// A mail server that takes everything, and knows no encryption.
    static func smtp() throws -> Receiver {
        try Receiver { connection, receiver in
            say(connection, "220 sink\r\n")
            var pending: [UInt8] = []
            var isData = false
            while let line = line(connection, &pending) {
                receiver.texts.withLock { $0.append(line) }
                if isData {
                    if line == "." {
                        isData = false
                        say(connection, "250 ok\r\n")
                    }
                    continue
                }
                switch line.prefix(4).uppercased() {
                case "EHLO": say(connection, "250-sink\r\n250 AUTH PLAIN\r\n")
                case "AUTH":
                    say(connection, line.split(separator: " ").count > 2 ? "235 ok\r\n" : "334 \r\n")
                case "DATA":
                    isData = true
                    say(connection, "354 go on\r\n")
                case "QUIT":
                    say(connection, "221 bye\r\n")
                    return
                case "MAIL", "RCPT", "RSET": say(connection, "250 ok\r\n")
                default: say(connection, line.contains(" ") ? "502 no\r\n" : "235 ok\r\n")
                }
            }
        }
    }

    /// A header of a request.
    static func header(_ name: String, _ request: String) -> String? {
        let line = request.components(separatedBy: "\r\n").first { $0.hasPrefix(name + ": ") }
        return line.map { String($0.dropFirst(name.count + 2)) }
    }

    private init(_ serve: @escaping @Sendable (Int32, Receiver) -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        port = try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(listener, address, size) == 0, listen(listener, 16) == 0,
                    getsockname(listener, address, &size) == 0
                else { throw CocoaError(.fileReadUnknown) }
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        Thread.detachNewThread { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                serve(connection, self)
                close(connection)
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func say(_ connection: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func fill(_ connection: Int32, _ pending: inout [UInt8]) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        pending += bytes[..<count]
        return true
    }

    private static func line(_ connection: Int32, _ pending: inout [UInt8]) -> String? {
        while true {
            if let end = pending.firstRange(of: Array("\r\n".utf8)) {
                let text = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
                pending.removeFirst(end.upperBound)
                return text
            }
            guard fill(connection, &pending) else { return nil }
        }
    }

    private static func next(_ connection: Int32, _ pending: inout [UInt8]) -> String? {
        while true {
            if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
                let length = header("Content-Length", head).flatMap { Int($0) } ?? 0
                if pending.count >= end.upperBound + length {
                    let request = String(decoding: pending[..<(end.upperBound + length)], as: UTF8.self)
                    pending.removeFirst(end.upperBound + length)
                    return request
                }
            }
            guard fill(connection, &pending) else { return nil }
        }
    }
}
