// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Logging
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockServer
import PenstockState

extension ServerCommand {
    /// `penstock server start`.
    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "start", abstract: "Run syncs on their schedules until told to stop.",
            discussion: """
                SIGTERM or Ctrl-C stops the server when its runs have finished what is in flight; a second one stops it \
                at once. SIGHUP, or a change of the project's files, makes it read them again.

                Example: penstock server --jobs 4 --listen 127.0.0.1:7390
                """)

        @OptionGroup var options: GlobalOptions

        @Option(name: .long, help: "How many syncs may run at once.")
        var jobs = 2

        @Option(
            name: .long,
            help: ArgumentHelp(
                "Where the HTTP API listens: HOST:PORT, unix:PATH or none.", valueName: "address"))
        var listen = "127.0.0.1:7390"

        @Option(
            name: .long, help: "The file with the token that clients show; else .penstock/server.token, which is made.")
        var tokenFile: String?

        @Option(name: .long, help: "The certificate (PEM), which any address but this machine's own needs.")
        var tlsCert: String?

        @Option(name: .long, help: "The certificate's key (PEM).")
        var tlsKey: String?

        func validate() throws {
            guard (1...64).contains(jobs) else { throw ValidationError("--jobs is a number from 1 to 64.") }
            guard ListenAddress(listen) != nil else {
                throw ValidationError("--listen is HOST:PORT, [IPv6]:PORT, unix:PATH or none.")
            }
            guard (tlsCert == nil) == (tlsKey == nil) else {
                throw ValidationError("--tls-cert and --tls-key go together.")
            }
        }

        func run() throws {
            let workspace = Workspace(options)
            let root = try workspace.root.get()
            let address = ListenAddress(listen) ?? .none
            guard address.isLocal || tlsCert != nil else {
                throw CommandFailure(
                    .usage, code: "listen", "\(listen) can be reached from other machines, and needs a certificate",
                    notes: ["give one: --tls-cert FILE --tls-key FILE", "or listen on this machine: 127.0.0.1:7390"])
            }
            let setup = ServerSetup(workspace, root)
            let clock = try setup.clock()
            let leader = try setup.leader(clock)
            defer { withExtendedLifetime(leader) {} }
            let project = try setup.project(options)
            let (mailbox, board) = (Mailbox(), StatusBoard())
            let token = try setup.token(tokenFile)
            let api = ServerAPI(root: root, version: Version.text, board: board, mailbox: mailbox, token: token)
            let logger = setup.logger(options)
            let service: Service
            do {
                service = try Service(
                    setup.serviceOptions(options, jobs: jobs), project: project, clock: clock,
                    manager: ServiceManager(environment: workspace.environment), mailbox: mailbox, board: board,
                    logger: logger)
            } catch {
                throw setup.journalFailure(error)
            }
            let listener = HTTPListener(api)
            defer { listener.stop() }
            try setup.open(listener, address, certificate: certificate(), logger)
            HangUp.install(mailbox)
            Interruption.wake(mailbox)
            let wasAsked: Bool
            do {
                wasAsked = try service.run { Interruption.cancellation.isCancelled }
            } catch {
                throw setup.journalFailure(error)
            }
            if !wasAsked { throw CommandFailure(silently: Interruption.exitCode ?? .ok) }
        }

        private func certificate() throws -> ServerCertificate? {
            guard let tlsCert, let tlsKey else { return nil }
            do {
                return try ServerCertificate(certificate: tlsCert, key: tlsKey)
            } catch {
                throw CommandFailure(.config, code: "listen", error.reason)
            }
        }
    }
}

/// What a server needs before it can start.
struct ServerSetup {
    private let workspace: Workspace
    private let root: String

    init(_ workspace: Workspace, _ root: String) {
        self.workspace = workspace
        self.root = root
    }

    private var folder: String { root + "/.penstock" }

    /// The scheduler's clock.
    func clock() throws -> SchedulerClock {
        guard let text = workspace.environment[SchedulerClock.variable] else { return SchedulerClock() }
        guard let clock = SchedulerClock(rehearsal: text) else {
            throw CommandFailure(
                .usage, code: "test-clock", "\(SchedulerClock.variable) is not START@SPEED",
                notes: ["for example 2026-10-20T00:00:00Z@20000"])
        }
        return clock
    }

    /// The right to be the one server of the project.
    func leader(_ clock: SchedulerClock) throws -> LeaderLock {
        mkdir(folder, 0o700)
        do {
            return try LeaderLock(path: folder + "/server.lock", startedAt: WallClock.milliseconds)
        } catch LeaderLock.Problem.taken(let pid, let since) {
            let who = pid.map { "pid \($0)" } ?? "of unknown pid"
            throw CommandFailure(
                .tryLater, code: "server-running",
                "another server of this project is at work (\(who)\(since.map { ", since \($0)" } ?? ""))",
                notes: ["look at it: penstock server status", "stop it: penstock server stop"])
        } catch LeaderLock.Problem.cannotUse(let reason) {
            throw CommandFailure(.cannotWrite, code: "cannot-write", reason)
        }
    }

    /// The project, which must be right at the start.
    func project(_ options: GlobalOptions) throws -> ServedProject {
        // Without connectors: none of their code comes into this process.
        let (project, findings) = Project.load(
            root: root, profile: options.profileName, version: Version.text, resolver: nil)
        try workspace.report(findings, project)
        do {
            return try ServedProject(root: root, profile: options.profileName, version: Version.text)
        } catch {
            throw CommandFailure(.config, code: "project", error.lines.joined(separator: "\n"))
        }
    }

    /// The log, on which a server says more than a command does.
    func logger(_ options: GlobalOptions) -> Logger {
        var logger = workspace.logger
        if options.verbose == 0, !options.quiet { logger.logLevel = .info }
        return logger
    }

    /// How runs are started.
    func serviceOptions(_ options: GlobalOptions, jobs: Int) -> ServiceOptions {
        var environment = workspace.environment
        for name in ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "JOURNAL_STREAM", SchedulerClock.variable] {
            environment[name] = nil
        }
        // The program by its name, so that a later version of it is taken when there is one.
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/proc/self/exe"
        var common = ["-C", root]
        if let profile = options.profileName { common += ["-P", profile] }
        if options.allowExec { common.append("--allow-exec") }
        var arguments = common + ["run", "--no-input", "--json", "--progress", "none", "--log-format", "json"]
        arguments += options.verbose > 0 ? [String](repeating: "-v", count: options.verbose) : []
        return ServiceOptions(
            root: root, profile: options.profileName, version: Version.text, program: program,
            arguments: arguments + ["--"], sweep: common + ["status", "--check", "--no-input", "--quiet"],
            environment: environment, jobs: jobs)
    }

    /// What clients have to show.
    func token(_ file: String?) throws -> [UInt8] {
        let path = file ?? folder + "/server.token"
        if file == nil, access(path, F_OK) != 0 {
            let secret = (0..<32).map { _ in UInt8.random(in: 0 ... .max) }
            let text = secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            guard AtomicFile.write(text + "\n", to: path, mode: 0o600) else {
                throw CommandFailure(.cannotWrite, code: "cannot-write", "\(path) cannot be written")
            }
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.permission, code: "token-file", "\(path) cannot be read")
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw CommandFailure(
                .permission, code: "token-file", "\(path) can be read by others", notes: ["run: chmod 600 \(path)"])
        }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.utf8.count >= 16, !text.contains(where: \.isWhitespace) else {
            throw CommandFailure(
                .permission, code: "token-file", "\(path) holds no token: one word of 16 characters or more")
        }
        return Array(text.utf8)
    }

    /// Starts to listen.
    func open(
        _ listener: HTTPListener, _ address: ListenAddress, certificate: ServerCertificate?, _ logger: Logger
    ) throws {
        do {
            let socket = folder + "/server.sock"
            try SocketPath.reached(socket) { try listener.listen(socket: $0, name: socket) }
            switch address {
            case .none: break
            case .unix(let path):
                try SocketPath.reached(path) { try listener.listen(socket: $0, name: path) }
                logger.notice("listens on \(path)", metadata: ["event": "server.listen"])
            case .tcp(let host, let port):
                let actual = try listener.listen(host: host, port: port, certificate: certificate)
                let scheme = certificate == nil ? "http" : "https"
                let name = host.contains(":") ? "[\(host)]" : host
                logger.notice("listens on \(scheme)://\(name):\(actual)", metadata: ["event": "server.listen"])
            }
        } catch let failure as HTTPListener.StartFailure {
            throw CommandFailure(
                .unavailable, code: "listen", failure.reason,
                notes: ["name another address with --listen, or none: --listen none"])
        }
    }

    /// The end of a server whose journal cannot be used.
    func journalFailure(_ error: StateError) -> CommandFailure {
        let code: ExitCode = if case .newer = error { .config } else { .cannotWrite }
        return CommandFailure(
            code, code: "tick-journal", "\(folder)/schedule.db: \(error.message)",
            notes: ["without it, schedules count from the next start on, and nothing is caught up on"])
    }
}

/// SIGHUP: the project's files are read again.
private enum HangUp {
    static func install(_ mailbox: Mailbox) {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler { _ = mailbox.ask(.reload) }
        source.resume()
        kept = source
    }

    // Set once, from the thread that starts the server.
    private nonisolated(unsafe) static var kept: (any DispatchSourceSignal)?
}

extension Interruption {
    /// Makes a scheduler look around when a signal comes.
    fileprivate static func wake(_ mailbox: Mailbox) {
        Thread {
            while !cancellation.wait(milliseconds: 3_600_000) {}
            mailbox.wake()
        }.start()
    }
}
