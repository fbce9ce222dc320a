// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

extension StateCommand {
    /// `penstock state rebuild`.
    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild", abstract: "Make a lost state anew from the markers in the records.",
            discussion: """
                Reads every record with a marker once, and the source; writes nothing at the destination. The state that \
                was there is kept beside the new one.

                Example: penstock state rebuild orgs_to_crm
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        @Flag(name: .long, help: "Do not ask.")
        var yes = false

        @Flag(
            inversion: .prefixedNo,
            help: "Wait until no request of an earlier run can be carried out any more: some minutes after it.")
        var wait = true

        func run() throws {
            let workspace = Workspace(options)
            let project = try workspace.validProject()
            let file = try workspace.sync(sync, in: project)
            let folder = try workspace.stateFolder()
            try refuseOutgrown(file.name, folder)
            if FileManager.default.fileExists(atPath: "\(folder)/\(file.name).db") {
                try StateFiles.confirm(
                    "this puts a new state in place of that of \(file.name)",
                    "Put a new state in place of that of \(file.name)?", refusal: "nothing was changed", options,
                    isSaid: yes)
            }
            let draft = "\(folder)/.rebuild-\(file.name)"
            let report = try workspace.reading(file.name) {
                // Held for all of it, so that no run begins meanwhile.
                let replacement = try workspace.stateReplacement(of: file.name, as: "state rebuild")
                RecordsCache(root: project.root).forget(file.name)
                defer {
                    // What is left of a rebuild that failed is cleared by the next one.
                    try? FileManager.default.removeItem(atPath: draft)
                }
                try? FileManager.default.removeItem(atPath: draft)  // The same.
                if wait { try waitForRequests(file, try workspace.marks(of: file.name)) }
                let report = try rebuild(file, workspace, project, draft)
                let archive = try StateArchive(path: "\(draft)/archive")
                _ = try replacement.install(archive, keepingAs: "replaced-" + StateFiles.stamp)
                return report
            }
            show(report, file)
        }

        /// Refuses where the markers are not known again, so that a state without rows would be made.
        private func refuseOutgrown(_ sync: String, _ folder: String) throws {
            do {
                _ = try StateStore.openForReading(folder: folder, sync: sync)
            } catch StateError.outgrown(let version) {
                throw CommandFailure(StateError.outgrown(version), sync: sync)
            } catch {
                // What else is wrong with it is what a new one is made for.
            }
        }

        /// Waits until the last request of an earlier run has been carried out or never will be.
        private func waitForRequests(_ file: SyncFile, _ marks: StateMarks) throws {
            guard let last = marks.lastWrittenMilliseconds else { return }
            // The longest that a request may be on its way, and what may come after it.
            let due = last + 300_000 + file.definition.insert.settleMilliseconds
            var isSaid = options.quiet
            while case let left = due - WallClock.milliseconds, left > 0 {
                if !isSaid {
                    Terminal.writeError(
                        "\(file.name): waiting \((left + 999) / 1_000) s, as a request of the last run may still be carried "
                            + "out (--no-wait goes on at once)\n")
                    isSaid = true
                }
                if Interruption.cancellation.wait(milliseconds: min(left, 1_000)) { throw CommandFailure.stopped }
            }
        }

        private func rebuild(
            _ file: SyncFile, _ workspace: Workspace, _ project: Project, _ draft: String
        ) throws -> StateRebuilder.Report {
            let open = try SyncPreparation(workspace, project, file, try LockFile(root: project.root)).open()
            defer { open.close() }
            let owner = LockOwner(
                pid: ProcessInfo.processInfo.processIdentifier, runID: "state rebuild",
                startedAtMilliseconds: WallClock.milliseconds)
            let store = try StateStore.openForWriting(
                folder: draft, sync: file.name, owner: owner, allowsNetworkDisk: workspace.allowsNetworkState)
            defer { store.close() }
            do {
                let report = try StateRebuilder(open, into: store, folder: try workspace.stateFolder()).rebuild()
                try StateArchive.export(store, to: "\(draft)/archive", at: WallClock.milliseconds)
                return report
            } catch let stop as RunStop {
                throw CommandFailure(stopping: stop, sync: file.name)
            }
        }

        private func show(_ report: StateRebuilder.Report, _ file: SyncFile) {
            if options.isMachineReadable {
                let data: JSON = .object([
                    "sync": .string(file.name), "records": .integer(report.records), "rows": .integer(report.rows),
                    "found": .integer(report.found),
                    "duplicates": .array(
                        report.duplicates.map {
                            .object(["key": .string(file.shownKey($0.key)), "ids": .strings($0.ids)])
                        }),
                ])
                Terminal.write(Document(kind: "state.rebuild", data: data).text(options.format))
            } else if !options.quiet {
                Terminal.write(
                    "\(file.name): \(counted(report.records, "record")) with a marker, \(counted(report.rows, "row")) in "
                        + "the source, \(report.found.grouped) of them found again\n")
            }
            for duplicate in report.duplicates {
                Terminal.writeError(
                    "warning[duplicate-marker]: \(file.name): the records \(duplicate.ids.joined(separator: " and ")) carry "
                        + "the marker of \(file.shownKey(duplicate.key))\n")
            }
        }
    }
}
