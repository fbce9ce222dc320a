// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockHost
import PenstockModel
import PenstockProject

/// `penstock secret`.
struct SecretCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "The secrets that the project refers to, and where they are.",
        discussion: "Example: penstock secret set crm-api-token < token.txt",
        subcommands: [List.self, Set.self, Check.self, Remove.self], aliases: ["secrets"])

    @OptionGroup var options: GlobalOptions

    /// `penstock secret list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List every reference, where it is used, and whether it has a value.",
            discussion: "Values are never shown.\n\nExample: penstock secret list")

        @OptionGroup var options: GlobalOptions

        func run() throws { _ = try SecretCommand.write(options, kind: "secret.list") }
    }

    /// `penstock secret check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "The same, and exit code 77 where a reference has no value.",
            discussion: "Example: penstock secret check")

        @OptionGroup var options: GlobalOptions

        func run() throws {
            let missing = try SecretCommand.write(options, kind: "secret.check").filter { $0.problem != nil }
            guard let first = missing.first else { return }
            throw CommandFailure(
                .permission, code: first.code ?? "cred-missing",
                missing.count == 1
                    ? "\(first.raw) has no value"
                    : "\(missing.count) references have no value, the first is \(first.raw)",
                notes: [first.problem].compactMap { $0 })
        }
    }

    /// `penstock secret set`.
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Store a secret for this user, sealed; asks, or reads standard input.",
            discussion: """
                One line feed at the end is dropped. A secret of the same name is replaced. Files refer to it as \
                ${cred:NAME}.

                Example: penstock secret set crm-api-token < token.txt
                """)

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The name.")
        var name: String

        func run() throws {
            guard SecretText.isName(name) else {
                throw CommandFailure(
                    .usage, code: "bad-name", "\"\(name)\" cannot be the name of a secret",
                    notes: ["use letters, digits, -, _ and ."])
            }
            let workspace = Workspace(options)
            let store = try workspace.secretStore()
            let secret = try SecretText.asked("\(name) (not shown)", options, flag: "write it to standard input")
            let wasThere = store.isThere(name)
            // What cannot be opened is nobody's; it is replaced. A connection's secret stays the connection's.
            let owner = (try? store.stored(name))?.owner ?? ""
            try SecretKeeper.reporting(name) { () throws(ConnectorError) in
                try store.put(name, secret, owner: owner)
            }
            if options.isMachineReadable {
                let data: JSON = .object([
                    "name": .string(name), "path": .string("\(store.folder)/\(name)"), "replaced": .bool(wasThere),
                ])
                Terminal.write(Document(kind: "secret.set", data: data).text(options.format))
            } else if !options.quiet {
                Terminal.writeError(
                    "\(wasThere ? "Replaced" : "Stored") \(name), sealed, in \(store.folder)\n"
                        + "Refer to it in connections.yml as ${cred:\(name)}\n")
            }
        }
    }

    /// `penstock secret remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove a secret that is stored for this user.",
            discussion: "Example: penstock secret remove crm-api-token --yes")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The name.")
        var name: String

        @Flag(name: .long, help: "Do not ask.")
        var yes = false

        func run() throws {
            let store = try Workspace(options).secretStore()
            guard SecretText.isName(name), store.isThere(name) else {
                throw CommandFailure(.usage, code: "unknown-secret", "there is no secret \(name) in \(store.folder)")
            }
            try Confirmation.required(
                "Remove \(name)? It cannot be brought back.", yes: yes, options, consequence: "nothing was removed")
            try SecretKeeper.reporting(name) { () throws(ConnectorError) in try store.remove(name) }
            if !options.quiet { Terminal.writeError("Removed \(name)\n") }
        }
    }

    /// Writes the list of references and returns them.
    private static func write(_ options: GlobalOptions, kind: String) throws -> [ProjectReference] {
        let workspace = Workspace(options)
        let (project, _) = try workspace.loadProject(resolves: false)
        let references = project.references(try workspace.resolver())
        var listing = Listing(
            kind: kind,
            columns: [
                .init("SECRET"), .init("USED BY"), .init(cutFirst: "SOURCE"), .init(cutFirst: "RESOLVES"),
            ])
        for reference in references {
            listing.add(
                [
                    reference.name, "\(reference.span.file):\(reference.span.line) \(reference.key)",
                    ReferenceText.source(reference), ReferenceText.resolves(reference),
                ], ReferenceText.json(reference))
        }
        listing.emptyNote = "The project's files hold no references."
        Terminal.write(listing.text(options.format, width: options.tableWidth))
        return references
    }
}

/// A confirmation before something that cannot be taken back.
enum Confirmation {
    /// Asks, unless `yes`; without anybody to ask it is a failure that names the flag.
    static func required(
        _ question: String, yes: Bool, _ options: GlobalOptions, consequence: String
    ) throws {
        try StateFiles.confirm(
            "this must be confirmed", question, refusal: consequence, options, isSaid: yes)
    }
}
