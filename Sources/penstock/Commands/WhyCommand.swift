// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// `penstock why`.
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Why one row is as it is at the destination.",
        discussion: """
            Looks the row up at the source, in the state, among the rejects and in what was sent. It sends no row and \
            writes nothing; the destination is asked for its fields, as a plan does.

            Example: penstock why orgs_to_crm A-2291
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The sync.")
    var sync: String

    @Argument(help: "The source key; of a key with several columns, one value each, in order.")
    var key: [String]

    @Flag(name: .long, help: "Read the record at the destination, too, and compare.")
    var online = false

    @Flag(name: .long, help: "Ask nobody: only what is kept here.")
    var offline = false

    func validate() throws {
        if online, offline { throw ValidationError("--online asks the destination, and --offline nobody: give one.") }
        guard !key.isEmpty else { throw ValidationError("the source key is missing: penstock why SYNC KEY") }
    }

    func run() throws {
        let workspace = Workspace(options)
        let project = offline ? try workspace.loadProject(resolves: false).project : try workspace.validProject()
        let file = try workspace.sync(sync, in: project)
        let text = key.joined(separator: ", ")
        var story: RowStory?
        try workspace.withState(of: file) { store in
            story = try RowStory(text, store)
            let runs = try store.runs(limit: .max).map(\.id)
            story?.readRequests(runs, RunFolders(root: project.root))
        }
        var inspection: RowInspection?
        var columns = file.definition.source.key
        var blindness: String? = offline ? "--offline asks nobody" : nil
        if !offline {
            do {
                (inspection, columns) = try inspect(file, story, workspace, project)
            } catch let failure as CommandFailure where story != nil && failure.exitCode != .interrupted {
                // What is kept here can be told without the source.
                blindness = failure.sentence.isEmpty ? "it cannot be opened" : failure.sentence
            }
        }
        let report = WhyReport(file: file, key: text, story: story, inspection: inspection, blindness: blindness)
        Terminal.write(
            options.isMachineReadable
                ? Document(kind: "why", data: report.json).text(options.format) : report.text(width: options.tableWidth)
        )
        if story == nil, inspection == nil {
            throw CommandFailure(
                .usage, code: "unknown-row", "neither \(file.name) nor its source knows the key \"\(text)\"",
                notes: columns.isEmpty
                    ? ["a row is named by its source key; see source.key"]
                    : ["the key is: \(columns.joined(separator: ", "))"])
        }
    }

    private func inspect(
        _ file: SyncFile, _ story: RowStory?, _ workspace: Workspace, _ project: Project
    ) throws -> (row: RowInspection?, key: [String]) {
        let lock = try LockFile(root: project.root)
        let sync = try SyncPreparation(workspace, project, file, lock, isPlan: true).open()
        defer { sync.close() }
        let folder = try workspace.stateFolder()
        do {
            let store = try StateStore.openForReading(folder: folder, sync: file.name)
            let hasRecord = story?.entry?.remoteID != nil
            let row = try RowInspector(sync, stateFolder: folder).inspect(
                key, store, remoteID: online ? story?.entry?.remoteID : nil,
                createFault: hasRecord ? nil : story?.reject?.code)
            return (row, sync.keyColumns)
        } catch let error as StateError {
            throw CommandFailure(error, sync: file.name)
        } catch {
            throw CommandFailure(stopping: error, sync: file.name)
        }
    }
}
