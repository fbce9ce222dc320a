// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import Foundation
import PenstockHost
import PenstockModel
import Testing

/// Builds `docs/examples/connectors/jsonl` by the command in its README and reads from it.
@Suite struct JSONLExampleTests {
    private let workshop: Workshop
    private let source: any Source
    private let host = TestHost()

    init() throws {
        workshop = try Workshop()
        for name in ["Sources", "docs"] {
            try FileManager.default.createSymbolicLink(
                at: workshop.folder.appendingPathComponent(name),
                withDestinationURL: Workshop.package.appendingPathComponent(name))
        }
        let readme = try String(
            contentsOf: Workshop.package.appendingPathComponent("docs/examples/connectors/jsonl/README.md"),
            encoding: .utf8)
        let command = try #require(
            readme.components(separatedBy: "```sh\n").dropFirst().first?
                .components(separatedBy: "```").first)
        #expect(command.split(separator: "\n").count == 4)
        let result = try workshop.run("/bin/sh", ["-c", command])
        #expect(result.status == 0 && result.text.isEmpty, "\(result.text)")
        let registry = ConnectorRegistry(scanning: ConnectorSearchPath([workshop.folder.path]))
        #expect(registry.ids == ["jsonl"], "\(registry.entries)")
        let settings: JSON = .object(["path": .string(workshop.folder.path)] as JSONObject)
        source = try #require(registry.connector("jsonl")).openSource(settings, host: host)
    }

    private func read(_ request: ReadRequest) throws -> [SourceBatch] {
        let stream = try source.read(request)
        defer { stream.close() }
        var batches: [SourceBatch] = []
        while let batch = try stream.next() { batches.append(batch) }
        return batches
    }

    private func rows(_ batch: RecordBatch) -> [[Value]] {
        (0..<batch.rowCount).map { row in batch.columns.map { $0.value(row) } }
    }

    @Test func valuesBecomeTypesWithoutLoss() throws {
        try workshop.write(
            "orgs.jsonl",
            """
            {"id": 9223372036854775807, "amount": 12345678901234567890.50, "big": 18446744073709551616, "ok": true}
            {"id": -1, "name": "gr\\u00fc\\u00dfe \\ud83d\\ude00 \\\\ \\/ \\t\\u0041", "amount": 3, "tags": ["a", {"b": 1e3}]}

            {"id": 0, "ok": null, "name": "", "mixed": 1, "void": null}
            {"mixed": "x", "amount": null}
            """)
        let batch = try read(ReadRequest(.object("orgs")))[0]
        #expect(batch.rejects.isEmpty)
        #expect(
            batch.batch.schema.fields.map { "\($0.name) \($0.type)" } == [
                "id int64", "amount decimal", "big decimal", "ok bool", "name text", "tags json", "mixed json",
                "void text",
            ])
        #expect(
            rows(batch.batch) == [
                [
                    .int64(.max), .decimal("12345678901234567890.50"), .decimal("18446744073709551616"), .bool(true),
                    .null,
                    .null, .null, .null,
                ],
                [
                    .int64(-1), .decimal("3"), .null, .null, .text("gr\u{fc}\u{df}e \u{1F600} \\ / \tA"),
                    .json("[\"a\", {\"b\": 1e3}]"), .null, .null,
                ],
                [.int64(0), .null, .null, .null, .text(""), .null, .json("1"), .null],
                [.null, .null, .null, .null, .null, .null, .json("\"x\""), .null],
            ])
        #expect(try source.describe(ReadRequest(.object("orgs"))) == batch.batch.schema)
        #expect(try source.discover(["orgs"]).objects[0].columns == batch.batch.schema.fields)
        #expect(try source.discover([]).objects.map(\.id) == ["orgs"])
    }

    @Test func aBadLineRejectsItsRowAndTheOthersGoOn() throws {
        var lines = (0..<1_000).map { "{\"n\": \($0)}" }
        lines[1] = "{\"n\": 1, }"
        lines += ["{\"n\": \"seven\"}", "[]", "{\"n\": 1, \"n\": 2}", "{\"n\": 1003, \"late\": 1}"]
        try workshop.write("bad.jsonl", lines.joined(separator: "\n"))
        let batches = try read(ReadRequest(.object("bad"), batchRowsMax: 300))
        #expect(batches.map(\.batch.rowCount) == [300, 300, 300, 104])
        #expect(
            batches[0].rejects == [
                SourceReject(row: 1, column: "", value: "{\"n\": 1, }\n", message: "line 2: this is not a JSON object")
            ])
        #expect(batches[3].rejects.map(\.row) == [100, 101, 102])
        #expect(
            batches[3].rejects[0]
                == SourceReject(
                    row: 100, column: "n", value: "seven", message: "line 1001: the value is not a 64-bit integer"))
        #expect(batches[3].rejects[2].message == "line 1003: a key occurs twice")
        #expect(batches[3].batch.value(103, 0) == .int64(1_003))
    }

    @Test func chosenColumnsAndALimitAreHonoured() throws {
        try workshop.write("c.jsonl", "{\"a\":1,\"b\":2,\"c\":3}\n{\"b\":4}\n{\"b\":5}\n")
        let batch = try read(ReadRequest(.object("c"), columns: ["c", "b"], rowsMax: 2))[0].batch
        #expect(rows(batch) == [[.int64(3), .int64(2)], [.null, .int64(4)]])
    }

    @Test func whatDoesNotExistIsNamed() throws {
        try workshop.write("d.jsonl", "{\"a\":1}\n")
        try workshop.write("empty.jsonl", "\n")
        for (request, code, part) in [
            (ReadRequest(.object("nowhere")), ConnectorError.Code.notFound, "nowhere"),
            (ReadRequest(.object("../d")), .notFound, "../d"),
            (ReadRequest(.object("d"), columns: ["x"]), .notFound, "x"),
            (ReadRequest(.object("empty")), .badData, "no JSON object"),
        ] {
            let error = #expect(throws: ConnectorError.self) { try source.read(request) }
            #expect(error?.code == code)
            #expect(error?.message.contains(part) == true)
        }
        #expect(throws: ConnectorError.self) { try source.discover(["nowhere"]) }
        #expect(try source.check().isOK)
    }

    @Test func aReadIsCancelledAndAnotherStartsOver() throws {
        try workshop.write("e.jsonl", (0..<100).map { "{\"n\":\($0)}\n" }.joined())
        let stream = try source.read(ReadRequest(.object("e"), batchRowsMax: 10))
        #expect(try stream.next()?.batch.value(9, 0) == .int64(9))
        stream.cancel()
        let error = #expect(throws: ConnectorError.self) { try stream.next() }
        #expect(error?.code == .cancelled)
        stream.close()
        #expect(try read(ReadRequest(.object("e"))).map(\.batch.rowCount) == [100])
        host.cancel()
        #expect(throws: ConnectorError.self) { try read(ReadRequest(.object("e"))) }
    }

    @Test func strangeLinesHurtNobody() throws {
        let deep = String(repeating: "[", count: 5_000)
        let lines = [
            "{\"a\":\"\\ud800\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"x", "{\"a\":\(deep)}", "{\"\\u0061\":\"ok\"}",
            "\u{0}", "{",
            "{\"a\":-}", "{\"a\":01}", "{\"a\":nul}", "{\"a\":\"\\x\"}", "{} x", "{\"a\":\"\u{1}\"}",
        ]
        let long = "{\"ab\":\"\(String(repeating: "\u{fc}", count: 100))\",}"
        try workshop.write("long.jsonl", long + "\n{\"a\":\"\u{fc}\"}")
        let shown = try read(ReadRequest(.object("long")))[0].rejects
        #expect(shown.map(\.message) == ["line 1: this is not a JSON object"])
        #expect(shown[0].value == "{\"ab\":\"" + String(repeating: "\u{fc}", count: 26))
        try workshop.write("f.jsonl", lines.joined(separator: "\n") + "\r\n{\"a\":\"last\"}")
        let batch = try read(ReadRequest(.object("f"), columns: ["a"]))[0]
        #expect(batch.rejects.map(\.row) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(batch.batch.value(4, 0) == .text("ok"))
        #expect(batch.batch.value(13, 0) == .text("last"))
    }
}
