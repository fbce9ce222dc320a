// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Stands between a connector and a plain HTTP server on this machine, and cuts the answer to one write.
///
/// The request reaches the server; the connector never learns what became of it.
final class FaultProxy: Sendable {
    private struct State {
        var writes = 0
        var cuts = 0
        var cutAt: Int?
        var isOpen = true
    }

    private static let writeMethods = ["POST ", "PUT ", "PATCH ", "DELETE "].map { Array($0.utf8) }

    /// The port on which it listens.
    let port: UInt16
    private let targetPort: UInt16
    private let listener: Int32
    private let state = Guarded(State())

    /// A proxy before the server at `targetPort` of this machine; nil where no port can be had.
    init?(targetPort: UInt16) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { return nil }
        var address = Self.address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listens, pointer, size) == 0 && listen(listens, 64) == 0
                    && getsockname(listens, pointer, &size) == 0
            }
        }
        guard bound else {
            close(listener)
            return nil
        }
        port = UInt16(bigEndian: address.sin_port)
        self.targetPort = targetPort
        let proxy = self
        Self.start { proxy.accept() }
    }

    /// How many writes it has let through.
    var writes: Int { state.value.writes }
    /// How many answers it has cut.
    var cuts: Int { state.value.cuts }

    /// Cuts the answer to the write with this number, counted from 1 and from now on.
    func cut(answerTo number: Int) { state.update { $0.cutAt = $0.writes + number } }

    /// Takes no further connections.
    func stop() {
        state.update { $0.isOpen = false }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func start(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.start()
    }

    private func accept() {
        while state.value.isOpen {
            let client = Foundation.accept(listener, nil, nil)
            guard client >= 0 else { return }
            Self.start { self.serve(client) }
        }
    }

    private func serve(_ client: Int32) {
        defer { close(client) }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(server) }
        var address = Self.address(targetPort)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, size) == 0 }
        }
        guard isConnected else { return }
        var isDoomed = false
        while true {
            var polls = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&polls, 2, -1) > 0 else { continue }
            if polls[0].revents != 0 {
                guard let bytes = Self.chunk(client) else { return }
                if Self.writeMethods.contains(where: { bytes.starts(with: $0) }) {
                    isDoomed = state.update { state in
                        state.writes += 1
                        return state.cutAt == state.writes
                    }
                }
                guard Self.pass(bytes, to: server) else { return }
            }
            if polls[1].revents != 0 {
                guard let bytes = Self.chunk(server) else { return }
                if isDoomed {
                    state.update { $0.cuts += 1 }
                    return
                }
                guard Self.pass(bytes, to: client) else { return }
            }
        }
    }

    private static func chunk(_ descriptor: Int32) -> ArraySlice<UInt8>? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? bytes.prefix(count) : nil
    }

    private static func pass(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
