// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock init`.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Start a project: asks, or takes everything from flags.",
        discussion: """
            A secret is given as a reference, ${env:NAME}, ${file:PATH} or ${cred:NAME}; on a terminal it may be typed, \
            and is then stored for this user only.

            Example: penstock init acme --source CONNECTOR --source-set path=data --destination CONNECTOR \
            --destination-set 'api_token=${env:TOKEN}'
            """)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The project's folder; this one where none is named.")
    var folder: String = "."

    @Option(name: .long, help: "The project's name; the folder's where it is left out.")
    var name: String?

    @Option(name: .long, help: "The connector to read with; see connector list.")
    var source: String?

    @Option(name: .long, help: "A setting of the source, key=value; may be repeated.")
    var sourceSet: [String] = []

    @Option(name: .long, help: "The connector to write with.")
    var destination: String?

    @Option(name: .long, help: "A setting of the destination, key=value; may be repeated.")
    var destinationSet: [String] = []

    @Flag(name: .long, help: "Write to the sandbox of a connector on this machine; no account is needed.")
    var sandbox = false

    @Option(name: .long, help: "Where that sandbox listens, or is to; 0 starts one on a free port.")
    var sandboxPort = 7_391

    @Flag(inversion: .prefixedNo, help: "Go on with a first sync, or do not offer it.")
    var firstSync: Bool?

    func validate() throws {
        guard ((options.mayAsk ? 0 : 1)...65_535).contains(sandboxPort) else {
            throw ValidationError("--sandbox-port is from 1 to 65535; 0 only where questions may be asked.")
        }
        guard !(firstSync ?? false) || options.mayAsk else {
            throw ValidationError("--first-sync asks questions; without a terminal use penstock sync new.")
        }
    }

    func run() throws {
        let workspace = Workspace(options)
        let root = URL(fileURLWithPath: folder, relativeTo: URL(fileURLWithPath: options.startFolder + "/"))
            .standardizedFileURL
        let manifest = root.appendingPathComponent("penstock.yml")
        guard !FileManager.default.fileExists(atPath: manifest.path) else {
            throw CommandFailure(.usage, code: "project-exists", "\(manifest.path) exists already")
        }
        workspace.root = .success(root.path)
        let ids = workspace.loadedDescriptors.filter { $0.capabilities.contains(.destination) }.map(\.id)
        let rehearsal = InitSandbox(of: ids, named: destination, port: sandboxPort)
        defer { rehearsal?.stop() }
        guard !sandbox || rehearsal != nil else {
            throw CommandFailure(
                .usage, code: "sandbox", "\(destination.map { "\($0) has no sandbox" } ?? "no sandbox was found")")
        }
        let questions = InitQuestions(workspace, root: root.path, mayAsk: options.mayAsk)
        let projectName = try questions.name(given: name, default: root.lastPathComponent)
        let from = try questions.side(
            InitQuestions.Subject(
                question: "Where does the data come from?", flag: "--source", connector: source, settings: sourceSet,
                role: .source))
        let to = try questions.side(
            InitQuestions.Subject(
                question: "Where should it go?", flag: "--destination", connector: destination,
                settings: destinationSet, role: .destination, sandbox: rehearsal, takesSandbox: sandbox))
        if Interruption.exitCode != nil { throw Prompt.aborted("no project was written") }
        try store([from, to], workspace, root.path)
        try write(root, projectName, from, to)
        for side in [from, to] {
            if let report = side.report { TestRecord(report).write(side.name, root: root.path) }
        }
        if options.isMachineReadable {
            let data: JSON = .object(["project": .string(projectName), "folder": .string(root.path)])
            Terminal.write(Document(kind: "init", data: data).text(options.format))
        } else if !options.quiet {
            Terminal.writeError(
                "Created penstock.yml, connections.yml, models/, syncs/ and .gitignore in \(root.path)\n")
        }
        let isMade = try offersSync(from, to) && makeSync(workspace, root.path)
        sayNext(from, to, to.isSandbox ? rehearsal?.command : nil, hasSync: isMade)
    }

    /// Whether a first sync is made now: both ends work, and somebody wants it.
    private func offersSync(_ from: InitSide, _ to: InitSide) throws -> Bool {
        if let firstSync { return firstSync }
        guard options.mayAsk, !options.isMachineReadable, from.wasAsked || to.wasAsked, from.works, to.works else {
            return false
        }
        return try Questions().confirm("Create a first sync now?", default: true)
    }

    /// Makes a first sync by the wizard; the project stays, whatever becomes of it.
    private func makeSync(_ workspace: Workspace, _ root: String) throws -> Bool {
        do {
            let wizard = try SyncNewCommand.parse(options.words(in: root))
            try wizard.run()
            return true
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
            if Interruption.exitCode != nil { throw CommandFailure(silently: failure.exitCode) }
            Terminal.writeError("The project is there all the same.\n")
            return false
        }
    }

    /// What a person does next.
    private func sayNext(_ from: InitSide, _ to: InitSide, _ sandbox: String?, hasSync: Bool) {
        guard !options.quiet else { return }
        var lines: [String] = []
        if folder != "." { lines.append("cd \(folder)") }
        if let sandbox { lines.append("\(sandbox)      (in a terminal of its own)") }
        for side in [from, to] where side.needsLogin { lines.append("penstock connection login \(side.name)") }
        if !from.works || !to.works { lines.append("penstock connection test") }
        if !hasSync {
            lines.append("penstock connection discover \(from.name)")
            lines.append("penstock sync new      (or write syncs/NAME.yml; an example is in syncs/README.md)")
        }
        lines.append("penstock plan")
        Terminal.writeError("Next:  " + lines.joined(separator: "\n       ") + "\n")
    }

    /// Stores the secrets that were typed, sealed.
    private func store(_ sides: [InitSide], _ workspace: Workspace, _ root: String) throws {
        let keeper = SecretKeeper(workspace, root: root)
        for side in sides {
            for (name, secret) in side.secrets {
                try keeper.store(name, secret, for: side.name)
                if !options.quiet {
                    Terminal.writeError("Stored \(name), sealed, in \(try workspace.secretStore().folder)\n")
                }
            }
        }
    }

    private func write(_ root: URL, _ name: String, _ source: InitSide, _ destination: InitSide) throws {
        let files: [(path: String, text: String)] = [
            ("penstock.yml", YAMLValue.map([("version", .integer(1)), ("project", .text(name))]).document()),
            (
                "connections.yml",
                "# References to secrets, never secrets: ${env:NAME}, ${file:PATH}, ${cred:NAME}.\nversion: 1\nconnections:\n"
                    + source.yaml + "\n" + destination.yaml
            ),
            ("models/README.md", "One SELECT per file, NAME.sql, with a first line `-- connection: \(source.name)`.\n"),
            ("syncs/README.md", example(source, destination)),
            (
                ".gitignore",
                ".penstock/\n.env\n" + (source.secretFiles + destination.secretFiles).map { $0 + "\n" }.joined()
            ),
        ]
        do {
            for folder in ["models", "syncs"] {
                try FileManager.default.createDirectory(
                    at: root.appendingPathComponent(folder), withIntermediateDirectories: true)
            }
            for file in files {
                let url = root.appendingPathComponent(file.path)
                if FileManager.default.fileExists(atPath: url.path) { continue }
                try Data(file.text.utf8).write(to: url, options: .withoutOverwriting)
            }
        } catch {
            throw CommandFailure(.cannotWrite, code: "cannot-write", "the project cannot be written into \(root.path)")
        }
    }

    private func example(_ source: InitSide, _ destination: InitSide) -> String {
        let object = destination.object
        return """
            One sync per file; the file's name is the sync's name. For example `syncs/first.yml`:

            ```yaml
            version: 1
            name: first
            destination: {connection: \(destination.name), object: \(object?.id ?? "OBJECT")}
            source: {connection: \(source.name), table: TABLE}     # or model: NAME
            map:                          # target field: column
              \(object?.requiredOnCreate.first ?? "name"): COLUMN
            fetch: {mode: FULL}           # or INCREMENTAL with key: COLUMN
            insert: {mode: Append}        # or Update with id mapped, or match: FIELD
            ```

            """
    }
}
