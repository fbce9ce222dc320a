// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Foundation
import Testing

@Suite(PostgresServer.isThere) struct PostgresCheckTests {
    private func failure(_ report: CheckReport) throws -> (step: String, error: ConnectorError) {
        let step = try #require(report.steps.last)
        return (step.id, try #require(step.failure))
    }

    @Test func aGoodConnectionSaysWhoAnswered() throws {
        let fixture = try PostgresFixture("CREATE TABLE t (a int); CREATE VIEW v AS TABLE t")
        let report = try fixture.source().check()
        #expect(report.isOK)
        #expect(report.steps.last?.id == "right")
        #expect(report.steps.last?.message == "reads 1 tables, 1 views")
        #expect(report.identity["server"]?.hasPrefix("PostgreSQL ") == true)
        #expect(report.identity["database"] == fixture.database)
    }

    @Test func aRoleWithoutRightsIsToldSo() throws {
        let fixture = try PostgresFixture("CREATE TABLE t (a int)")
        let role = "nobody_\(fixture.database)"
        try fixture.run("CREATE ROLE \(role) LOGIN PASSWORD 'none-canary'")
        var parts = try #require(URLComponents(string: fixture.url))
        parts.user = role
        parts.password = "none-canary"
        let source = try fixture.source(as: parts.string)
        let (step, error) = try failure(source.check())
        #expect(step == "right")
        #expect(error.code == .forbidden)
        let refusal = try #require(fixture.error { try source.read(ReadRequest(.object("public.t"))) })
        #expect(refusal.code == .forbidden)
        #expect(refusal.message.contains("GRANT SELECT ON \"public\".\"t\" TO"))
        #expect(fixture.error { try source.describe(ReadRequest(.query("SELECT * FROM t"))) }?.code == .forbidden)
        try fixture.run("GRANT SELECT (a) ON t TO \(role)")
        #expect(try source.describe(ReadRequest(.object("t"))).fields.map(\.name) == ["a"])
    }

    @Test func aWrongPasswordFailsAtTheCredentialAndIsNotShown() throws {
        let fixture = try PostgresFixture()
        var parts = try #require(URLComponents(string: fixture.url))
        parts.password = "wrong-canary"
        let (step, error) = try failure(try fixture.source(as: parts.string).check())
        #expect(step == "credential")
        #expect(error.code == .unauthorized)
        #expect(error.vendorCode == "28P01")
        #expect(!"\(error.message) \(error.detail)".contains("canary"))
    }

    @Test func aMissingDatabaseAndAnUnknownRoleAreRefused() throws {
        let fixture = try PostgresFixture()
        let missing = try failure(fixture.source(as: fixture.server.url(database: "no_such_database")).check())
        #expect(missing.error.code == .notFound)
        #expect(missing.error.message.contains("no_such_database"))
    }

    @Test func nobodyListeningIsUnavailable() throws {
        let fixture = try PostgresFixture()
        let (step, error) = try failure(fixture.source(as: "postgresql://u@127.0.0.1:1/d").check())
        #expect(step == "network")
        #expect(error.code == .unavailable)
        let name = try failure(fixture.source(as: "postgresql://u@no-such-host.invalid/d").check())
        #expect(name.step == "name")
        #expect(name.error.code == .unavailable)
    }

    @Test func aServerThatNeverAnswersIsGivenUpInTime() throws {
        let fixture = try PostgresFixture()
        let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(silent) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(silent, $0, length) + listen(silent, 5) + getsockname(silent, $0, &length)
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        let begin = Date()
        let source = try fixture.source(["connect_timeout": 1], as: "postgresql://u@127.0.0.1:\(port)/d")
        let error = try failure(source.check()).error
        #expect(error.code == .unavailable)
        #expect(error.message.contains("within 1 s"))
        #expect(Date().timeIntervalSince(begin) < 5)
    }

    @Test func libpqsOwnEnvironmentAndServiceFilesWork() throws {
        let fixture = try PostgresFixture("CREATE TABLE t (a int)")
        let parts = try #require(URLComponents(string: fixture.url))
        let host = try #require(parts.host)
        let port = try #require(parts.port)
        let user = try #require(parts.user)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Leaving a temporary folder behind fails no test.
        defer { try? FileManager.default.removeItem(at: folder) }
        let passfile = folder.appendingPathComponent("pgpass").path
        try "\(host):\(port):*:\(user):\(parts.password ?? "")\n".write(
            toFile: passfile, atomically: true, encoding: .utf8)
        chmod(passfile, 0o600)
        let settings: JSONObject = [
            "host": .string(host), "port": .integer(Int64(port)), "user": .string(user),
            "database": .string(fixture.database), "passfile": .string(passfile), "application_name": "nightly",
        ]
        let source = try PostgresFixtureSource.open(settings, fixture)
        #expect(try source.discover([]).objects.map(\.id) == ["public.t"])
    }
}

@Suite(PostgresServer.isThere) struct PostgresTLSTests {
    private func failure(
        _ server: PostgresServer, host: String = "127.0.0.1", ca: String = "ca.pem", mode: String = "verify-full"
    ) throws -> ConnectorError? {
        let settings: JSONObject = [
            "host": .string(host), "port": .integer(Int64(server.port)), "user": .string(PostgresServer.user),
            "password": .string(PostgresServer.password), "dbname": "postgres", "sslmode": .string(mode),
            "sslrootcert": .string("\(server.folder)/\(ca)"),
        ]
        let fixture = try PostgresFixture()
        let report = try PostgresFixtureSource.open(settings, fixture).check()
        if report.isOK { #expect(report.steps.contains { $0.id == "tls" && $0.message.hasPrefix("TLSv1") }) }
        let step = report.steps.last
        if step?.failure != nil { #expect(step?.id == "tls") }
        return step?.failure
    }

    @Test func theRightAuthorityPassesAndAnotherDoesNot() throws {
        let server = try PostgresServer(.good)
        defer { server.stop() }
        #expect(try failure(server) == nil)
        #expect(try failure(server, host: "localhost") == nil)
        let error = try #require(try failure(server, ca: "other-ca.pem"))
        #expect(error.code == .unauthorized)
        #expect(error.vendorCode == "tls-unknown-issuer")
        let missing = try #require(try failure(server, ca: "no-ca.pem"))
        #expect(missing.code == .badConfig)
        #expect(missing.field == "sslrootcert")
    }

    @Test func anExpiredCertificateSaysSo() throws {
        let server = try PostgresServer(.expired)
        defer { server.stop() }
        let error = try #require(try failure(server))
        #expect(error.code == .unauthorized)
        #expect(error.vendorCode == "tls-expired")
        #expect(error.message.contains("expired"))
    }

    @Test func aCertificateOfAnotherHostSaysSo() throws {
        let server = try PostgresServer(.otherHost)
        defer { server.stop() }
        let error = try #require(try failure(server))
        #expect(error.code == .unauthorized)
        #expect(error.vendorCode == "tls-host-name")
        #expect(error.message.contains("another host name"))
        #expect(try failure(server, mode: "verify-ca") == nil)
    }
}
