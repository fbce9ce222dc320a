// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Synchronization
import Testing

/// One fault in one run of a scenario, and the runs after it.
struct CrashRun {
    /// What came of it.
    struct Outcome: Sendable {
        /// The fault as it was in the end.
        var point: CrashPoint
        /// Whether the fault happened.
        var hasFired: Bool
        /// How the run with the fault ended.
        var status: Int32
        /// How many runs it took after that.
        var runs = 0
        /// What is wrong, a sentence each.
        var faults: [String] = []
    }

    let scenario: CrashScenario

    /// How often each system call is made by a run that nothing happens to.
    func calls() throws -> [String: Int] {
        let project = try scenario.project()
        let log = project.folder + "/calls"
        let result = try project.run(
            program: Strace.program, ["-f", "-qq", "-e", "signal=none", "-o", log, Program.penstock, "run"])
        try #require(result.status == 0, "\(result.everything)")
        try #require(try scenario.faults(project) == [], "without a fault everything is as it should be")
        return try Strace.calls(in: log)
    }

    /// Runs with the fault, and then without until everything is settled.
    func outcome(of point: CrashPoint) throws -> Outcome {
        let project = try scenario.project()
        let log = project.folder + "/calls"
        let result = try project.run(
            program: Strace.program, point.arguments + ["-o", log, Program.penstock, "run"])
        var outcome = Outcome(point: point, hasFired: false, status: result.status)
        if point.fault == .kill {
            outcome.hasFired = result.wasKilled && result.status == SIGKILL
        } else {
            outcome.hasFired = try String(contentsOfFile: log, encoding: .utf8).contains("(INJECTED)")
            if result.wasKilled { outcome.faults.append("it crashed with signal \(result.status)") }
        }
        outcome.faults += try goOn(project, &outcome.runs)
        outcome.faults += diskFaults(outcome, result)
        outcome.faults += try scenario.faults(project)
        let check = try project.penstock("state", "check")
        if check.status != 0 { outcome.faults.append("the state is not whole: \(check.everything)") }
        return outcome
    }

    /// A disk that fails for ever ends the run with the code for it; only where it fails when the run has been written
    /// down to its end, and the file is being closed, nothing is left to say.
    private func diskFaults(_ outcome: Outcome, _ result: ProgramResult) -> [String] {
        guard case .failsForEver = outcome.point.fault, outcome.point.call == "fdatasync" else { return [] }
        let isAsItShouldBe = result.status == 73 || result.status == 0 && outcome.runs == 0
        return isAsItShouldBe ? [] : ["it ended with \(result.status), not with 73: \(result.everything)"]
    }

    /// Runs until every sync has finished its first run, as a person would, and no further: a FULL Append that has
    /// finished would insert everything anew.
    private func goOn(_ project: TemporaryProject, _ runs: inout Int) throws -> [String] {
        let deadline = ContinuousClock.now + .seconds(Program.patience)
        for object in scenario.objects {
            while try !isFinished(object, project) {
                runs += 1
                let result = try project.penstock("run", object)
                if result.status == 0 { continue }
                guard result.status == 75 else {
                    return ["\(object): run again, it ended with \(result.status): \(result.everything)"]
                }
                guard ContinuousClock.now < deadline else {
                    return ["\(object): it is not settled after \(runs) runs: \(result.everything)"]
                }
                usleep(300_000)
            }
        }
        return []
    }

    private func isFinished(_ sync: String, _ project: TemporaryProject) throws -> Bool {
        let history = try project.penstock("history", "list", sync, "--limit", "1", "--json")
        return try history.status == 0
            && history.json["data"]?.arrayValue?.first?["status"]?.stringValue == "finished"
    }
}
