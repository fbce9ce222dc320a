// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Listens on 127.0.0.1 for the browser that comes back from an authorization server.
///
/// It speaks as much HTTP as that takes: one request per connection, a short page as the answer.
package final class LoopbackListener {
    /// Why nobody can listen.
    package struct Problem: Error {
        /// One clause.
        package var reason: String
        /// Whether another program listens there.
        package var isInUse: Bool
    }

    /// A browser that is talking.
    private struct Visitor {
        var descriptor: Int32
        var bytes: [UInt8] = []
    }

    /// The path of the address that the browser is sent to.
    package static let path = "/callback"
    private static let visitorsMax = 16
    private static let bytesMax = 16_384

    /// The port.
    package let port: Int
    private let descriptor: Int32
    private var visitors: [Visitor] = []

    /// Listens on a port; 0 takes a free one.
    ///
    /// - Throws: ``Problem``.
    package init(port wanted: Int) throws(Problem) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Self.problem(wanted) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // Who has gone before being let in must not hold anybody up.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.address(port: UInt16(wanted))
        var size = socklen_t(MemoryLayout<sockaddr>.size)
        let isBound =
            bind(descriptor, &address, size) == 0 && listen(descriptor, 16) == 0
            && getsockname(descriptor, &address, &size) == 0
        guard isBound else {
            let problem = Self.problem(wanted)
            close(descriptor)
            throw problem
        }
        self.descriptor = descriptor
        port = Int(UInt8(bitPattern: address.sa_data.0)) << 8 | Int(UInt8(bitPattern: address.sa_data.1))
    }

    /// 127.0.0.1 and a port, in the bytes of an IPv4 address.
    private static func address(port: UInt16) -> sockaddr {
        var address = sockaddr()
        address.sa_family = sa_family_t(AF_INET)
        address.sa_data.0 = Int8(bitPattern: UInt8(port >> 8))
        address.sa_data.1 = Int8(bitPattern: UInt8(port & 0xFF))
        (address.sa_data.2, address.sa_data.5) = (127, 1)
        return address
    }

    deinit {
        for visitor in visitors { close(visitor.descriptor) }
        close(descriptor)
    }

    private static func problem(_ port: Int) -> Problem {
        Problem(
            reason: "nobody can listen on 127.0.0.1, port \(port): \(String(cString: strerror(errno)))",
            isInUse: errno == EADDRINUSE)
    }

    /// Waits for requests, and for a line of `input`; answers what has come.
    ///
    /// - Parameters:
    ///   - input: A descriptor to be watched, too; nil for none.
    ///   - page: The status and the sentence with which the request for a target is answered.
    /// - Returns: Whether there is something to read from `input`.
    package func wait(
        milliseconds: Int32, input: Int32?, page: (_ target: String) -> (status: Int, text: String)
    ) -> Bool {
        var ends = [pollfd(fd: input ?? -1, events: Int16(POLLIN), revents: 0)]
        ends.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        ends += visitors.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&ends, nfds_t(ends.count), milliseconds) > 0 else { return false }
        for (index, end) in ends.enumerated().dropFirst(2).reversed() where end.revents != 0 {
            serve(index - 2, page)
        }
        if ends[1].revents != 0 {
            let visitor = accept(descriptor, nil, nil)
            if visitor >= 0 {
                _ = fcntl(visitor, F_SETFD, FD_CLOEXEC)
                // Whoever has said nothing for the longest makes room.
                if visitors.count == Self.visitorsMax { close(visitors.removeFirst().descriptor) }
                visitors.append(Visitor(descriptor: visitor))
            }
        }
        return ends[0].revents != 0
    }

    private func serve(_ index: Int, _ page: (String) -> (status: Int, text: String)) {
        var piece = [UInt8](repeating: 0, count: 4_096)
        let count = recv(visitors[index].descriptor, &piece, piece.count, 0)
        if count > 0 { visitors[index].bytes += piece[..<count] }
        let text = String(decoding: visitors[index].bytes, as: UTF8.self)
        let isWhole = text.contains("\r\n\r\n") || text.contains("\n\n")
        guard isWhole || count <= 0 || visitors[index].bytes.count > Self.bytesMax else { return }
        let visitor = visitors.remove(at: index)
        defer { close(visitor.descriptor) }
        guard isWhole else { return }
        let words = text.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ")
        var answer = (status: 405, text: "Only GET is answered here.")
        if words.count == 3, words[0] == "GET" { answer = Self.answer(String(words[1]), page) }
        Self.send(answer, to: visitor.descriptor)
    }

    private static func answer(
        _ target: String, _ page: (String) -> (status: Int, text: String)
    ) -> (status: Int, text: String) {
        guard target.prefix(while: { $0 != "?" }) == path else { return (404, "There is nothing here.") }
        return page(target)
    }

    private static func send(_ answer: (status: Int, text: String), to descriptor: Int32) {
        let body =
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Penstock</title></head>"
            + "<body><p>\(answer.text)</p></body></html>\n"
        let text =
            "HTTP/1.1 \(answer.status) \(answer.status == 200 ? "OK" : "Not OK")\r\n"
            + "Content-Type: text/html; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n"
            + "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n" + body
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = Glibc.send(descriptor, Array(rest), rest.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            // A browser that has gone does not need the page.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
        shutdown(descriptor, Int32(SHUT_WR))
    }
}
