// SPDX-License-Identifier: Apache-2.0

import CPenstock
import PenstockABI
import PenstockModel
import Testing

@Suite struct ArrowImportTests {
    private func values(_ column: HandMadeColumn) throws -> [Value] { try HandMadeSource([column]).values() }

    @Test func everyWidthOfIntegerIsAnInteger() throws {
        #expect(try values(.init("c", [Int8.min, .max])) == [.int64(-128), .int64(127)])
        #expect(try values(.init("C", [UInt8.max])) == [.int64(255)])
        #expect(try values(.init("s", [Int16.min])) == [.int64(-32_768)])
        #expect(try values(.init("S", [UInt16.max])) == [.int64(65_535)])
        #expect(try values(.init("i", [Int32.min])) == [.int64(-2_147_483_648)])
        #expect(try values(.init("I", [UInt32.max])) == [.int64(4_294_967_295)])
        #expect(try values(.init("l", [Int64.min])) == [.int64(.min)])
        #expect(try values(.init("L", [UInt64.max])) == [.uint64(.max)])
        #expect(try values(.init("f", [Float(0.5)])) == [.float64(0.5)])
        #expect(try values(.init("g", [0.1])) == [.float64(0.1)])
    }

    @Test func textsAndBytesOfEveryLayoutAreRead() throws {
        let texts: [[UInt8]] = [Array("gr\u{fc}n".utf8), [], Array("x".utf8)]
        let expected: [Value] = [.text("gr\u{fc}n"), .text(""), .text("x")]
        #expect(try values(.init("u", texts: texts)) == expected)
        #expect(try values(.init("U", texts: texts)) == expected)
        #expect(try values(.init("z", texts: [[0xFF]])) == [.bytes([0xFF])])
        #expect(try values(.init("Z", texts: [[0xFF]])) == [.bytes([0xFF])])
        #expect(try values(.init("w:2", [UInt8](1...4)).withLength(2)) == [.bytes([1, 2]), .bytes([3, 4])])
    }

    @Test func aTagSaysWhatATextHolds() throws {
        var column = HandMadeColumn("u", texts: [Array("-1.50".utf8)])
        column.metadata = [("penstock.type", "decimal"), ("penstock.native_type", "numeric(3,2)")]
        let batch = try HandMadeSource([column]).read()[0].batch
        #expect(batch.value(0, 0) == .decimal("-1.50"))
        #expect(batch.schema.fields[0].nativeType == "numeric(3,2)")
        column.metadata = [("penstock.type", "json")]
        #expect(try values(column) == [.json("-1.50")])
        column.metadata = [("penstock.type", "uuid")]
        #expect(try values(column) == [.text("-1.50")])
    }

    @Test func decimalsOf128BitsKeepEveryDigit() throws {
        let numbers: [Int128] = [-5, 0, 12_345_678_901_234_567_890]
        #expect(
            try values(.init("d:38,2", numbers)) == [
                .decimal("-0.05"), .decimal("0.00"), .decimal("123456789012345678.90"),
            ])
        #expect(try values(.init("d:5,0", [Int128(7)])) == [.decimal("7")])
        #expect(try values(.init("d:5,-2", [Int128(7), 0])) == [.decimal("700"), .decimal("0")])
    }

    @Test func timesOfEveryUnitAreMicroseconds() throws {
        #expect(try values(.init("tdD", [Int32(-1)])) == [.date(-1)])
        #expect(try values(.init("tdm", [Int64(-86_400_000)])) == [.date(-1)])
        #expect(try values(.init("tts", [Int32(61)])) == [.time(61_000_000)])
        #expect(try values(.init("ttm", [Int32(61)])) == [.time(61_000)])
        #expect(try values(.init("ttu", [Int64(61)])) == [.time(61)])
        #expect(try values(.init("ttn", [Int64(61_000)])) == [.time(61)])
        #expect(try values(.init("tss:", [Int64(-2)])) == [.timestamp(-2_000_000)])
        #expect(try values(.init("tsm:UTC", [Int64(-2)])) == [.instant(-2_000)])
        #expect(try values(.init("tsu:", [Int64(-2)])) == [.timestamp(-2)])
        #expect(try values(.init("tsn:Europe/Berlin", [Int64(-2_000)])) == [.instant(-2)])
    }

    @Test func booleansAreBits() throws {
        #expect(
            try values(HandMadeColumn("b", length: 10, buffers: [nil, [0b0000_0101, 0b10]]))
                == [true, false, true, false, false, false, false, false, false, true].map { .bool($0) })
    }

    @Test func aNullColumnIsAllNull() throws {
        #expect(try values(HandMadeColumn("n", length: 3, buffers: [])) == [.null, .null, .null])
    }

    @Test("a slice at any offset is read", arguments: [0, 1, 7, 8, 9, 15])
    func slicesAreRead(offset: Int) throws {
        let numbers = (0..<20).map { Int64($0) }
        var column = HandMadeColumn("l", numbers)
        column.buffers[0] = [0b1010_1010, 0b1100_1100, 0b0000_1111]
        column.offset = offset
        let expected: [Value] = numbers[offset...].map { number in
            let byte = [0b1010_1010, 0b1100_1100, 0b0000_1111][Int(number) / 8]
            return byte >> (Int(number) % 8) & 1 == 1 ? .int64(number) : .null
        }
        #expect(try values(column) == expected)
        var text = HandMadeColumn("u", texts: numbers.map { Array("row \($0)".utf8) }, validity: column.buffers[0])
        text.offset = offset
        let texts: [Value] = zip(numbers[offset...], expected).map { $1 == .null ? .null : .text("row \($0)") }
        #expect(try values(text) == texts)
        var flags = HandMadeColumn("b", length: 20, buffers: [nil, column.buffers[0]])
        flags.offset = offset
        #expect(try values(flags) == expected.map { .bool($0 != .null) })
    }

    @Test func theOffsetOfTheBatchAddsToTheColumns() throws {
        var column = HandMadeColumn("l", (0..<10).map { Int64($0) })
        column.offset = 2
        let source = HandMadeSource([column])
        source.parentOffset = 3
        source.rows = 4
        #expect(try source.values() == [.int64(5), .int64(6), .int64(7), .int64(8)])
    }

    @Test func whatStandsUnderANullIsForgotten() throws {
        var column = HandMadeColumn("u", texts: [Array("secret".utf8), Array("b".utf8)], validity: [0b10])
        column.nullCount = 1
        let text = try HandMadeSource([column]).read()[0].batch.columns[0]
        #expect(text.bytes == Array("b".utf8))
        #expect(text.offsets == [0, 0, 1])
        var number = HandMadeColumn("l", [Int64(9), 1])
        number.buffers[0] = [0b10]
        #expect(try HandMadeSource([number]).read()[0].batch.columns[0].int64s == [0, 1])
    }

    @Test func importedColumnsEqualAppendedOnes() throws {
        var column = HandMadeColumn("u", texts: [[], Array("b".utf8), []], validity: [0b1111_1010])
        column.length = 3
        let imported = try HandMadeSource([column]).read()[0].batch.columns[0]
        var appended = Column(.text)
        appended.append(.null)
        appended.append(.text("b"))
        appended.append(.null)
        #expect(imported == appended)
    }

    @Test func aTextThatIsNotUTF8RejectsItsRowOnly() throws {
        let column = HandMadeColumn("u", texts: [Array("a".utf8), [0xC3, 0x28], Array("\u{fc}".utf8)])
        let batch = try HandMadeSource([column]).read()[0]
        #expect(batch.batch.value(0, 0) == .text("a"))
        #expect(batch.batch.value(1, 0) == .null)
        #expect(batch.batch.value(2, 0) == .text("\u{fc}"))
        #expect(batch.rejects.map(\.row) == [1])
        #expect(batch.rejects[0].column == "c")
        #expect(batch.rejects[0].message == "The text is not UTF-8.")
    }

    @Test(
        "a value that cannot be held rejects its row",
        arguments: [
            HandMadeColumn("tsn:", [Int64(1_000), 1_001]), HandMadeColumn("tss:", [Int64(1), .max]),
            HandMadeColumn("ttu", [Int64(0), 86_400_000_001]), HandMadeColumn("tdm", [Int64(0), 1]),
        ])
    func unfitValuesRejectTheirRow(column: HandMadeColumn) throws {
        let batch = try HandMadeSource([column]).read()[0]
        #expect(!batch.batch.columns[0].isNull(0))
        #expect(batch.batch.columns[0].isNull(1))
        #expect(batch.rejects.map(\.row) == [1])
    }

    @Test func statedRejectsAreRead() throws {
        let reject = "{\"column\":\"c\",\"value\":\"x\",\"message\":\"line 2: no\"}"
        var column = HandMadeColumn("l", [Int64(1), 0])
        column.isNullable = false
        column.buffers[0] = [0b01]
        var rejects = HandMadeColumn("u", texts: [[], Array(reject.utf8)], validity: [0b10])
        rejects.name = "__penstock_reject"
        let batch = try HandMadeSource([column, rejects]).read()[0]
        #expect(batch.batch.schema.fields.map(\.name) == ["c"])
        #expect(batch.rejects == [SourceReject(row: 1, column: "c", value: "x", message: "line 2: no")])
    }

    @Test func emptyBatchesArePassedOver() throws {
        let source = HandMadeSource([HandMadeColumn("l", [Int64]())])
        source.batches = 3
        #expect(try source.read().isEmpty)
        #expect(source.arraysOpen == 0)
    }

    @Test func everythingIsGivenBack() throws {
        let source = HandMadeSource([HandMadeColumn("l", [Int64(1)])])
        source.batches = 5
        #expect(try source.read().count == 5)
        #expect(source.arraysOpen == 0)
        #expect(!source.isReadOpen)
        #expect(!source.isSourceOpen)
    }
}

extension HandMadeColumn {
    fileprivate func withLength(_ length: Int) -> HandMadeColumn {
        var copy = self
        copy.length = length
        return copy
    }
}
