// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject
import PenstockState

/// The rejects of a sync as a file, one at a time.
struct RejectExport {
    private let file: SyncFile
    private let format: OutputFormat
    private var columns: [String] = []
    private var known: Set<String> = []
    /// How many rejects were turned into text.
    private(set) var count: Int64 = 0

    /// An export of rejects of `file`.
    init(_ file: SyncFile, _ format: OutputFormat) {
        self.file = file
        self.format = format
    }

    /// Whether every reject must be shown to ``noteColumns(of:)`` before the first text.
    var needsColumns: Bool { format != .json && format != .jsonl }

    /// Takes note of the columns of a row.
    mutating func noteColumns(of reject: RejectRecord) {
        for key in RejectText.record(reject, file).keys where known.insert(key).inserted { columns.append(key) }
    }

    /// What stands before the first reject.
    var head: String {
        switch format {
        case .json: "{\"schema_version\": \"1.0\", \"kind\": \"reject.export\", \"data\": [\n"
        case .jsonl: ""
        case .table, .tsv, .csv: Listing.csv(columns + Self.reasons)
        }
    }

    private static let reasons = ["_row", "_stage", "_code", "_field", "_value", "_message"]

    /// One reject.
    mutating func text(of reject: RejectRecord) -> String {
        count += 1
        switch format {
        case .json: return (count > 1 ? ",\n" : "") + RejectText.json(reject, file).text
        case .jsonl: return RejectText.json(reject, file).text + "\n"
        case .table, .tsv, .csv:
            // A column that came up after the columns were noted, with a run at work, is left out.
            let record = RejectText.record(reject, file)
            let reasons = [
                "\(reject.row)", reject.stage, reject.code, reject.field, RejectText.value(reject, file),
                reject.message,
            ]
            return Listing.csv(columns.map { Self.cell(record[$0]) } + reasons)
        }
    }

    /// What stands behind the last reject.
    var foot: String { format == .json ? "\n]}\n" : "" }

    private static func cell(_ json: JSON?) -> String {
        switch json {
        case nil, .null: ""
        case .string(let text): text
        case .some(let other): other.text
        }
    }
}
