// SPDX-License-Identifier: Apache-2.0

import ConnectorTesting
import LoopbackConnector
import PenstockABI
import PenstockModel
import Testing

/// A connector through C and back, in one process.
func loopback(_ connector: any Connector = LoopbackConnector()) throws -> LoadedConnector {
    try LoadedConnector(ExportedConnector(connector).pointer)
}

/// Everything a stream delivers.
func drained(_ stream: any RecordStream) throws(ConnectorError) -> [SourceBatch] {
    var batches: [SourceBatch] = []
    while let batch = try stream.next() { batches.append(batch) }
    return batches
}

@Suite struct LoopbackSourceTests {
    private let direct = LoopbackConnector()

    private func sources(_ host: TestHost = TestHost()) throws -> (direct: any Source, loaded: any Source) {
        (
            try direct.openSource(.object(["path": .string("data")] as JSONObject), host: host),
            try loopback(direct).openSource(.object(["path": .string("data")] as JSONObject), host: host)
        )
    }

    @Test func theDescriptorCrossesWhole() throws { #expect(try loopback(direct).descriptor == direct.descriptor) }

    @Test func theCheckReportCrossesWhole() throws {
        let (direct, loaded) = try sources()
        #expect(try loaded.check() == direct.check())
        #expect(try !loaded.check().isOK)
    }

    @Test func theCatalogCrossesWhole() throws {
        let (direct, loaded) = try sources()
        #expect(try loaded.discover([]) == direct.discover([]))
        #expect(try loaded.discover(["\u{e9}mpty"]) == direct.discover(["\u{e9}mpty"]))
    }

    @Test func errorsCrossWhole() throws {
        let (_, loaded) = try sources()
        let expected = ConnectorError(.notFound, "There is no object nowhere.", field: "nowhere")
        #expect(throws: expected) { try loaded.discover(["nowhere"]) }
        #expect(throws: expected) { try loaded.describe(ReadRequest(.object("nowhere"))) }
        #expect(throws: expected) { try loaded.read(ReadRequest(.object("nowhere"))) }
    }

    @Test func everyTypeAndNullCrossesUnchanged() throws {
        let (direct, loaded) = try sources()
        let request = ReadRequest(.object("types"))
        #expect(try loaded.describe(request) == LoopbackRows.schema)
        let stream = try loaded.read(request)
        #expect(stream.schema == LoopbackRows.schema)
        let batches = try drained(stream)
        #expect(batches == (try drained(direct.read(request))))
        for (row, values) in LoopbackRows.rows.enumerated() {
            for (column, value) in values.enumerated() { #expect(batches[0].batch.value(row, column) == value) }
        }
    }

    @Test(
        "the request crosses whole, with a limit of every type", arguments: LoopbackRows.rows[0] + LoopbackRows.rows[2])
    func requestsCrossWhole(bound: Value) throws {
        let (direct, loaded) = try sources()
        let request = ReadRequest(
            .object("echo"), order: ["a", "\u{fc}"], lowerBound: .init(column: "a", value: bound, isInclusive: true),
            batchRowsMax: 7, batchBytesMax: 1_000, rowsMax: 1)
        #expect(try drained(loaded.read(request)) == drained(direct.read(request)))
        let unwatched = ReadRequest(.object("echo"), needsOpenWriters: false)
        #expect(try drained(loaded.read(unwatched)) == drained(direct.read(unwatched)))
    }

    @Test func chosenColumnsComeInTheirOrder() throws {
        let (direct, loaded) = try sources()
        let request = ReadRequest(.object("types"), columns: ["json", "bool"])
        let batches = try drained(loaded.read(request))
        #expect(batches == (try drained(direct.read(request))))
        #expect(batches[0].batch.schema.fields.map(\.name) == ["json", "bool"])
    }

    @Test func aQueryCrosses() throws {
        let (_, loaded) = try sources()
        let batches = try drained(loaded.read(ReadRequest(.query("SELECT 'x'"))))
        #expect(batches[0].batch.value(0, 0) == .text("SELECT 'x'"))
    }

    @Test func rejectsCrossWithTheirRows() throws {
        let (direct, loaded) = try sources()
        let batches = try drained(loaded.read(ReadRequest(.object("rejects"))))
        #expect(batches == (try drained(direct.read(ReadRequest(.object("rejects"))))))
        #expect(batches[0].rejects.count == 1)
    }

    @Test func aCharacterThatTwoRowsShareIsATextInNeither() throws {
        let (_, loaded) = try sources()
        let batches = try drained(loaded.read(ReadRequest(.object("cut"))))
        #expect(batches[0].rejects.map(\.row) == [0, 1])
        #expect((0..<3).map { batches[0].batch.value($0, 0) } == [.null, .null, .text("\u{e9}")])
    }

    @Test func batchesKeepTheirSize() throws {
        let (_, loaded) = try sources()
        let batches = try drained(loaded.read(ReadRequest(.object("many"), batchRowsMax: 1_000)))
        #expect(batches.map(\.batch.rowCount) == [1_000, 1_000, 1_000])
    }

    @Test func anErrorInTheMiddleCrossesAndEndsTheStream() throws {
        let (_, loaded) = try sources()
        let stream = try loaded.read(ReadRequest(.object("fails")))
        #expect(try stream.next()?.batch.rowCount == 1)
        #expect(throws: ConnectorError(.unavailable, "The line is cut.", vendorCode: "08006")) { try stream.next() }
        #expect(throws: ConnectorError.self) { try stream.next() }
    }

    @Test func cancelEndsARead() throws {
        let (_, loaded) = try sources()
        let stream = try loaded.read(ReadRequest(.object("endless")))
        #expect(try stream.next() != nil)
        stream.cancel()
        #expect(throws: ConnectorError(.cancelled, "The read was cancelled.")) { try stream.next() }
        stream.close()
        stream.cancel()
    }

    @Test func aStreamOutlivesItsSource() throws {
        let host = TestHost()
        let (_, loaded) = try sources(host)
        let stream = try loaded.read(ReadRequest(.object("many"), batchRowsMax: 2))
        let first = try stream.next()
        loaded.close()
        #expect(!host.lines.contains("closed"))
        #expect(try stream.next()?.batch.rowCount == 2)
        stream.close()
        #expect(host.lines.contains("closed"))
        #expect(first?.batch.value(1, 0) == .int64(1))
        #expect(throws: ConnectorError.self) { try loaded.check() }
    }

    @Test func theHostIsReached() throws {
        let host = TestHost()
        let (_, loaded) = try sources(host)
        _ = try loaded.check()
        #expect(host.lines == ["checked step=file"])
    }
}
