// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock reject`.
struct RejectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject", abstract: "Rows that did not make it, with the reason.",
        discussion: "Example: penstock reject show orgs_to_crm",
        subcommands: [List.self, Show.self, Export.self, Replay.self, Resolve.self],
        aliases: ["rejects"])

    @OptionGroup var options: GlobalOptions

    /// `penstock reject list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Count rejects by sync and code.",
            discussion: "Example: penstock reject list")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync; all where none is named.")
        var sync: String?

        func run() throws {
            var listing = Listing(
                kind: "reject.list",
                columns: [.init("SYNC"), .init("CODE"), .init(number: "ROWS"), .init("LAST SEEN"), .init("EXAMPLE")])
            let ending = try Workspace(options).forEachState(of: sync) { file, store in
                for summary in try store.rejectSummary() {
                    let example = RejectText.example(summary.example, file)
                    listing.add(
                        [
                            file.name, summary.code, "\(summary.count.grouped)",
                            options.listed(summary.lastSeenMilliseconds), example,
                        ],
                        .object([
                            "sync": .string(file.name), "code": .string(summary.code), "rows": .integer(summary.count),
                            "last_seen": .string(TimeDisplay.utc(summary.lastSeenMilliseconds)),
                            "example": .string(example),
                        ]))
                }
            }
            listing.emptyNote = "There are no rejects."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            try CommandFailure.end(unlessOK: ending)
        }
    }

    /// `penstock reject show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show rejects of a sync one by one.",
            discussion: "Example: penstock reject show orgs_to_crm --code option-unknown")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Option(name: .long, help: "Only rejects with this code.")
        var code: String?

        @Option(name: .long, help: "How many.")
        var limit: Int = 20

        func run() throws {
            var listing = Listing(
                kind: "reject.show",
                columns: [
                    .init(number: "ROW"), .init("KEY"), .init("STAGE"), .init("CODE"), .init("FIELD"), .init("VALUE"),
                    .init(wrapped: "REASON"),
                ])
            let ending = try Workspace(options).forEachState(of: sync) { file, store in
                for reject in try store.rejects(code: code, limit: limit) {
                    listing.add(
                        [
                            "\(reject.row)", file.shownKey(reject.keyText), reject.stage, reject.code, reject.field,
                            RejectText.value(reject, file), reject.message,
                        ], RejectText.json(reject, file))
                }
            }
            listing.emptyNote = "There are no such rejects."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            try CommandFailure.end(unlessOK: ending)
        }
    }

    /// `penstock reject export`.
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write the rejects of a sync into a file for a spreadsheet.",
            discussion:
                "The columns of the source, then what is wrong. Masked fields are dots.\n\nExample: penstock reject export orgs_to_crm --out rejects.csv"
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Option(name: .long, help: "The file; standard output where none is named.")
        var out: String?

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let file = try workspace.sync(sync, in: project)
            let url = out.map { URL(fileURLWithPath: $0, relativeTo: URL(fileURLWithPath: options.startFolder + "/")) }
            let sink = try OutputSink(url?.path)
            var export = RejectExport(file, options.isMachineReadable ? options.format : .csv)
            // Twice over the rejects, so that no number of them is ever in memory.
            if export.needsColumns {
                try workspace.withState(of: file) { try $0.forEachReject { export.noteColumns(of: $0) } }
            }
            try sink.write(export.head)
            try workspace.withState(of: file) { try $0.forEachReject { try sink.write(export.text(of: $0)) } }
            try sink.write(export.foot)
            try sink.finish()
            if let out, !options.quiet { Terminal.writeError("\(counted(export.count, "reject")) written to \(out)\n") }
        }
    }
}
