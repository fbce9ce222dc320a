// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import DatabaseServers
import Foundation
import Testing

@Suite(MariaDBServer.isThere) struct MySQLTLSTests {
    private func step(_ fixture: MySQLFixture, _ server: MariaDBServer, _ tls: String, _ ca: String?) throws
        -> CheckReport
    {
        try fixture.source([
            "host": .string(server.host), "port": .integer(server.port), "user": .string(server.user),
            "password": .string(server.password), "database": nil, "tls": .string(tls),
            "ca": ca.map { .string("\(server.folder)/\($0)") },
        ]).check()
    }

    @Test func eachFaultOfACertificateHasItsOwnSentence() throws {
        let fixture = try MySQLFixture()
        guard !fixture.server.folder.isEmpty else { return }
        let good = try MariaDBServer(.good)
        defer { good.stop() }
        let expired = try MariaDBServer(.expired)
        defer { expired.stop() }
        let other = try MariaDBServer(.otherHost)
        defer { other.stop() }

        let right = try step(fixture, good, "verify-full", "ca.pem")
        #expect(right.isOK)
        #expect(right.steps.first { $0.id == "tls" }?.message.contains("TLS") == true)
        #expect(try step(fixture, good, "verify-ca", "ca.pem").isOK)
        #expect(try step(fixture, good, "required", nil).isOK)
        // What verify-ca leaves out is the name, and only that.
        #expect(try step(fixture, other, "verify-ca", "ca.pem").isOK)

        var sentences: Set<String> = []
        for (server, tls, ca, words) in [
            (good, "verify-full", "other-ca.pem", "CA"), (good, "verify-ca", "other-ca.pem", "CA"),
            (good, "verify-full", nil, "CA"), (expired, "verify-full", "ca.pem", "expired"),
            (expired, "verify-ca", "ca.pem", "expired"), (other, "verify-full", "ca.pem", "host name"),
        ] as [(MariaDBServer, String, String?, String)] {
            let report = try step(fixture, server, tls, ca)
            #expect(report.steps.map(\.id) == ["name", "network", "tls"])
            let failure = try #require(report.steps.last?.failure)
            #expect(failure.code == .unauthorized)
            #expect(failure.message.contains(words), "\(failure.message)")
            sentences.insert(failure.message.replacingOccurrences(of: "\(server.port)", with: ""))
        }
        #expect(sentences.count == 3)
    }

    @Test func aServerWithoutTLSIsRefusedWhereTLSIsAskedFor() throws {
        let fixture = try MySQLFixture()
        guard !fixture.server.folder.isEmpty else { return }
        let plain = try MariaDBServer(.good, options: ["--skip-ssl"])
        defer { plain.stop() }
        for (tls, ca) in [("required", nil), ("verify-ca", "ca.pem"), ("verify-full", "ca.pem")] as [(String, String?)]
        {
            let report = try step(fixture, plain, tls, ca)
            #expect(report.steps.last?.id == "tls")
            #expect(report.steps.last?.failure?.code == .unauthorized)
        }
        #expect(try step(fixture, plain, "prefer", nil).isOK)
    }

    @Test func preferUsesTLSWhereItIsThereAndDisableDoesNot() throws {
        let fixture = try MySQLFixture()
        guard !fixture.server.folder.isEmpty else { return }
        func cipher(_ tls: String) throws -> String? {
            try step(fixture, fixture.server, tls, nil).steps.first { $0.id == "tls" }?.message
        }
        #expect(try cipher("prefer")?.contains("TLS") == true)
        #expect(try cipher("disable") == "plain text")
    }

    @Test func anOptionFileCannotWeakenWhatTheSettingsAskFor() throws {
        let fixture = try MySQLFixture()
        guard !fixture.server.folder.isEmpty else { return }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString).cnf")
        defer {
            // A file that is left behind in the temporary folder fails no test.
            try? FileManager.default.removeItem(at: file)
        }
        func report(_ line: String) throws -> CheckReport {
            try "[client]\n\(line)\n".write(to: file, atomically: true, encoding: .utf8)
            return try fixture.source([
                "tls": .string("verify-full"), "ca": .string("\(fixture.server.folder)/ca.pem"),
                "option_file": .string(file.path),
            ]).check()
        }
        let weakened = try report("ssl-verify-server-cert=0").steps.last
        #expect(weakened?.id == "tls")
        #expect(weakened?.failure?.code == .badConfig)
        #expect(weakened?.failure?.message.contains("option file") == true)
        #expect(try report("ssl-ca=\(fixture.server.folder)/other-ca.pem").steps.last?.failure?.code == .unauthorized)
        #expect(try report("ssl=0").isOK)
    }
}
