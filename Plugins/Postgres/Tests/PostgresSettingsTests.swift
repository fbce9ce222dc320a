// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import PostgresConnector
import Testing

@Suite struct PostgresSettingsTests {
    private func error(_ settings: JSONObject) -> ConnectorError? {
        do throws(ConnectorError) {
            _ = try PostgresSettings(.object(settings))
            return nil
        } catch {
            return error
        }
    }

    private func parameters(_ settings: JSONObject) throws -> [String: String] {
        Dictionary(try PostgresSettings(.object(settings)).parameters.map { ($0.name, $0.value) }) { $1 }
    }

    @Test(arguments: [
        ("host", JSON.string("h")), ("port", .integer(5432)), ("dbname", .string("d")), ("database", .string("d")),
        ("user", .string("u")), ("password", .string("p")), ("sslmode", .string("require")),
        ("sslrootcert", .string("/ca")), ("sslcert", .string("/c")), ("sslkey", .string("/k")),
        ("service", .string("s")), ("passfile", .string("/p")),
    ])
    func aURLExcludesTheFieldsThatSayTheSame(name: String, value: JSON) throws {
        let found = try #require(error(["url": "postgresql://h/d", name: value]))
        #expect(found.code == .badConfig)
        #expect(found.field == name)
    }

    @Test func whatSaysNeitherWhereNorWhoGoesWithAURL() throws {
        let found = try parameters([
            "url": "postgresql://h/d", "application_name": "nightly", "connect_timeout": 3, "statement_timeout": "5m",
        ])
        #expect(found["application_name"] == "nightly")
        #expect(found["connect_timeout"] == "3")
        #expect(found["dbname"] == "postgresql://h/d")
    }

    @Test func nothingSetLeavesEverythingToLibpq() throws {
        let found = try parameters([:])
        #expect(found == ["fallback_application_name": "penstock", "client_encoding": "UTF8"])
    }

    @Test func databaseIsAnotherWordForDbname() throws {
        #expect(try parameters(["database": "crm"])["dbname"] == "crm")
        #expect(error(["database": "crm", "dbname": "crm"])?.field == "database")
    }

    @Test(arguments: [
        "postgresql://u:can@ry@h/d", "postgresql://u:canary/x@h/d", "postgresql://u:123/canary@h/d",
        "postgresql://u:canary%zz@h/d", "host=h password=canary", "mysql://u:canary@h/d", "canary",
    ])
    func aURLThatWouldBeTakenApartElsewhereIsRefusedWithoutItsPassword(url: String) throws {
        let found = try #require(error(["url": .string(url)]))
        #expect(found.code == .badConfig)
        #expect(found.field == "url")
        #expect(!"\(found.message)\(found.detail)".contains("can"))
    }

    @Test(
        arguments: [
            ("300", 300), ("300ms", 300), ("30s", 30_000), ("5m", 300_000), ("5min", 300_000), ("2h", 7_200_000),
            ("1d", 86_400_000), ("0", 0),
        ] as [(String, Int64)])
    func aStatementTimeoutIsADuration(text: String, milliseconds: Int64) throws {
        let settings = try PostgresSettings(.object(["statement_timeout": .string(text)]))
        #expect(settings.statementMilliseconds == milliseconds)
    }

    @Test(arguments: ["", "m", "-1", "5 m", "5w", "25d", "99999999999999999999"])
    func anythingElseIsRefused(text: String) {
        #expect(error(["statement_timeout": .string(text)])?.field == "statement_timeout")
    }

    @Test func aNULCharacterIsRefused() {
        #expect(error(["host": .string("a\0b")])?.field == "host")
    }

    @Test func secretsAreBlankedOut() throws {
        let settings = try PostgresSettings(.object(["password": "canary"]))
        #expect(settings.withoutSecrets("no canary here") == "no •••• here")
        let url = try PostgresSettings(.object(["url": "postgresql://u:can%20ary@h/d"]))
        #expect(url.withoutSecrets("no can ary here") == "no •••• here")
    }

    @Test func theConnectorOnlyReads() {
        #expect(throws: ConnectorError.self) {
            try PostgresConnector().openDestination(.object([:]), host: TestHost())
        }
    }
}
