// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// A throwaway server: a script that makes its files, starts it, and takes both away when this process is gone.
///
/// The script holds the reading end of a pipe. Whatever ends this process closes the pipe; the script then stops the
/// server and removes the folder.
final class ServerProcess: @unchecked Sendable {  // Immutable after it was started.
    /// The folder of its files.
    let folder: String
    /// Its port on 127.0.0.1.
    let port: Int

    private let process = Process()
    private let leash = Pipe()

    /// What every script begins and ends with; `SERVER` is the command that stays in the foreground.
    ///
    /// A server refuses to run as root, so root hands over to `nobody`. It is told twice to stop: one that was started
    /// this moment still ignores the signal, as the shell does, and would run for ever.
    private static let frame = """
        set -eu
        trap '' INT HUP
        cd "$FOLDER"
        PREPARE
        SERVER >server.log 2>&1 </dev/null &
        server=$!
        cat >/dev/null
        kill -s STOP_SIGNAL $server 2>/dev/null || true
        (sleep 2; kill -s STOP_SIGNAL $server) 2>/dev/null &
        wait $server || true
        cd / && rm -rf "$FOLDER"
        """

    /// Starts a server and waits until `isReady`, for 180 s at most: a machine that builds has little time for it.
    ///
    /// - Parameters:
    ///   - prepare: Shell lines that make its files, in its folder.
    ///   - server: The command, with `$FOLDER` and `$PORT`.
    ///   - stopSignal: What stops it in order.
    /// - Throws: ``ServerProblem`` with errors and the last lines that it wrote.
    init(
        prepare: String, server: String, stopSignal: String, isReady: (ServerProcess) -> Bool
    ) throws(ServerProblem) {
        var template = Array("/tmp/penstock-server-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw ServerProblem("no folder could be made in /tmp") }
        folder = String(cString: made)
        port = try FreePort.find()
        let script = Self.frame.replacing("STOP_SIGNAL", with: stopSignal).replacing("SERVER", with: server)
            .replacing("PREPARE", with: prepare)
        let isRoot = geteuid() == 0
        if isRoot {
            guard let nobody = getpwnam("nobody"), chown(folder, nobody.pointee.pw_uid, nobody.pointee.pw_gid) == 0
            else { throw ServerProblem("\(folder) could not be given to nobody") }
        }
        let asNobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = (isRoot ? asNobody : []) + ["sh", "-c", script]
        process.environment = [
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder, "LANG": "C.UTF-8", "FOLDER": folder,
            "PORT": String(port),
        ]
        process.standardInput = leash
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        // A program that a test starts must not hold the leash too.
        _ = fcntl(leash.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        do {
            try process.run()
        } catch {
            throw ServerProblem("the shell could not be started: \(error)")
        }
        try wait(isReady)
    }

    /// Stops the server and waits for its end.
    func stop() {
        // A leash that is closed already has done its work.
        try? leash.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private func wait(_ isReady: (ServerProcess) -> Bool) throws(ServerProblem) {
        let deadline = ContinuousClock.now + .seconds(180)
        while !isReady(self) {
            guard process.isRunning, ContinuousClock.now < deadline else {
                let why = process.isRunning ? "in time" : "at all"
                let logs = ["init", "server"].map { name in
                    // Without a log there is nothing more to say than that it did not start.
                    let log = (try? String(contentsOfFile: "\(folder)/\(name).log", encoding: .utf8)) ?? ""
                    let lines = log.split(separator: "\n")
                    // The end may be advice; what went wrong stands before it.
                    return (lines.filter { $0.contains("ERROR") }.prefix(5) + lines.suffix(5)).joined(separator: " | ")
                }
                stop()
                throw ServerProblem("the server did not start \(why): \(logs.joined(separator: " | "))")
            }
            usleep(50_000)
        }
    }
}
