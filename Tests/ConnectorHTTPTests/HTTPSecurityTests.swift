// SPDX-License-Identifier: Apache-2.0

import ConnectorHTTP
import Testing

@Suite(.enabled(if: TLSServer.isAvailable, "needs the openssl command")) struct HTTPSecurityTests {
    private func outcome(_ server: TLSServer, trusts: Bool) -> HTTPOutcome {
        var settings = HTTPSettings()
        if trusts { settings.caFile = server.certificateFile }
        let request = HTTPRequest(.post, server.url, body: Array("{}".utf8), isRepeatable: false)
        return HTTPClient(settings).send(request) { false }
    }

    private func failure(_ certificate: TLSServer.Certificate, trusts: Bool) throws -> HTTPFailure? {
        let server = try #require(TLSServer(certificate))
        guard case .failure(let failure) = outcome(server, trusts: trusts) else { return nil }
        return failure
    }

    @Test func aTrustedCertificateForTheHostIsAccepted() throws {
        let server = try #require(TLSServer(.good))
        var settings = HTTPSettings()
        settings.caFile = server.certificateFile
        let outcome = HTTPClient(settings).send(HTTPRequest(.get, server.url, isRepeatable: true)) { false }
        #expect(try outcome.get().status == 200)
    }

    @Test func aCertificateOfAnUnknownIssuerIsRefusedBeforeAnythingIsSent() throws {
        let failure = try failure(.good, trusts: false)
        #expect(failure?.cause == .certificateUnknown)
        #expect(failure?.wasNeverSent == true)
    }

    @Test func aCertificateThatIsOutOfDateIsRefusedBeforeAnythingIsSent() throws {
        let failure = try failure(.expired, trusts: true)
        #expect(failure?.cause == .certificateExpired)
        #expect(failure?.wasNeverSent == true)
    }

    @Test func aCertificateForAnotherHostIsRefusedBeforeAnythingIsSent() throws {
        let failure = try failure(.otherHost, trusts: true)
        #expect(failure?.cause == .certificateForOtherHost)
        #expect(failure?.wasNeverSent == true)
    }

    @Test func aFileThatIsNoCertificateIsNamedAsSuch() throws {
        let server = try #require(TLSServer(.good))
        var settings = HTTPSettings()
        settings.caFile = "\(server.folder)/ca.cnf"
        let request = HTTPRequest(.get, server.url, isRepeatable: true)
        guard case .failure(let failure) = HTTPClient(settings).send(request, isCancelled: { false }) else {
            Issue.record("accepted")
            return
        }
        #expect(failure.cause == .caFile)
        #expect(failure.wasNeverSent)
    }
}
