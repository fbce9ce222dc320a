// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost

/// `penstock sandbox`.
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Serve a destination's API on this machine, to rehearse without an account.",
        discussion: """
            The sandbox is a program beside its connector; all further options go to it. Name the connector where there \
            is more than one.

            Example: penstock sandbox --port 7391 --seed-organizations 100
                     penstock sandbox --help
            """)

    @Argument(parsing: .captureForPassthrough, help: "The connector's name, then options of its sandbox.")
    var arguments: [String] = []

    func run() throws {
        var rest = arguments[...]
        var name: String?
        if let first = rest.first, SandboxProgram.all().contains(where: { $0.name == first }) {
            name = first
            rest = rest.dropFirst()
        }
        let program = try SandboxProgram.find(name)
        let words = [program] + rest
        try DemoFolder.makeRoom(for: words)
        Interruption.unblockForExec()
        var pointers = words.map { strdup($0) }
        pointers.append(nil)
        execv(program, pointers)
        throw CommandFailure(.fault, code: "sandbox", "\(program) cannot be started")
    }
}

/// The programs `penstock-sandbox-NAME` that lie where connectors lie.
enum SandboxProgram {
    private static let prefix = "penstock-sandbox-"

    /// The sandbox of a connector; of the only one there is where none is named.
    ///
    /// - Throws: ``CommandFailure``.
    static func find(_ name: String?) throws -> String {
        let found = all()
        let names = found.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        if let name {
            guard let program = found.first(where: { $0.name == name }) else {
                throw Suggestion.failure(name, "sandbox", names)
            }
            return program.path
        }
        guard names.count < 2 else {
            throw CommandFailure(
                .usage, code: "sandbox", "name a sandbox", notes: ["they are: " + names.joined(separator: ", ")])
        }
        guard let only = found.first else {
            throw CommandFailure(
                .unavailable, code: "sandbox", "no sandbox was found",
                notes: ["searched: " + folders.joined(separator: ", ")])
        }
        return only.path
    }

    private static var folders: [String] { ConnectorSearchPath.ofProcess().folders.map(\.path) }

    /// All sandboxes, in the order of the search path.
    static func all() -> [(name: String, path: String)] {
        var found: [(name: String, path: String)] = []
        for folder in folders {
            // A folder of the search path that is not there has no programs in it.
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for file in files.sorted() where file.hasPrefix(prefix) && !file.contains(".") {
                let path = folder + "/" + file
                guard FileManager.default.isExecutableFile(atPath: path) else { continue }
                found.append((String(file.dropFirst(prefix.count)), path))
            }
        }
        return found
    }
}
