// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import DatabaseServers
import Foundation
import MySQLConnector
import Testing

@Suite(MariaDBServer.isThere) struct MySQLConnectionTests {
    @Test func aConnectionThatWorksSaysWhoAnswered() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT); CREATE VIEW v AS SELECT 1")
        let report = try fixture.source().check()
        #expect(report.isOK)
        #expect(report.steps.map(\.id) == ["name", "network", "tls", "credential", "right"])
        #expect(report.identity["user"]?.hasPrefix(fixture.user + "@") == true)
        #expect(report.identity["database"] == fixture.database)
        #expect(report.identity["server"]?.isEmpty == false)
    }

    @Test func aURLAndFieldsReachTheSame() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)")
        let fields: [String: JSON?] = ["host": nil, "port": nil, "user": nil, "password": nil, "database": nil]
        let url = fixture.server.url(database: fixture.database)
        let inside = fields.merging(["url": .string(url)]) { $1 }
        #expect(try fixture.read(ReadRequest(.object("t")), inside).rows == [[.int64(1)]])
        let apart = "mariadb://\(fixture.server.user)@\(fixture.server.host):\(fixture.server.port)/\(fixture.database)"
        let beside = fields.merging(["url": .string(apart), "password": .string(fixture.server.password)]) { $1 }
        #expect(try fixture.read(ReadRequest(.object("t")), beside).rows == [[.int64(1)]])
    }

    @Test func thePasswordIsInNoErrorAndTheRefusalNamesTheCredential() throws {
        let fixture = try MySQLFixture()
        let report = try fixture.source(["password": .string("canary-4711")]).check()
        #expect(report.steps.last?.id == "credential")
        #expect(report.steps.last?.failure?.code == .unauthorized)
        #expect(!"\(report)".contains("canary-4711"))
        let url = "mysql://nobody:canary-4711@\(fixture.server.host):\(fixture.server.port)/x"
        let changes: [String: JSON?] = [
            "url": .string(url), "host": nil, "port": nil, "user": nil, "password": nil, "database": nil,
        ]
        let error = try #require(fixture.error { try fixture.read(ReadRequest(.object("t")), changes) })
        #expect(error.code == .unauthorized)
        #expect(!"\(error) \(error.detail)".contains("canary-4711"))
    }

    @Test(arguments: [
        (["port": JSON?.some(.integer(1))], "network", ConnectorError.Code.unavailable),
        (["host": .string("no-such-host.invalid")], "name", .unavailable),
        (["database": .string("no_such_database")], "right", .notFound),
        (["host": nil, "port": nil, "socket": .string("/nonexistent/socket")], "network", .unavailable),
    ])
    func whatDoesNotAnswerIsNamed(changes: [String: JSON?], step: String, code: ConnectorError.Code) throws {
        let fixture = try MySQLFixture()
        let report = try fixture.source(changes).check()
        #expect(report.steps.last?.id == step)
        #expect(report.steps.last?.failure?.code == code)
        #expect(fixture.error { try fixture.source(changes).discover([]) }?.code == code)
    }

    @Test func aListenerThatSaysNothingIsGivenUp() throws {
        let fixture = try MySQLFixture()
        let silent = try SilentListener()
        let clock = ContinuousClock()
        var report: CheckReport?
        let time = try clock.measure {
            report = try fixture.source(["port": .integer(silent.port), "connect_timeout": .integer(1)]).check()
        }
        #expect(report?.steps.last?.failure?.code == .unavailable)
        #expect(time < .seconds(5))
    }

    @Test func optionFilesFillInWhatIsLeftOut() throws {
        let fixture = try MySQLFixture("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString).cnf")
        defer {
            // A file that is left behind in the temporary folder fails no test.
            try? FileManager.default.removeItem(at: file)
        }
        let server = fixture.server
        try """
        [client]
        host=\(server.host)
        port=\(server.port)
        protocol=tcp
        user=wrong
        [penstock]
        user=\(server.user)
        password=\(server.password)
        [other]
        user=nobody
        password=wrong
        """.write(to: file, atomically: true, encoding: .utf8)
        let fields: [String: JSON?] = [
            "host": nil, "port": nil, "user": nil, "password": nil, "option_file": .string(file.path),
        ]
        #expect(try fixture.read(ReadRequest(.object("t")), fields).rows == [[.int64(1)]])
        let other = fields.merging(["option_group": .string("other")]) { $1 }
        #expect(fixture.error { try fixture.read(ReadRequest(.object("t")), other) }?.code == .unauthorized)
        let explicit = other.merging([
            "user": .string(server.user), "password": .string(server.password),
        ]) { $1 }
        #expect(try fixture.read(ReadRequest(.object("t")), explicit).rows == [[.int64(1)]])
    }

    @Test func theServerListsTheConnectionByItsApplicationsName() throws {
        let fixture = try MySQLFixture()
        let query = ReadRequest(
            .query(
                "SELECT attr_value FROM performance_schema.session_connect_attrs "
                    + "WHERE attr_name = 'program_name' AND processlist_id = CONNECTION_ID()"))
        guard try fixture.run("SELECT @@performance_schema") == "1\n" else { return }
        #expect(try fixture.column(query) == [.text("penstock")])
    }
}

/// A port that accepts and never answers.
final class SilentListener {
    struct Failure: Error {}

    let port: Int
    private let socketNumber: Int32

    init() throws {
        socketNumber = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = socketNumber
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(number, address, length) == 0 && listen(number, 5) == 0
                    && getsockname(number, address, &length) == 0
            }
        }
        guard isOpen else { throw Failure() }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(socketNumber) }
}
