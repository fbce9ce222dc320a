// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockSchedule
import PenstockState

/// The metrics of a project, from what its runs have left behind; no run is ever held up.
package struct ProjectMetrics: Sendable {
    private struct Sync {
        var name: String
        var metrics: SyncMetrics?
        var rejects: Int64?
    }

    private let syncs: [Sync]

    /// The metrics of these syncs.
    package init(stateFolder: String, syncs: [String]) {
        self.syncs = syncs.map { name in
            Sync(
                name: name, metrics: SyncMetrics(reading: SyncMetrics.path(stateFolder: stateFolder, sync: name)),
                rejects: Self.rejects(stateFolder, name))
        }
    }

    private static func rejects(_ folder: String, _ sync: String) -> Int64? {
        // A state that cannot be read has no number here; the next run of the sync says what is wrong with it.
        guard let store = try? StateStore.openForReading(folder: folder, sync: sync) else { return nil }
        defer { store.close() }
        return try? store.countRejects()  // As above.
    }

    /// Adds everything that is known of the syncs and their connections.
    package func add(to text: inout MetricsText, version: String) {
        text.begin("penstock_build_info", .gauge, "Which Penstock this is; always 1.")
        text.add([("version", version)], 1)
        addSyncs(&text)
        addConnections(&text)
    }

    private func addSyncs(_ text: inout MetricsText) {
        text.begin("penstock_sync_rows_total", .counter, "Rows of finished runs, by what became of them.")
        forEach { name, metrics in
            for (result, count) in metrics.rows.sorted(by: { $0.key < $1.key }) {
                text.add([("sync", name), ("result", result)], Double(count))
            }
        }
        text.begin("penstock_sync_duration_seconds", .gauge, "How long the phases of the last run took.")
        forEach { name, metrics in
            for (phase, seconds) in metrics.phases.sorted(by: { $0.key < $1.key }) {
                text.add([("sync", name), ("phase", phase)], seconds)
            }
        }
        text.begin(
            "penstock_sync_last_success_timestamp_seconds", .gauge, "When a run last ended with 0; 0 for never.")
        for sync in syncs {
            text.add([("sync", sync.name)], Double(sync.metrics?.lastSuccess ?? 0) / 1_000)
        }
        text.begin("penstock_sync_last_run_timestamp_seconds", .gauge, "When the last run ended.")
        forEach { name, metrics in
            if let end = metrics.lastEnd { text.add([("sync", name)], Double(end) / 1_000) }
        }
        text.begin("penstock_sync_last_exit_code", .gauge, "The exit code of the last run.")
        forEach { name, metrics in
            if let code = metrics.exitCode { text.add([("sync", name)], Double(code)) }
        }
        text.begin("penstock_rejects_pending", .gauge, "Rejects that were not removed, replayed or resolved.")
        for sync in syncs {
            if let rejects = sync.rejects { text.add([("sync", sync.name)], Double(rejects)) }
        }
    }

    private func addConnections(_ text: inout MetricsText) {
        var tokens: [String: [String: Int64]] = [:]
        var waits: [String: [String: Double]] = [:]
        var left: [String: (at: Int64, value: Int64)] = [:]
        forEach { _, metrics in
            let name = metrics.connection
            for (kind, count) in metrics.tokens { tokens[name, default: [:]][kind, default: 0] += count }
            for (limit, seconds) in metrics.waits { waits[name, default: [:]][limit, default: 0] += seconds }
            if let value = metrics.tokensLeft, let end = metrics.lastEnd, end >= left[name]?.at ?? .min {
                left[name] = (end, value)
            }
        }
        text.begin("penstock_api_tokens_total", .counter, "Tokens spent at the destination, by what the requests did.")
        for (name, counts) in tokens.sorted(by: { $0.key < $1.key }) {
            for (kind, count) in counts.sorted(by: { $0.key < $1.key }) {
                text.add([("connection", name), ("endpoint", kind)], Double(count))
            }
        }
        text.begin(
            "penstock_api_tokens_remaining", .gauge, "What was left of the day's budget at the end of the last run.")
        for (name, entry) in left.sorted(by: { $0.key < $1.key }) {
            text.add([("connection", name)], Double(entry.value))
        }
        text.begin("penstock_api_wait_seconds_total", .counter, "How long requests were held back, by limit.")
        for (name, limits) in waits.sorted(by: { $0.key < $1.key }) {
            for (limit, seconds) in limits.sorted(by: { $0.key < $1.key }) {
                text.add([("connection", name), ("limit", limit)], seconds)
            }
        }
    }

    private func forEach(_ body: (String, SyncMetrics) -> Void) {
        for sync in syncs { if let metrics = sync.metrics { body(sync.name, metrics) } }
    }
}

extension MetricsText {
    /// Adds what a server knows of itself and its ticks.
    package mutating func add(_ status: ServiceStatus, isUp: Bool, totals: [TickTotal]) {
        begin("penstock_scheduler_up", .gauge, "1 while the scheduler starts runs.")
        add(isUp ? 1 : 0)
        begin("penstock_scheduler_start_timestamp_seconds", .gauge, "When the server was started.")
        add(Double(status.startedAt) / 1_000)
        begin("penstock_scheduler_ticks_total", .counter, "Ticks that were given a run.")
        for total in totals where total.outcome == "run" { add([("sync", total.sync)], Double(total.count)) }
        begin("penstock_scheduler_ticks_skipped_total", .counter, "Ticks that were left out, by reason.")
        for total in totals where total.outcome != "run" {
            add([("sync", total.sync), ("reason", total.outcome)], Double(total.count))
        }
        begin("penstock_scheduler_ticks_missed_total", .counter, "Ticks that were missed and left out.")
        for total in totals where total.outcome == TickSkip.missed.rawValue {
            add([("sync", total.sync)], Double(total.count))
        }
        begin("penstock_scheduler_queue", .gauge, "Ticks and wishes that are not done, by state.")
        for state in TickBook.Item.State.allCases {
            add([("state", state.rawValue)], Double(status.items.filter { $0.state == state }.count))
        }
        begin("penstock_scheduler_jobs", .gauge, "How many runs may be at work at once.")
        add(Double(status.jobs))
        begin("penstock_scheduler_next_tick_timestamp_seconds", .gauge, "When a sync is due next.")
        for entry in status.entries {
            if let next = status.upcoming(entry, count: 1).first {
                add([("sync", entry.name)], Double(next) / 1_000)
            }
        }
        begin("penstock_scheduler_clock_jumps_total", .counter, "Jumps of the clock by more than a minute.")
        add(Double(status.jumps))
        begin("penstock_scheduler_project_valid", .gauge, "Whether the project's files are right as they are now.")
        add(status.problems.isEmpty ? 1 : 0)
    }

    private mutating func add(_ value: Double) { add([], value) }
}
