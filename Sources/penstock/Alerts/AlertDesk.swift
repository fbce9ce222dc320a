// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel
import PenstockNotify
import PenstockProject
import PenstockState

/// Holds what is known of syncs against the project's rules, and sends what they say.
///
/// Whatever goes wrong here is said on standard error and changes no exit code.
struct AlertDesk {
    private let workspace: Workspace
    private let project: Project
    private let outbox: AlertOutbox
    private let sender: ChannelSender

    /// The desk of a project.
    init(_ workspace: Workspace, _ project: Project) {
        self.workspace = workspace
        self.project = project
        outbox = AlertOutbox(root: project.root)
        sender = ChannelSender(root: project.root, environment: workspace.environment, version: Version.text)
    }

    /// Takes note of what is known, and sends what is to be told, with what waits from before.
    func tell(_ facts: [SyncFacts], now: Int64 = WallClock.milliseconds) {
        guard !project.alerts.isEmpty else { return }
        let complete = facts.map(withQueue)
        do throws(AlertOutbox.Problem) {
            try outbox.change { book in
                book.take(
                    complete, rules: project.alerts, syncs: Set(project.syncs.map(\.name)), project: project.name,
                    now: now
                ) { RunID.make(milliseconds: now) }
            }
        } catch {
            return Terminal.writeError("warning[alert]: \(error.message)\n")
        }
        for problem in outbox.send(project.alerts, with: sender, now: { max(now, WallClock.milliseconds) }) {
            Terminal.writeError("warning[alert]: \(problem)\n")
        }
    }

    /// Sends a message through every channel of a rule, whatever has been told.
    ///
    /// - Returns: What went wrong, by channel; nil for one that took it.
    func test(_ rule: AlertDefinition, now: Int64 = WallClock.milliseconds) -> [(channel: AlertChannel, String?)] {
        let message = AlertMessage.test(
            rule.name, project: project.name, id: RunID.make(milliseconds: now), now: now)
        return rule.channels.map { channel in
            (channel, sender.send(message, to: channel, timeoutMilliseconds: rule.timeoutMilliseconds))
        }
    }

    /// The facts with the number of rejects that are waiting.
    private func withQueue(_ facts: SyncFacts) -> SyncFacts {
        var facts = facts
        guard facts.queue == nil, let folder = try? workspace.stateFolder() else { return facts }
        // A state that cannot be read is told of by the run itself.
        let store = try? StateStore.openForReading(folder: folder, sync: facts.sync)
        facts.queue = try? store?.countRejects()
        return facts
    }
}
