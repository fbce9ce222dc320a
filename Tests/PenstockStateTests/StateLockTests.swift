// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import PenstockState
import Testing

@Suite struct StateLockTests {
    let folder = TemporaryFolder()

    @Test func aSecondWriterIsToldWhoHasTheFile() throws {
        let first = try StateStore.writing(folder)
        #expect(throws: StateError.locked(by: someOwner)) { try StateStore.writing(folder) }
        let text = TemporaryFolder.read("\(folder.state)/people.lock").map { String(decoding: $0, as: UTF8.self) }
        let json = try JSON(parsing: text ?? "")
        #expect(json["pid"] == .number("4711"))
        #expect(json["run"] == .string(someOwner.runID))
        first.close()
        try StateStore.writing(folder).close()
    }

    @Test func anotherProcessKeepsTheFileUntilItDies() throws {
        try StateStore.writing(folder).close()
        let lock = "\(folder.state)/people.lock"
        TemporaryFolder.write(Array(#"{"pid":77,"run":"R","started_at":5}"#.utf8), to: lock)
        let holder = try Holder(lock)
        let owner = LockOwner(pid: 77, runID: "R", startedAtMilliseconds: 5)
        let error = #expect(throws: StateError.self) { try StateStore.writing(folder) }
        #expect(error == .locked(by: owner))
        #expect(error?.message.contains("pid 77") == true)
        #expect(try StateStore.openForReading(folder: folder.state, sync: "people") != nil)
        holder.kill()
        try StateStore.writing(folder).close()
    }

    @Test func aLockFileWithoutANameStillLocks() throws {
        try StateStore.writing(folder).close()
        let holder = try Holder("\(folder.state)/people.lock")
        #expect(throws: StateError.locked(by: nil)) { try StateStore.writing(folder) }
        holder.kill()
    }

    @Test func theNameOfADeadOwnerLocksNobodyOut() throws {
        try StateStore.writing(folder).close()
        TemporaryFolder.write(Array(someOwner.runID.utf8), to: "\(folder.state)/people.lock")
        try StateStore.writing(folder).close()
    }

    /// Another process that holds `flock` on a file.
    private final class Holder {
        private var pid: pid_t = 0

        /// Returns once the other process holds the lock.
        init(_ path: String) throws {
            var pipe: [Int32] = [-1, -1]
            try #require(Glibc.pipe(&pipe) == 0)
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
            posix_spawn_file_actions_addclose(&actions, pipe[0])
            // "-o" keeps the lock in this one process, so that killing it gives the lock back.
            let words = ["flock", "-x", "-o", path, "sh", "-c", "echo held; exec sleep 60"]
            var arguments = words.map { strdup($0) } + [nil]
            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
            let code = posix_spawnp(&pid, "flock", &actions, &attributes, &arguments, environ)
            arguments.forEach { free($0) }
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
            close(pipe[1])
            try #require(code == 0)
            var answer = [UInt8](repeating: 0, count: 4)
            try #require(read(pipe[0], &answer, 4) == 4)
            close(pipe[0])
        }

        func kill() {
            Glibc.kill(-pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
    }
}
