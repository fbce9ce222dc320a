// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import PenstockABI
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject
import PenstockState

/// What a command works with: the options, the connectors that are there, and the project.
final class Workspace {
    /// The options.
    let options: GlobalOptions
    /// The environment.
    let environment = ProcessInfo.processInfo.environment
    /// The log.
    let logger: Logger

    /// A workspace for a command.
    init(_ options: GlobalOptions) {
        self.options = options
        var logger = Logger(label: "penstock", factory: { _ in StderrLogHandler(format: options.logFormat) })
        logger.logLevel =
            switch options.verbose {
            case 0: options.quiet ? .error : .warning
            case 1: .info
            case 2: .debug
            default: .trace
            }
        self.logger = logger
    }

    /// Whether it was said that a rename is not finished.
    var saidOfRename = false

    /// The connectors that were found, loaded or refused with a reason.
    lazy var registry = ConnectorRegistry(scanning: searchPath)

    /// The folders in which connectors are looked for.
    let searchPath = ConnectorSearchPath.ofProcess()

    /// The descriptors of the loaded connectors, by id.
    lazy var descriptors: [String: ConnectorDescriptor] = Dictionary(
        loadedDescriptors.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })

    /// The descriptors of the loaded connectors, by id, in order.
    lazy var loadedDescriptors: [ConnectorDescriptor] = registry.ids.compactMap { registry.connector($0)?.descriptor }

    /// The project's folder.
    ///
    /// - Throws: ``CommandFailure`` where there is none.
    lazy var root: Result<String, CommandFailure> = {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: options.startFolder, isDirectory: &isFolder), isFolder.boolValue
        else {
            return .failure(
                CommandFailure(
                    .config, code: "no-project", "there is no folder \(options.startFolder)",
                    notes: ["it is named by -C, or by PENSTOCK_PROJECT_DIR"]))
        }
        guard let root = ProjectLocator.find(from: options.startFolder) else {
            return .failure(
                CommandFailure(
                    .config, code: "no-project", "there is no penstock.yml here or in a folder above",
                    notes: ["start one: penstock init", "or name its folder: penstock -C DIR …"]))
        }
        return .success(root)
    }()

    /// What gives references their values.
    func resolver() throws -> ReferenceResolver { resolver(root: try root.get()) }

    /// Where references find secrets; a program that prints one runs once.
    private(set) lazy var secretSources = makeSecretSources()

    /// Loads the project and checks it offline.
    ///
    /// - Parameters:
    ///   - resolves: Whether references must have values.
    ///   - takesAllModels: Whether all of dbt's models are taken over, not just those that syncs read.
    ///   - drafts: Texts that stand for files, by path in the project.
    ///   - takesAnyProfile: Whether a profile that is asked for and not there is a finding like any other. Else it
    ///     fails with 78 here: a command that looks past what is wrong with the files would look at something else
    ///     than was meant.
    func loadProject(
        resolves: Bool = true, takesAllModels: Bool = false, drafts: [String: String] = [:],
        takesAnyProfile: Bool = false
    ) throws -> (project: Project, diagnostics: [Diagnostic]) {
        let root = try root.get()
        if !saidOfRename, let names = RenameNote(root: root).names {
            saidOfRename = true
            Terminal.writeError(
                "warning[rename-unfinished]: the rename of \(names.from) to \(names.to) was cut short\n"
                    + "  = finish it: penstock sync rename \(names.from) \(names.to)\n")
        }
        let resolver = resolves ? try resolver() : nil
        let (project, found) = Project.load(
            root: root, profile: options.profileName, version: Version.text, resolver: resolver,
            takesAllModels: takesAllModels, drafts: drafts)
        if options.profileName != nil, !takesAnyProfile {
            try report(found.filter { $0.code == DiagnosticCode.unknownProfile.rawValue }, project)
        }
        let checked = project.check(
            connectors: descriptors, resolver: resolver, refusal: registry.refusal(of:))
        return (project, project.sorted(found + checked))
    }

    /// Loads the project; prints findings and fails with 78 where there is an error.
    func validProject() throws -> Project {
        let (project, diagnostics) = try loadProject()
        try report(diagnostics, project)
        return project
    }

    /// Prints findings on standard error; fails with 78 where there is an error among them.
    func report(_ diagnostics: [Diagnostic], _ project: Project) throws {
        let hasErrors = diagnostics.contains { $0.severity == .error }
        if !diagnostics.isEmpty, hasErrors || !options.quiet {
            Terminal.writeError(project.renderer.render(diagnostics) + "\n")
        }
        if hasErrors { throw CommandFailure(silently: .config) }
    }

    /// The folder of the project's state files.
    func stateFolder() throws -> String { try root.get() + "/.penstock/state" }

    /// The syncs with these names and of a selection, or all enabled ones, in the order in which they run.
    func syncs(_ names: [String], selection: SelectionOptions? = nil, in project: Project) throws -> [SyncFile] {
        if let selection, selection.isGiven || selection.allowEmpty {
            return try selected(selection, and: names, in: project, enabledOnly: true).inOrder
        }
        guard !names.isEmpty else {
            let enabled = project.syncs.filter(\.isEnabled)
            guard !enabled.isEmpty else {
                throw CommandFailure(.usage, code: "no-sync", "the project has no enabled sync")
            }
            return enabled.inOrder
        }
        var chosen: [SyncFile] = []
        for file in try names.map({ try sync($0, in: project) }) where !chosen.contains(where: { $0.name == file.name })
        {
            chosen.append(file)
        }
        return chosen.inOrder
    }

    /// The sync with this name.
    func sync(_ name: String, in project: Project) throws -> SyncFile {
        try named(name, "sync", project.syncs, \.name)
    }

    /// The connection with this name.
    func connection(_ name: String, in project: Project) throws -> Connection {
        try named(name, "connection", project.connections, \.name)
    }

    /// The element with this name, or a failure that suggests one.
    func named<T>(_ name: String, _ kind: String, _ all: [T], _ key: KeyPath<T, String>) throws -> T {
        if let found = all.first(where: { $0[keyPath: key] == name }) { return found }
        throw Suggestion.failure(name, kind, all.map { $0[keyPath: key] })
    }

    /// The connector of a connection.
    func connector(of connection: Connection) throws -> any Connector {
        if let found = registry.connector(connection.connector) { return found }
        if let refused = registry.refusal(of: connection.connector) {
            throw CommandFailure(
                .config, code: "unknown-connector",
                "the connector \"\(connection.connector)\" was found, and is refused",
                notes: [refused, "what was found: penstock connector list"])
        }
        throw Suggestion.failure(connection.connector, "connector", registry.ids)
    }

    /// A connection with its connector and its settings resolved.
    func side(_ connection: Connection, in project: Project) throws -> SyncSetup.Side {
        let connector = try connector(of: connection)
        let (settings, diagnostics) = project.resolvedSettings(
            of: connection, descriptor: connector.descriptor, resolver: try resolver())
        try report(diagnostics.filter { $0.severity == .error }, project)
        guard let settings else { throw CommandFailure(silently: .config) }
        return try side(connection.name, connector, settings, ConnectionBudget(connection.budget))
    }

    /// A connection from its settings as the connector takes them.
    func side(
        _ name: String, _ connector: any Connector, _ settings: ResolvedSettings,
        _ budget: ConnectionBudget = ConnectionBudget()
    ) throws -> SyncSetup.Side {
        var redactor = Redactor(settings.secrets)
        if let login = connector.descriptor.login {
            redactor.advice[login.gives] = "Log in: penstock connection login \(name)."
        }
        return SyncSetup.Side(
            name: name,
            connector: CredentialedConnector.wrapping(connector, try credentials(of: name), redactor: redactor),
            settings: settings.settings, redactor: redactor, budget: budget)
    }

    /// The libraries that a sync uses, with their digests, for the lock file.
    func libraries(of sync: SyncFile, in project: Project) throws -> [(descriptor: ConnectorDescriptor, sha256: String)]
    {
        let names = [sync.definition.source.connection, sync.definition.destination.connection]
        return try names.compactMap { name in
            let id = try connection(name, in: project).connector
            guard let library = registry.library(id) else { return nil }
            return (library.connector.descriptor, try digest(of: library))
        }
    }

    /// The digest of a library's file.
    func digest(of library: ConnectorLibrary) throws -> String {
        do {
            return try library.sha256()
        } catch {
            throw CommandFailure(.unavailable, code: "connector", "\(library.path) \(error.reason)")
        }
    }

    /// A sync with both of its connections.
    func setup(_ sync: SyncFile, in project: Project) throws -> SyncSetup {
        let source = try side(try connection(sync.definition.source.connection, in: project), in: project)
        var destination = try side(try connection(sync.definition.destination.connection, in: project), in: project)
        destination.budget.tokensPerRun = sync.limits.tokensPerRun.map(Int64.init)
        if let points = sync.limits.reserveBasisPoints { destination.budget.reserve = .basisPoints(Int64(points)) }
        return SyncSetup(
            project: project.name, definition: sync.definition, source: source, destination: destination)
    }
}

extension ConnectionBudget {
    /// What a connection's file says, with the defaults where it says nothing.
    init(_ budget: Connection.Budget) {
        self.init()
        if let window = budget.window { windowMilliseconds = max(1, window / 1_000) }
        if let burst = budget.burst {
            self.burst = burst
        } else if let rate = budget.requestsPerSecond {
            self.burst = max(1, rate * Int(windowMilliseconds) / 1_000)
        }
        dailyTokens = budget.dailyTokens.map(Int64.init)
        if let points = budget.reserveBasisPoints { reserve = .basisPoints(Int64(points)) }
    }
}

/// What is said of names that do not exist.
enum Suggestion {
    /// A usage failure that names what there is.
    static func failure(_ name: String, _ kind: String, _ names: [String]) -> CommandFailure {
        let near = NearestName.of(name, in: names).map { "did you mean \"\($0)\"?" }
        let all = names.isEmpty ? "there is no \(kind) at all" : "\(kind)s: " + names.joined(separator: ", ")
        return CommandFailure(
            .usage, code: "unknown-\(kind.split(separator: " ").last ?? "name")", "there is no \(kind) \"\(name)\"",
            notes: [near, all].compactMap { $0 })
    }
}
