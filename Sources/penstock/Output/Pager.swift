// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where a long text goes on a terminal: to the program in `$PENSTOCK_PAGER`, `$PAGER`, or `less`; elsewhere to standard
/// output.
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
        var status: Int32 = 0
        Interruption.lendingTerminal { while waitpid(process, &status, 0) < 0, errno == EINTR {} }
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
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigemptyset(&all)
        sigaddset(&all, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // less shows a text of one screen and ends, and leaves the text on the screen.
        setenv("LESS", "FRX", 0)
        let words = ["/bin/sh", "-c", command]
        let argv = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        if posix_spawn(&process, "/bin/sh", &actions, &attributes, argv, environ) == 0 {
            pipe = ends[1]
        } else {
            process = 0
            Foundation.close(ends[1])
        }
    }
}
