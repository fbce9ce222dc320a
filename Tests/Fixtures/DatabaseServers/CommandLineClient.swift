// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// A database's own command-line client, as tests use it to make and look at data.
struct CommandLineClient: Sendable {
    /// The program and its arguments.
    let command: [String]
    /// More environment, for example a password.
    let environment: [String: String]

    /// Runs statements and returns what they print, without headings, columns apart by tabs.
    ///
    /// - Throws: ``ServerProblem`` with what the server said of the first statement that failed.
    func run(_ statements: String) throws(ServerProblem) -> String {
        ClosedPipe.isNoEnd
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let input = Pipe()
        let output = Pipe()
        let errors = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        let text: Data
        let complaint: Data
        do {
            try process.run()
            // A client that cannot connect ends without reading; what it says of that comes below.
            try? input.fileHandleForWriting.write(contentsOf: Data(statements.utf8))
            try input.fileHandleForWriting.close()
            text = try output.fileHandleForReading.readToEnd() ?? Data()
            complaint = try errors.fileHandleForReading.readToEnd() ?? Data()
        } catch {
            throw ServerProblem("\(command[0]) could not be run: \(error)")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ServerProblem("\(command[0]) failed: \(String(decoding: complaint, as: UTF8.self))")
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// What a write does to a client that has ended: it fails, and this process lives.
private enum ClosedPipe {
    /// Looking at it once is enough for the process.
    static let isNoEnd: Void = { _ = signal(SIGPIPE, SIG_IGN) }()
}

/// A client that stays connected, for tests with several transactions at once.
package final class DatabaseSession {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let marker: @Sendable (Int) -> String
    private var count = 0
    private var pending: [UInt8] = []

    /// Connects.
    ///
    /// - Parameter marker: A statement that prints `done-` and the number.
    init(_ client: CommandLineClient, marker: @escaping @Sendable (Int) -> String) throws(ServerProblem) {
        self.marker = marker
        ClosedPipe.isNoEnd
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = client.command
        process.environment = ProcessInfo.processInfo.environment.merging(client.environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        do {
            try process.run()
        } catch {
            throw ServerProblem("\(client.command[0]) could not be run: \(error)")
        }
    }

    deinit {
        // Closed twice or gone already: the client has ended either way.
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Executes statements and waits until they are done.
    ///
    /// - Returns: What they printed.
    /// - Throws: ``ServerProblem`` where the connection ends.
    @discardableResult package func execute(_ statements: String) throws(ServerProblem) -> String {
        count += 1
        let end = "done-\(count)\n"
        do {
            try input.fileHandleForWriting.write(contentsOf: Data("\(statements)\n\(marker(count))\n".utf8))
        } catch {
            throw ServerProblem("the session has ended: \(error)")
        }
        while true {
            let text = String(decoding: pending, as: UTF8.self)
            if let range = text.range(of: end) {
                pending = Array(text[range.upperBound...].utf8)
                return String(text[..<range.lowerBound])
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw ServerProblem("the session has ended: \(text)") }
            pending += more
        }
    }
}
