// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import Testing

/// What a run writes down beside its state.
@Suite struct RunLogTests {
    @Test func aPieceOfALineSpoilsNoOther() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("run-log-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }  // A file that stays behind does no harm.
        try Data("{\"event\":\"a\"}\n{\"eve".utf8).write(to: URL(fileURLWithPath: path))
        for event in ["b", "c"] {
            let log = RunLog(path, bytesMax: 1_000)
            log.write(.object(["event": .string(event)]))
            log.close()
            #expect(log.problem == nil)
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 4 && lines[1] == "{\"eve")
        // The piece is none of the lines that can be read.
        let events = lines.compactMap { (try? JSON(parsing: String($0)))?["event"]?.stringValue }
        #expect(events == ["a", "b", "c"])
    }
}
