// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockServer
import PenstockState

/// Adds the end of a run to what the runs of its sync add up to.
struct RunMetrics {
    private let sync: String
    private var end = SyncMetrics.RunEnd()
    private static let results = ["created", "updated", "unchanged", "skipped", "rejected"]

    /// The end of a run.
    ///
    /// - Parameter opening: How long it took until the first row could be read.
    init(_ file: SyncFile, _ report: RunReport, _ code: ExitCode, opening: Duration) {
        sync = file.name
        end.connection = file.definition.destination.connection
        // The run that goes on with an unfinished one counts its rows too.
        if report.run.status == .finished {
            end.rows = report.counts.named.filter { Self.results.contains($0.0) }.map { ($0.0, $0.1) }
        }
        let seconds = Double(report.elapsedMilliseconds) / 1_000
        let before = Double(opening.components.seconds) + Double(opening.components.attoseconds) / 1e18
        end.phases = [("open", before), ("run", seconds), ("total", before + seconds)]
        end.tokens = report.meter.tokens.map { (Self.name($0.key), $0.value) }.sorted { $0.0 < $1.0 }
        end.waits = [("burst", Double(report.meter.waited) / 1_000)]
        end.tokensLeft = report.budgetLeft
        end.exitCode = code.rawValue
        end.isSuccess = code == .ok
        end.endedAt = WallClock.milliseconds
    }

    /// The end of a run that could not begin.
    init(_ file: SyncFile, failedWith code: ExitCode) {
        sync = file.name
        end.connection = file.definition.destination.connection
        end.exitCode = code.rawValue
        end.endedAt = WallClock.milliseconds
    }

    /// The end of a run that a process had no time left to tell of.
    init(_ file: SyncFile, told run: RunRecord, _ code: ExitCode) {
        sync = file.name
        end.connection = file.definition.destination.connection
        end.rows = Self.results.compactMap { name in run.counts[name].map { (name, $0) } }
        end.exitCode = code.rawValue
        end.isSuccess = code == .ok
        end.endedAt = run.finishedAtMilliseconds ?? WallClock.milliseconds
    }

    /// Adds it to the file of the sync unless that was done since the run ended; call it while the state is locked.
    func addOnce(to stateFolder: String) {
        let known = SyncMetrics(reading: SyncMetrics.path(stateFolder: stateFolder, sync: sync))?.lastEnd ?? .min
        if known < end.endedAt { add(to: stateFolder) }
    }

    /// Adds it to the file of the sync; call it while the sync's state is locked.
    func add(to stateFolder: String) {
        let path = SyncMetrics.path(stateFolder: stateFolder, sync: sync)
        var metrics = SyncMetrics(reading: path) ?? SyncMetrics()
        metrics.add(end)
        // Numbers that cannot be kept are no reason to call a run that is done a failure.
        _ = metrics.write(to: path)
    }

    private static func name(_ kind: RequestIntent.Kind) -> String {
        switch kind {
        case .read: "read"
        case .create: "create"
        case .update: "update"
        case .delete: "delete"
        }
    }
}

/// `--metrics-textfile`: the project's metrics in a file that node_exporter reads.
enum MetricsTextfile {
    /// Writes `penstock_PROJECT.prom` into a folder, whole or not at all; runs that end together take turns.
    ///
    /// - Throws: ``CommandFailure`` 73.
    static func write(to folder: String, _ project: Project) throws {
        let lock = open(project.root + "/.penstock/metrics.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        defer { if lock >= 0 { close(lock) } }
        if lock >= 0 { flock(lock, LOCK_EX) }
        // Several projects of one machine may have syncs of one name.
        var text = MetricsText(common: [("project", project.name)])
        ProjectMetrics(stateFolder: project.root + "/.penstock/state", syncs: project.syncs.map(\.name))
            .add(to: &text, version: Version.text)
        let name = project.name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? String($0) : "_" }.joined()
        let path = "\(folder)/penstock_\(name).prom"
        guard AtomicFile.write(text.text, to: path, mode: 0o644) else {
            throw CommandFailure(
                .cannotWrite, code: "cannot-write", "\(path) cannot be written: \(String(cString: strerror(errno)))",
                notes: ["the runs themselves are done and recorded"])
        }
    }
}
