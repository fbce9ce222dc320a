// SPDX-License-Identifier: Apache-2.0

import CProcess
import Glibc

/// How a program is started: without this process's blocked and ignored signals, and with the descriptors that it is
/// given.
///
/// A program that this one starts must end when it is told to, and not begin with what this one needs for itself.
package struct ProgramStart: Sendable {
    /// What a descriptor of the program is.
    package enum Descriptor: Sendable, Hashable {
        /// What it is here.
        case inherited
        /// `/dev/null`.
        case nothing
        /// This descriptor of ours, which stays ours.
        case ours(Int32)
    }

    /// Why a program could not be started.
    package struct Failure: Error, Sendable, Hashable {
        /// Which one, and what the system said; a clause.
        package var reason: String
        /// What the system said alone.
        package var cause: String
    }

    /// The program and its arguments; at least one word.
    package var words: [String]
    /// Its variables, or nil for those of this process.
    package var environment: [String: String]?
    /// Whether it is looked for in `PATH`; else the first word is a path.
    package var isSearched = false
    /// Its standard input.
    package var input = Descriptor.inherited
    /// Its standard output.
    package var output = Descriptor.inherited
    /// Its standard error.
    package var errors = Descriptor.inherited
    /// A descriptor of ours that it has as number 3, or nil.
    package var fourth: Int32?
    /// Whether it has no other descriptor; else it has those that are not closed by themselves.
    package var isClosed = false
    /// Whether it leads a process group of its own, which no signal of our terminal reaches.
    package var hasOwnGroup = false
    /// The signals that this process may ignore and the program must not.
    package var signals = [SIGPIPE]

    /// A program with these words, which is started as a shell would.
    package init(_ words: [String]) { self.words = words }

    /// Starts it.
    ///
    /// - Returns: Its id; whoever starts it waits for it.
    /// - Throws: ``Failure``; nothing was started.
    package func start() throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        add(to: &actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        add(to: &attributes)
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { $0.map { strdup($0.key + "=" + $0.value) } + [nil] } ?? []
        defer { for pointer in arguments + variables { free(pointer) } }
        var process: pid_t = 0
        let spawn = isSearched ? posix_spawnp : posix_spawn
        let code =
            environment == nil
            ? spawn(&process, words[0], &actions, &attributes, &arguments, environ)
            : spawn(&process, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else {
            let cause = String(cString: strerror(code))
            throw Failure(reason: "\(words[0]) cannot be started: \(cause)", cause: cause)
        }
        return process
    }

    private func add(to actions: inout posix_spawn_file_actions_t) {
        for (number, descriptor) in [(Int32(0), input), (1, output), (2, errors)] {
            switch descriptor {
            case .inherited: break
            case .nothing:
                posix_spawn_file_actions_addopen(&actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
            case .ours(let ours): posix_spawn_file_actions_adddup2(&actions, ours, number)
            }
        }
        if let fourth {
            // A descriptor that already has the number would keep its close-on-exec flag, so it goes by another number.
            posix_spawn_file_actions_adddup2(&actions, fourth, Self.between)
            posix_spawn_file_actions_adddup2(&actions, Self.between, 3)
        }
        // Libraries open descriptors that are not closed by themselves when a program is started.
        if isClosed { penstock_close_from(&actions, fourth == nil ? 3 : 4) }
    }

    /// A number that no descriptor of the program keeps.
    private static let between: Int32 = 200

    private func add(to attributes: inout posix_spawnattr_t) {
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var reset = sigset_t()
        sigemptyset(&reset)
        for signal in signals { sigaddset(&reset, signal) }
        posix_spawnattr_setsigdefault(&attributes, &reset)
        if hasOwnGroup {
            posix_spawnattr_setpgroup(&attributes, 0)
            flags |= POSIX_SPAWN_SETPGROUP
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    // MARK: - To its end

    /// Waits for the end of a program.
    ///
    /// - Returns: What `waitpid` says of it; -1 where nobody knows.
    @discardableResult
    package static func end(of process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        return status
    }

    /// Starts it, and waits until it has ended.
    ///
    /// - Returns: What it has written to standard output, and what `waitpid` says of its end.
    /// - Throws: ``Failure``.
    package func printed() throws(Failure) -> (output: [UInt8], status: Int32) {
        let (process, end) = try startPrinting()
        defer { close(end) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = read(end, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return (bytes, Self.end(of: process))
    }

    /// Starts it with its standard output in a pipe.
    ///
    /// - Returns: Its id, and the end of the pipe that is read; the caller closes it.
    /// - Throws: ``Failure``.
    package func startPrinting() throws(Failure) -> (process: pid_t, end: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            let cause = String(cString: strerror(errno))
            throw Failure(reason: "\(words[0]) cannot be started: \(cause)", cause: cause)
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var started = self
        started.output = .ours(ends[1])
        do {
            return (try started.start(), ends[0])
        } catch {
            close(ends[0])
            throw error
        }
    }
}
