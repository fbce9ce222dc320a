// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock state`.
struct StateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state", abstract: "What is remembered between runs.", discussion: "Example: penstock state show",
        subcommands: [Show.self, Check.self, Export.self, Import.self, Rebuild.self, Reset.self])

    @OptionGroup var options: GlobalOptions

    /// `penstock state show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show watermark, ledger and rejects of syncs.",
            discussion: "Example: penstock state show orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync; all where none is named.")
        var sync: String?

        func run() throws {
            var listing = Listing(
                kind: "state.show",
                columns: [
                    .init("SYNC"), .init("WATERMARK"), .init(number: "LEDGER"), .init(number: "OPEN"),
                    .init(number: "REJECTS"), .init("LAST RUN"),
                ])
            let ending = try Workspace(options).forEachState(of: sync) { file, store in
                try add(file.name, store, &listing)
            }
            listing.emptyNote = "Nothing has run yet."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            try CommandFailure.end(unlessOK: ending)
        }

        private func add(_ name: String, _ store: StateStore, _ listing: inout Listing) throws {
            let counts = try store.countEntries()
            let total = counts.values.reduce(0, +)
            let open = counts.filter { !$0.key.isSettled }.values.reduce(0, +)
            let watermark = try store.watermark()
            let rejects = try store.countRejects()
            let last = try store.lastRun()
            listing.add(
                [
                    name, watermark.map { "\($0.column) \($0.text)" } ?? "–", total.grouped, open.grouped,
                    rejects.grouped,
                    last.map { "\($0.status.rawValue), \(options.listed($0.startedAtMilliseconds))" } ?? "–",
                ],
                .object([
                    "sync": .string(name),
                    "watermark": watermark.map {
                        .object([
                            "column": .string($0.column), "type": .string($0.type.rawValue), "value": .string($0.text),
                        ])
                    } ?? .null,
                    "ledger": .integer(total), "open": .integer(open), "rejects": .integer(rejects),
                    "last_run": last.map { .string($0.id) } ?? .null,
                    "last_status": last.map { .string($0.status.rawValue) } ?? .null,
                ]))
        }
    }

    /// `penstock state reset`.
    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset", abstract: "Forget what is remembered of a sync.",
            discussion: """
                Without the ledger, records that were created for rows are no longer known: the next run may create \
                them again.

                Example: penstock state reset orgs_to_crm --watermark
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Flag(name: .long, help: "Forget the watermark: the next INCREMENTAL run starts from the beginning.")
        var watermark = false

        @Flag(name: .long, help: "Forget the ledger and with it the unfinished run.")
        var ledger = false

        @Flag(name: .long, help: "Forget the rejects.")
        var rejects = false

        @Flag(name: .long, help: "Forget all three.")
        var all = false

        @Flag(name: .long, help: "Do not ask.")
        var yes = false

        func validate() throws {
            guard watermark || ledger || rejects || all else {
                throw ValidationError("Say what to forget: --watermark, --ledger, --rejects or --all.")
            }
        }

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let file = try workspace.sync(sync, in: project)
            try confirm(file.name)
            var kept: String?
            var isAnew = false
            do {
                try forget(workspace, file.name)
            } catch let error as StateError {
                guard all, error.isAboutContent else { throw CommandFailure(error, sync: file.name) }
                kept = try workspace.reading(file.name) {
                    try workspace.stateReplacement(of: file.name, as: "state reset")
                        .startAnew(keepingAs: "damaged-" + StateFiles.stamp)
                }
                isAnew = true
            }
            RecordsCache(root: project.root).forget(file.name)
            if options.isMachineReadable {
                let data: JSON = .object([
                    "sync": .string(file.name), "forgotten": .strings(what),
                    "kept": kept.map { .string($0) } ?? .null,
                ])
                Terminal.write(Document(kind: "state.reset", data: data).text(options.format))
            }
            guard !options.quiet else { return }
            Terminal.writeError("\(file.name): forgotten: \(what.joined(separator: ", "))\n")
            if let kept { Terminal.writeError("  its state could not be used; the file is kept as \(kept)\n") }
            if isAnew, kept == nil { Terminal.writeError("  its state was gone; the next run starts with nothing\n") }
        }

        private func forget(_ workspace: Workspace, _ sync: String) throws {
            let store = try workspace.stateForWriting(of: sync, as: "state reset")
            defer { store.close() }
            if ledger || all, let unfinished = try store.unfinishedRun() {
                try store.abandon(unfinished, at: WallClock.milliseconds)
            }
            try store.reset(watermark: watermark || all, ledger: ledger || all, rejects: rejects || all)
        }

        private var what: [String] {
            [(watermark, "watermark"), (ledger, "ledger"), (rejects, "rejects")].filter { $0.0 || all }.map(\.1)
        }

        private func confirm(_ name: String) throws {
            let things = "the \(what.joined(separator: ", ")) of \(name)"
            try StateFiles.confirm(
                "this forgets \(things)", "Forget \(things)?", refusal: "nothing was forgotten", options, isSaid: yes)
        }
    }
}
