// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import ConnectorKit
import ConnectorTesting
import Foundation

extension FuzzTarget {
    /// The CSV connector: a file of any bytes is refused with a reason, or becomes batches in which everything agrees.
    static let csvTable = FuzzTarget(
        "csv-table",
        pieces: [
            "\n", ",", "\"", "a,b\n", "2026-02-29", "12:30:00", "2026-01-01T00:00:00Z", "1e400", "-0", "true", "{}",
            "\u{FEFF}", "99999999999999999999", "\\N",
        ]
    ) { bytes, isPlanted in
        var input = FuzzInput(bytes)
        var settings = JSONObject()
        settings["path"] = .string(scratch)
        settings["header"] = .bool(input.flag())
        settings["trim"] = .bool(input.flag())
        settings["encoding"] = .string(CSVEncoding.allCases[input.choice(3)].rawValue)
        settings["null"] = .string(CSVSettings.NullRule.allCases[input.choice(3)].rawValue)
        let first = CSVType.allCases[input.choice(CSVType.allCases.count)]
        let second = CSVType.allCases[input.choice(CSVType.allCases.count)]
        let names = settings["header"] == .bool(true) ? ["a", "b"] : ["c1", "c2"]
        let types: JSONObject = [names[0]: .string(first.rawValue), names[1]: .string(second.rawValue)]
        settings["types"] = .object(types)
        let rowsMax = 1 + input.choice(7)
        do {
            try Data(input.rest).write(to: URL(fileURLWithPath: scratch))
            let source = try CSVConnector().openSource(.object(settings), host: TestHost())
            let stream = try source.read(ReadRequest(.object("table"), batchRowsMax: rowsMax))
            defer { stream.close() }
            while let batch = try stream.next() {
                if let fault = BatchCheck.fault(batch) { return fault }
                if batch.batch.rowCount > rowsMax { return "a batch has more rows than were asked for" }
                // The planted fault: a date in the second column and a reject in the same batch.
                let hasDate = batch.batch.columns.count > 1 && batch.batch.columns[1].type == .date
                if isPlanted, hasDate, !batch.rejects.isEmpty { return "planted" }
            }
        } catch let error as ConnectorError {
            return error.message.isEmpty || error.code == .broken ? "an error without a reason: \(error)" : nil
        } catch {
            return "another error: \(error)"
        }
        return nil
    }

    private static let scratch = FuzzScratch.folder + "/table.csv"
}

/// A folder in memory for the files of this process, gone with it.
enum FuzzScratch {
    static let folder: String = {
        let parent = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let folder = parent + "/penstock-fuzz-\(getpid())"
        // A folder that cannot be made shows in the first write.
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: FuzzScratch.folder) }  // Nothing depends on its going.
        return folder
    }()
}
