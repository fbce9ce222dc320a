// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// Keys in their order, each with how often it was met, in a nameless file of pages; of each page the first key is in
/// memory.
final class KeyRun {
    /// How often runs were merged into this one.
    let level: Int
    private let descriptor: Int32
    private let folder: String
    private var fences: [UInt64] = []
    private var page: [UInt64] = []
    private var count = 0
    // Of the page that was looked at last.
    private var looked: [UInt64]
    private var lookedPage = -1

    /// A key takes three words: its halves and a number.
    private static let words = 3
    private static let pageWords = 510

    /// A run without keys.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    init(folder: String, level: Int = 0) throws(StateError) {
        self.folder = folder
        self.level = level
        var name = Array("\(folder)/penstock-keys-XXXXXX".utf8CString)
        descriptor = TemporaryFile.make(&name)
        guard descriptor >= 0 else { throw .system("Making a file in", folder, errno) }
        unlink(name)
        page.reserveCapacity(Self.pageWords)
        looked = [UInt64](repeating: 0, count: Self.pageWords)
    }

    /// The keys of several runs, of which a later one is right where two have a key.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    convenience init(_ runs: [KeyRun], folder: String) throws(StateError) {
        try self.init(folder: folder, level: (runs.map(\.level).max() ?? 0) + 1)
        var sources: [Reader] = []
        for run in runs { sources.append(try Reader(run)) }
        while true {
            var least: Int?
            for index in sources.indices {
                guard let head = sources[index].head else { continue }
                // Not "less": the later run's number is the one that counts.
                if let other = least, let key = sources[other].head, KeyRun.isLess(key.key, head.key) { continue }
                least = index
            }
            guard let least, let head = sources[least].head else { break }
            try add(head.key, times: head.times)
            for index in sources.indices where sources[index].head?.key == head.key { try sources[index].advance() }
        }
        try finish()
    }

    deinit { Glibc.close(descriptor) }

    /// The order of keys in a run.
    static func isLess(_ one: Fingerprint, _ other: Fingerprint) -> Bool {
        one.low != other.low ? one.low < other.low : one.high < other.high
    }

    /// Adds a key behind all others.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    func add(_ key: Fingerprint, times: Int) throws(StateError) {
        if page.count == Self.pageWords { try write() }
        if page.isEmpty { fences.append(key.low) }
        page.append(key.low)
        page.append(key.high)
        page.append(UInt64(times))
    }

    /// Writes what is not in the file yet.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    func finish() throws(StateError) {
        try write()
        page = []
    }

    private func write() throws(StateError) {
        guard !page.isEmpty else { return }
        let size = page.count * 8
        let place = off_t(count * 8)
        while true {
            let written = pwrite(descriptor, page, size, place)
            if written == size { break }
            if written < 0, errno == EINTR { continue }
            guard written < 0 else { throw .system("Keeping keys in", folder, ENOSPC) }
            throw .system("Keeping keys in", folder, errno)
        }
        count += page.count
        page.removeAll(keepingCapacity: true)
    }

    /// How often a key was met, 0 where it is not in the run.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where the file cannot be read.
    func times(_ key: Fingerprint) throws(StateError) -> Int {
        var (low, high) = (0, fences.count)
        while low < high {
            let middle = (low + high) >> 1
            if fences[middle] < key.low { low = middle + 1 } else { high = middle }
        }
        // Keys of one first half may begin in the page before the first that begins with them, and go on for several.
        var number = max(0, low - 1)
        while number < fences.count, fences[number] <= key.low {
            let found = try times(key, page: number)
            if found > 0 { return found }
            number += 1
        }
        return 0
    }

    private func times(_ key: Fingerprint, page number: Int) throws(StateError) -> Int {
        let filled = try read(number)
        var (low, high) = (0, filled)
        while low < high {
            let middle = (low + high) >> 1
            let other = Fingerprint(low: looked[middle * Self.words], high: looked[middle * Self.words + 1])
            if KeyRun.isLess(other, key) { low = middle + 1 } else { high = middle }
        }
        guard low < filled, looked[low * Self.words] == key.low, looked[low * Self.words + 1] == key.high else {
            return 0
        }
        return Int(looked[low * Self.words + 2])
    }

    /// Reads a page, and gives how many keys it has.
    private func read(_ number: Int) throws(StateError) -> Int {
        let words = min(Self.pageWords, count - number * Self.pageWords)
        if number != lookedPage {
            lookedPage = -1
            let size = words * 8
            while true {
                let got = pread(descriptor, &looked, size, off_t(number * Self.pageWords * 8))
                if got == size { break }
                if got < 0, errno == EINTR { continue }
                throw .system("Reading keys back from", folder, got < 0 ? errno : EIO)
            }
            lookedPage = number
        }
        return words / Self.words
    }

    /// Gives the keys of a run one after the other.
    private struct Reader {
        private let run: KeyRun
        private var number = 0
        private var next = 0
        private var filled = 0
        private(set) var head: (key: Fingerprint, times: Int)?

        init(_ run: KeyRun) throws(StateError) {
            self.run = run
            filled = run.fences.isEmpty ? 0 : try run.read(0)
            try advance()
        }

        mutating func advance() throws(StateError) {
            if next == filled, number + 1 < run.fences.count {
                number += 1
                next = 0
                filled = try run.read(number)
            }
            guard next < filled else { return head = nil }
            let place = next * KeyRun.words
            head = (
                Fingerprint(low: run.looked[place], high: run.looked[place + 1]), Int(run.looked[place + 2])
            )
            next += 1
        }
    }
}
