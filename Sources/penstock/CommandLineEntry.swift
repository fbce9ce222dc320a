// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockModel

/// Parses the command line, runs the command, and ends the process with the right code.
enum CommandLineEntry {
    /// Runs and never returns.
    static func run() -> Never {
        FreedMemory.keepForReuse()
        CrashSilence.install()
        Interruption.install()
        ParentProcess.follow()
        let arguments = BudgetWait.spelledOut(Array(CommandLine.arguments.dropFirst()))
        do {
            var command = try Penstock.parseAsRoot(arguments)
            try command.run()
            exit(ExitCode.ok.rawValue)
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty { Terminal.writeError(failure.message + "\n") }
            exit(failure.exitCode.rawValue)
        } catch {
            if Penstock.exitCode(for: error) == .validationFailure, let hint = MisspelledCommand.hint(arguments) {
                Terminal.writeError(hint.printableLines + "\n")
                exit(ExitCode.usage.rawValue)
            }
            if Penstock.exitCode(for: error) == .validationFailure {
                Terminal.writeError(usage(Penstock.fullMessage(for: error)).printableLines + "\n")
                exit(ExitCode.usage.rawValue)
            }
            Penstock.exit(withError: error)
        }
    }

    /// What is wrong with the options, in the form of all errors.
    private static func usage(_ message: String) -> String {
        let word = "Error: "
        return message.hasPrefix(word) ? "error[usage]: " + message.dropFirst(word.count) : message
    }
}

/// Tells what was probably meant where a command does not exist.
enum MisspelledCommand {
    /// The options that may stand before a command, with a value behind them.
    private static let valued: Set<String> = [
        "-C", "--project-dir", "-P", "--profile", "-o", "--output", "--progress", "--log-format",
    ]
    /// The options that may stand before a command, without a value.
    private static let flags: Set<String> = [
        "--json", "-q", "--quiet", "-v", "-vv", "--verbose", "--no-input", "--allow-exec",
    ]

    /// A message with a suggestion, or nil where the arguments name commands that exist, or where something else is
    /// wrong with them first.
    static func hint(_ arguments: [String]) -> String? {
        var commands: [any ParsableCommand.Type] = Penstock.configuration.groupedSubcommands.flatMap(\.subcommands)
        var path = "penstock"
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if commands.isEmpty { return nil }
            if word.hasPrefix("-") {
                if valued.contains(word) {
                    rest = rest.dropFirst()
                } else if !flags.contains(word), !valued.contains(where: { word.hasPrefix($0 + "=") }) {
                    return nil
                }
                continue
            }
            if let found = commands.first(where: { names($0).contains(word) }) {
                commands = found.configuration.subcommands
                path += " " + word
                continue
            }
            let all = commands.flatMap(names)
            let nearest = NearestName.of(word, in: all).map { "did you mean \"\(path) \($0)\"?" }
            return CommandFailure(
                .usage, code: "usage", "\"\(path)\" has no command \"\(word)\"",
                notes: [
                    nearest,
                    "commands: "
                        + commands.filter { $0.configuration.shouldDisplay }.flatMap { names($0).prefix(1) }.joined(
                            separator: ", "),
                ]
                .compactMap { $0 }
            ).message
        }
        return nil
    }

    private static func names(_ command: any ParsableCommand.Type) -> [String] {
        [command.configuration.commandName ?? ""] + command.configuration.aliases
    }
}
