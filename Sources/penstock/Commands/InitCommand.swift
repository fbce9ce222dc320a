// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel

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

    func run() throws {
        let workspace = Workspace(options)
        let root = URL(fileURLWithPath: folder, relativeTo: URL(fileURLWithPath: options.startFolder + "/"))
            .standardizedFileURL
        let manifest = root.appendingPathComponent("penstock.yml")
        guard !FileManager.default.fileExists(atPath: manifest.path) else {
            throw CommandFailure(.usage, code: "project-exists", "\(manifest.path) exists already")
        }
        let questions = InitQuestions(workspace, root: root.path, mayAsk: options.mayAsk)
        let projectName = try questions.text(
            "Project name", flag: "--name", given: name, default: root.lastPathComponent)
        let source = try questions.side(
            "Where does the data come from?", flag: "--source", given: source, settings: sourceSet, .source)
        let destination = try questions.side(
            "Where should it go?", flag: "--destination", given: destination, settings: destinationSet, .destination)
        if Interruption.exitCode != nil { throw Prompt.aborted("no project was written") }
        try store([source, destination], workspace, root.path)
        try write(root, projectName, source, destination)
        if options.isMachineReadable {
            let data: JSON = .object(["project": .string(projectName), "folder": .string(root.path)])
            Terminal.write(Document(kind: "init", data: data).text(options.format))
        }
        if !options.quiet {
            Terminal.writeError(
                """
                Created penstock.yml, connections.yml, models/, syncs/ and .gitignore in \(root.path)
                Next:  penstock connection test
                       penstock connection discover \(source.name)
                       penstock sync new      (or write syncs/NAME.yml; an example is in syncs/README.md)
                       penstock plan

                """)
        }
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
            ("penstock.yml", "version: 1\nproject: \(YAMLText.scalar(name))\n"),
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
