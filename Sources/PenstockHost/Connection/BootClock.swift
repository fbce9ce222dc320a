// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockEngine
import PenstockModel

/// The machine's clock that nobody can set, that runs on while the machine sleeps, and that all processes share.
enum BootClock {
    /// Milliseconds since the machine was started.
    static var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// A number for this start of the machine.
    static let start: Int64 = {
        var hasher = FingerprintHasher()
        hasher.combine(startID)
        return Int64(bitPattern: hasher.finish().low)
    }()

    /// What tells this start of the machine from others; empty where the kernel does not say.
    static let startID: String = {
        var bytes = [UInt8](repeating: 0, count: 64)
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        let count = read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count).filter { $0 > 0x20 }, as: UTF8.self) : ""
    }()

    private static let hour: Int64 = 3_600_000

    /// Now, with the time to the next full hour of the day.
    static var moment: SharedLimits.Moment {
        SharedLimits.Moment(time: milliseconds, hourEndsIn: hour - WallClock.milliseconds % hour)
    }
}
