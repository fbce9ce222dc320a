// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockModel
import PenstockServer
import PenstockState

/// `penstock server`.
struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Run syncs on their schedules, and answer over a socket and HTTP.",
        discussion: """
            The server stays in the foreground until SIGTERM or Ctrl-C; the service manager keeps it running. Each run \
            is a process of its own.

            Example: penstock server
                     penstock server status
                     penstock server run orgs_to_crm
            """,
        subcommands: [
            Start.self, Status.self, Run.self, Cancel.self, Ticks.self, Reload.self, Stop.self,
        ], defaultSubcommand: Start.self)

    @OptionGroup var options: GlobalOptions

    /// `penstock server status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show what the server does and what is due next.",
            discussion: "Example: penstock server status --json")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let status = try ServerLine(options).ask("GET", "/api/v1/status")
            guard !options.isMachineReadable else {
                return Terminal.write(Document(kind: "server.status", data: status).text(options.format))
            }
            if options.format == .table { Terminal.write(ServerText.heading(status)) }
            Terminal.write(ServerText.syncs(status, options).text(options.format, width: options.tableWidth))
        }
    }

    /// `penstock server run`.
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Ask the server for a run of a sync now.",
            discussion: "Example: penstock server run orgs_to_crm")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        func run() throws { try ServerLine(options).wish("/api/v1/syncs/\(ServerLine.word(sync))/run", sync) }
    }

    /// `penstock server cancel`.
    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: "Stop a sync's run, and give up what waits of it.",
            discussion: """
                What is in flight is finished; the next run goes on with the rest.

                Example: penstock server cancel orgs_to_crm
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The sync.")
        var sync: String

        func run() throws { try ServerLine(options).wish("/api/v1/syncs/\(ServerLine.word(sync))/cancel", sync) }
    }

    /// `penstock server reload`.
    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reload", abstract: "Make the server read the project's files again at once.",
            discussion: "Example: penstock server reload")

        @OptionGroup var options: GlobalOptions

        func run() throws { try ServerLine(options).wish("/api/v1/reload", nil) }
    }

    /// `penstock server stop`.
    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: "Stop the server when its runs have finished what is in flight.",
            discussion: "Example: penstock server stop")

        @OptionGroup var options: GlobalOptions

        func run() throws { try ServerLine(options).wish("/api/v1/stop", nil) }
    }

    /// `penstock server ticks`.
    struct Ticks: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ticks", abstract: "List ticks: which run each one started, and which were left out and why.",
            discussion: """
                A tick is a time at which a schedule makes a run due. The list needs no server at work.

                Example: penstock server ticks --sync orgs_to_crm
                """)

        @OptionGroup var options: GlobalOptions

        @Option(name: .long, help: "The sync; all where none is named.")
        var sync: String?

        @Option(name: .long, help: "How many lines, newest first.")
        var limit = 50

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit is a number of lines, 1 or more.") }
        }

        func run() throws {
            let workspace = Workspace(options)
            let path = try workspace.root.get() + "/.penstock/schedule.db"
            if let sync { _ = try workspace.sync(sync, in: workspace.loadProject(resolves: false).project) }
            let entries: [TickEntry]
            do {
                entries = try TickJournal(reading: path)?.entries(sync: sync, limit: limit) ?? []
            } catch {
                throw CommandFailure(.cannotWrite, code: "tick-journal", "\(path): \(error.message)")
            }
            Terminal.write(ServerText.ticks(entries, options).text(options.format, width: options.tableWidth))
        }
    }
}

/// The way from a command to the server of its project.
struct ServerLine {
    private let client: ControlClient
    private let options: GlobalOptions

    /// The way to the server of the project at hand.
    init(_ options: GlobalOptions) throws {
        self.options = options
        client = ControlClient(path: try Workspace(options).root.get() + "/.penstock/server.sock")
    }

    /// A word as it stands in a path.
    static func word(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    /// The data of the document that the server answers with.
    func ask(_ method: String, _ target: String, sync: String? = nil) throws -> JSON {
        let answer: (status: Int, body: JSON)
        do {
            answer = try client.ask(method, target)
        } catch ControlClient.Problem.noServer {
            throw CommandFailure(
                .unavailable, code: "no-server", "no server of this project is at work",
                notes: ["start one: penstock server"])
        } catch ControlClient.Problem.broken(let reason) {
            throw CommandFailure(.unavailable, code: "no-server", reason)
        }
        if (200..<300).contains(answer.status) { return answer.body["data"] ?? .null }
        let error = answer.body["error"]
        let allowed = error?["allowed"]?.arrayValue?.compactMap(\.stringValue) ?? []
        if error?["code"]?.stringValue == "unknown-sync", let sync { throw Suggestion.failure(sync, "sync", allowed) }
        let isConflict = answer.status == 409
        throw CommandFailure(
            isConflict ? .tryLater : .unavailable, code: isConflict ? "server-conflict" : "no-server",
            error?["message"]?.stringValue ?? "the server answered \(answer.status)")
    }

    /// Asks for something, and shows what the server says to it.
    func wish(_ target: String, _ sync: String?) throws {
        let data = try ask("POST", target, sync: sync)
        if options.isMachineReadable {
            return Terminal.write(Document(kind: "server.accepted", data: data).text(options.format))
        }
        if !options.quiet { Terminal.write((data["message"]?.stringValue ?? "done") + "\n") }
    }
}
