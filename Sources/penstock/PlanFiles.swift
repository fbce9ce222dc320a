// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// Plans in files: where they lie, and what they are made from.
struct PlanFiles {
    /// The word that stands for the plan of a sync that was kept last.
    static let latest = "latest"

    private let workspace: Workspace
    private let project: Project

    /// The plans of a project.
    init(_ workspace: Workspace, _ project: Project) {
        self.workspace = workspace
        self.project = project
    }

    /// The path that a word on the command line means.
    func path(_ word: String, _ file: SyncFile) -> String {
        word == Self.latest
            ? "\(project.root)/.penstock/plans/\(file.name).plan" : workspace.options.absolute(word)
    }

    /// The path that a word on the command line means for the plan of an undo.
    func undoPath(_ word: String, _ sync: String) -> String {
        word == Self.latest ? "\(project.root)/.penstock/plans/\(sync).undo" : workspace.options.absolute(word)
    }

    /// Forgets what is kept for plans of a sync: the destination's fields and records, and the plan under the word
    /// `latest`.
    static func forget(_ sync: String, root: String) {
        FieldsCache(root: root).forget(sync)
        RecordsCache(root: root).forget(sync)
        for ending in ["plan", "undo"] { unlink("\(root)/.penstock/plans/\(sync).\(ending)") }
    }

    /// The plan of an undo: one in a file, or for the word `latest` that of `sync`, or of the only sync that has one.
    ///
    /// - Throws: ``CommandFailure`` 64 where there is none, or it is no plan of an undo; 78 where it is damaged.
    func openUndo(_ word: String, sync: String?) throws -> SealedPlan {
        var names = sync.map { [$0] } ?? []
        if word == Self.latest, sync == nil {
            names = project.syncs.map(\.name).filter {
                FileManager.default.fileExists(atPath: undoPath(word, $0))
            }
            guard names.count < 2 else {
                throw CommandFailure(
                    .usage, code: "ambiguous-plan", "undos of several syncs are kept",
                    notes: ["name the sync: --sync \(names[0])", "syncs: \(names.joined(separator: ", "))"])
            }
        }
        let path = undoPath(word, names.first ?? "")
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(
                .usage, code: "no-plan", "there is no plan of an undo \(word == Self.latest ? "yet" : path)",
                notes: ["make one: penstock undo RUN -O \(word)"])
        }
        let plan = try Self.opened(path)
        guard plan.header.undoes != nil else {
            throw CommandFailure(
                .usage, code: "other-plan", "\(path) is a plan of a run, not of an undo",
                notes: ["penstock run \(plan.header.sync) --plan \(word)"])
        }
        guard sync == nil || sync == plan.header.sync else {
            throw CommandFailure(
                .usage, code: "other-sync", "\(path) undoes a run of \(plan.header.sync), not of \(sync ?? "")",
                notes: ["penstock undo --plan \(word)"])
        }
        return plan
    }

    /// The plan of a sync.
    ///
    /// - Throws: ``CommandFailure`` 64 where there is none, or it is one of another sync; 78 where it is damaged.
    func open(_ word: String, _ file: SyncFile) throws -> SealedPlan {
        let path = path(word, file)
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(
                .usage, code: "no-plan", "\(file.name): there is no plan \(word == Self.latest ? "yet" : path)",
                notes: ["make one: penstock plan \(file.name) -O \(word)"])
        }
        let plan = try Self.opened(path)
        guard plan.header.sync == file.name else {
            throw CommandFailure(
                .usage, code: "other-sync", "\(path) is a plan of \(plan.header.sync), not of \(file.name)",
                notes: ["penstock run \(plan.header.sync) --plan \(path)"])
        }
        guard plan.header.undoes == nil else {
            throw CommandFailure(
                .usage, code: "other-plan", "\(path) is a plan of an undo, not of a run",
                notes: ["penstock undo --plan \(word)"])
        }
        return plan
    }

    /// The plan at a path.
    ///
    /// - Throws: ``CommandFailure``.
    static func opened(_ path: String) throws -> SealedPlan {
        do {
            return try SealedPlan(path: path)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// What a plan of a sync is made from, but for the state.
    func pins(_ file: SyncFile, _ sync: OpenSync) throws -> [PlanPin] {
        let setup = try workspace.setup(file, in: project)
        return try PlanPin.all(setup, sync) + workspace.libraries(of: file, in: project).map(Self.pin)
    }

    /// What the plan of an undo is made from, but for the fields, and what is kept of the run.
    func undoPins(_ file: SyncFile, _ side: SyncSetup.Side) throws -> [PlanPin] {
        let library = try workspace.libraries(of: file, in: project).filter {
            $0.descriptor.id == side.connector.descriptor.id
        }
        return PlanPin.undo(file.definition, side) + library.prefix(1).map(Self.pin)
    }

    private static func pin(_ library: (descriptor: ConnectorDescriptor, sha256: String)) -> PlanPin {
        PlanPin(
            .connector, library.descriptor.id, library.sha256,
            shown: "\(library.descriptor.version), \(library.sha256.prefix(12))")
    }
}

extension CommandFailure {
    /// An end because a file with a plan cannot be used.
    init(_ problem: PlanFileProblem) {
        switch problem.kind {
        case .unreadable: self.init(.usage, code: "plan-file", problem.message)
        case .damaged:
            self.init(
                .config, code: "plan-damaged", problem.message,
                notes: ["nothing was sent; plan again: penstock plan SYNC -O FILE"])
        case .version: self.init(.config, code: "plan-version", problem.message)
        case .unwritable: self.init(.cannotWrite, code: "cannot-write", problem.message)
        case .taken:
            self.init(
                .usage, code: "not-overwritten", problem.message,
                notes: ["only a kept plan is overwritten; give -O another file, or remove this one"])
        }
    }

    /// An end because what a run would do is not what a person wants.
    init(_ refusal: RunRefusal, _ file: SyncFile) {
        switch refusal.kind {
        case .stalePlan:
            self.init(.config, code: refusal.code, "\(file.name): \(refusal.sentence)", notes: refusal.notes)
        case .limit(let name):
            self.init(
                .data, code: refusal.code, "\(file.name): \(refusal.sentence)",
                notes: ["the limit: \(file.limitPlace(name))"] + refusal.notes
                    + (refusal.isPlanned ? [] : ["look first: penstock plan \(file.name)"]) + [
                        "once, where it is meant: penstock run \(file.name) "
                            + refusal.limits.map { "--yes-really \($0.rawValue)" }.joined(separator: " ")
                    ])
        }
    }
}

extension SyncFile {
    /// Where a limit stands, for people.
    func limitPlace(_ name: BlastLimits.Name) -> String {
        guard limits.blast.bounds[name] != nil else {
            return "the usual one; limits.\(name.rawValue) in \(file) changes it, or turns it off"
        }
        let span = position(of: .limit(name))
        return "\(span.file):\(span.line):\(span.column)"
    }

    /// What a plan does not show.
    var planMask: PlanMask {
        PlanMask(
            fields: Set(mask).union(rejects.record == .full ? [] : maskedColumns), hidesKey: shownKey("x") != "x")
    }
}
