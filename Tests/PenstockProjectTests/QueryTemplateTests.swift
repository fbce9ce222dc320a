// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PenstockProject

@Suite struct QueryTemplateTests {
    private static let since = ModelParameter(name: "since", kind: .date)
    private static let name = ModelParameter(name: "name", kind: .text, defaultText: "x")

    private func made(_ sql: String, _ values: [String: String] = ["since": "2026-01-31"]) throws -> String {
        try QueryTemplate(sql, parameters: [Self.since, Self.name]).query(values)
    }

    @Test("A value goes in where the query is in the open, and nowhere else")
    func places() throws {
        #expect(try made("SELECT :since") == "SELECT '2026-01-31'")
        #expect(try made("SELECT {{since}}, {{ since }}") == "SELECT '2026-01-31', '2026-01-31'")
        #expect(try made("SELECT a::date, :since::date") == "SELECT a::date, '2026-01-31'::date")
        #expect(try made("SELECT ':since', \":since\", `a`") == "SELECT ':since', \":since\", `a`")
        #expect(try made("SELECT 1 -- of :since\n, :since") == "SELECT 1 -- of :since\n, '2026-01-31'")
        #expect(try made("SELECT 1 /* :since */ + :name") == "SELECT 1 /* :since */ + 'x'")
        #expect(try made("SELECT 'it''s', :since") == "SELECT 'it''s', '2026-01-31'")
        #expect(try made("SELECT ts[1:2] WHERE x >=:since") == "SELECT ts[1:2] WHERE x >='2026-01-31'")
    }

    @Test(
        "A query that databases read differently takes no value",
        arguments: [
            "SELECT 'a\\', :since, '", "SELECT 1 # it's\n, ':name'", "SELECT [a'b], :since, 'c'",
            "SELECT 1--'\n, :since, '", "SELECT $$ ' $$, :since, '", "SELECT /* /* */ :since */ 1",
            "SELECT /*! ' */ :since, '", "SELECT `'`, :since", "SELECT `:since`", "SELECT :sinc", "SELECT '{{since}}'",
            "SELECT \"{{since}}\"", "SELECT :since, :nobody",
        ])
    func refusals(_ sql: String) {
        #expect(throws: QueryTemplate.Problem.self) { try made(sql) }
    }

    @Test(
        "Nothing of a value is read as anything but a value",
        arguments: [
            "x' OR 1=1 --", "''; DROP TABLE t; --", "' || (SELECT 1) || '", "\" OR \"\"=\"", "/* */", "-- x", ":since",
            "{{since}}", "ŉ'’ʼ＇", "$$",
        ])
    func texts(_ text: String) throws {
        let made = try made("SELECT :name, 1", ["since": "2026-01-31", "name": text])
        let inner = made.dropFirst("SELECT '".count).dropLast("', 1".count)
        #expect(made.hasPrefix("SELECT '") && made.hasSuffix("', 1"))
        #expect(inner.replacing("''", with: "") == text.replacing("''", with: "").replacing("'", with: ""))
        #expect(inner.utf8.count { $0 == UInt8(ascii: "'") } % 2 == 0)
    }

    @Test("Values are of their parameter's type")
    func kinds() {
        func literal(_ kind: ModelParameter.Kind, _ text: String) -> String? { kind.literal(text) }
        #expect(literal(.integer, "-5") == "(-5)" && literal(.integer, "42") == "42")
        for bad in ["1.5", "1 OR 1=1", "", "1e3", "0x10", "１２", "--5", String(repeating: "9", count: 60)] {
            #expect(literal(.integer, bad) == nil, "\(bad)")
        }
        #expect(literal(.number, "12.50") == "12.50" && literal(.number, "1;") == nil)
        #expect(literal(.boolean, "True") == "TRUE" && literal(.boolean, "1") == nil)
        #expect(literal(.date, "2026-02-29") == nil && literal(.date, "2026-02-28'") == nil)
        #expect(literal(.timestamp, "2026-01-31T06:15") == "'2026-01-31 06:15:00'")
        #expect(literal(.timestamp, "2026-01-31T06:15:00Z") == nil)
        #expect(literal(.text, "a\\b") == nil && literal(.text, "a\nb") == nil && literal(.text, "a\0b") == nil)
        #expect(literal(.text, "Łódź 日本") == "'Łódź 日本'")
    }

    @Test(
        "A quote ends no text, whatever Swift joins it with",
        arguments: ["\u{301}", "\u{FE0F}", "\u{200D}", "\u{20E3}", "x", "'"])
    func joinedQuotes(mark: String) throws {
        let literal = try #require(ModelParameter.Kind.text.literal("x'\(mark) OR 1=1 --"))
        let quotes = literal.unicodeScalars.split(omittingEmptySubsequences: false) { $0 != "'" }.map(\.count)
        #expect(quotes.first == 1 && quotes.last == 1)
        #expect(quotes.dropFirst().dropLast().allSatisfy { $0.isMultiple(of: 2) }, "\(literal)")
    }

    @Test("Values that are missing, unknown or wrong are named")
    func problems() throws {
        let template = try QueryTemplate("SELECT :since", parameters: [Self.since, Self.name])
        #expect(throws: ModelParameterProblem.missing("since")) { try template.query([:]) }
        #expect(throws: ModelParameterProblem.unknown("sinc", known: ["since", "name"])) {
            try template.query(["sinc": "2026-01-01"])
        }
        #expect(throws: ModelParameterProblem.wrongValue("today", name: "since", .date)) {
            try template.query(["since": "today"])
        }
        #expect(ModelParameterProblem.unknown("sinc", known: ["since"]).suggestion == "did you mean \"since\"?")
    }
}
