// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProcess

/// How a child process ended, and what it left behind.
struct ChildEnd {
    /// How it ended.
    enum Way {
        case exited(Int32)
        case killed(signal: Int32)
        case timedOut
        case interrupted
    }

    let way: Way
    /// What it wrote to the descriptor for its report.
    let report: [UInt8]
    let output: [UInt8]
    let errors: [UInt8]
}

/// Runs this program again as a child that does one thing, and watches it.
struct ChildProcess {
    /// The descriptor on which a child gets its order and gives its report.
    static let reportDescriptor: Int32 = 3
    /// The most bytes that are kept of an output.
    private static let outputMax = 1 << 20

    let program: String
    let arguments: [String]
    let environment: [String: String]
    let timeoutMilliseconds: Int
    let isInterrupted: @Sendable () -> Bool

    /// Thrown where no child can be started.
    struct StartFailure: Error {
        let reason: String
    }

    /// Starts the child, hands it `order`, and waits for its end.
    func run(_ order: [UInt8]) throws(StartFailure) -> ChildEnd {
        var line: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        var errors: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &line) == 0,
            pipe(&output) == 0, pipe(&errors) == 0
        else { throw StartFailure(reason: String(cString: strerror(errno))) }
        for descriptor in output + errors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        defer { for descriptor in [line[0], output[0], errors[0]] { close(descriptor) } }
        let child: pid_t
        do {
            defer { for descriptor in [line[1], output[1], errors[1]] { close(descriptor) } }
            child = try start(line[1], output[1], errors[1])
        }
        send(order, to: line[0])
        return watch(child, line[0], output[0], errors[0])
    }

    private func start(_ line: Int32, _ output: Int32, _ errors: Int32) throws(StartFailure) -> pid_t {
        var start = ProgramStart([program] + arguments)
        start.environment = environment
        start.input = .nothing
        start.output = .ours(output)
        start.errors = .ours(errors)
        start.fourth = line
        start.isClosed = true
        start.hasOwnGroup = true
        do {
            return try start.start()
        } catch {
            throw StartFailure(reason: error.reason)
        }
    }

    private func send(_ order: [UInt8], to line: Int32) {
        var rest = order[...]
        while !rest.isEmpty {
            // A child that died already is found out by its end.
            let count = rest.withUnsafeBytes { bytes in
                Foundation.send(line, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        shutdown(line, Int32(SHUT_WR))
    }

    private func watch(_ child: pid_t, _ line: Int32, _ output: Int32, _ errors: Int32) -> ChildEnd {
        var texts: [Int32: [UInt8]] = [line: [], output: [], errors: []]
        var open: Set<Int32> = [line, output, errors]
        let deadline = ContinuousClock.now + .milliseconds(timeoutMilliseconds)
        var status: Int32 = 0
        var way: ChildEnd.Way?
        while true {
            drain(&open, &texts, milliseconds: open.contains(line) ? 10 : 1)
            if waitpid(child, &status, WNOHANG) == child { break }
            if ContinuousClock.now > deadline { way = .timedOut }
            if isInterrupted() { way = .interrupted }
            guard way == nil else {
                kill(-child, SIGKILL)
                kill(child, SIGKILL)
                waitpid(child, &status, 0)
                break
            }
        }
        // What it wrote last is still in the pipes; whoever else holds them open is not waited for.
        drain(&open, &texts, milliseconds: 0)
        kill(-child, SIGKILL)
        let signal = status & 0x7F
        let ended: ChildEnd.Way = signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
        return ChildEnd(
            way: way ?? ended, report: texts[line] ?? [], output: texts[output] ?? [], errors: texts[errors] ?? [])
    }

    /// Reads what is there, after waiting for it for so long.
    private func drain(_ open: inout Set<Int32>, _ texts: inout [Int32: [UInt8]], milliseconds: Int32) {
        var waited = milliseconds
        while true {
            var polls = open.sorted().map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&polls, nfds_t(polls.count), waited) > 0 else { return }
            waited = 0
            for entry in polls where entry.revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 1 << 16)
                let count = read(entry.fd, &bytes, bytes.count)
                guard count > 0 else {
                    open.remove(entry.fd)
                    continue
                }
                if texts[entry.fd, default: []].count < Self.outputMax {
                    texts[entry.fd]?.append(contentsOf: bytes.prefix(count))
                }
            }
            if open.isEmpty { return }
        }
    }
}

/// The child's end of the line to its parent.
enum ParentLine {
    /// What this process is to do, as its parent has sent it.
    static func order() -> [UInt8] {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(ChildProcess.reportDescriptor, &bytes, bytes.count)
            guard count > 0 else { return all }
            all.append(contentsOf: bytes.prefix(count))
        }
    }

    /// Gives the report.
    static func give(_ report: [UInt8]) {
        var rest = report[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(ChildProcess.reportDescriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Keeps a crash from leaving a core file behind.
    static func forbidCores() {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }
}
