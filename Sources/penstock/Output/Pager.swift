// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProcess

/// Where a long text goes on a terminal: to the program in `$PENSTOCK_PAGER`, `$PAGER`, or `less`; elsewhere to
/// standard output.
///
/// The program is started with the first text, in the process group of this one, so that it has the terminal.
final class Pager {
    private let command: String?
    private var process: pid_t = 0
    private var pipe: Int32 = -1
    private var hasStarted = false

    /// Whether whoever reads has seen enough.
    private(set) var isDone = false

    /// A pager where standard output is a terminal and a person sits before it.
    ///
    /// - Parameter isWanted: Whether the text may be longer than a screen.
    init(isWanted: Bool) {
        let environment = ProcessInfo.processInfo.environment
        let command = environment["PENSTOCK_PAGER"] ?? environment["PAGER"] ?? "less"
        let isUsed = isWanted && Terminal.outputIsTerminal && environment["TERM"] != "dumb"
        self.command = isUsed && !command.isEmpty && command != "cat" ? command : nil
    }

    deinit { close() }

    /// Writes a text.
    func write(_ text: String) {
        if !hasStarted, let command { start(command) }
        guard pipe >= 0 else {
            if !isDone { Terminal.write(text) }
            return
        }
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let count =
                rest.withContiguousStorageIfAvailable { Foundation.write(pipe, $0.baseAddress, $0.count) } ?? -1
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                isDone = true
                return endInput()
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Waits until the text was read.
    func close() {
        endInput()
        guard process > 0 else { return }
        Interruption.lendingTerminal { _ = ProgramStart.end(of: process) }
        process = 0
    }

    private func endInput() {
        if pipe >= 0 { Foundation.close(pipe) }
        pipe = -1
    }

    /// Starts the program; where that fails, the text goes to the terminal as it is.
    private func start(_ command: String) {
        hasStarted = true
        var ends: [Int32] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else { return }
        defer { Foundation.close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // less shows a text of one screen and ends, and leaves the text on the screen.
        setenv("LESS", "FRX", 0)
        var program = ProgramStart(["/bin/sh", "-c", command])
        program.input = .ours(ends[0])
        do {
            process = try program.start()
            pipe = ends[1]
        } catch {
            Foundation.close(ends[1])
        }
    }
}
