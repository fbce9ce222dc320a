// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

extension RejectCommand {
    /// `penstock reject replay`.
    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: "Send rejects of a sync once more, and nothing else.",
            discussion: """
                Their rows are read again from the source. A reject goes again by itself when its row, the map or the \
                fields of the destination change; this is for what changed elsewhere.

                Example: penstock reject replay orgs_to_crm --code validation
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Option(name: .long, help: "Only rejects with this code.")
        var code: String?

        @Option(name: .long, help: "Only the reject with this source key.")
        var key: String?

        @Option(name: .long, help: "At most so many.")
        var limit: Int64?

        @Flag(name: .long, help: "Only say what would be sent.")
        var dryRun = false

        func validate() throws {
            guard limit ?? 1 > 0 else { throw ValidationError("--limit is a number of rows, 1 or more.") }
        }

        func run() throws {
            let workspace = Workspace(options)
            let project = try workspace.validProject()
            let file = try workspace.sync(sync, in: project)
            let choice = ReplayChoice(code: code, key: key, limit: limit)
            let counts = try count(choice, file, workspace)
            guard !dryRun, !counts.isEmpty else { return show(counts, file) }
            var execution = SyncExecution(workspace, project, options)
            execution.replays = choice
            var lock = try LockFile(root: project.root)
            let (code, json) = try execution.run(file, &lock)
            if options.isMachineReadable {
                Terminal.write(Document(kind: "run", data: .array([json])).text(options.format))
            }
            execution.receipts.close()
            execution.recorder.close()
            try CommandFailure.end(unlessOK: code)
        }

        private func count(_ choice: ReplayChoice, _ file: SyncFile, _ workspace: Workspace) throws -> [String: Int64] {
            var counts: [String: Int64] = [:]
            try workspace.withState(of: file) { store in
                if let unfinished = try store.unfinishedRun(), unfinished.kind != ReplayChoice.runKind {
                    throw CommandFailure(
                        .tryLater, code: "run-unfinished", "\(file.name): run \(unfinished.id) is not finished",
                        notes: ["finish it first: penstock run \(file.name)"])
                }
                counts = try choice.count(store)
            }
            return counts
        }

        private func show(_ counts: [String: Int64], _ file: SyncFile) {
            var listing = Listing(
                kind: "reject.replay", columns: [.init("SYNC"), .init("CODE"), .init(number: "ROWS")])
            for (code, rows) in counts.sorted(by: { $0.key < $1.key }) {
                listing.add(
                    [file.name, code, "\(rows.grouped)"],
                    .object(["sync": .string(file.name), "code": .string(code), "rows": .integer(rows)]))
            }
            listing.emptyNote = "There are no such rejects."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }
}
