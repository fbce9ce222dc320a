// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What tells a process from every other on this machine, also from a later one with the same number.
package struct ProcessIdentity: Sendable, Hashable {
    /// The process id.
    package var pid: Int32
    /// When it was started, in ticks of the kernel since the machine was.
    package var start: Int64

    /// A process from its parts.
    package init(pid: Int32, start: Int64) {
        self.pid = pid
        self.start = start
    }

    /// The process that has this id now, or nil.
    package init?(running pid: Int32) {
        guard let fields = Self.fields(pid), fields.count > 19, let start = Int64(fields[19]), fields[0] != "Z" else {
            return nil
        }
        self.init(pid: pid, start: start)
    }

    /// Whether it still runs.
    package var isAlive: Bool { ProcessIdentity(running: pid) == self }

    /// The fields of `/proc/PID/stat` behind the name, which may hold spaces and parentheses itself.
    private static func fields(_ pid: Int32) -> [Substring]? {
        // A process that is gone has no such file.
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }
}
