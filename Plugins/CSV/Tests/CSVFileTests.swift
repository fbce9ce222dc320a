// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import ConnectorKit
import Foundation
import Testing

@Suite struct CSVFileTests {
    @Test(
        "an encoding is read as its characters",
        arguments: [
            ("latin-1", [0xE9, 0x80, 0xFF], "é\u{80}ÿ"), ("windows-1252", [0xE9, 0x80, 0x9F], "é€Ÿ"),
            ("utf-8", [0xC3, 0xA9, 0xF0, 0x9F, 0x98, 0x80], "é\u{1F600}"),
        ] as [(String, [UInt8], String)])
    func anEncodingIsReadAsItsCharacters(encoding: String, bytes: [UInt8], text: String) throws {
        let file = Array("a,b\n1,\"".utf8) + bytes + Array("\"\n".utf8)
        #expect(try Rows.of(file, ["encoding": .string(encoding)]).values == [[.text("1"), .text(text)]])
    }

    @Test func aByteThatWindows1252LacksIsAReject() throws {
        let file = Array("a,b\n1,x".utf8) + [0x81] + Array("\n2,y\n".utf8)
        let rows = try Rows.of(file, ["encoding": .string("windows-1252")])
        #expect(rows.messages == ["line 2, column 2 (b): the byte 0x81 is not a character of windows-1252."])
        #expect(rows.values == [[.null, .null], [.text("2"), .text("y")]])
    }

    @Test func aMarkOfUTF8IsSkipped() throws {
        let file = [0xEF, 0xBB, 0xBF] + Array("a,b\n1,2\n".utf8)
        #expect(try Rows.of(file, columns: ["a"]).values == [[.text("1")]])
        #expect(failure { _ = try Rows.of(file, ["encoding": .string("latin-1")]) }?.code == .badData)
    }

    @Test(
        "a file that is no text says what it is",
        arguments: [
            ([0xFF, 0xFE, 0x61, 0], "is UTF-16, which is not read; save it as UTF-8."),
            ([0xFE, 0xFF, 0, 0x61], "is UTF-16, which is not read; save it as UTF-8."),
            ([0x1F, 0x8B, 8], "is compressed with gzip, which is not read; unpack it."),
            ([0x50, 0x4B, 3, 4], "is a ZIP archive or a spreadsheet, which is not read; save it as CSV."),
            ([0x61, 0, 0x2C, 0], "there is a NUL byte; remove it. The file may be UTF-16: save it as UTF-8."),
        ] as [([UInt8], String)])
    func aFileThatIsNoTextSaysSo(bytes: [UInt8], message: String) throws {
        let error = failure { _ = try Rows.of(bytes) }
        #expect(error?.code == .badData)
        #expect(error?.message.hasSuffix(message) == true, "\(error?.message ?? "")")
    }

    @Test(
        "a header that names no columns is an error with its line",
        arguments: [
            ("", "t.csv has no header line; write the names of the columns into its first line."),
            ("\n\n", "t.csv has no header line; write the names of the columns into its first line."),
            ("a,,b\n", "t.csv, line 1, column 2: the column has no name; give it one."),
            ("a,b,\n", "t.csv, line 1, column 3: the column has no name; give it one."),
            (
                "a,b,\"a\"\n",
                "t.csv, line 1: the columns 1 and 3 are both named a; rename one of them."
            ),
            ("\na,a\n", "t.csv, line 2: the columns 1 and 2 are both named a; rename one of them."),
            (
                "a,\"b\n1,2\n",
                "t.csv, line 1, column 2: the quote that opens here is not closed before the file ends."
            ),
        ])
    func aBadHeaderIsAnError(text: String, message: String) throws {
        let error = failure { _ = try Rows.of(text) }
        #expect(error?.code == .badData)
        #expect(error?.message.hasSuffix(message) == true, "\(error?.message ?? "")")
    }

    @Test("buffers of any size read alike", arguments: [1, 5, 64, 1 << 18])
    func buffersOfAnySizeReadAlike(size: Int) throws {
        let folder = try TestFolder()
        let path = try folder.write("t.csv", "a,b\r\n\"1\r\n2\",é\r\n3,4\r\n")
        let settings = try CSVSettings(.object(["path": .string(path)] as JSONObject))
        var file = try CSVFile(try CSVTables.find(path)[0], settings, bufferSize: size)
        var records: [[String]] = []
        reading: while true {
            switch file.scanner.next() {
            case .record: records.append(file.scanner.fields.map { file.scanner.text($0) })
            case .needsInput: try file.refill()
            case .end: break reading
            }
        }
        #expect(records == [["1\r\n2", "é"], ["3", "4"]])
        #expect(file.columns == ["a", "b"])
    }

    private func open(_ folder: TestFolder, rows: Int, end: String) throws -> (any RecordStream, FileHandle) {
        let text = "a,b\n" + String(repeating: "1,0123456789012345678901234567\n", count: rows) + end
        let path = try folder.write("t.csv", text)
        let stream = try folder.source().read(ReadRequest(.object("t")))
        return (stream, try #require(FileHandle(forUpdatingAtPath: path)))
    }

    @Test func rowsAddedDuringTheReadAreNotRead() throws {
        let folder = try TestFolder()
        let (stream, handle) = try open(folder, rows: 20_000, end: "")
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("2,new\n".utf8))
        #expect(try Rows(stream).values.count == 20_000)
    }

    @Test func aHalfWrittenLastLineIsAnError() throws {
        let folder = try TestFolder()
        let (stream, handle) = try open(folder, rows: 20_000, end: "2,hal")
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("f\n".utf8))
        let error = failure { _ = try Rows(stream) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("its last line (20002) may be incomplete") == true)
    }

    @Test func aLastLineWithoutLineEndIsReadWhereNothingWasAdded() throws {
        let folder = try TestFolder()
        let (stream, _) = try open(folder, rows: 1, end: "2,whole")
        #expect(try Rows(stream).values.last == [.text("2"), .text("whole")])
    }

    @Test func aFileThatShrinksDuringTheReadIsAnError() throws {
        let folder = try TestFolder()
        let (stream, handle) = try open(folder, rows: 20_000, end: "")
        try handle.truncate(atOffset: 300_000)
        #expect(failure { _ = try Rows(stream) }?.code == .unavailable)
    }
}
