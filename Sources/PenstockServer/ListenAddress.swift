// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where the server listens besides its socket in the project: the value of `--listen`.
package enum ListenAddress: Sendable, Hashable {
    /// Nowhere.
    case none
    /// A host's address and a port; port 0 takes a free one.
    case tcp(host: String, port: Int)
    /// A socket in the file system.
    case unix(String)

    /// An address from `HOST:PORT`, `[IPv6]:PORT`, `unix:PATH` or `none`; nil for anything else.
    package init?(_ text: String) {
        if text == "none" {
            self = .none
            return
        }
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty else { return nil }
            self = .unix(path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, !host.contains("["), !host.contains("]"), text.contains("[") == host.contains(":") else {
            return nil
        }
        self = .tcp(host: host, port: port)
    }

    /// Whether only processes of this machine can connect.
    package var isLocal: Bool {
        switch self {
        case .none, .unix: return true
        case .tcp(let host, _):
            var four = in_addr()
            if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
            return host == "localhost" || host == "::1"
        }
    }
}
