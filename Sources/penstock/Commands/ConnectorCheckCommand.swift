// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ConnectorConformance
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock connector check`.
struct ConnectorCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Hold a connector to the contract, each check in a process of its own.",
        discussion: """
            Without settings only what needs none is checked; the rest is listed as skipped, with the reason. Checks \
            that write are made only with --rehearsal. Exits with 70 where a check fails that was not declared.

            Examples: penstock connector check ./libpenstock-mine.so
                      penstock connector check ./libpenstock-mine.so --config mine.yml --object orders
                      penstock connector check mine --connection shop --only-failed
                      penstock connector check mine --config sandbox.yml --rehearsal --junit report.xml
                      penstock connector check mine --config mine.yml --include '^read' --seed 4711 --in-process
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "A library, by its path; or a connector's name, as connector list shows it.")
    var connector: String

    @Option(name: .long, help: "A YAML or JSON file with the settings to use.")
    var config: String?

    @Option(name: .long, help: "A connection of the project whose settings to use.")
    var connection: String?

    @Option(name: .long, help: "An object to read or write; may be repeated; by default the first ones there are.")
    var object: [String] = []

    @Option(name: .long, help: "A query to read, in the source's language.")
    var query: String?

    @Flag(name: .long, help: "The settings are of a server made for trying: records may be written there.")
    var rehearsal = false

    @Option(name: .long, help: "The setting with the server's http:// address, to lose answers on the way.")
    var through: String?

    @Option(name: .long, help: "A file with reasons for checks that are known to fail: CHECK: REASON.")
    var declared: String?

    @Option(name: .long, help: "Only checks whose name matches this regular expression; may be repeated.")
    var include: [String] = []

    @Flag(name: .long, help: "Show only checks that failed.")
    var onlyFailed = false

    @Option(name: .long, help: "Write a report as JUnit XML to this file.")
    var junit: String?

    @Option(name: .long, help: "What everything random follows from; by default another number every time.")
    var seed: UInt64?

    @Option(name: .long, help: "The most seconds that one check may take.")
    var timeout: Double = 60

    @Flag(name: .long, help: "Check in this process, for a debugger: a crash ends it all.")
    var inProcess = false

    func validate() throws {
        if config != nil, connection != nil { throw ValidationError("Give --config or --connection, not both.") }
        guard timeout > 0, timeout <= 86_400 else {
            throw ValidationError("--timeout must be above 0 and at most 86400.")
        }
    }

    func run() throws {
        let workspace = Workspace(options)
        let checks = try chosenChecks()
        var order = CheckOrder(library: try library(workspace), seed: seed ?? UInt64.random(in: 1...999_999_999))
        var runOptions = ConformanceRun.Options(
            order, program: try Self.program(), arguments: ["connector", ConnectorCheckChild.name])
        runOptions.timeoutMilliseconds = max(1, Int(timeout * 1_000))
        runOptions.isInterrupted = { Interruption.cancellation.isCancelled }
        let introduction = ConformanceRun(runOptions).introduce()
        var reasons = try takeSettings(&order, introduction, workspace)
        if let declared { reasons.merge(try Self.reasons(declared)) { $1 } }
        try Self.refuse(reasons)
        order.objects = object
        order.query = query
        order.through = through
        order.isRehearsal = rehearsal
        runOptions.order = order
        runOptions.declared = reasons
        runOptions.isInProcess = inProcess
        let renderer = ConformanceRenderer(order, onlyFailed: onlyFailed, width: options.tableWidth)
        let isForPeople = !options.isMachineReadable
        if isForPeople { Terminal.write(renderer.heading(introduction)) }
        let results = ConformanceRun(runOptions).run(checks) { result in
            if isForPeople { Terminal.write(renderer.text(result)) }
        }
        let report = ConformanceReport(results, introduction, order)
        if let junit { try Self.write(report.junit, to: junit) }
        if isForPeople {
            Terminal.write(renderer.closing(report))
        } else {
            Terminal.write(Document(kind: "connector.check", data: report.json).text(options.format))
        }
        if let code = Interruption.exitCode { throw CommandFailure(silently: code) }
        try CommandFailure.end(unlessOK: report.count(.failed) > 0 ? .fault : .ok)
    }

    /// This program, to be started again.
    private static func program() throws -> String {
        guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            // Without /proc there is no way to be sure which program this is.
            throw CommandFailure(.fault, code: "check", "this program cannot find itself: /proc is not mounted")
        }
        return path
    }

    private func chosenChecks() throws -> [ConformanceCheck] {
        guard !include.isEmpty else { return Catalogue.all }
        let patterns = try include.map { pattern in
            do {
                return try NSRegularExpression(pattern: pattern)
            } catch {
                throw CommandFailure(.usage, code: "usage", "--include \(pattern) is not a regular expression")
            }
        }
        let chosen = Catalogue.all.filter { check in
            let whole = NSRange(check.id.startIndex..., in: check.id)
            return patterns.contains { $0.firstMatch(in: check.id, range: whole) != nil }
        }
        guard !chosen.isEmpty else {
            throw CommandFailure(
                .usage, code: "unknown-check", "no check is named like \(include.joined(separator: " or "))",
                notes: ["the checks: docs/reference/connector-check.md"])
        }
        return chosen
    }

    private func library(_ workspace: Workspace) throws -> String {
        let isPath = connector.contains("/") || connector.hasSuffix(".so")
        guard isPath else {
            guard let library = workspace.registry.library(connector) else {
                throw Suggestion.failure(connector, "connector", workspace.registry.ids)
            }
            return library.path
        }
        let path = URL(fileURLWithPath: connector).standardizedFileURL.path
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(.usage, code: "unknown-connector", "there is no file \(path)")
        }
        return path
    }

    // MARK: - Settings

    /// Fills the settings in.
    ///
    /// - Returns: The reasons that the file of settings declares.
    private func takeSettings(
        _ order: inout CheckOrder, _ introduction: Introduction, _ workspace: Workspace
    ) throws -> [String: String] {
        guard config != nil || connection != nil else { return [:] }
        guard let id = introduction.id, let fields = introduction.settings else {
            Terminal.writeError("note: the connector's settings are not described well enough to read any\n")
            return [:]
        }
        let descriptor = ConnectorDescriptor(
            id: id, title: "", version: "", summary: "", capabilities: [], settings: fields)
        if let config { return try takeFile(config, descriptor, &order, workspace) }
        let project = try workspace.validProject()
        let chosen = try workspace.connection(connection ?? "", in: project)
        guard chosen.connector == id else {
            throw CommandFailure(
                .usage, code: "connector-role", "the connection \(chosen.name) is of \(chosen.connector), not of \(id)")
        }
        let (settings, diagnostics) = project.resolvedSettings(
            of: chosen, descriptor: descriptor, resolver: try workspace.resolver())
        try workspace.report(diagnostics.filter { $0.severity == .error }, project)
        Self.take(settings, &order)
        return [:]
    }

    private func takeFile(
        _ path: String, _ descriptor: ConnectorDescriptor, _ order: inout CheckOrder, _ workspace: Workspace
    ) throws -> [String: String] {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        let resolver = workspace.resolver(root: url.deletingLastPathComponent().path)
        let file = SettingsFile(
            try Self.bytes(path), file: url.lastPathComponent, descriptor: descriptor, resolver: resolver,
            reasonsKey: "x-declared")
        try Self.refuse(file.diagnostics, file.renderer)
        Self.take(file.settings, &order)
        return file.reasons
    }

    private static func take(_ settings: ResolvedSettings?, _ order: inout CheckOrder) {
        order.settings = settings?.settings
        order.secrets = settings?.secrets.map { $0.reveal { $0 } } ?? []
    }

    private static func reasons(_ path: String) throws -> [String: String] {
        let (texts, diagnostics, renderer) = SettingsFile.texts(try bytes(path), file: path)
        try refuse(diagnostics, renderer)
        return texts
    }

    private static func refuse(_ diagnostics: [Diagnostic], _ renderer: DiagnosticRenderer) throws {
        let errors = diagnostics.filter { $0.severity == .error }
        guard !errors.isEmpty else { return }
        Terminal.writeError(renderer.render(errors) + "\n")
        throw CommandFailure(silently: .config)
    }

    /// Refuses reasons that say nothing, and those for checks that do not exist.
    private static func refuse(_ reasons: [String: String]) throws {
        for (id, reason) in reasons.sorted(by: { $0.key < $1.key }) {
            guard Catalogue.check(id) != nil else { throw Suggestion.failure(id, "check", Catalogue.all.map(\.id)) }
            guard reason.contains(where: { !$0.isWhitespace }) else {
                throw CommandFailure(
                    .config, code: "declared", "the declaration of \(id) gives no reason",
                    notes: ["say why the check cannot pass, or remove the declaration"])
            }
        }
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, code: "unreadable", "the file \(path) cannot be read")
        }
        return [UInt8](data)
    }

    private static func write(_ text: String, to path: String) throws {
        let sink = try OutputSink(path)
        try sink.write(text)
        try sink.finish()
    }
}

/// `penstock connector check-one`: the child in which one check is made.
struct ConnectorCheckChild: ParsableCommand {
    /// The command's name.
    static let name = "check-one"

    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Make one check of connector check; it starts this itself.", shouldDisplay: false)

    func run() throws {
        guard ConformanceChild.run() else {
            throw CommandFailure(.usage, code: "usage", "this command is started by penstock connector check")
        }
    }
}
