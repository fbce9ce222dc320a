// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockNotify
import PenstockProject

/// What the document of a run says to rules of alerts.
enum RunFacts {
    /// The code of an error that says that the budget is used up.
    private static let spentCode = "quota-spent"

    /// The facts.
    static func of(_ file: SyncFile, _ code: ExitCode, _ document: JSON, _ project: Project) -> SyncFacts {
        var facts = SyncFacts(sync: file.name, run: document["run"]?.stringValue)
        facts.due = .onTime
        let error = document["error"]?["code"]?.stringValue
        let message = document["error"]?["message"]?.stringValue ?? document["message"]?.stringValue ?? ""
        switch code {
        case .ok, .data:
            facts.ending = SyncFacts.Ending(failure: nil, message: "")
            let counts = document["counts"]
            facts.rejects = SyncFacts.Rejects(
                rejected: Int64(counts?["rejected"]?.intValue ?? 0), fetched: Int64(counts?["fetched"]?.intValue ?? 0),
                isTooMany: code == .data)
        case .tryLater, .interrupted, .terminated: break
        default:
            facts.ending = SyncFacts.Ending(
                failure: error ?? "failed", message: message.isEmpty ? code.meaning : message)
        }
        // What one run may spend is a limit that somebody has set; nothing is wrong where it is reached.
        if code == .tryLater, error == spentCode, document["rationed"]?.boolValue != true {
            facts.budget = SyncFacts.Budget(left: 0, daily: nil, isSpent: true)
        } else if let left = document["api"]?["left_today"]?.intValue {
            let connection = project.connection(named: file.definition.destination.connection)
            facts.budget = SyncFacts.Budget(
                left: Int64(left), daily: connection?.budget.dailyTokens.map(Int64.init), isSpent: false)
        }
        return facts
    }
}
