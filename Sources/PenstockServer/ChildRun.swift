// SPDX-License-Identifier: Apache-2.0

import CService
import Foundation
import PenstockModel
import PenstockProcess

/// How a run's process ended.
package struct ChildEnd: Sendable {
    /// The exit code, or nil where a signal ended it.
    package var exitCode: Int32?
    /// The signal that ended it, or nil.
    package var signal: Int32?
    /// The id of the run, where the process said it.
    package var run: String?
    /// After how many milliseconds another try can help, where the process said so.
    package var retryIn: Int64?
    /// Whether the run came to the end of what one run may spend: the next tick goes on, and not another try.
    package var isRationed = false
    /// One sentence on what was wrong, or empty.
    package var message = ""
    /// What became of the rows, by name.
    package var counts: [(name: String, value: Int64)] = []

    /// An end, with what the process wrote to standard output: the document of its run.
    package init(exitCode: Int32?, signal: Int32?, output: [UInt8], now: Int64) {
        self.exitCode = exitCode
        self.signal = signal
        // A process that was killed has written no document, or half of one.
        guard let document = try? JSON(parsing: output), let data = document["data"]?.arrayValue?.first else { return }
        run = data["run"]?.stringValue
        message = data["error"]?["message"]?.stringValue ?? data["message"]?.stringValue ?? ""
        if let text = data["try_again_at"]?.stringValue, let time = TimeText.parseStamp(text)?.instant {
            retryIn = max(0, time / 1_000 - now)
        }
        isRationed = exitCode == 75 && data["rationed"]?.boolValue == true
        for member in data["counts"]?.objectValue?.members ?? [] {
            if let value = member.value.intValue { counts.append((member.key, Int64(value))) }
        }
    }
}

/// A run as a process of its own, which the thread that started it watches.
///
/// The process is told to stop when the server dies, however that comes.
final class ChildRun {
    /// The variable that tells a process whose child it is: it ends with that process.
    static let parentVariable = "PENSTOCK_PARENT_PID"

    /// Why a process could not be started; a clause.
    struct StartFailure: Error {
        var reason: String
    }

    let pid: Int32
    /// Readable when the process has ended; -1 where the kernel has no such thing.
    let endDescriptor: Int32
    /// Where its standard error can be read.
    let errors: Int32
    private let output: Int32
    private var line: [UInt8] = []
    /// Whether nothing more can come from its standard error.
    private(set) var hasClosedErrors = false

    private static let lineMax = 8_192
    private static let readsMax = 64
    private static let outputMax = 1 << 22

    /// Starts a program.
    init(_ program: String, _ arguments: [String], environment: [String: String]) throws(StartFailure) {
        let output = penstock_memory_file()
        var pipes: [Int32] = [-1, -1]
        guard output >= 0, pipe(&pipes) == 0 else {
            let reason = String(cString: strerror(errno))
            if output >= 0 { close(output) }
            throw StartFailure(reason: reason)
        }
        for descriptor in pipes { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(pipes[0], F_SETFL, O_NONBLOCK)
        var variables = environment
        variables[Self.parentVariable] = String(getpid())
        var start = ProgramStart([program] + arguments)
        start.environment = variables
        start.input = .nothing
        start.output = .ours(output)
        start.errors = .ours(pipes[1])
        start.isClosed = true
        // A group of its own: Ctrl-C in the server's terminal reaches the run through the server alone.
        start.hasOwnGroup = true
        start.signals = [SIGHUP, SIGPIPE]
        defer { close(pipes[1]) }
        do {
            pid = try start.start()
        } catch {
            close(output)
            close(pipes[0])
            throw StartFailure(reason: error.reason)
        }
        self.output = output
        errors = pipes[0]
        endDescriptor = penstock_process_descriptor(pid)
    }

    deinit {
        close(output)
        close(errors)
        if endDescriptor >= 0 { close(endDescriptor) }
    }

    /// Asks the process to stop; a second time, to stop at once.
    func stop() { kill(pid, SIGTERM) }

    /// Ends the process and whatever it has started.
    func destroy() { kill(-pid, SIGKILL) }

    /// The lines that the process has written to standard error since the last call, as far as they are there.
    ///
    /// - Parameter isEnd: Whether a last line without a newline counts.
    func lines(isEnd: Bool) -> [String] {
        var found: [String] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        // A program that writes faster than this must not keep the scheduler here.
        for _ in 0..<Self.readsMax {
            let count = read(errors, &bytes, bytes.count)
            if count == 0 { hasClosedErrors = true }
            guard count > 0 else { break }
            for byte in bytes.prefix(count) {
                if byte == UInt8(ascii: "\n") { take(&found) } else if line.count < Self.lineMax { line.append(byte) }
            }
        }
        if isEnd { take(&found) }
        return found
    }

    private func take(_ found: inout [String]) {
        let text = String(decoding: line, as: UTF8.self)
        if !text.isEmpty { found.append(text) }
        line.removeAll(keepingCapacity: true)
    }

    /// How the process ended, or nil while it runs.
    func end() -> ChildEnd? {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        var document: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while document.count < Self.outputMax {
            let count = pread(output, &bytes, bytes.count, off_t(document.count))
            guard count > 0 else { break }
            document += bytes.prefix(count)
        }
        let signal = status & 0x7F
        return ChildEnd(
            exitCode: signal == 0 ? status >> 8 & 0xFF : nil, signal: signal == 0 ? nil : signal, output: document,
            now: Int64(Date().timeIntervalSince1970 * 1_000))
    }
}
