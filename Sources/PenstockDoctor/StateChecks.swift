// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState

/// Looks at the state files of a project's syncs.
package enum StateChecks {
    /// Whether a sync's state is whole and the newest, and who has it.
    ///
    /// - Parameters:
    ///   - folder: The folder of the state files.
    ///   - marks: Where the marks of the state lie.
    package static func state(of sync: String, folder: String, marks: StateMarks) -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        do {
            guard let store = try StateStore.openForReading(folder: folder, sync: sync, marks: marks) else {
                return [DoctorFinding("state", .note, "\(sync) has not run yet")]
            }
            let found = try store.inspect()
            findings.append(
                DoctorFinding(
                    "state", .ok, "\(sync): whole; \(found.rows) entries of ledger, rejects and runs were compared"))
            let open = try store.runs(limit: 1).first.map { $0.status == .unfinished } ?? false
            if open {
                findings.append(
                    DoctorFinding(
                        "state", .note, "\(sync): the last run is unfinished",
                        advice: "penstock run \(sync) finishes it"))
            }
        } catch let error as StateError {
            findings.append(
                DoctorFinding(
                    "state", .error, "\(sync): \(error.message)", advice: "see penstock state check \(sync)"))
        } catch {
            findings.append(DoctorFinding("state", .error, "\(sync): \(error)"))
        }
        if let owner = holder("\(folder)/\(sync).lock") {
            findings.append(DoctorFinding("state", .note, "\(sync): \(owner) is at work on it"))
        }
        return findings
    }

    /// Who holds the lock of a state, or nil.
    private static func holder(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
            flock(descriptor, LOCK_UN)
            return nil
        }
        // The text is written by the holder after the lock is taken; without it the holder is not known.
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(parsing: [UInt8](data)),
            let pid = json["pid"]?.intValue
        else { return "another process" }
        return "process \(pid)"
    }
}
