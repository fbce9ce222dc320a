// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A program on a terminal of its own, which a test reads and types into.
final class TerminalProgram {
    private let process = Process()
    private let master: FileHandle
    private var seen = ""

    /// TIOCSPTLCK and TIOCGPTN of the kernel.
    private static let unlock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    /// Starts a program on a terminal.
    ///
    /// - Parameters:
    ///   - columns: The terminal's width.
    init(
        _ arguments: [String], in folder: String, environment: [String: String], columns: UInt16 = 80,
        program: String = Program.penstock
    ) throws {
        let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(descriptor >= 0)
        master = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var number: UInt32 = 0
        var locked: Int32 = 0
        try #require(ioctl(descriptor, Self.unlock, &locked) == 0 && ioctl(descriptor, Self.getNumber, &number) == 0)
        let name = "/dev/pts/\(number)"
        var size = winsize(ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0)
        let slave = FileHandle(fileDescriptor: open(name, O_RDWR | O_NOCTTY | O_CLOEXEC), closeOnDealloc: true)
        // setsid gives the program the terminal, so that Ctrl-C reaches it.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
        process.arguments = ["--ctty", "--wait", program] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = Program.environment(["TERM": "xterm"]).merging(environment) { $1 }
        process.standardInput = slave
        process.standardOutput = slave
        process.standardError = slave
        try process.run()
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Everything that was on the terminal so far.
    var text: String { seen.replacingOccurrences(of: "\r\n", with: "\n") }

    /// Waits until `prompt` is the end of what is on the terminal, then types a line.
    func answer(_ prompt: String, _ line: String) throws {
        try wait(for: prompt)
        type(line + "\n")
        // The answer is echoed, so that the same prompt is not taken for the next one.
        try wait { $0.hasSuffix(line + "\n") || !$0.hasSuffix(prompt) }
    }

    /// Waits until the last line on the terminal holds `prompt`.
    func wait(for prompt: String) throws {
        try wait { text in
            let last = text.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
            return last.contains(prompt) && last.hasSuffix(": ")
        }
    }

    private func wait(_ condition: (String) -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition(text) {
            read()
            guard process.isRunning, ContinuousClock.now < deadline else {
                read()
                try #require(condition(text), "the terminal shows:\n\(text)")
                return
            }
            usleep(2_000)
        }
    }

    /// Types as a person does.
    func type(_ text: String) { master.write(Data(text.utf8)) }

    /// Waits for the end of the program.
    ///
    /// - Returns: Its exit status.
    func end() throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(60)
        while process.isRunning {
            read()
            try #require(ContinuousClock.now < deadline, "it does not end; the terminal shows:\n\(text)")
            usleep(2_000)
        }
        read()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func read() {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = Foundation.read(master.fileDescriptor, &bytes, bytes.count)
            guard count > 0 else { return }
            pending += bytes.prefix(count)
            // A character may be cut in the middle.
            if let whole = String(validating: pending, as: UTF8.self) {
                seen += whole
                pending = []
            }
        }
    }

    private var pending: [UInt8] = []
}

extension TemporaryProject {
    /// Starts `penstock` in the project's folder, on a terminal.
    func terminal(
        _ arguments: String..., columns: UInt16 = 80, environment more: [String: String] = [:]
    ) throws -> TerminalProgram {
        try TerminalProgram(
            arguments, in: folder, environment: variables.merging(more) { $1 }, columns: columns)
    }
}
