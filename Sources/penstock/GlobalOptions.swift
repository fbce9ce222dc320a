// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

/// Options that every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(name: [.customShort("C"), .long], help: "Run as if started in this folder.")
    var projectDir: String?

    @Option(name: [.customShort("P"), .long], help: "The profile of penstock.yml to lay over the project.")
    var profile: String?

    @Option(name: [.short, .long], help: "How lists are written: by default a table on a terminal, tsv in a pipe.")
    var output: OutputFormat?

    @Flag(name: .long, help: "The same as --output json.")
    var json = false

    @Flag(name: [.short, .long], help: "Print results and errors only.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Log more; twice for everything.")
    var verbose: Int

    @Flag(name: .long, help: "Never ask; a missing answer is an error that names its flag.")
    var noInput = false

    @Flag(name: .long, help: "Let the project's files run programs that print secrets (${exec:…}).")
    var allowExec = false

    @Option(name: .long, help: "How progress is shown.")
    var progress: ProgressStyle = .auto

    @Option(name: .long, help: "How log lines are written.")
    var logFormat: LogFormat = .text

    /// The format of lists and reports.
    var format: OutputFormat { json ? .json : output ?? (Terminal.outputIsTerminal ? .table : .tsv) }

    /// Whether output is for a program, not for a person.
    var isMachineReadable: Bool { format == .json || format == .jsonl }

    /// How wide a table may be; nil where nobody sees it.
    var tableWidth: Int? { Terminal.outputIsTerminal ? Terminal.width : nil }

    /// Whether a table has too little room for everything.
    var isNarrow: Bool { tableWidth.map { $0 < 110 } ?? false }

    /// A time in a list: with date and offset where there is room.
    func listed(_ milliseconds: Int64) -> String {
        isNarrow ? TimeDisplay.short(milliseconds) : TimeDisplay.local(milliseconds)
    }

    /// The folder to start from.
    var startFolder: String {
        let environment = ProcessInfo.processInfo.environment["PENSTOCK_PROJECT_DIR"]
        let folder = projectDir ?? environment ?? FileManager.default.currentDirectoryPath
        return URL(fileURLWithPath: folder).standardizedFileURL.path
    }

    /// A path as a person means it who starts the program here.
    func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        return URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: startFolder + "/")).path
    }

    /// The words with which a command inside this one goes on in the project at `root`.
    func words(in root: String) -> [String] {
        var words = ["--project-dir", root, "--log-format", logFormat.rawValue]
        if let profile = profileName { words += ["--profile", profile] }
        if quiet { words.append("--quiet") }
        if noInput { words.append("--no-input") }
        if allowExec { words.append("--allow-exec") }
        return words + Array(repeating: "--verbose", count: verbose)
    }

    /// Whether questions may be asked.
    var mayAsk: Bool {
        !noInput && ProcessInfo.processInfo.environment["PENSTOCK_NO_INPUT"] == nil && Terminal.inputIsTerminal
    }

    /// The profile, by flag or environment.
    var profileName: String? { profile ?? ProcessInfo.processInfo.environment["PENSTOCK_PROFILE"] }
}

/// How progress is shown.
enum ProgressStyle: String, CaseIterable, ExpressibleByArgument {
    /// A line that is redrawn on a terminal, plain lines elsewhere.
    case auto
    /// A line now and then.
    case plain
    /// Not at all.
    case none
}
