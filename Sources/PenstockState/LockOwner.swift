// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Who has a sync's state file open for writing: the contents of `<sync>.lock`.
package struct LockOwner: Sendable, Hashable {
    /// The process id.
    package var pid: Int32
    /// The id of the run that process executes.
    package var runID: String
    /// When it took the lock, in milliseconds since 1970-01-01T00:00:00Z.
    package var startedAtMilliseconds: Int64

    /// An owner from its parts.
    package init(pid: Int32, runID: String, startedAtMilliseconds: Int64) {
        self.pid = pid
        self.runID = runID
        self.startedAtMilliseconds = startedAtMilliseconds
    }

    /// An owner from the text of a lock file, or nil where it is empty or half written.
    init?(text: String) {
        // A text that is not JSON has no owner in it; the lock itself is held or free regardless of the text.
        guard let json = try? JSON(parsing: text), let pid = json["pid"]?.intValue.flatMap(Int32.init(exactly:)),
            let runID = json["run"]?.stringValue, let startedAt = json["started_at"]?.intValue
        else { return nil }
        self.init(pid: pid, runID: runID, startedAtMilliseconds: Int64(startedAt))
    }

    /// The text of a lock file.
    var text: String {
        let members: JSONObject = [
            "pid": .integer(pid), "run": .string(runID), "started_at": .integer(startedAtMilliseconds),
        ]
        return JSON.object(members).text
    }
}
