// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where a long text goes on a terminal: to the program in `$PAGER`, or `less`; elsewhere to standard output.
final class Pager {
    private var process: Process?
    private var pipe: Pipe?
    private var hasEnded = false

    /// Starts the pager where standard output is a terminal and a person sits before it.
    ///
    /// - Parameter isWanted: Whether the text may be longer than a screen.
    init(isWanted: Bool) {
        let environment = ProcessInfo.processInfo.environment
        let command = environment["PENSTOCK_PAGER"] ?? environment["PAGER"] ?? "less"
        guard isWanted, Terminal.outputIsTerminal, environment["TERM"] != "dumb", !command.isEmpty, command != "cat"
        else { return }
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardInput = pipe
        process.environment = environment.merging(["LESS": environment["LESS"] ?? "FRX"]) { $1 }
        do {
            try process.run()
            self.process = process
            self.pipe = pipe
        } catch {
            // Without a pager the text goes to the terminal as it is.
            self.process = nil
        }
    }

    /// Whether whoever reads has seen enough.
    var isDone: Bool { hasEnded }

    /// Writes a text.
    func write(_ text: String) {
        guard let pipe else { return Terminal.write(text) }
        guard !hasEnded else { return }
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let count =
                rest.withContiguousStorageIfAvailable {
                    Foundation.write(pipe.fileHandleForWriting.fileDescriptor, $0.baseAddress, $0.count)
                } ?? -1
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                hasEnded = true
                return
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Waits until the text was read.
    func close() {
        guard let process, let pipe else { return }
        // A pager that has gone has closed its end.
        try? pipe.fileHandleForWriting.close()
        Interruption.lendingTerminal { process.waitUntilExit() }
        self.process = nil
        self.pipe = nil
    }
}
