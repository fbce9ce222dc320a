// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockProject

/// Looks for what no run can tell of: syncs that are overdue, budgets that run low, runs whose process died.
///
/// Any number of processes may do so at once; an alert is sent once all the same.
struct AlertSweep {
    private let workspace: Workspace
    private let project: Project

    /// A sweep over the syncs of a project.
    init(_ workspace: Workspace, _ project: Project) {
        self.workspace = workspace
        self.project = project
    }

    /// Sends what is to be told of syncs that have been looked at just now; what goes wrong is said on standard error.
    ///
    /// - Parameter now: Milliseconds since 1970.
    func tell(_ healths: [SyncHealth], now: Int64) {
        AlertDesk(workspace, project).tell(healths.map(\.facts), now: now)
    }
}
