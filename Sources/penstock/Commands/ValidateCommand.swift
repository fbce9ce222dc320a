// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock validate`.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check the project's files. Offline, unless told otherwise.",
        discussion: """
            All findings are shown at once, with file, line and column. Exits with 78 where there is an error.

            Example: penstock validate --online
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The syncs whose online checks are made; all where none is named.")
    var syncs: [String] = []

    @Flag(name: .long, help: "Also open the connections, and check columns and fields against them.")
    var online = false

    @Flag(name: .long, help: "Leave references to secrets and variables alone.")
    var noEnv = false

    @Flag(name: .long, help: "Treat warnings as errors.")
    var strict = false

    func run() throws {
        let workspace = Workspace(options)
        var (project, diagnostics) = try workspace.loadProject(resolves: !noEnv, takesAnyProfile: true)
        if !noEnv { diagnostics = project.sorted(diagnostics + (try localSourceDiagnostics(workspace, project))) }
        let hasErrors = diagnostics.contains { $0.severity == .error } || (strict && !diagnostics.isEmpty)
        if options.isMachineReadable {
            Terminal.write(Document(kind: "validate", data: .array(diagnostics.map(\.json))).text(options.format))
        } else if !diagnostics.isEmpty {
            Terminal.write(project.renderer.render(diagnostics) + "\n")
        }
        if hasErrors { throw CommandFailure(silently: .config) }
        if online { try checkOnline(workspace, project) }
        if !options.isMachineReadable, !options.quiet, diagnostics.isEmpty {
            Terminal.write(
                "\(project.name): \(counted(project.syncs.count, "sync")), \(counted(project.connections.count, "connection")), no problem found\n"
            )
        }
    }

    /// What does not fit sources that are files of this machine.
    private func localSourceDiagnostics(_ workspace: Workspace, _ project: Project) throws -> [Diagnostic] {
        let lock = try LockFile(root: project.root)
        var found: [Diagnostic] = []
        for connection in project.connections where !connection.hasErrors {
            found += try openingDiagnostics(connection, workspace, project)
        }
        guard found.isEmpty else { return found }
        for file in project.syncs where !file.hasErrors {
            guard let connection = project.connection(named: file.definition.source.connection), !connection.hasErrors,
                let descriptor = workspace.descriptors[connection.connector], descriptor.capabilities.contains(.local),
                project.resolvedSettings(of: connection, descriptor: descriptor, resolver: try workspace.resolver())
                    .settings != nil
            else { continue }
            // Several syncs may read the connection whose setting is wrong.
            for finding in try SyncPreparation(workspace, project, file, lock).sourceDiagnostics()
            where !found.contains(finding) {
                found.append(finding)
            }
        }
        return found
    }

    /// What a connector says against its settings when it is opened, which asks nobody.
    private func openingDiagnostics(
        _ connection: Connection, _ workspace: Workspace, _ project: Project
    ) throws -> [Diagnostic] {
        guard let descriptor = workspace.descriptors[connection.connector],
            let settings = project.resolvedSettings(
                of: connection, descriptor: descriptor, resolver: try workspace.resolver()
            ).settings,
            let error = ConnectionCalls.openingError(
                SyncSetup.Side(
                    name: connection.name, connector: try workspace.connector(of: connection),
                    settings: settings.settings, redactor: Redactor(settings.secrets)), workspace)
        else { return [] }
        let message = error.message.hasSuffix(".") ? String(error.message.dropLast()) : error.message
        return [Diagnostic(.error, error.code.description, at: connection.position(of: error.field), message)]
    }

    private func checkOnline(_ workspace: Workspace, _ project: Project) throws {
        let lock = try LockFile(root: project.root)
        var codes: [ExitCode] = []
        for file in try workspace.syncs(syncs, in: project) {
            do {
                let open = try SyncPreparation(workspace, project, file, lock).open()
                defer { open.close() }
                let creates = file.definition.insert.mode == .append || file.definition.insert.onMissing == .create
                if creates, !options.isMachineReadable, !options.quiet {
                    Terminal.write("\(file.name): delivery \(open.guarantee.name): \(open.guarantee.note)\n")
                }
            } catch let failure as CommandFailure {
                if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
                codes.append(failure.exitCode)
            }
        }
        try CommandFailure.end(unlessOK: ExitCode.mostSevere(codes))
    }
}
