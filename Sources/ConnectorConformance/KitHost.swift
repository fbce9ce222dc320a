// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// A host that grants, defers or denies requests as a check wants it, and keeps account of every ticket.
final class KitHost: HostServices {
    /// A granted request, and what became of it.
    struct Entry: Sendable {
        var intent: RequestIntent
        var answers: [RequestAnswer] = []

        /// Whether the request may have been carried out without anybody knowing.
        var isUnknown: Bool {
            answers.contains { answer in
                !answer.wasNeverSent && (answer.status == 0 || [500, 502, 504].contains(answer.status))
            }
        }
    }

    /// What ``HostServices/acquire(_:)`` answers.
    enum Policy: Sendable {
        /// Everything is granted.
        case grant
        /// Every request has to ask so often before it is granted.
        case wait(times: Int)
        /// Nothing is granted until ``KitHost/open()``, or until so much was asked that nobody can be submitting.
        case closed
        /// So many writes are granted; the others wait until ``KitHost/open()``.
        case gate(writes: Int)
        /// So many writes are granted; then the budget is used up.
        case quota(writes: Int)
    }

    private struct State {
        var policy: Policy
        var entries: [Entry] = []
        var strayReleases: [UInt64] = []
        var asked: [BatchRow: Int] = [:]
        var refusals = 0
        var open = 0
        var openMax = 0
        var isCancelled = false
    }

    /// A connector that sends within submit waits there; after so many questions it is let go on.
    private static let refusalsMax = 200

    private let state: Guarded<State>
    private let transcript: Transcript

    /// A host.
    init(_ transcript: Transcript, _ policy: Policy = .grant) {
        state = Guarded(State(policy: policy))
        self.transcript = transcript
    }

    /// The granted requests, in order.
    var entries: [Entry] { state.value.entries }
    /// The granted requests that write.
    var writes: [Entry] { entries.filter { $0.intent.kind != .read } }
    /// Tickets that were given back but never granted.
    var strayReleases: [UInt64] { state.value.strayReleases }
    /// The most writes that had a ticket at once.
    var openMax: Int { state.value.openMax }

    /// Grants everything from now on.
    func open() { state.update { $0.policy = .grant } }

    func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) {
        transcript.add(message)
        for (name, value) in fields { transcript.add(name + "=" + value) }
    }

    var isCancelled: Bool { state.value.isCancelled }
    var monotonicMilliseconds: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
    var wallMilliseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    func pause(milliseconds: Int64) throws(ConnectorError) {
        // A connector may wait for minutes; what it does afterwards is what is looked at.
        usleep(UInt32(min(milliseconds, 20)) * 1_000)
        if isCancelled { throw ConnectorError(.cancelled, "The work was cancelled.") }
    }

    func progress(done: Int64, total: Int64?, note: String) { transcript.add(note) }

    func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition {
        let answer: Acquisition? = state.update { state in
            switch state.policy {
            case .closed where intent.kind != .read:
                state.refusals += 1
                if state.refusals < Self.refusalsMax { return .wait(milliseconds: 5) }
                state.policy = .grant
            case .wait(let times) where intent.kind != .read:
                let row = intent.row ?? BatchRow(batch: .max, row: -1)
                state.asked[row, default: 0] += 1
                if state.asked[row, default: 0] <= times { return .wait(milliseconds: 5) }
            case .gate(let writes) where intent.kind != .read:
                if state.entries.count(where: { $0.intent.kind != .read }) >= writes { return .wait(milliseconds: 5) }
            case .quota(let writes) where intent.kind != .read:
                if state.entries.count(where: { $0.intent.kind != .read }) >= writes { return nil }
            default: break
            }
            state.entries.append(Entry(intent: intent))
            if intent.kind != .read {
                state.open += 1
                state.openMax = max(state.openMax, state.open)
            }
            return .granted(UInt64(state.entries.count))
        }
        guard let answer else { throw ConnectorError(.quotaSpent, "The budget of this check is used up.") }
        return answer
    }

    func release(_ ticket: UInt64, _ answer: RequestAnswer) {
        state.update { state in
            guard ticket >= 1, ticket <= UInt64(state.entries.count) else {
                state.strayReleases.append(ticket)
                return
            }
            let index = Int(ticket) - 1
            if state.entries[index].answers.isEmpty, state.entries[index].intent.kind != .read { state.open -= 1 }
            state.entries[index].answers.append(answer)
        }
    }

    func report(_ limit: RateLimit) {}

    func saveCredential(_ credential: JSON, expecting revision: UInt64) throws(ConnectorError) -> SavedCredential {
        .saved(revision: revision + 1)
    }
}
