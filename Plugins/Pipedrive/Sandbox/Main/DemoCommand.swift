// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PipedriveSandbox

/// Writes the demo project, then serves the CRM that it talks to.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Writes a demo project and serves the CRM that it talks to.",
        discussion: "Example: penstock sandbox demo --dir penstock-demo")

    @Option(help: "The folder for the project: new, empty, or one with an earlier demo.")
    var dir: String

    @Flag(help: ArgumentHelp("Only move the state of an earlier demo aside, and end.", visibility: .hidden))
    var makeRoom = false

    @OptionGroup var server: ServerOptions

    func run() throws {
        var options = try server.options()
        guard !makeRoom else { return try Serving.tryOut(options) { try DemoProject.makeRoom(in: dir) } }
        options.seedDemo = true
        try Serving.run(options) { sandbox in
            try DemoProject.write(to: dir, baseURL: sandbox.baseURL, options: options)
        }
    }
}
