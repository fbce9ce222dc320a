// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

extension StateCommand {
    /// `penstock state export`.
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: "Write the state of a sync to a file for keeping.",
            discussion: """
                The file holds the state as it is at one moment, also while a run is at work, with a checksum over the \
                whole. It holds rejected rows.

                Example: penstock state export orgs_to_crm orgs.state
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Argument(help: ArgumentHelp("The file to write.", valueName: "file"))
        var path: String

        @Flag(name: .long, help: "Overwrite the file without asking.")
        var yes = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let file = try workspace.sync(sync, in: project)
            if FileManager.default.fileExists(atPath: path) {
                try StateFiles.confirm(
                    "\(path) is there already, and this overwrites it", "Overwrite \(path)?",
                    refusal: "nothing was written", options, isSaid: yes)
            }
            let archive = try workspace.reading(file.name) {
                let marks = try workspace.marks(of: file.name)
                let folder = try workspace.stateFolder()
                guard let store = try StateStore.openForReading(folder: folder, sync: file.name, marks: marks) else {
                    throw CommandFailure(.usage, code: "no-state", "\(file.name): there is no state: it never ran")
                }
                try StateArchive.export(store, to: path, at: WallClock.milliseconds)
                return try StateArchive(path: path)
            }
            if options.isMachineReadable {
                let data: JSON = .object([
                    "sync": .string(file.name), "file": .string(path), "run": .integer(archive.run),
                ])
                Terminal.write(Document(kind: "state.export", data: data).text(options.format))
            }
            if !options.quiet { Terminal.writeError("\(file.name): exported at run \(archive.run) to \(path)\n") }
        }
    }

    /// `penstock state import`.
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Put an exported state in place of the one that is there.",
            discussion: """
                What the sync did since the export is then not remembered: rows sent since may be created again, \
                unless penstock state rebuild finds them. The file that was there is kept.

                Example: penstock state import orgs_to_crm orgs.state
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Argument(help: ArgumentHelp("The export.", valueName: "file"))
        var path: String

        @Flag(name: .long, help: "Do not ask.")
        var yes = false

        func run() throws {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            let file = try workspace.sync(sync, in: project)
            let kept = try workspace.reading(file.name) {
                let archive = try read(file.name)
                try confirm(archive, try workspace.marks(of: file.name))
                let replacement = try workspace.stateReplacement(of: file.name, as: "state import")
                // The state that comes may fit records that were kept before runs which it does not know.
                RecordsCache(root: project.root).forget(file.name)
                return try replacement.install(archive, keepingAs: "replaced-" + StateFiles.stamp)
            }
            if options.isMachineReadable {
                let data: JSON = .object([
                    "sync": .string(file.name), "file": .string(path), "kept": kept.map { .string($0) } ?? .null,
                ])
                Terminal.write(Document(kind: "state.import", data: data).text(options.format))
            }
            guard !options.quiet else { return }
            Terminal.writeError("\(file.name): imported from \(path)\n")
            if let kept { Terminal.writeError("  the state that was there is kept as \(kept)\n") }
        }

        private func read(_ name: String) throws -> StateArchive {
            let archive: StateArchive
            do {
                archive = try StateArchive(path: path)
            } catch StateError.damaged(let what) {
                throw CommandFailure(.cannotWrite, code: "export-damaged", "\(name): \(what); nothing was changed")
            }
            guard archive.sync == name else {
                throw CommandFailure(
                    .usage, code: "export-sync", "\(path) holds the state of \(archive.sync), not of \(name)",
                    notes: ["a sync that was renamed: rename its state files with it, see docs/reference/state.md"])
            }
            guard archive.version <= StateSchema.version else { throw StateError.newer(archive.version) }
            return archive
        }

        private func confirm(_ archive: StateArchive, _ marks: StateMarks) throws {
            let name = archive.sync
            let made = TimeDisplay.utc(archive.madeAtMilliseconds)
            var notes = ["it was exported at \(made), after run \(archive.run)"]
            if let sentence = try archive.staleness(against: marks) {
                notes += [
                    sentence,
                    "rows sent since may be created a second time, unless they are found first: "
                        + "penstock state rebuild \(name)",
                ]
            }
            try StateFiles.confirm(
                "this replaces the state of \(name) by that of \(path)", "Replace the state of \(name)?",
                notes: notes, refusal: "nothing was changed", options, isSaid: yes)
        }
    }
}
