// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// Ports for programs that are told where to listen, and do so only a while later.
package enum FreePort {
    /// Below those that Linux gives to outgoing connections (32,768 on), one of which would take the port meanwhile.
    private static let range: Range<UInt16> = 20_000..<32_000

    private static let given = Mutex<Set<UInt16>>([])

    /// A port of 127.0.0.1 that nobody uses now, and that this process was not given before.
    ///
    /// - Throws: ``ServerProblem`` where none of 100 was free.
    package static func find() throws(ServerProblem) -> Int {
        for _ in 0..<100 {
            let port = UInt16.random(in: range)
            if isFree(port), given.withLock({ $0.insert(port).inserted }) { return Int(port) }
        }
        throw ServerProblem("127.0.0.1 has no free port")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                bind(socket, general, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
