// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockModel
import PipedriveSandbox

/// Prints the settings with which the connector reaches a sandbox.
struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Prints, as JSON, the settings with which the connector reaches a sandbox.",
        discussion: "Example: penstock sandbox settings --base-url http://127.0.0.1:7391")

    @Option(help: "Where the sandbox listens.")
    var baseUrl: String

    func run() {
        let settings: JSONObject = [
            "base_url": .string(baseUrl), "api_token": .string(SandboxOptions().tokens.first ?? ""),
        ]
        print(JSON.object(settings).text)
    }
}
