// SPDX-License-Identifier: Apache-2.0

import CPenstock
import ConnectorTesting
import PenstockABI
import PenstockModel
import Testing

@Suite struct SourceContractTests {
    /// Expects a breach whose sentence names the connector and has `part` in it.
    private func expectBreach(_ part: String, in source: HandMadeSource, batchRowsMax: Int = 4_096) {
        let error = #expect(throws: ConnectorError.self) { try source.read(batchRowsMax: batchRowsMax) }
        #expect(error?.code == .contractBreach)
        #expect(error?.message.hasPrefix("The connector handmade broke the connector contract in ") == true)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        #expect(source.arraysOpen == 0 && !source.isReadOpen && !source.isSourceOpen)
    }

    @Test(
        "a layout that is not accepted is named with its column",
        arguments: ["e", "+l", "vu", "tDu", "w:0", "d:39,0", "q"])
    func unknownFormats(format: String) {
        expectBreach("column c has the format \(format)", in: HandMadeSource([HandMadeColumn(format, [Int64(1)])]))
    }

    @Test func aTagThatDoesNotFitIsRefused() {
        var column = HandMadeColumn("l", [Int64(1)])
        column.metadata = [("penstock.type", "decimal")]
        expectBreach("penstock.type decimal", in: HandMadeSource([column]))
    }

    @Test func aSchemaWithoutColumnsOrNamesIsRefused() {
        expectBreach("no columns", in: HandMadeSource([]))
        var column = HandMadeColumn("l", [Int64(1)])
        column.name = nil
        expectBreach("column 0 has no name", in: HandMadeSource([column]))
        let source = HandMadeSource([HandMadeColumn("l", [Int64(1)])])
        source.schemaFormat = "l"
        expectBreach("not a struct", in: source)
    }

    @Test func lengthsThatContradictAreRefused() {
        let source = HandMadeSource([HandMadeColumn("l", [Int64(1), 2])])
        source.rows = 3
        expectBreach("fewer rows", in: source)
        source.rows = 1
        source.parentOffset = 2
        source.batches = 1
        expectBreach("fewer rows", in: source)
        source.parentOffset = -1
        source.batches = 1
        expectBreach("from row -1 on", in: source)
        let other = HandMadeSource([HandMadeColumn("l", [Int64(1)]), HandMadeColumn("l", [Int64(1)])])
        other.childrenMissing = 1
        expectBreach("has 1 columns where its schema has 2", in: other)
        let negative = HandMadeSource([HandMadeColumn("l", [Int64(1)])])
        negative.rows = -4
        expectBreach("-4 rows", in: negative)
    }

    @Test func aBatchLargerThanAskedForIsRefused() {
        let source = HandMadeSource([HandMadeColumn("l", [Int64](repeating: 1, count: 11))])
        expectBreach("at most 10", in: source, batchRowsMax: 10)
    }

    @Test func buffersThatAreMissingAreRefused() {
        expectBreach("lacks buffer 1", in: HandMadeSource([HandMadeColumn("l", length: 1, buffers: [nil, nil])]))
        expectBreach("has 1 buffers", in: HandMadeSource([HandMadeColumn("l", length: 1, buffers: [nil])]))
        let text = HandMadeColumn("u", length: 1, buffers: [nil, bytes([Int32(0), 1]), nil])
        expectBreach("lacks buffer 2", in: HandMadeSource([text]))
    }

    @Test func offsetsThatGoBackAreRefused() {
        let back = HandMadeColumn("u", length: 2, buffers: [nil, bytes([Int32(0), 2, 1]), [65, 66]])
        expectBreach("go back at row 1", in: HandMadeSource([back]))
        let negative = HandMadeColumn("u", length: 1, buffers: [nil, bytes([Int32(-1), 1]), [65, 66]])
        expectBreach("starts before its buffer", in: HandMadeSource([negative]))
    }

    @Test func countsOfNullsThatAreWrongAreRefused() {
        var column = HandMadeColumn("l", [Int64(1), 2])
        column.buffers[0] = [0b01]
        column.nullCount = 0
        expectBreach("has 1 NULLs where it states 0", in: HandMadeSource([column]))
        column.buffers[0] = nil
        column.nullCount = 1
        expectBreach("no validity buffer", in: HandMadeSource([column]))
    }

    @Test func aNullWhereNoneIsDeclaredIsRefused() {
        var column = HandMadeColumn("l", [Int64(1), 2])
        column.buffers[0] = [0b01]
        column.isNullable = false
        expectBreach("column c holds NULL", in: HandMadeSource([column]))
    }

    @Test func aRejectThatIsNoJSONIsRefused() {
        var rejects = HandMadeColumn("u", texts: [Array("line 3 is bad".utf8)])
        rejects.name = "__penstock_reject"
        expectBreach("is not JSON", in: HandMadeSource([HandMadeColumn("l", [Int64(1)]), rejects]))
    }

    @Test func anErrorWithoutReasonIsMadeOne() throws {
        let source = HandMadeSource([HandMadeColumn("l", [Int64(1)])])
        source.endsWith = 5
        let expected = ConnectorError(
            .unavailable, "The connector handmade gave no reason for unavailable in get_next.")
        #expect(throws: expected) { try source.read() }
        #expect(!source.isReadOpen)
    }

    @Test func anErrorWithAnUnknownCodeKeepsItsSentence() throws {
        let source = HandMadeSource([HandMadeColumn("l", [Int64(1)])])
        source.endsWith = 5
        var room = penstock_error()
        room.code = 77
        withUnsafeMutableBytes(of: &room.message) { $0.copyBytes(from: "It is full moon.".utf8) }
        source.error = room
        let error = #expect(throws: ConnectorError.self) { try source.read() }
        #expect(error?.message == "It is full moon.")
        #expect(error?.code.description == "internal")
    }

    @Test func capabilitiesThatAreMissingAreNotAskedFor() throws {
        let source = try HandMadeSource([HandMadeColumn("l", [Int64(1)])]).load()
            .openSource(.object([:] as JSONObject), host: TestHost())
        let bound = ReadRequest.LowerBound(column: "c", value: .int64(1), isInclusive: true)
        for request in [
            ReadRequest(.query("q")), ReadRequest(.object("x"), order: ["c"]),
            ReadRequest(.object("x"), lowerBound: bound),
        ] {
            let error = #expect(throws: ConnectorError.self) { try source.read(request) }
            #expect(error?.code == .unsupported)
        }
        source.close()
    }
}
