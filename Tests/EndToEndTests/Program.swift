// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// The built programs, and how tests run them.
enum Program {
    /// The folder of the programs and libraries that were built with these tests.
    static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// After so many seconds a program hangs: many times what any takes, since the machine may be busy and slow.
    static let patience = 300

    /// `penstock` as a person starts it.
    static var penstock: String { folder.appendingPathComponent("penstock").path }

    /// Runs a program to its end.
    static func run(
        _ arguments: [String], in folder: String, environment: [String: String] = [:], program: String = penstock,
        seconds: Int = Program.patience
    ) throws -> ProgramResult {
        try RunningProgram(arguments, in: folder, environment: environment, program: program).result(within: seconds)
    }

    /// The environment of every program that a test starts: nothing of the machine's that could change an output.
    static func environment(_ more: [String: String]) -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var base = ["PATH": own["PATH"] ?? "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"]
        // What tells ThreadSanitizer of the locks that it cannot see; see `make test-tsan`.
        if let library = own["LD_PRELOAD"] { base["LD_PRELOAD"] = library }
        return base.merging(more) { $1 }
    }
}

/// What a program left behind.
struct ProgramResult {
    /// The exit status, or the number of the signal that ended it.
    var status: Int32
    /// Whether a signal ended it.
    var wasKilled: Bool
    /// Standard output.
    var output: String
    /// Standard error.
    var errors: String

    /// Both outputs.
    var everything: String { output + errors }

    /// Standard output as JSON.
    var json: JSON {
        get throws { try JSON(parsing: output) }
    }
}

/// A program that a test has started and that may still run.
final class RunningProgram {
    private let process = Process()
    private let output: URL
    private let errors: URL
    private let folder: URL

    /// Starts a program.
    ///
    /// - Parameter input: What its standard input holds.
    init(
        _ arguments: [String], in workingFolder: String, environment: [String: String] = [:],
        program: String = Program.penstock, input: String = ""
    ) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-output-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        output = folder.appendingPathComponent("output")
        errors = folder.appendingPathComponent("errors")
        try Data().write(to: output)
        try Data().write(to: errors)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: workingFolder)
        process.environment = Program.environment(environment)
        let answers = folder.appendingPathComponent("input")
        try Data(input.utf8).write(to: answers)
        process.standardInput = input.isEmpty ? FileHandle.nullDevice : try FileHandle(forReadingFrom: answers)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        // A folder of outputs that stays behind does no harm.
        try? FileManager.default.removeItem(at: folder)
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { process.isRunning }

    /// Its process id.
    var id: Int32 { process.processIdentifier }

    /// What it has written to standard output so far.
    var outputSoFar: String {
        get throws { String(decoding: try Data(contentsOf: output), as: UTF8.self) }
    }

    /// What it has written to standard error so far.
    var errorsSoFar: String {
        get throws { String(decoding: try Data(contentsOf: errors), as: UTF8.self) }
    }

    /// Sends a signal.
    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until `condition` holds, while the program runs and no longer than ``Program/patience``.
    func wait(_ comment: Comment, until condition: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(Program.patience)
        while try !condition() {
            try #require(process.isRunning && ContinuousClock.now < deadline, comment)
            usleep(2_000)
        }
    }

    /// Waits for its end, and kills it after so many seconds.
    func result(within seconds: Int = Program.patience) throws -> ProgramResult {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var isLate = false
        while process.isRunning {
            if !isLate, ContinuousClock.now > deadline {
                isLate = true
                kill(process.processIdentifier, SIGKILL)
                Issue.record("\(process.arguments ?? []) did not end within \(seconds) s")
            }
            usleep(2_000)
        }
        process.waitUntilExit()
        return ProgramResult(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }
}
