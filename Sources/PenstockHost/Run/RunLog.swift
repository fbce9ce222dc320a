// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// A file of JSON lines that belongs to a run, for this user only and of limited size.
///
/// Where it grows too large, what was written first goes: one older file stays beside it. A log that cannot be written
/// is given up, as no run must end because of it. Used from one thread.
package final class RunLog {
    /// Why nothing is written any more, or nil.
    package private(set) var problem: String?

    private let path: String
    private let bytesMax: Int
    private var descriptor: Int32 = -1
    private var size = 0
    private let pending = JSONBuffer()
    private var flushedAt: Int64

    private static let pendingMax = 131_072
    private static let delayMilliseconds: Int64 = 200

    /// The name of the file that what was written first is in.
    package static func older(_ path: String) -> String { path + ".1" }

    /// A log at `path`, to which lines are added; its folder must exist.
    ///
    /// - Parameter bytesMax: How large the file may become before it is put aside.
    package init(_ path: String, bytesMax: Int) {
        self.path = path
        self.bytesMax = bytesMax
        flushedAt = BootClock.milliseconds
    }

    deinit { close() }

    /// Adds a line.
    ///
    /// It is in the file after a moment, or when ``flush()`` returns.
    package func write(_ line: JSON) {
        add { $0.append(line.utf8) }
        if BootClock.milliseconds - flushedAt > Self.delayMilliseconds { flush() }
    }

    /// Adds a line, which `body` appends as the compact text of a JSON object.
    ///
    /// It is in the file when there are many, or when ``flush()`` returns.
    package func add(_ body: (JSONBuffer) -> Void) {
        guard problem == nil else { return }
        body(pending)
        pending.append(UInt8(ascii: "\n"))
        if pending.count > Self.pendingMax { flush() }
    }

    /// Hands what was added to the system.
    package func flush() {
        flushedAt = BootClock.milliseconds
        guard problem == nil, pending.count > 0 else { return }
        if size + pending.count > bytesMax, size > 0 { putAside() }
        if descriptor < 0 { open() }
        guard descriptor >= 0 else { return fail("opened") }
        let count = pending.withBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == pending.count else { return fail("written") }
        size += count
        pending.truncate(to: 0)
    }

    /// Writes the rest and closes the file.
    package func close() {
        flush()
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private func open() {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        size = max(0, Int(lseek(descriptor, 0, SEEK_END)))
        var last: UInt8 = 0
        // A process that died while it wrote has left a piece of a line, which must not spoil the next one.
        if size > 0, pread(descriptor, &last, 1, off_t(size - 1)) == 1, last != UInt8(ascii: "\n") {
            size += max(0, Glibc.write(descriptor, "\n", 1))
        }
    }

    private func putAside() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
        rename(path, Self.older(path))
        size = 0
    }

    private func fail(_ what: String) {
        problem = "\(path) cannot be \(what): \(String(cString: strerror(errno)))"
        pending.truncate(to: 0)
    }
}
