// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import ConnectorKit
import ConnectorTesting
import Foundation

/// A folder of the test's own, gone with the test.
final class TestFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("csv-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        // A folder that stays behind is no reason to fail a test.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Writes a file of UTF-8 text and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    /// Opens a source on something in this folder, or on the folder.
    func source(_ name: String = "", _ settings: JSONObject = [:], host: TestHost = TestHost()) throws -> any Source {
        var settings = settings
        settings["path"] = .string(name.isEmpty ? path : path + "/" + name)
        return try CSVConnector().openSource(.object(settings), host: host)
    }
}

/// All rows and rejects of a stream, the rejects counted over all of it.
struct Rows: Equatable {
    var values: [[Value]] = []
    var rejects: [SourceReject] = []
    var batchSizes: [Int] = []

    init(_ stream: any RecordStream) throws {
        while let batch = try stream.next() {
            for reject in batch.rejects {
                var reject = reject
                reject.row += values.count
                rejects.append(reject)
            }
            for row in 0..<batch.batch.rowCount {
                values.append(batch.batch.columns.indices.map { batch.batch.value(row, $0) })
            }
            batchSizes.append(batch.batch.rowCount)
        }
        stream.close()
    }

    /// Reads one file with these bytes.
    static func of(
        _ bytes: [UInt8], _ settings: JSONObject = [:], name: String = "t.csv", columns: [String] = []
    ) throws -> Rows {
        let folder = try TestFolder()
        try folder.write(name, bytes)
        let table = String(name.prefix { $0 != "." })
        return try Rows(try folder.source(name, settings).read(ReadRequest(.object(table), columns: columns)))
    }

    /// Reads one file with this text.
    static func of(
        _ text: String, _ settings: JSONObject = [:], name: String = "t.csv", columns: [String] = []
    ) throws -> Rows {
        try of(Array(text.utf8), settings, name: name, columns: columns)
    }

    /// What the rejects say.
    var messages: [String] { rejects.map(\.message) }
}

/// The error that `body` ends with, or nil.
func failure(_ body: () throws -> Void) -> ConnectorError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ConnectorError
    }
}

/// SplitMix64, for tests that print their seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
