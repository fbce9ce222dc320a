// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PenstockModel

/// `penstock completion`.
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print a completion script for your shell.",
        discussion: "Example: penstock completion bash > /etc/bash_completion.d/penstock")

    @OptionGroup var options: GlobalOptions

    @Argument(help: "bash, zsh or fish.")
    var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw Suggestion.failure(shell, "shell", CompletionShell.allCases.map(\.rawValue))
        }
        let script = Penstock.completionScript(for: shell) + "\n"
        guard options.isMachineReadable else { return Terminal.write(script) }
        let data = JSON.object(["shell": .string(shell.rawValue), "script": .string(script)])
        Terminal.write(Document(kind: "completion", data: data).text(options.format))
    }
}
