// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import PipedriveSandbox

/// `penstock-sandbox-pipedrive`: the Pipedrive API on loopback.
@main
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "penstock-sandbox-pipedrive",
        abstract: "Serves the Pipedrive API on 127.0.0.1, in memory: rehearse a sync without an account.",
        discussion: "Example: penstock sandbox --port 7391 --seed-organizations 100 --latency 50ms",
        subcommands: [ServeCommand.self, DemoCommand.self, SettingsCommand.self], defaultSubcommand: ServeCommand.self)
}

/// Serves until SIGTERM or SIGINT.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves until it is told to stop (the default).",
        discussion: "Example: penstock sandbox serve --fault status=503:every=7")

    @OptionGroup var server: ServerOptions

    func run() throws {
        try Serving.run(try server.options())
    }
}

/// The life of the process: listen, say so, wait for a signal, stop.
enum Serving {
    /// Serves with these options; `ready` runs once the port is known, before the line that says so.
    ///
    /// - Throws: `ExitCode` 73 after saying on standard error what cannot be had.
    static func run(_ options: SandboxOptions, ready: (RunningSandbox) throws -> Void = { _ in }) throws {
        silenceCrashes()
        try saying { try serve(options, ready) }
    }

    /// Does something that is worth doing only where the options can be served, while they are.
    ///
    /// - Throws: As ``run(_:ready:)``, and what `body` throws.
    static func tryOut(_ options: SandboxOptions, _ body: () throws -> Void) throws {
        try saying {
            let sandbox = try PipedriveSandbox.start(options)
            defer { sandbox.stop() }
            try body()
        }
    }

    private static func saying(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as SandboxStartError {
            complain(error.description)
            throw ExitCode(73)
        }
    }

    private static func serve(_ options: SandboxOptions, _ ready: (RunningSandbox) throws -> Void) throws {
        try PipedriveSandbox.serve(options) { sandbox in
            if options.port != 0, sandbox.port != options.port {
                complain("Port \(options.port) is in use; the sandbox listens on \(sandbox.port) instead.")
            }
            try ready(sandbox)
            print("listening on \(sandbox.baseURL)")
            fflush(nil)
        }
    }

    /// Lets a crash show nothing of memory, where tokens and records are: no handler of Swift's, no core file.
    private static func silenceCrashes() {
        for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }

    private static func complain(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
