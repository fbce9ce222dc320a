// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How every sync is: its last run, rejects, the next run.",
        discussion: """
            It asks nobody: everything is from what is kept here.

            Example: penstock status --check
            """)

    @OptionGroup var options: GlobalOptions

    @Flag(
        name: .long,
        help: "Exit with 3 where something has failed or is overdue, and send the alerts that are due.")
    var check = false

    @Flag(name: .long, help: "Show it again every two seconds, on a terminal.")
    var watch = false

    func validate() throws {
        if check, watch { throw ValidationError("--check looks once, and --watch goes on: give one of them.") }
    }

    func run() throws {
        guard !watch else { return try watchOn() }
        let workspace = Workspace(options)
        let (project, diagnostics) = try workspace.loadProject()
        let now = WallClock.milliseconds
        var look = HealthCheck(workspace, project, now: now)
        let healths = try look.look()
        Terminal.write(text(healths))
        guard check else { return try CommandFailure.end(unlessOK: look.ending) }
        AlertSweep(workspace, project).tell(healths, now: now)
        // A project that cannot be run is overdue soon: a probe says so at once.
        try workspace.report(diagnostics.filter { $0.severity == .error }, project)
        try CommandFailure.end(unlessOK: look.ending)
        if healths.contains(where: \.needsAttention) { throw CommandFailure(silently: .attention) }
    }

    private func watchOn() throws {
        guard Terminal.outputIsTerminal, !options.isMachineReadable else {
            throw CommandFailure(
                .usage, code: "usage", "--watch draws on a terminal, and this is none",
                notes: ["look once: penstock status --json"])
        }
        repeat {
            let workspace = Workspace(options)
            let (project, _) = try workspace.loadProject(resolves: false)
            var look = HealthCheck(workspace, project, now: WallClock.milliseconds)
            let page = text(try look.look())
            Terminal.write("\u{1B}[H\u{1B}[2J\(page)\n\(TimeDisplay.local(WallClock.milliseconds))   Ctrl-C ends\n")
        } while !Interruption.cancellation.wait(milliseconds: 2_000)
        throw CommandFailure.stopped
    }

    private func text(_ healths: [SyncHealth]) -> String {
        var listing = Listing(
            kind: "status",
            columns: [
                .init("SYNC"), .init("STATE"), .init("LAST RUN"), .init(number: "REJECTS"), .init("NEXT RUN"),
                .init(number: "BUDGET LEFT"),
            ])
        for health in healths {
            let remark = health.needsAttention ? health.advice : nil
            listing.add(
                [
                    health.file.name, health.word, health.last.map { options.listed($0.startedAt) } ?? "never",
                    health.rejects?.grouped ?? "-", health.next.map { options.listed($0) } ?? "-",
                    health.budgetLeft?.grouped ?? "-",
                ], health.json, remark: remark)
        }
        listing.remarkTitle = "REMARK"
        listing.emptyNote = "The project has no syncs; make one: penstock sync new"
        return listing.text(options.format, width: options.tableWidth)
    }
}

extension SyncHealth {
    /// What is wrong, and what to do.
    var advice: String {
        var sentences: [String] = []
        switch state {
        case .failed:
            let message = last?.message ?? ""
            sentences.append(message.isEmpty ? "it failed" : message)
            sentences.append("penstock history show \(last?.id ?? "latest")")
        case .died: sentences.append("the process of its run ended without a word; penstock run \(file.name) goes on")
        case .partial:
            sentences.append("more rows were rejected than allowed; penstock reject list \(file.name)")
        default: break
        }
        if let overdueSince { sentences.append("it should have run at \(TimeDisplay.local(overdueSince))") }
        return sentences.joined(separator: "; ")
    }
}
