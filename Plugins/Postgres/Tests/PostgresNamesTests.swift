// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import PostgresConnector
import Testing

@Suite struct PostgresNamesTests {
    @Test(arguments: [
        ("orgs", ["orgs"]), ("Mart.Orgs", ["mart", "orgs"]), ("mart.\"Orgs\"", ["mart", "Orgs"]),
        ("\"a.b\".\"c\"\"d\"", ["a.b", "c\"d"]), ("Größe", ["größe"]),
    ])
    func namesAreReadAsSQLReadsThem(id: String, parts: [String]) {
        #expect(PostgresNames.parts(id) == parts)
    }

    @Test(arguments: ["", ".", "a.", ".a", "\"a", "\"a\"b", "a\"b\"", "a..b"])
    func whatIsNoNameIsNone(id: String) { #expect(PostgresNames.parts(id) == nil) }

    @Test func onlyLettersAToZAreMadeSmall() { #expect(PostgresNames.parts("ÄB") == ["Äb"]) }

    @Test func quotesAreDoubled() { #expect(PostgresNames.quoted("a\"b") == "\"a\"\"b\"") }

    @Test func whatTheServerWouldCutIsRefused() throws {
        try PostgresNames.check(String(repeating: "a", count: 63))
        for name in [String(repeating: "a", count: 64), "s." + String(repeating: "ä", count: 32), "a\0b"] {
            #expect(throws: ConnectorError.self) { try PostgresNames.check(name) }
        }
    }
}

@Suite struct PostgresQueryTextTests {
    private func body(_ text: String) throws -> String { try PostgresQueryText(text).body }

    @Test(arguments: [
        ("SELECT 1", "SELECT 1"), ("  select 1 ; ", "select 1"), ("-- a\n/* b /* c */ */ SELECT 1;; -- d", "SELECT 1"),
        ("SELECT ';' -- x", "SELECT ';'"), ("SELECT E'\\';' ; ", "SELECT E'\\';'"),
        ("SELECT $a$;$b$;$a$;", "SELECT $a$;$b$;$a$"), ("SELECT \";\"\";\" FROM t;", "SELECT \";\"\";\" FROM t"),
        ("(SELECT 1) UNION (SELECT 2);", "(SELECT 1) UNION (SELECT 2)"), ("VALUES (1)", "VALUES (1)"),
        ("TABLE t", "TABLE t"), ("with x as (select 1) select * from x", "with x as (select 1) select * from x"),
        ("SELECT 1 /* ; */ + 2 /* end", "SELECT 1 /* ; */ + 2"), ("\u{FEFF}SELECT 1", "SELECT 1"),
        ("SELECT 'a''; b';", "SELECT 'a''; b'"), ("SELECT a$1 FROM t;", "SELECT a$1 FROM t"),
    ])
    func commentsAndSemicolonsAroundAStatementAreDropped(text: String, expected: String) throws {
        #expect(try body(text) == expected)
    }

    @Test(arguments: [
        "", " ; -- x", "DELETE FROM t", "SELECT 1; SELECT 2", "SELECT 1; x", "EXPLAIN SELECT 1", "'SELECT'",
        "SELECT 1\0",
    ])
    func anythingButOneReadingStatementIsRefused(text: String) {
        #expect(throws: ConnectorError.self) { try body(text) }
    }
}
