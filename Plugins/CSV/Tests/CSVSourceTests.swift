// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import ConnectorKit
import ConnectorTesting
import Foundation
import Testing

@Suite struct CSVSourceTests {
    private func request(_ id: String = "t", _ columns: [String] = []) -> ReadRequest {
        ReadRequest(.object(id), columns: columns)
    }

    @Test func everyTypeIsReadAsItsValue() throws {
        let types: JSONObject = [
            "i": .string("integer"), "d": .string("decimal"), "n": .string("number"), "b": .string("boolean"),
            "day": .string("date"), "t": .string("time"), "ts": .string("timestamp"), "at": .string("instant"),
            "j": .string("json"),
        ]
        let text = """
            i,d,n,b,day,t,ts,at,j,s
            -5,1.50,0.25,yes,1970-01-02,00:00:01,1970-01-01 00:01,1970-01-01T01:00:00+01:00,"{""a"":[1]}",x
            ,,,,,,,,,
            "7","2","3","0","1970-01-01","00:00","1970-01-01 00:00","1970-01-01 00:00Z",null,""
            """
        let rows = try Rows.of(text, ["types": .object(types)])
        #expect(rows.rejects.isEmpty)
        #expect(
            rows.values[0] == [
                .int64(-5), .decimal("1.50"), .float64(0.25), .bool(true), .date(1), .time(1_000_000),
                .timestamp(60_000_000), .instant(0), .json("{\"a\":[1]}"), .text("x"),
            ])
        let areNull = rows.values[1].map(\.isNull)
        #expect(areNull == [Bool](repeating: true, count: 10))
        #expect(
            rows.values[2] == [
                .int64(7), .decimal("2"), .float64(3), .bool(false), .date(0), .time(0), .timestamp(0), .instant(0),
                .json("null"), .text(""),
            ])
    }

    @Test(
        "an empty field is NULL by the rule",
        arguments: [
            ("unquoted-empty", [.null, .text(""), .text("NULL"), .text("NULL")]),
            ("empty", [.null, .null, .text("NULL"), .text("NULL")]),
            ("never", [.text(""), .text(""), .text("NULL"), .text("NULL")]),
        ] as [(String, [Value])])
    func anEmptyFieldIsNullByTheRule(rule: String, values: [Value]) throws {
        #expect(try Rows.of("a,b,c,d\n,\"\",NULL,\"NULL\"\n", ["null": .string(rule)]).values == [values])
    }

    @Test func aNullTextCountsOnlyWithoutQuotes() throws {
        let settings: JSONObject = ["null_text": .string("\\N"), "null": .string("never")]
        #expect(
            try Rows.of("a,b,c\n\\N,\"\\N\",\n", settings).values == [[.null, .text("\\N"), .text("")]])
    }

    @Test func nullsAreMarkedAsAColumnMarksThem() throws {
        let text = "a,b\n" + (0..<21).map { $0 % 5 == 3 ? ",x\n" : "\($0),x\n" }.joined()
        let folder = try TestFolder()
        try folder.write("t.csv", text)
        let stream = try folder.source().read(request())
        let batch = try #require(try stream.next()).batch
        var expected = Column(.text)
        for row in 0..<21 { expected.append(row % 5 == 3 ? .null : .text("\(row)")) }
        #expect(batch.columns[0] == expected)
        #expect(batch.columns[1].validity.isEmpty)
    }

    @Test func blankLinesAreSkippedUnlessThereIsOneColumn() throws {
        #expect(
            try Rows.of("\na,b\n\n1,2\n\n\n3,4\n\n").values == [[.text("1"), .text("2")], [.text("3"), .text("4")]])
        #expect(try Rows.of("a\n1\n\n2\n").values == [[.text("1")], [.null], [.text("2")]])
    }

    @Test func withoutAHeaderColumnsAreNumbered() throws {
        let settings: JSONObject = ["header": .bool(false), "types": .object(["c2": .string("integer")] as JSONObject)]
        let folder = try TestFolder()
        try folder.write("t.csv", "\r\nx,1\r\ny,2")
        let source = try folder.source("", settings)
        #expect(try source.describe(request()).fields.map(\.name) == ["c1", "c2"])
        #expect(try Rows(source.read(request())).values == [[.text("x"), .int64(1)], [.text("y"), .int64(2)]])
        let broken = try Rows.of("x,\0\ny\nz,1,\n", ["header": .bool(false)])
        #expect(broken.values == [[.null, .null], [.null, .null], [.null, .null]])
        #expect(broken.messages.map { $0.prefix(6) } == ["line 1", "line 2", "line 3"])
    }

    @Test func aFileWithoutRowsHasNone() throws {
        #expect(try Rows.of("a,b\n").values.isEmpty)
        #expect(try Rows.of("a,b").values.isEmpty)
        #expect(try Rows.of("", ["header": .bool(false)]).values.isEmpty)
    }

    @Test(
        "delimiters and quotes are as set, and a tab for .tsv",
        arguments: [
            ("a;b\n1;2\n", ";", "\"", "t.csv"), ("a|b\n'1'|2\n", "|", "'", "t.csv"),
            ("a\tb\n1\t2\n", "tab", "\"", "t.csv"),
            ("a\tb\n1\t2\n", "\\t", "\"", "t.txt"), ("a\tb\n1\t2\n", nil, "\"", "t.tsv"),
            ("a,b\n1,2\n", ",", "", "t.tsv"),
        ] as [(String, String?, String, String)])
    func delimitersAreAsSet(text: String, delimiter: String?, quote: String, name: String) throws {
        var settings: JSONObject = ["quote": .string(quote)]
        settings["delimiter"] = delimiter.map { .string($0) }
        #expect(try Rows.of(text, settings, name: name).values == [[.text("1"), .text("2")]])
    }

    @Test func trimmedFieldsLoseTheirBlanks() throws {
        let settings: JSONObject = ["trim": .bool(true), "types": .object(["n": .string("integer")] as JSONObject)]
        #expect(
            try Rows.of(" n , s \n 1 , \" x \" \n  ,  \n   \n2,y", settings).values
                == [[.int64(1), .text(" x ")], [.null, .null], [.int64(2), .text("y")]])
    }

    @Test func columnsComeInTheOrderAskedFor() throws {
        let text = "a,b,c\n1,2,3\n"
        #expect(try Rows.of(text, columns: ["c", "a"]).values == [[.text("3"), .text("1")]])
        let error = failure { _ = try Rows.of(text, columns: ["a", "z"]) }
        #expect(error?.code == .notFound)
        #expect(error?.field == "z")
        #expect(error?.message.hasSuffix("has no column z; it has a, b, c.") == true)
    }

    @Test func batchesKeepToTheirLimits() throws {
        let folder = try TestFolder()
        try folder.write("t.csv", "a,b\n" + (0..<25).map { "\($0),0123456789\n" }.joined())
        let source = try folder.source()
        var limited = request()
        limited.batchRowsMax = 10
        #expect(try Rows(source.read(limited)).batchSizes == [10, 10, 5])
        limited.rowsMax = 12
        #expect(try Rows(source.read(limited)).batchSizes == [10, 2])
        limited.rowsMax = 0
        #expect(try Rows(source.read(limited)).batchSizes == [])
        limited.rowsMax = nil
        limited.batchBytesMax = 1
        #expect(try Rows(source.read(limited)).batchSizes == [Int](repeating: 1, count: 25))
    }

    @Test func aRejectNamesItsRowInItsBatch() throws {
        let folder = try TestFolder()
        try folder.write("t.csv", "a,b\n1,2\n3\n4,5\n6\n")
        var small = request()
        small.batchRowsMax = 2
        let stream = try folder.source().read(small)
        #expect(try stream.next()?.rejects.map(\.row) == [1])
        #expect(try stream.next()?.rejects.map(\.row) == [1])
        #expect(try stream.next() == nil)
        #expect(try stream.next() == nil)
    }

    @Test func aCancelledReadEnds() throws {
        let folder = try TestFolder()
        try folder.write("t.csv", "a,b\n1,2\n3,4\n")
        let host = TestHost()
        let source = try folder.source("", [:], host: host)
        var small = request()
        small.batchRowsMax = 1
        let stream = try source.read(small)
        #expect(try stream.next() != nil)
        stream.cancel()
        #expect(failure { _ = try stream.next() }?.code == .cancelled)
        let other = try source.read(small)
        host.cancel()
        #expect(failure { _ = try other.next() }?.code == .cancelled)
        other.close()
        #expect(failure { _ = try other.next() }?.code == .broken)
    }

    @Test func anOpenStreamOutlivesItsSource() throws {
        let folder = try TestFolder()
        try folder.write("t.csv", "a,b\n1,2\n")
        let source = try folder.source()
        let stream = try source.read(request())
        source.close()
        #expect(try Rows(stream).values.count == 1)
    }

    @Test func whatIsNotOfferedIsRefused() throws {
        let folder = try TestFolder()
        try folder.write("t.csv", "a,b\n1,2\n")
        let source = try folder.source()
        #expect(failure { _ = try source.read(ReadRequest(.query("SELECT 1"))) }?.code == .unsupported)
        #expect(failure { _ = try source.read(request("u")) }?.code == .notFound)
        #expect(failure { _ = try source.discover(["u"]) }?.message.hasSuffix("there is t.") == true)
        var ordered = request()
        ordered.order = ["a"]
        #expect(failure { _ = try source.read(ordered) }?.code == .badRequest)
        let refusal = failure { _ = try CSVConnector().openDestination(.null, host: TestHost()) }
        #expect(refusal?.code == .unsupported)
    }

    @Test func discoverListsColumnsWithTheirTypes() throws {
        let folder = try TestFolder()
        try folder.write("b.csv", "id,name\n")
        try folder.write("a.csv", "id,score\n")
        let settings: JSONObject = [
            "types": .object(["id": .string("integer"), "score": .string("number")] as JSONObject)
        ]
        let catalog = try folder.source("", settings).discover([])
        let id = Schema.Field("id", .int64, nativeType: "integer")
        let score = Schema.Field("score", .float64, nativeType: "number")
        let name = Schema.Field("name", .text, nativeType: "text")
        let a = CatalogObject("a", .file, columns: [id, score])
        let b = CatalogObject("b", .file, columns: [id, name])
        #expect(catalog.objects == [a, b])
        #expect(try folder.source("", settings).discover(["b"]).objects == [b])
    }

    @Test func aTypeForAColumnThatNoTableHasIsAnError() throws {
        let folder = try TestFolder()
        try folder.write("a.csv", "x,y\n")
        try folder.write("b.csv", "z,y\n")
        let good: JSONObject = ["types": .object(["x": .string("date"), "z": .string("date")] as JSONObject)]
        let bad: JSONObject = ["types": .object(["x": .string("date"), "q": .string("date")] as JSONObject)]
        #expect(try folder.source("", good).describe(request("b")).fields[0].type == .date)
        let source = try folder.source("", bad)
        let error = failure { _ = try source.describe(request("a")) }
        #expect(error?.code == .badConfig)
        #expect(error?.field == "types")
        #expect(error?.message.contains("the column q") == true)
        #expect(failure { _ = try source.discover([]) }?.code == .badConfig)
        #expect(try source.check().isOK == false)
    }

    @Test func checkLooksAtEveryFile() throws {
        let folder = try TestFolder()
        try folder.write("a.csv", "x,y\n")
        #expect(try folder.source().check() == CheckReport([.init("file", "a: 2 columns")], identity: ["tables": "1"]))
        try folder.write("b.csv", "x,x\n")
        let report = try folder.source().check()
        #expect(report.steps.map(\.id) == ["file", "file"])
        #expect(report.steps[1].failure?.code == .badData)
    }

    @Test func oneBrokenHeaderDoesNotHideTheOtherTables() throws {
        let folder = try TestFolder()
        try folder.write("a.csv", "x,y\n")
        try folder.write("b.csv", "x,x\n")
        let host = TestHost()
        let source = try folder.source("", [:], host: host)
        #expect(try source.discover([]).objects.map(\.columns.count) == [2, 0])
        #expect(host.lines.count == 1)
        #expect(failure { _ = try source.discover(["b"]) }?.code == .badData)
    }
}
