// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import PenstockModel
import PenstockProcess

/// A program that prints a secret: started without a shell, with a limit for its time and its output.
package enum SecretProgram {
    /// Why there is no secret.
    package struct Failure: Error {
        /// One clause, without anything that the program has printed on its standard output.
        package var reason: String
    }

    /// What a program may print, in bytes.
    private static let bytesMax = 1 << 16
    private static let errorsMax = 4_096

    /// Runs a program and returns what it printed, without one line feed at the end; blocks for as long.
    ///
    /// Its standard input is empty. It and everything that it has started end with the time.
    ///
    /// - Parameters:
    ///   - words: The program, looked for in `PATH`, and its arguments; at least one.
    ///   - milliseconds: How long it may take.
    /// - Throws: ``Failure`` where it cannot be started, takes too long, prints too much or nothing, prints what is
    ///   not UTF-8, or ends with another code than 0.
    package static func output(of words: [String], milliseconds: Int64 = 10_000) throws(Failure) -> String {
        let name = words[0]
        var (output, errors): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&output) == 0 else { throw Failure(reason: "no pipe can be had") }
        guard pipe(&errors) == 0 else {
            output.forEach { close($0) }
            throw Failure(reason: "no pipe can be had")
        }
        let started = start(words, output[1], errors[1])
        close(output[1])
        close(errors[1])
        defer {
            close(output[0])
            close(errors[0])
        }
        guard case .success(let process) = started else {
            if case .failure(let failure) = started { throw failure }
            throw Failure(reason: "\(name) cannot be started")
        }
        let end = now + milliseconds
        let (printed, said, problem) = drain(output[0], errors[0], until: end)
        if problem != nil { kill(-process, SIGKILL) }
        let code = wait(process, until: end)
        if let problem { throw Failure(reason: "\(name) \(problem)") }
        guard code == 0 else {
            throw Failure(reason: "\(name) \(ending(code))\(remark(said, without: printed))")
        }
        guard var text = String(validating: printed, as: UTF8.self) else {
            throw Failure(reason: "\(name) printed something that is not UTF-8")
        }
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        guard !text.isEmpty else { throw Failure(reason: "\(name) printed nothing\(remark(said, without: printed))") }
        return text
    }

    private static var now: Int64 { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }

    private static func start(_ words: [String], _ output: Int32, _ errors: Int32) -> Result<pid_t, Failure> {
        var program = ProgramStart(words)
        program.isSearched = true
        program.input = .nothing
        program.output = .ours(output)
        program.errors = .ours(errors)
        program.isClosed = true
        program.hasOwnGroup = true
        do throws(ProgramStart.Failure) {
            return .success(try program.start())
        } catch {
            return .failure(Failure(reason: error.reason))
        }
    }

    /// Reads both ends to their end; says what is wrong where time or room run out.
    private static func drain(
        _ output: Int32, _ errors: Int32, until end: Int64
    ) -> (output: [UInt8], errors: [UInt8], problem: String?) {
        var texts: [[UInt8]] = [[], []]
        var open = [true, true]
        var piece = [UInt8](repeating: 0, count: 4_096)
        while open.contains(true) {
            let left = end - now
            guard left > 0 else { return (texts[0], texts[1], "took longer than allowed") }
            var ends = [output, errors].enumerated().map { index, descriptor in
                pollfd(fd: open[index] ? descriptor : -1, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&ends, 2, Int32(min(left, 1_000))) > 0 else { continue }
            for index in ends.indices where ends[index].revents != 0 {
                let count = read(ends[index].fd, &piece, piece.count)
                if count < 0, errno == EINTR || errno == EAGAIN { continue }
                guard count > 0 else {
                    open[index] = false
                    continue
                }
                let room = (index == 0 ? bytesMax : errorsMax) - texts[index].count
                if index == 0, count > room { return (texts[0], texts[1], "printed more than \(bytesMax) bytes") }
                texts[index] += piece[..<min(count, max(0, room))]
            }
        }
        return (texts[0], texts[1], nil)
    }

    /// Waits for the end of the program, which has closed its outputs, and kills it where the time is over.
    private static func wait(_ process: pid_t, until end: Int64) -> Int32 {
        var status: Int32 = 0
        while true {
            let found = waitpid(process, &status, WNOHANG)
            if found == process { return status }
            if found < 0, errno != EINTR { return -1 }
            if now >= end { kill(-process, SIGKILL) }
            usleep(2_000)
        }
    }

    private static func ending(_ status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0 ? "ended with exit code \(status >> 8 & 0xFF)" : "was ended by the signal \(signal)"
    }

    /// The first line that the program has said on its standard error, without what it has printed.
    private static func remark(_ errors: [UInt8], without output: [UInt8]) -> String {
        let line = String(decoding: errors.prefix { $0 != 0x0A }, as: UTF8.self)
        guard !line.isEmpty else { return "" }
        let printed = String(decoding: output, as: UTF8.self)
        let secrets = [printed] + printed.split(whereSeparator: \.isWhitespace).map(String.init)
        return ": " + String(Redactor(secrets.map(Secret.init)).redacted(line).prefix(200))
    }
}
