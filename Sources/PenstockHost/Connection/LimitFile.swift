// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockEngine

/// The file in which processes share what they know of a credential's limits.
///
/// It holds two copies, written in turn, each with a number and a checksum; the one with the higher number counts. A
/// process that dies while it writes spoils one copy: the other then still holds the budget, and the slots are taken as
/// all used. Changes are made under `flock`, which the kernel gives back when a process dies. Whoever uses the file
/// also locks a byte of its own beyond the content, and that is how others see that it is alive.
struct LimitFile: ~Copyable {
    /// What was read.
    enum Content {
        /// A file that was never written.
        case fresh
        /// The limits as they were written last.
        case good(SharedLimits)
        /// The limits that were read or written here last: nobody has changed them since.
        case known
        /// The limits as they were one change before: the last one was spoiled.
        case older(SharedLimits)
        /// The limits as they were before the machine was started anew, and by how much its clock has moved.
        case beforeStart(SharedLimits, shift: Int64)
        /// Nothing that can be used.
        case spoiled
    }

    private let descriptor: Int32
    /// The number of the copy that was read or written last, as long as the caller has what it held.
    private var known: Int64?
    /// Where the numbers are put together; kept, since that is done for every request.
    private var written: [Int64] = []
    /// Where the beginning of a copy is read to.
    private var headRead = [Int64](repeating: 0, count: headWords)

    private static let magic: Int64 = 0x504E_5354_4C4D_3100 + Int64(SharedLimits.format)
    private static let copyBytes = 131_072
    private static let headWords = 7
    private static let aliveOffset: off_t = 1 << 20
    private static let lockTries = 400
    private static let lockPause: UInt32 = 50

    /// Takes over `descriptor`, which is open for reading and writing.
    init(taking descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    // MARK: - Locks

    /// Takes the lock, unless somebody holds it for longer than any change takes.
    borrowing func lock() -> Bool {
        for _ in 0..<Self.lockTries {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK || errno == EINTR else { return false }
            usleep(Self.lockPause)
        }
        return false
    }

    /// Gives the lock back.
    borrowing func unlock() { flock(descriptor, LOCK_UN) }

    /// Shows others that the member at this place is alive, as long as the file is open.
    ///
    /// - Returns: Whether nobody else does at this place.
    borrowing func occupy(place: Int64) -> Bool {
        var range = Self.range(place, F_WRLCK)
        return fcntl(descriptor, Self.setLock, &range) == 0
    }

    /// Gives the place free.
    borrowing func vacate(place: Int64) {
        var range = Self.range(place, F_UNLCK)
        _ = fcntl(descriptor, Self.setLock, &range)
    }

    /// Whether another one that is alive holds the place.
    borrowing func isAlive(place: Int64) -> Bool {
        var range = Self.range(place, F_WRLCK)
        return fcntl(descriptor, Self.getLock, &range) != 0 || range.l_type != Int16(F_UNLCK)
    }

    // Locks of the open file, not of the process: F_OFD_GETLK and F_OFD_SETLK of Linux.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37

    private static func range(_ place: Int64, _ type: Int32) -> Glibc.flock {
        var range = Glibc.flock()
        range.l_type = Int16(type)
        range.l_whence = Int16(SEEK_SET)
        range.l_start = aliveOffset + off_t(place)
        range.l_len = 1
        return range
    }

    // MARK: - Content

    /// What the file holds; call it under the lock.
    mutating func read() -> Content {
        // Copies are written in turn: who changed the limits since has written over the older one.
        if let known, let other = head((known + 1) % 2), other.number == known - 1 { return .known }
        let heads = [head(0), head(1)].compactMap { $0 }.sorted { $0.number > $1.number }
        guard let newest = heads.first else { return size == 0 ? .fresh : .spoiled }
        if let known, known == newest.number { return .known }
        for head in heads {
            guard let limits = limits(head) else { continue }
            known = head.number
            guard head.startID == Self.startID else {
                let passed = max(0, WallClock.milliseconds - head.wallTime)
                return .beforeStart(limits, shift: BootClock.milliseconds - passed - head.time)
            }
            // The other copy is the one before, or it was spoiled by a write that did not end.
            let others = heads.filter { $0.number != head.number }
            let isWhole = others.isEmpty ? head.number == 1 : others.allSatisfy { $0.number == head.number - 1 }
            return isWhole ? .good(limits) : .older(limits)
        }
        known = nil
        return .spoiled
    }

    /// Writes the limits, over the older copy; call it under the lock, after ``read()``.
    ///
    /// - Returns: Whether that was possible.
    mutating func write(_ limits: SharedLimits) -> Bool {
        let number = (known ?? 0) + 1
        written.removeAll(keepingCapacity: true)
        let head: InlineArray<7, Int64> = [
            Self.magic, 0, number, 0, Self.startID, BootClock.milliseconds, WallClock.milliseconds,
        ]
        for index in head.indices { written.append(head[index]) }
        limits.appendWords(to: &written)
        written[3] = Int64(written.count - Self.headWords)
        written[1] = Self.checksum(written[2...])
        let count = written.count * 8
        guard count <= Self.copyBytes, pwrite(descriptor, written, count, Self.offset(number)) == count else {
            return false
        }
        known = number
        return true
    }

    /// Takes note that the caller has changed the limits without writing them: they are read anew.
    mutating func forget() { known = nil }

    private struct Head {
        var checksum: Int64
        var number: Int64
        var count: Int
        var startID: Int64
        var time: Int64
        var wallTime: Int64
    }

    private mutating func head(_ copy: Int64) -> Head? {
        let count = pread(descriptor, &headRead, Self.headWords * 8, Self.offset(copy))
        let words = headRead
        guard count == Self.headWords * 8, words[0] == Self.magic, words[2] >= 0, words[2] % 2 == copy, words[3] >= 0,
            words[3] <= Int64(Self.copyBytes / 8 - Self.headWords)
        else { return nil }
        return Head(
            checksum: words[1], number: words[2], count: Int(words[3]), startID: words[4], time: words[5],
            wallTime: words[6])
    }

    private borrowing func limits(_ head: Head) -> SharedLimits? {
        guard let words = words(Self.headWords + head.count, at: Self.offset(head.number)),
            Self.checksum(words[2...]) == head.checksum
        else { return nil }
        return SharedLimits(words: Array(words[Self.headWords...]))
    }

    private borrowing func words(_ count: Int, at offset: off_t) -> [Int64]? {
        var words = [Int64](repeating: 0, count: count)
        return pread(descriptor, &words, count * 8, offset) == count * 8 ? words : nil
    }

    private var size: Int64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    private static func offset(_ number: Int64) -> off_t { off_t(number % 2) * off_t(copyBytes) }

    /// The start of the machine as a number, so that it fits among the others.
    private static let startID: Int64 = checksum(BootClock.startID.utf8.map { Int64($0) }[...])

    private static func checksum(_ words: ArraySlice<Int64>) -> Int64 {
        var sum: UInt64 = 0x9E37_79B9_7F4A_7C15
        for word in words {
            sum = (sum ^ UInt64(bitPattern: word)) &* 0xBF58_476D_1CE4_E5B9
            sum ^= sum >> 29
        }
        return Int64(bitPattern: sum)
    }
}
