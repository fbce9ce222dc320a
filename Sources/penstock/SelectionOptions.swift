// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockModel
import PenstockProject
import PenstockState

/// Options that say which syncs a command is about.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Syncs by name, glob, tag:, connection:, object: or result:; repeat it for more.", valueName: "selector"))
    var select: [String] = []

    @Option(name: .long, help: ArgumentHelp("Leave these out; as --select.", valueName: "selector"))
    var exclude: [String] = []

    @Flag(name: .long, help: "Do nothing, and not fail, where nothing is selected.")
    var allowEmpty = false

    /// Whether anything is said.
    var isGiven: Bool { !select.isEmpty || !exclude.isEmpty }
}

extension Workspace {
    /// The syncs of a selection, in the order of the project.
    ///
    /// - Parameters:
    ///   - names: Names that are taken beside what is selected; no globs.
    ///   - enabledOnly: Whether a disabled sync is taken only where it is named.
    /// - Throws: ``CommandFailure`` 64 where something fits nothing, with the nearest word.
    func selected(
        _ options: SelectionOptions, and names: [String] = [], in project: Project, enabledOnly: Bool = false
    ) throws -> [SyncFile] {
        for name in names { _ = try sync(name, in: project) }
        let selection = SyncSelection(
            selected: try (options.select + names).map(selector), excluded: try options.exclude.map(selector))
        let asksResults = (selection.selected + selection.excluded).contains { $0.method == .result }
        let last = asksResults ? try History(self).entries : []
        let outcome = selection.of(project.syncs, enabledOnly: enabledOnly) { file in
            LastResult(last.first { $0.sync == file.name })
        }
        if options.allowEmpty { return outcome.syncs }
        if let empty = outcome.empty.first {
            let kind = empty.selector.method == .name ? "sync" : empty.selector.method.rawValue
            throw Suggestion.failure(empty.selector.pattern, kind, empty.words)
        }
        guard outcome.syncs.isEmpty, options.isGiven else { return outcome.syncs }
        let names = project.syncs.map(\.name).joined(separator: ", ")
        throw CommandFailure(
            .usage, code: "nothing-selected", "no sync is selected",
            notes: ["where that is right: --allow-empty", "syncs: \(names)"])
    }

    private func selector(_ text: String) throws(CommandFailure) -> SyncSelector {
        do {
            return try SyncSelector(text)
        } catch {
            throw CommandFailure(.usage, code: "selector", error.message, notes: [error.suggestion])
        }
    }

    /// The last run of a sync, or nil; the state is only read.
    func lastRun(of sync: String) throws(CommandFailure) -> RunRecord? {
        do {
            return try StateStore.openForReading(folder: try stateFolder(), sync: sync)?.lastRun()
        } catch let error as StateError {
            throw CommandFailure(error, sync: sync)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.fault, code: "internal", "\(sync): \(error)")
        }
    }
}

extension LastResult {
    /// How the newest run of a sync ended, also one that could not begin; nil for none.
    init(_ entry: HistoryEntry?) {
        self =
            switch entry?.result {
            case nil: .never
            case .ok: .ok
            case .partial: .partial
            case .failed, .unfinished, .abandoned: .failed
            }
    }
}
