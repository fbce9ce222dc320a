// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// How often each key of a run was met, for any number of keys in a fixed amount of memory (about 13 MB).
///
/// New keys gather in memory and move to nameless files in sorted runs; runs of one size become one of the next. A
/// filter tells most new keys from those in the files without reading them. One thread at a time may use it.
package final class SeenKeys {
    private let folder: String
    private let batchKeys: Int
    private var batch = KeyCounts()
    /// The oldest first; a newer run is right where two have a key.
    private var runs: [KeyRun] = []
    /// There is one as soon as there are runs.
    private var filter: KeyFilter?

    /// So many runs of one size become one.
    private static let fan = 8

    /// Nothing seen so far.
    ///
    /// - Parameters:
    ///   - folder: On whose disk the files are made, if it comes to that.
    ///   - batchKeys: How many keys gather in memory.
    package init(folder: String, batchKeys: Int = 65_536) {
        self.folder = folder
        self.batchKeys = batchKeys
    }

    /// How many different keys were met.
    package private(set) var count = 0

    /// Counts `key` once more.
    ///
    /// - Returns: How often it was met before, 0 for a new one.
    /// - Throws: ``StateError/cannotWrite(_:)``, for example because the disk is full; only releasing the object is
    ///   allowed afterwards.
    package func insert(_ key: Fingerprint) throws(StateError) -> Int {
        let slot = batch.slot(of: key)
        var before = batch.times(slot)
        if before == 0 {
            before = try stored(key)
            if before == 0 { count += 1 }
        }
        batch.set(slot, key, times: before + 1)
        if batch.count > batchKeys { try store() }
        return before
    }

    /// Whether `key` was met before; does not count it.
    ///
    /// - Throws: As for ``insert(_:)``.
    package func contains(_ key: Fingerprint) throws(StateError) -> Bool {
        if batch.times(batch.slot(of: key)) > 0 { return true }
        return try stored(key) > 0
    }

    private func stored(_ key: Fingerprint) throws(StateError) -> Int {
        guard let filter, filter.mayContain(key) else { return 0 }
        for run in runs.reversed() {
            let times = try run.times(key)
            if times > 0 { return times }
        }
        return 0
    }

    private func store() throws(StateError) {
        if filter == nil { filter = KeyFilter(blockBits: 17) }
        let run = try KeyRun(folder: folder)
        for entry in batch.sorted {
            try run.add(entry.key, times: entry.times)
            filter?.add(entry.key)
        }
        try run.finish()
        runs.append(run)
        batch.removeAll()
        try merge()
    }

    private func merge() throws(StateError) {
        while let newest = runs.last {
            let same = runs.reversed().prefix { $0.level == newest.level }.count
            guard same >= Self.fan else { return }
            let merged = try KeyRun(Array(runs.suffix(same)), folder: folder)
            runs.removeLast(same)
            runs.append(merged)
        }
    }
}
