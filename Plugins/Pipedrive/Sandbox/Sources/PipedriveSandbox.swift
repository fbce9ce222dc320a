// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The Pipedrive API on loopback: organizations, their fields and the users of one account, in memory.
package enum PipedriveSandbox {
    /// Starts a server and returns once it listens; blocks for as long as that takes.
    ///
    /// - Throws: ``SandboxStartError`` where no port or no log file can be had.
    package static func start(_ options: SandboxOptions = SandboxOptions()) throws -> RunningSandbox {
        try RunningSandbox(options)
    }

    /// Serves until the process gets SIGTERM or SIGINT; blocks until then.
    ///
    /// Both signals stay blocked in the calling thread afterwards.
    ///
    /// - Parameters:
    ///   - options: How the sandbox behaves.
    ///   - ready: Runs once the port is known; what it throws ends the sandbox.
    /// - Throws: ``SandboxStartError``, and what `ready` throws.
    package static func serve(_ options: SandboxOptions, ready: (RunningSandbox) throws -> Void) throws {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        // Blocked before the loop's thread starts, which inherits it: the signals wait for sigwait below.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let sandbox = try start(options)
        defer { sandbox.stop() }
        try ready(sandbox)
        var signal: CInt = 0
        sigwait(&signals, &signal)
    }
}

/// Why a sandbox does not start.
package struct SandboxStartError: Error, CustomStringConvertible {
    /// One sentence.
    package let description: String
}
