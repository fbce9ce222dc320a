// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel

/// Numbers that one seed decides.
struct SeededRandom {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// What the network and the server make of one request.
enum RequestFate: Int, CaseIterable {
    case answered, refused, tooMany, neverSent
    case lostBefore, lostAfter, late, never
    case errorBefore, errorAfter, unreadable
}

/// The destination: records, and requests that are carried out later than they were sent.
struct SimulatedCRM {
    struct Record: Hashable {
        var id: Int
        var marker: String
        var payload: Int
        var createdAt: Int64
    }

    /// What was asked of it, in order: the row, when, and whether an intent for it was durable then.
    struct Post {
        var row: Int
        var at: Int64
        var hadIntent: Bool
    }

    private(set) var records: [Record] = []
    private(set) var posts: [Post] = []
    private var later: [(at: Int64, marker: String, payload: Int)] = []
    private var nextID = 1

    /// Carries out what is due by `now`.
    mutating func tick(_ now: Int64) {
        for item in later.filter({ $0.at <= now }).sorted(by: { $0.at < $1.at }) {
            insert(item.marker, item.payload, item.at)
        }
        later.removeAll { $0.at <= now }
    }

    mutating func note(_ post: Post) { posts.append(post) }

    @discardableResult
    mutating func insert(_ marker: String, _ payload: Int, _ now: Int64) -> Int {
        records.append(Record(id: nextID, marker: marker, payload: payload, createdAt: now))
        nextID += 1
        return nextID - 1
    }

    mutating func schedule(_ marker: String, _ payload: Int, at time: Int64) { later.append((time, marker, payload)) }

    /// The records that changed since; those of the last `lag` milliseconds are not shown yet.
    func list(since: Int64, now: Int64, lag: Int64 = 0) -> [Record] {
        records.filter { $0.createdAt >= since && $0.createdAt <= now - lag }
    }
}

/// The state file: what a commit that has returned leaves, whatever happens afterwards.
struct SimulatedDisk {
    struct Intent: Equatable {
        var marker: String
        var deadline: Int64
        var boot: Int64
        var serverTime: Int64
    }

    enum Entry: Equatable {
        case intent(Intent)
        case created(Int)
        case rejected
        case open
    }

    private(set) var entries: [Int: Entry] = [:]
    private(set) var watermark = 0
    private var synced: [Int: Entry] = [:]
    private var syncedWatermark = 0

    /// Writes in one transaction.
    mutating func commit(_ changes: [(row: Int, entry: Entry)], watermark: Int? = nil, isSynced: Bool = true) {
        for change in changes { entries[change.row] = change.entry }
        if let watermark { self.watermark = watermark }
        if isSynced {
            synced = entries
            syncedWatermark = self.watermark
        }
    }

    /// What is left after the power went: only what was synced.
    mutating func loseUnsynced() {
        entries = synced
        watermark = syncedWatermark
    }

    func holdsIntent(_ row: Int) -> Bool {
        if case .intent? = entries[row] { return true }
        return false
    }
}

/// The ways in which the protocol can be broken: each must be noticed.
enum Mutant: String, CaseIterable {
    case noIntent, intentAfterSend, intentNotSynced
    case repeatsUnknownCreates, resendsAfterRestart, asksBeforeSettle, asksAnIndexThatLags
    case takesABrokenSweepForWhole, transportResends, cursorBeforeRows, recordClaimedTwice
    case lostRowDropped, noLease, asksWhileSenderLives, refusalTakenForSuccess, unreadableTakenForFailure
    case oldIntentStillCounts, deadlineOfAnotherBootCounts, ownClockForSince, newMarkerOnResend, asksBeforeItWrites
}
