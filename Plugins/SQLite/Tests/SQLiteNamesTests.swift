// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import SQLiteConnector
import Testing

@Suite struct SQLiteNamesTests {
    static let awkward = [
        "we\"ird", "a b", "a.b", "select", "ünï", "CamelCase", "[x]", "`y`", "it's", "%s", "1", "order by", "a;b",
    ]

    @Test(arguments: [("a", "\"a\""), ("we\"ird", "\"we\"\"ird\""), ("\"\"", "\"\"\"\"\"\""), ("", "\"\"")])
    func quotesAreDoubled(name: String, quoted: String) {
        #expect(SQLiteNames.quoted(name) == quoted)
    }

    @Test(arguments: awkward)
    func anyNameOfTableAndColumnIsListedAndRead(name: String) throws {
        let quoted = SQLiteNames.quoted(name)
        let fixture = try SQLiteFixture(
            "CREATE TABLE \(quoted) (\(quoted) INTEGER PRIMARY KEY, other TEXT); INSERT INTO \(quoted) VALUES (7, 'x')")
        let source = try fixture.source()
        #expect(try source.discover([]).objects.map(\.id) == [name])
        let object = try #require(try source.discover([name]).objects.first)
        #expect(object.columns.map(\.name) == [name, "other"])
        #expect(object.primaryKey == [name])
        let bound = ReadRequest.LowerBound(column: name, value: .int64(7), isInclusive: true)
        let request = ReadRequest(.object(name), columns: [name], order: [name], lowerBound: bound)
        #expect(try fixture.column(request) == [.int64(7)])
        let query = ReadRequest(.query("SELECT * FROM \(quoted)"), columns: [name], order: [name], lowerBound: bound)
        #expect(try fixture.column(query) == [.int64(7)])
    }

    @Test func aTableIsFoundInAnotherCaseAndKeepsItsOwn() throws {
        let fixture = try SQLiteFixture("CREATE TABLE CamelCase (Id INTEGER); INSERT INTO CamelCase VALUES (1)")
        #expect(try fixture.source().discover(["camelcase"]).objects.map(\.id) == ["CamelCase"])
        #expect(try fixture.column(ReadRequest(.object("CAMELCASE"))) == [.int64(1)])
    }

    @Test func onlyASCIILettersAreFolded() {
        #expect(SQLiteNames.areSame("Orgs", "oRGS"))
        #expect(!SQLiteNames.areSame("Ünï", "ünï"))
    }

    @Test func aMisspeltNameIsMetWithTheNearest() {
        let names = ["id", "updated_at", "name"]
        #expect(SQLiteNames.advice(for: "update_at", among: names).hasSuffix(" Did you mean \"updated_at\"?"))
        #expect(!SQLiteNames.advice(for: "zzz", among: names).contains("Did you mean"))
    }
}
