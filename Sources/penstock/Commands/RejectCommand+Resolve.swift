// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

extension RejectCommand {
    /// `penstock reject resolve`.
    struct Resolve: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resolve", abstract: "Say what became of creates whose answer was lost.",
            discussion: """
                Without --adopt, --resend or --drop it lists them. Look at the destination, then say for each row whether \
                its record is there. The run of the sync goes on with penstock run.

                Example: penstock reject resolve orgs_to_crm --key 7 --adopt 1042
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Option(name: .long, help: "The source key of the row, as the list shows it.")
        var key: String?

        @Flag(name: .long, help: "All of them; with --resend or --drop.")
        var all = false

        @Option(name: .long, help: ArgumentHelp("The record with this id is the row's.", valueName: "id"))
        var adopt: String?

        @Flag(name: .long, help: "There is no record: send the row again.")
        var resend = false

        @Flag(name: .long, help: "Leave the row out; whether there is a record does not matter.")
        var drop = false

        func validate() throws {
            let ways = [adopt != nil, resend, drop].count { $0 }
            guard ways <= 1 else { throw ValidationError("Say one of --adopt, --resend and --drop.") }
            guard ways == 0 || all || key != nil else { throw ValidationError("Say which row: --key KEY, or --all.") }
            guard adopt == nil || !all else { throw ValidationError("--adopt is for one row: say --key KEY.") }
            guard adopt?.isEmpty != true else { throw ValidationError("--adopt needs the id of a record.") }
        }

        private var isList: Bool { adopt == nil && !resend && !drop }

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let file = try workspace.sync(sync, in: project)
            guard !isList else { return try list(file, workspace) }
            let store = try workspace.reading(file.name) {
                try workspace.stateForWriting(of: file.name, as: "reject resolve")
            }
            defer { store.close() }
            let settled = try workspace.reading(file.name) { () -> [LedgerEntry] in
                let chosen = try store.lostCreates().filter { all || $0.keyText == key }
                guard !chosen.isEmpty else {
                    throw CommandFailure(
                        .usage, code: "unknown-key",
                        all
                            ? "\(file.name) has no creates whose answer was lost"
                            : "\(file.name) has no create with the key \(key ?? "") whose answer was lost",
                        notes: ["list them: penstock reject resolve \(file.name)"])
                }
                try refuseDoubts(chosen, store, file)
                for entry in chosen { try store.resolve(entry, resolution) }
                return chosen
            }
            if options.isMachineReadable {
                let data: JSON = .object([
                    "sync": .string(file.name), "rows": .integer(Int64(settled.count)), "as": .string(word),
                ])
                Terminal.write(Document(kind: "reject.resolve", data: data).text(options.format))
            } else if !options.quiet {
                Terminal.write("\(file.name): \(counted(Int64(settled.count), "row")) \(word)\n")
                Terminal.write("next: penstock run \(file.name)\n")
            }
        }

        /// Refuses what would give one record to two rows.
        private func refuseDoubts(_ chosen: [LedgerEntry], _ store: StateStore, _ file: SyncFile) throws {
            guard let adopt else { return }
            guard chosen.count == 1 else {
                throw CommandFailure(
                    .usage, code: "ambiguous-key", "\(chosen.count) rows of \(file.name) have the key \(key ?? "")",
                    notes: ["they can only be sent again or dropped together: --resend, --drop"])
            }
            guard try !store.owns(remoteID: adopt) else {
                throw CommandFailure(
                    .usage, code: "record-owned", "the record \(adopt) already stands for a row of \(file.name)")
            }
        }

        private var resolution: LostCreateResolution {
            if let adopt { return .adopt(adopt) }
            return resend ? .resend : .drop
        }

        private var word: String { adopt.map { "taken as record \($0)" } ?? (resend ? "to be sent again" : "left out") }

        private func list(_ file: SyncFile, _ workspace: Workspace) throws {
            var listing = Listing(
                kind: "reject.resolve", columns: [.init("KEY"), .init("SENT"), .init("MARKER")])
            try workspace.withState(of: file) { store in
                for entry in try store.lostCreates() where key == nil || entry.keyText == key {
                    let sent = entry.intent?.startedAtMilliseconds ?? 0
                    listing.add(
                        [file.shownKey(entry.keyText), options.listed(sent), entry.intent?.marker ?? "–"],
                        .object([
                            "key": .string(file.shownKey(entry.keyText)), "sent_at": .string(TimeDisplay.utc(sent)),
                            "marker": entry.intent?.marker.map { .string($0) } ?? .null,
                        ]))
                }
            }
            listing.emptyNote = "There are no creates whose answer was lost."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }
    }
}
