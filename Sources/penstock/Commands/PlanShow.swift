// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel

/// `penstock plan show`: a plan that was kept in a file, without asking anybody.
struct PlanShow {
    /// The word behind `plan`.
    static let word = "show"

    /// The options of the command.
    let options: GlobalOptions
    /// The file, or a sync whose plan was kept under the word `latest`.
    let file: String
    /// The rows that are shown.
    let diff: DiffChoice

    func run() throws {
        let plan = try PlanFiles.opened(try path())
        do {
            try options.isMachineReadable ? showDocument(plan) : showText(plan)
        } catch let problem as PlanFileProblem {
            throw CommandFailure(problem)
        }
    }

    /// The file that is meant: one of this name, else the kept plan of a sync, or of an undo as `SYNC.undo`.
    private func path() throws -> String {
        let path = options.absolute(file)
        if FileManager.default.fileExists(atPath: path) { return path }
        // Without a project there is no plan of a sync.
        if let root = try? Workspace(options).root.get() {
            for name in ["\(file).plan", file] where !name.contains("/") {
                let kept = "\(root)/.penstock/plans/\(name)"
                if FileManager.default.fileExists(atPath: kept) { return kept }
            }
        }
        throw CommandFailure(
            .usage, code: "no-plan", "there is no plan \(file)",
            notes: ["make one: penstock plan SYNC -O \(file)"])
    }

    private func lines(_ plan: SealedPlan, _ name: String) -> String {
        (plan.header.about[name]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: "\n") + "\n"
    }

    private func showText(_ plan: SealedPlan) throws {
        let pager = Pager(isWanted: diff == .all)
        defer { pager.close() }
        let rows = PlanRows(object: plan.header.about["object"]?.stringValue ?? "", width: options.tableWidth)
        pager.write("\(plan.path)   made \(TimeDisplay.local(plan.header.madeAt)) by \(plan.header.madeBy)\n")
        pager.write(lines(plan, "before"))
        var examples = PlanExamples(limit: diff.limit)
        try plan.forEach { entry in
            if diff == .all {
                if !pager.isDone { pager.write(rows.text(entry)) }
            } else {
                examples.add(entry)
            }
        }
        for entry in examples.entries { pager.write(rows.text(entry)) }
        pager.write("\n" + lines(plan, "after"))
        let isKept = plan.path != options.absolute(file)
        let word = isKept ? PlanFiles.latest : file
        let command =
            if plan.header.undoes == nil {
                "run \(plan.header.sync) --plan \(word)"
            } else {
                "undo --plan \(word)" + (isKept ? " --sync \(plan.header.sync)" : "")
            }
        pager.write("\nApply exactly this: penstock \(command)\n")
    }

    private func showDocument(_ plan: SealedPlan) throws {
        var document = plan.header.about["document"]?.objectValue ?? [:]
        document["made_at"] = .string(TimeDisplay.utc(plan.header.madeAt))
        document["made_by"] = .string(plan.header.madeBy)
        document["digest"] = .string(plan.digest)
        if options.format == .jsonl {
            Terminal.write(JSON.object(document).text + "\n")
            return try plan.forEach { Terminal.write(PlanRows.json($0, sync: plan.header.sync)) }
        }
        let documents = PlanDocuments(options.format)
        defer { documents.end() }
        try documents.add(document) { row in
            if diff == .all { return try plan.forEach(row) }
            var examples = PlanExamples(limit: diff.limit)
            try plan.forEach { examples.add($0) }
            examples.entries.forEach(row)
        }
    }
}
