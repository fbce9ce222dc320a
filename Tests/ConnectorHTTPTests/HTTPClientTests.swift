// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import Glibc
import Testing

@Suite struct HTTPClientTests {
    /// A port on which nobody listens: it was bound and given back.
    private func freePort() -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = bind(descriptor, pointer, size)
                _ = getsockname(descriptor, pointer, &size)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private var plain: HTTPSettings {
        var settings = HTTPSettings()
        settings.allowsPlainHTTP = true
        return settings
    }

    private func failure(_ outcome: HTTPOutcome) -> HTTPFailure? {
        if case .failure(let failure) = outcome { failure } else { nil }
    }

    @Test func aRefusedConnectionWasProvablyNotSent() {
        let request = HTTPRequest(
            .post, "http://127.0.0.1:\(freePort())/x", body: Array("{}".utf8), isRepeatable: false)
        let failure = failure(HTTPClient(plain).send(request) { false })
        #expect(failure?.cause == .notConnected)
        #expect(failure?.wasNeverSent == true)
    }

    @Test func plainHTTPIsRefusedUnlessAllowed() {
        let request = HTTPRequest(.get, "http://127.0.0.1:\(freePort())/", isRepeatable: true)
        #expect(failure(HTTPClient(HTTPSettings()).send(request) { false })?.wasNeverSent == true)
    }

    @Test func otherProtocolsAreRefused() {
        let request = HTTPRequest(.get, "file:///etc/hostname", isRepeatable: true)
        #expect(failure(HTTPClient(plain).send(request) { false })?.wasNeverSent == true)
    }

    @Test func aMissingFileOfCertificatesIsNamedAsSuch() {
        var settings = HTTPSettings()
        settings.caFile = "no-such-file.pem"
        let request = HTTPRequest(.get, "https://127.0.0.1:\(freePort())/", isRepeatable: true)
        let cause = failure(HTTPClient(settings).send(request) { false })?.cause
        #expect(cause == .caFile || cause == .notConnected)
    }
}
