// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockState

/// The rejects that are sent once more: the rows of a run of the kind `replay`.
///
/// They are marked in the ledger when the run begins, so that a run which is interrupted is about the same rows when it
/// goes on. Used from the thread of the run.
struct Replay {
    /// The kind of a run that replays.
    static let kind = "replay"

    private let store: StateStore
    private let run: Int64

    /// The rows of run `run`.
    init(_ store: StateStore, run: Int64) {
        self.store = store
        self.run = run
    }

    /// Marks the rows; each then goes again whatever refused it before.
    ///
    /// - Throws: ``RunStop`` `state`.
    func mark(_ choice: ReplayChoice) throws(RunStop) {
        do {
            var changes: [StateChange] = []
            try choice.forEach(store) { reject in
                guard var entry = try store.entry(for: reject.key), entry.outcome == .rejected else { return }
                entry.outcome = .retry
                entry.run = run
                entry.payload = nil
                changes.append(.ledger(entry))
                if changes.count >= 1_000 {
                    try store.commit(changes)
                    changes = []
                }
            }
            try store.commit(changes)
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The rejects could not be marked: \(error)"))
        }
    }

    /// Makes rejects again of rows that the source no longer has.
    ///
    /// - Returns: How many there were.
    /// - Throws: ``RunStop`` `state`.
    func closeVanished() throws(RunStop) -> Int64 {
        do {
            let gone = try store.openEntries(of: run).filter { $0.outcome == .retry }
            try store.commit(
                gone.map { entry in
                    var entry = entry
                    entry.outcome = .rejected
                    return .ledger(entry)
                })
            return Int64(gone.count)
        } catch {
            throw .state(error)
        }
    }
}

/// Which rejects are meant.
package struct ReplayChoice: Sendable, Hashable {
    /// The kind of the runs that replay.
    package static var runKind: String { Replay.kind }

    /// Only rejects with this code, or nil for all.
    package var code: String?
    /// Only the reject of this source key, as people see it, or nil for all.
    package var key: String?
    /// At most so many, or nil.
    package var limit: Int64?

    /// Which rejects are meant.
    package init(code: String? = nil, key: String? = nil, limit: Int64? = nil) {
        self.code = code
        self.key = key
        self.limit = limit
    }

    /// How many of a state's rejects are meant, by code.
    ///
    /// - Throws: `StateError`.
    package func count(_ store: StateStore) throws -> [String: Int64] {
        var counts: [String: Int64] = [:]
        try forEach(store) { counts[$0.code, default: 0] += 1 }
        return counts
    }

    func forEach(_ store: StateStore, _ body: (RejectRecord) throws -> Void) throws {
        var left = limit ?? .max
        try store.forEachReject { reject in
            guard left > 0, code.map({ $0 == reject.code }) ?? true, key.map({ $0 == reject.keyText }) ?? true else {
                return
            }
            left -= 1
            try body(reject)
        }
    }
}
