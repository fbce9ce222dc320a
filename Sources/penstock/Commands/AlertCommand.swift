// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockNotify
import PenstockProject

/// `penstock alert`.
struct AlertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert", abstract: "Who is told of what goes wrong, and what is wrong now.",
        discussion: "Example: penstock alert test ops", subcommands: [List.self, Test.self], aliases: ["alerts"])

    @OptionGroup var options: GlobalOptions

    /// `penstock alert list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List what is wrong now, and what waits to be sent, by rule.",
            discussion: "Example: penstock alert list")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let workspace = Workspace(options)
            let (project, diagnostics) = try workspace.loadProject(resolves: false)
            if project.alerts.isEmpty { try workspace.report(diagnostics, project) }
            let book: AlertBook
            do {
                book = try AlertOutbox(root: project.root).book()
            } catch {
                throw CommandFailure(.cannotWrite, code: "cannot-write", error.message)
            }
            var listing = Listing(
                kind: "alert.list",
                columns: [
                    .init("RULE"), .init("ON"), .init("SYNC"), .init("SINCE"), .init("BY"),
                    .init(number: "WAITING"), .init(wrapped: "MESSAGE"),
                ])
            for rule in project.alerts { add(rule, book, &listing) }
            listing.remarkTitle = "REMARK"
            listing.emptyNote = "The project has no alerts; write alerts: into penstock.yml."
            Terminal.write(listing.text(options.format, width: options.tableWidth))
        }

        private func add(_ rule: AlertDefinition, _ book: AlertBook, _ listing: inout Listing) {
            let channels = rule.channels.map(\.kind).joined(separator: ",")
            let waiting = book.waiting.filter { $0.message.rule == rule.name }
            let problem = waiting.compactMap(\.problem).last
            let open = book.open.values.filter { $0.rule == rule.name }
                .sorted { ($0.sync, $0.kind.rawValue) < ($1.sync, $1.kind.rawValue) }
            var base: JSONObject = [
                "rule": .string(rule.name), "syncs": .strings(rule.syncs),
                "channels": .strings(rule.channels.map { "\($0.kind) \($0.place)" }),
                "waiting": .integer(waiting.count), "problem": problem.map { .string($0) } ?? .null,
            ]
            let remark = problem.map { "not sent yet: \($0)" }
            guard !open.isEmpty else {
                base["open"] = .null
                let kinds = rule.kinds.map(\.rawValue).joined(separator: ",")
                return listing.add(
                    [rule.name, kinds, "", "", channels, "\(waiting.count)", "nothing is wrong"], .object(base),
                    remark: remark)
            }
            for entry in open {
                base["open"] = .object([
                    "on": .string(entry.kind.rawValue), "sync": .string(entry.sync), "cause": .string(entry.cause),
                    "since": .string(TimeDisplay.utc(entry.since)), "message": .string(entry.message),
                    "told": .bool(entry.told[entry.cause] != nil),
                ])
                listing.add(
                    [
                        rule.name, entry.kind.rawValue, entry.sync, options.listed(entry.since), channels,
                        "\(waiting.count)", entry.message,
                    ], .object(base), remark: remark)
            }
        }
    }

    /// `penstock alert test`.
    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Send a test message through every channel of a rule.",
            discussion: "Exits with 69 where a channel does not take it.\n\nExample: penstock alert test ops")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The rule.")
        var name: String

        func run() throws {
            let workspace = Workspace(options)
            let (project, diagnostics) = try workspace.loadProject()
            if !project.alerts.contains(where: { $0.name == name }) { try workspace.report(diagnostics, project) }
            let rule = try workspace.named(name, "alert", project.alerts, \.name)
            if rule.channels.isEmpty {
                try workspace.report(diagnostics, project)
                throw CommandFailure(
                    .config, code: "alert-channel", "the alert \(name) has no channel that can be used")
            }
            var listing = Listing(
                kind: "alert.test", columns: [.init("CHANNEL"), .init("TO"), .init(wrapped: "RESULT")])
            var hasFailed = false
            for (channel, problem) in AlertDesk(workspace, project).test(rule) {
                hasFailed = hasFailed || problem != nil
                listing.add(
                    [channel.kind, channel.place, problem ?? "ok"],
                    .object([
                        "channel": .string(channel.kind), "to": .string(channel.place),
                        "problem": problem.map { .string($0) } ?? .null,
                    ]))
            }
            Terminal.write(listing.text(options.format, width: options.tableWidth))
            if hasFailed { throw CommandFailure(silently: .unavailable) }
        }
    }
}
