// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockDoctor
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at the installation and the project, and say what is wrong and what to do.",
        discussion: """
            Nothing is sent, unless --online asks each connection. Exits with 1 where something is wrong.

            A bundle is a tar file for whoever helps: this report, the files of the project, and the newest results and \
            logs, without secrets and without values of rows. Look through it before you pass it on.

            Example: penstock doctor
            Example: penstock doctor --bundle penstock-bundle.tar
            """)

    @OptionGroup var options: GlobalOptions

    @Option(name: .long, help: "Also write a bundle for whoever helps into this new file.")
    var bundle: String?

    @Flag(name: .long, help: "Also open every connection, and compare the clock with theirs.")
    var online = false

    func run() throws {
        let workspace = Workspace(options)
        var doctor = Doctor(workspace)
        doctor.examine(online: online)
        if options.isMachineReadable {
            Terminal.write(Document(kind: "doctor", data: doctor.report.json).text(options.format))
        } else {
            Terminal.write(doctor.report.text(width: options.tableWidth.map { max($0, 40) } ?? 100))
        }
        if let bundle { try write(bundle, doctor) }
        try CommandFailure.end(unlessOK: doctor.report.isHealthy ? .ok : .failed)
    }

    private func write(_ bundle: String, _ doctor: Doctor) throws {
        let path = URL(fileURLWithPath: bundle, relativeTo: URL(fileURLWithPath: options.startFolder + "/")).path
        guard !FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(.usage, code: "file-exists", "\(bundle) exists already")
        }
        let content = doctor.bundle()
        let data = Data(content.archive(seconds: Int64(Date().timeIntervalSince1970)))
        guard
            FileManager.default.createFile(atPath: path, contents: data, attributes: [.posixPermissions: 0o600])
        else { throw CommandFailure(.cannotWrite, code: "cannot-write", "\(bundle) cannot be written") }
        guard !options.quiet else { return }
        Terminal.writeError(
            "Wrote \(bundle): \(counted(content.files.count, "file")), secrets and values of rows taken out.\n"
                + "Look through it before you pass it on: tar tf \(bundle)\n")
    }
}

/// Looks at everything, one area after the other.
struct Doctor {
    private let workspace: Workspace
    private var project: Project?
    /// What was found.
    private(set) var report = DoctorReport()

    private static let findingsMax = 5

    /// A doctor who has seen nothing yet.
    init(_ workspace: Workspace) { self.workspace = workspace }

    /// Looks at everything.
    ///
    /// - Parameter online: Whether connections are opened.
    mutating func examine(online: Bool) {
        examineMachine()
        examineConnectors()
        // It is said below that there is no project, or what is wrong with it.
        guard let root = try? workspace.root.get() else {
            report.findings.append(
                DoctorFinding("project", .note, "there is no project here", advice: "penstock init, or penstock -C DIR")
            )
            return
        }
        examineProject()
        examineFolders(root)
        examineCredentials(root)
        if online { examineConnections() }
    }

    private mutating func examineMachine() {
        let release = text("/etc/os-release")
        report.findings += [
            MachineChecks.system(release: release, version: Version.text),
            MachineChecks.clock(now: WallClock.milliseconds), MachineChecks.timeZones(),
            MachineChecks.certificates(environment: workspace.environment),
        ]
        if !Terminal.isUTF8 {
            report.findings.append(
                DoctorFinding(
                    "machine", .note, "the locale is not UTF-8, so tables are drawn with plain characters",
                    advice: "LANG=C.UTF-8"))
        }
    }

    private mutating func examineConnectors() {
        for entry in workspace.registry.entries {
            switch entry {
            case .loaded(let library):
                let descriptor = library.connector.descriptor
                report.findings.append(
                    DoctorFinding("connectors", .ok, "\(descriptor.id) \(descriptor.version) (\(library.path))"))
            case .refused(let path, let reason):
                // A folder that is searched by two names has every file twice.
                guard !reason.hasPrefix("is the same file") else { continue }
                report.findings.append(
                    DoctorFinding(
                        "connectors", reason.hasPrefix("is hidden by") ? .note : .error,
                        "\(path) is not loaded: it \(reason)".printable))
            }
        }
        if workspace.registry.ids.isEmpty {
            let folders = workspace.searchPath.folders.map(\.path).joined(separator: ", ")
            report.findings.append(
                DoctorFinding("connectors", .error, "no connector was found", advice: "searched: \(folders)"))
        }
        report.findings.append(MachineChecks.libraries(maps: text("/proc/self/maps")))
    }

    private mutating func examineProject() {
        do {
            let (project, diagnostics) = try workspace.loadProject(takesAnyProfile: true)
            self.project = project
            let errors = diagnostics.filter { $0.severity == .error }
            let size =
                "\(counted(project.syncs.count, "sync")), \(counted(project.models.count, "model")), "
                + counted(project.connections.count, "connection")
            report.findings.append(DoctorFinding("project", .ok, "\(project.name) in \(project.root): \(size)"))
            for diagnostic in errors.prefix(Self.findingsMax) {
                report.findings.append(
                    DoctorFinding(
                        "project", .error,
                        "\(diagnostic.file):\(diagnostic.line):\(diagnostic.column): \(diagnostic.message)".printable,
                        advice: "penstock validate shows the place; penstock explain \(diagnostic.code)"))
            }
            if errors.count > Self.findingsMax {
                report.findings.append(
                    DoctorFinding(
                        "project", .error, "\(errors.count - Self.findingsMax) more", advice: "penstock validate"))
            }
            for diagnostic in diagnostics where diagnostic.severity == .warning {
                report.findings.append(
                    DoctorFinding(
                        "project", .warning, "\(diagnostic.file):\(diagnostic.line): \(diagnostic.message)".printable,
                        advice: diagnostic.suggestion))
            }
        } catch {
            report.findings.append(DoctorFinding("project", .error, "the project cannot be read"))
        }
    }

    private mutating func examineFolders(_ root: String) {
        let own = root + "/.penstock"
        report.findings += FolderChecks.privateFolder(own, area: "state", what: "the folder")
        if FileManager.default.fileExists(atPath: own + "/state") {
            report.findings += FolderChecks.privateFolder(own + "/state", area: "state", what: "the folder")
        } else if !FileManager.default.isWritableFile(atPath: root), !FileManager.default.fileExists(atPath: own) {
            report.findings.append(
                DoctorFinding(
                    "state", .error, "\(root) cannot be written, so that no state can be kept",
                    advice: "run as the user to whom it belongs, or give that user a folder .penstock in it"))
        }
        let isThere = FileManager.default.fileExists(atPath: own)
        report.findings.append(FolderChecks.room(isThere ? own : root, area: "state"))
        report.findings += [
            FolderChecks.networkDisk(isThere ? own : root, allowed: workspace.allowsNetworkState)
        ].compactMap { $0 }
        report.findings += FolderChecks.privateFolder(LimitFolder().path, area: "limits", what: "the shared folder")
        for sync in project?.syncs ?? [] {
            // Marks need nothing but the project's folder, which is there.
            guard let marks = try? workspace.marks(of: sync.name) else { continue }
            report.findings += StateChecks.state(of: sync.name, folder: own + "/state", marks: marks)
        }
    }

    private mutating func examineCredentials(_ root: String) {
        for connection in project?.connections ?? [] {
            for variable in connection.variables where workspace.environment[variable] != nil {
                guard SecretMask.isSecretVariable(variable, workspace.environment[variable] ?? "") else { continue }
                report.findings.append(
                    DoctorFinding(
                        "credentials", .warning,
                        "\(connection.name) takes \(variable) from the environment, where every child process sees it",
                        advice: "store it and write ${cred:NAME}"))
            }
            for path in connection.files(root: root) {
                report.findings += [FolderChecks.privateFile(path, area: "credentials")].compactMap { $0 }
            }
        }
        // There is a project, so there is a resolver.
        guard let resolver = try? workspace.resolver(), let folder = resolver.userCredentials else { return }
        if FileManager.default.fileExists(atPath: folder) {
            report.findings += FolderChecks.privateFolder(folder, area: "credentials", what: "the folder")
            // The folder was there a moment ago.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            report.findings += names.sorted().compactMap {
                FolderChecks.privateFile("\(folder)/\($0)", area: "credentials")
            }.filter { $0.severity != .ok }
        }
        let key = URL(fileURLWithPath: folder).deletingLastPathComponent().path + "/key"
        report.findings += [FolderChecks.privateFile(key, area: "credentials")].compactMap { $0 }
        if !report.findings.contains(where: { $0.area == "credentials" }) {
            report.findings.append(DoctorFinding("credentials", .ok, "nothing weak was found"))
        }
    }

    private mutating func examineConnections() {
        guard let project else { return }
        for connection in project.connections where !connection.hasErrors {
            do {
                let side = try workspace.side(connection, in: project)
                let checked = try ConnectionCalls.check(side, workspace)
                if let failed = checked.steps.first(where: { $0.failure != nil }), let failure = failed.failure {
                    report.findings.append(
                        DoctorFinding(
                            "connections", .error, "\(connection.name): \(failed.id): \(failure.message)".printable,
                            advice: "penstock connection test \(connection.name)"))
                } else {
                    report.findings.append(DoctorFinding("connections", .ok, "\(connection.name) works"))
                }
                if let other = ConnectionCalls.serverClock(side, workspace) {
                    report.findings.append(
                        MachineChecks.clock(now: WallClock.milliseconds, other: (connection.name, other)))
                }
            } catch let failure as CommandFailure {
                report.findings.append(
                    DoctorFinding(
                        "connections", .error,
                        failure.sentence.isEmpty ? "\(connection.name) cannot be opened" : failure.sentence.printable,
                        advice: "penstock connection test \(connection.name)"))
            } catch {
                report.findings.append(DoctorFinding("connections", .error, "\(connection.name) cannot be opened"))
            }
        }
    }

    private func text(_ path: String) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { return "" }
        // What cannot be read is not known.
        let data = try? handle.readToEnd()
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    /// What somebody who helps needs to see.
    func bundle() -> SupportBundle {
        // Without a project there are no references to resolve.
        let resolver = try? workspace.resolver()
        let secrets = BundleSecrets.all(
            of: project, environment: workspace.environment, connectors: workspace.descriptors, resolver: resolver)
        var bundle = SupportBundle(BundleText(secrets: secrets))
        bundle.add(report, environment: workspace.environment)
        if let project { bundle.add(project) }
        return bundle
    }
}
