// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockHost
import PenstockProject

extension PlanFiles {
    /// Makes sure that a plan can be kept at `path` before anything is asked or spent for it.
    ///
    /// - Parameters:
    ///   - word: What stands for the path on the command line.
    ///   - root: The project's folder.
    /// - Throws: ``CommandFailure`` 64 where something else than a plan is there, 73 where nothing can be written.
    static func ready(_ word: String, at path: String, root: String) throws {
        guard !word.hasSuffix("/") else {
            throw CommandFailure(
                .usage, code: "usage", "\(word) names a folder, and a plan is kept in a file",
                notes: ["name the file: -O \(word)NAME.plan"])
        }
        if word == latest { try makeFolder(root) }
        do {
            try PlanDraft.checkPlace(path)
        } catch {
            throw CommandFailure(error)
        }
    }

    private static func makeFolder(_ root: String) throws {
        for folder in [root + "/.penstock", root + "/.penstock/plans"] {
            guard mkdir(folder, 0o700) != 0, errno != EEXIST else { continue }
            throw CommandFailure(
                .cannotWrite, code: "cannot-write",
                "the folder \(folder) cannot be made: \(String(cString: strerror(errno)))",
                notes: ["keep the plan in a file elsewhere: -O FILE"])
        }
    }
}

extension SyncFile {
    /// What a plan is made from that only the sync's file says: how many rows a run takes.
    var rowsPin: PlanPin {
        let rows = limits.rows.map(String.init) ?? "none"
        return PlanPin(.config, "limits.rows", rows, shown: rows)
    }
}
