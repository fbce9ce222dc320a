// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockModel
import PenstockProject
import PenstockState

extension StateCommand {
    /// `penstock state check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Look the state files through: every page, every row, every mark.",
            discussion: "Exits with 73 where one is damaged, gone, or not the newest.\n\nExample: penstock state check")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync; all where none is named.")
        var sync: String?

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            var listing = Listing(
                kind: "state.check",
                columns: [
                    .init("SYNC"), .init("STATE"), .init(number: "ROWS"), .init(number: "PAGES"),
                    .init(number: "RUN"), .init(number: "CHANGE"),
                ])
            var codes: [ExitCode] = []
            for file in try sync.map({ [try workspace.sync($0, in: project)] }) ?? project.syncs {
                do {
                    try check(file.name, workspace, &listing)
                } catch let failure as CommandFailure {
                    Terminal.writeError(failure.message + "\n")
                    listing.add(
                        [file.name, failure.code, "–", "–", "–", "–"],
                        .object([
                            "sync": .string(file.name), "state": .string(failure.code),
                            "message": .string(failure.sentence),
                        ]))
                    codes.append(failure.exitCode)
                }
            }
            listing.emptyNote = "Nothing has run yet."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
        }

        private func check(_ name: String, _ workspace: Workspace, _ listing: inout Listing) throws {
            try workspace.reading(name) {
                let marks = try workspace.marks(of: name)
                let folder = try workspace.stateFolder()
                guard let store = try StateStore.openForReading(folder: folder, sync: name, marks: marks) else {
                    return
                }
                let found = try store.inspect()
                listing.add(
                    [name, "ok", found.rows.grouped, found.pages.grouped, found.run.grouped, found.sequence.grouped],
                    .object([
                        "sync": .string(name), "state": .string("ok"), "rows": .integer(found.rows),
                        "pages": .integer(found.pages), "run": .integer(found.run),
                        "change": .integer(found.sequence),
                    ]))
            }
        }
    }
}
