// SPDX-License-Identifier: Apache-2.0

import PenstockState

/// The most rows of a run, and how many it has taken.
///
/// The limit with which a run begins is remembered by its state: what finishes the run takes no other rows.
struct RunLimit {
    /// The most rows of the whole run, those of earlier attempts included; nil where there is no limit.
    private let own: Int64?
    /// The most rows of this attempt, besides those that earlier ones have settled; nil where there is no limit.
    private let more: Int64?
    private var ofRun: Int64 = 0
    private var ofAttempt: Int64 = 0

    /// The setting of the state that holds the limit of the newest run that had one: its id and the number of rows.
    static let setting = "run-limit"

    /// The limit of something that has no attempts.
    init(_ rows: Int64?) {
        own = rows
        more = nil
    }

    /// The limit of a run that begins.
    ///
    /// - Throws: ``StateError`` where it cannot be remembered.
    init(beginning run: RunRecord, _ asked: Int64?, _ store: StateStore) throws(StateError) {
        self.init(asked)
        guard let asked else { return }
        try store.setMeta(Self.setting, "\(run.id) \(asked)")
    }

    /// The limit of a run that is gone on with: its own one, and the one that is asked for now.
    ///
    /// - Throws: ``StateError``.
    init(resuming run: RunRecord, _ asked: Int64?, _ store: StateStore) throws(StateError) {
        let parts = try store.meta(Self.setting)?.split(separator: " ") ?? []
        own = parts.count == 2 && parts[0] == run.id ? Int64(parts[1]) : nil
        more = asked
    }

    /// Whether there is a limit at all.
    var isLimited: Bool { own != nil || more != nil }

    /// The most rows that may still come, or nil.
    var room: Int64? {
        [own.map { $0 - ofRun }, more.map { $0 - ofAttempt }].compactMap { $0 }.min().map { max(0, $0) }
    }

    /// Whether the run has all the rows that it may have.
    var isReached: Bool { own.map { ofRun >= $0 } ?? false }

    /// Counts a row, or refuses it where there is no room for it.
    mutating func take(_ fate: DecidedRow.Fate) -> Bool {
        switch fate {
        case .reread: return true
        case .recovered, .maybeCreated:
            guard !isReached else { return false }
        default:
            guard room != 0 else { return false }
            ofAttempt += 1
        }
        ofRun += 1
        return true
    }
}
