// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The manual pages of all commands, made of what the commands say of themselves.
///
/// The text is roff with the macros of man(7).
struct ManualPage {
    /// The name of the file, for example `penstock-model-new.1`.
    let file: String
    /// The page.
    let text: String

    private static let section = "1"

    /// The pages of a command and of everything below it.
    ///
    /// - Parameters:
    ///   - command: The command, in the form in which the argument parser dumps it.
    ///   - date: The day of the pages, `YYYY-MM-DD`.
    ///   - version: The version of the program.
    static func all(of command: JSON, date: String, version: String) -> [ManualPage] {
        pages(command, parents: [], rootOptions: [], date: date, version: version)
    }

    private static func pages(
        _ command: JSON, parents: [String], rootOptions: [JSON], date: String, version: String
    ) -> [ManualPage] {
        guard command["shouldDisplay"]?.boolValue != false, let name = command["commandName"]?.stringValue else {
            return []
        }
        let words = parents + [name]
        let options = parents.isEmpty ? command["arguments"]?.arrayValue ?? [] : rootOptions
        let writer = ManualWriter(words: words, command: command, rootOptions: options)
        let title = words.joined(separator: "-")
        let head = ".TH \(title.uppercased().roff) \(section) \(date) \"Penstock \(version)\" \"Penstock Manual\"\n"
        let page = ManualPage(file: "\(title).\(section)", text: head + writer.body)
        let below = (command["subcommands"]?.arrayValue ?? []).filter { $0["commandName"]?.stringValue != "help" }
        return [page]
            + below.flatMap { pages($0, parents: words, rootOptions: options, date: date, version: version) }
    }
}

/// Writes one page.
private struct ManualWriter {
    let words: [String]
    let command: JSON
    let rootOptions: [JSON]

    private var isRoot: Bool { words.count == 1 }

    private var below: [JSON] {
        (command["subcommands"]?.arrayValue ?? []).filter {
            $0["shouldDisplay"]?.boolValue != false && $0["commandName"]?.stringValue != "help"
        }
    }

    /// What the command takes besides the options that every command takes.
    private var own: [JSON] {
        let all = (command["arguments"]?.arrayValue ?? []).filter { $0["shouldDisplay"]?.boolValue != false }
        let common = Set(isRoot ? [] : rootOptions.map(Self.names))
        return all.filter { !common.contains(Self.names($0)) }
    }

    /// The page below its title.
    var body: String {
        let abstract = command["abstract"]?.stringValue ?? ""
        let title = words.joined(separator: "-")
        let (paragraphs, examples) = Self.split(command["discussion"]?.stringValue ?? "")
        var out = ".SH NAME\n\(title.roff) \\- \(Self.lowered(abstract).roff)\n"
        out += ".SH SYNOPSIS\n.B \(words.joined(separator: " ").roff)\n" + synopsis
        out += ".SH DESCRIPTION\n\(abstract.roffLine)\n"
        for paragraph in paragraphs { out += ".PP\n\(paragraph.roffLine)\n" }
        if !below.isEmpty { out += ".SH COMMANDS\n" + below.map(item).joined() }
        let positional = own.filter { $0["kind"]?.stringValue == "positional" }
        let options = own.filter { $0["kind"]?.stringValue != "positional" }
        if !positional.isEmpty { out += ".SH ARGUMENTS\n" + positional.map(argument).joined() }
        if !options.isEmpty { out += ".SH OPTIONS\n" + options.map(argument).joined() }
        if !isRoot { out += ".PP\nThe options of every command are in\n.BR penstock (1).\n" }
        if isRoot { out += Self.files + Self.exitStatus }
        if !examples.isEmpty {
            out += ".SH EXAMPLES\n" + examples.map { ".nf\n\($0.roffLine)\n.fi\n" }.joined(separator: ".PP\n")
        }
        return out + seeAlso
    }

    private var synopsis: String {
        var parts = below.isEmpty ? "" : ".I command\n"
        if own.contains(where: { $0["kind"]?.stringValue != "positional" }) || isRoot { parts += ".RI [ options ]\n" }
        for argument in own where argument["kind"]?.stringValue == "positional" {
            let name = (argument["valueName"]?.stringValue ?? "").roff
            let more = argument["isRepeating"]?.boolValue == true ? "..." : ""
            let isOptional = argument["isOptional"]?.boolValue == true
            parts += isOptional ? ".RI [ \(name) ]\(more)\n" : ".IR \(name) \(more)\n"
        }
        return parts
    }

    private func item(_ command: JSON) -> String {
        let name = command["commandName"]?.stringValue ?? ""
        return ".TP\n.BR \((words + [name]).joined(separator: "-").roff) (1)\n"
            + "\((command["abstract"]?.stringValue ?? "").roffLine)\n"
    }

    private func argument(_ argument: JSON) -> String {
        let value = (argument["valueName"]?.stringValue ?? "").roff
        var text = argument["abstract"]?.stringValue ?? ""
        if let values = argument["allValues"]?.arrayValue?.compactMap(\.stringValue), !values.isEmpty {
            text += " One of: " + values.joined(separator: ", ") + "."
        }
        if let standard = argument["defaultValue"]?.stringValue, !standard.isEmpty { text += " Default: \(standard)." }
        let name: String
        if argument["kind"]?.stringValue == "positional" {
            name = ".I \(value)"
        } else {
            let names = Self.names(argument).map { "\\fB\($0.roff)\\fR" }.joined(separator: ", ")
            name = names + (argument["kind"]?.stringValue == "option" ? " \\fI\(value)\\fR" : "")
        }
        return ".TP\n\(name)\n\(text.roffLine)\n"
    }

    private static func names(_ argument: JSON) -> [String] {
        (argument["names"]?.arrayValue ?? []).map { name in
            (name["kind"]?.stringValue == "short" ? "-" : "--") + (name["name"]?.stringValue ?? "")
        }
    }

    private static func lowered(_ sentence: String) -> String {
        sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
    }

    /// Paragraphs, and the lines that are examples.
    private static func split(_ discussion: String) -> (paragraphs: [String], examples: [String]) {
        let marker = "Example: "
        var paragraphs: [String] = []
        var examples: [String] = []
        var current: [String] = []
        for line in discussion.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix(marker) {
                examples.append(String(line.dropFirst(marker.count)))
            } else if line.hasPrefix("  ") {
                let text = String(line.drop { $0 == " " })
                examples.append(text)
            } else if line.isEmpty {
                paragraphs.append(current.joined(separator: " "))
                current = []
            } else {
                current.append(line)
            }
        }
        paragraphs.append(current.joined(separator: " "))
        return (paragraphs.filter { !$0.isEmpty }, examples)
    }

    private static var exitStatus: String {
        ".SH EXIT STATUS\n"
            + ExitCode.allCases.map { ".TP\n.B \($0.rawValue)\n\($0.meaning.roffLine)\n" }.joined()
    }

    private static let files = """
        .SH FILES
        .TP
        .I penstock.yml
        The project; found in this folder or one above it.
        .TP
        .I connections.yml
        Accounts and warehouses, with references to secrets.
        .TP
        .IR models/ , \\~syncs/
        One model, one sync per file.
        .TP
        .I .penstock/
        What Penstock remembers: state, results of runs. Not for version control.
        .TP
        .I ~/.config/penstock/credentials/
        Secrets of this user.
        .SH ENVIRONMENT
        .TP
        .B PENSTOCK_PROJECT_DIR
        The folder to start from, as \\fB\\-C\\fR.
        .TP
        .B PENSTOCK_PROFILE
        The profile, as \\fB\\-P\\fR.
        .TP
        .B PENSTOCK_NO_INPUT
        Never ask, as \\fB\\-\\-no\\-input\\fR.
        .TP
        .B PENSTOCK_CONNECTOR_PATH
        Folders with connectors, before all others, with colons between.

        """

    private var seeAlso: String {
        var names = isRoot ? [] : [words.dropLast().joined(separator: "-")]
        if !isRoot, words.count > 2 { names.insert("penstock", at: 0) }
        names += below.compactMap { $0["commandName"]?.stringValue }.map { (words + [$0]).joined(separator: "-") }
        guard !names.isEmpty else { return "" }
        let lines = names.enumerated().map { index, name in
            ".BR \(name.roff) (1)" + (index + 1 < names.count ? "," : "")
        }
        return ".SH SEE ALSO\n" + lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    /// The text as it stands within a line of roff.
    fileprivate var roff: String {
        reduce(into: "") { out, character in
            switch character {
            case "\\": out += "\\e"
            case "-": out += "\\-"
            case "'": out += "\\(aq"
            case "\"": out += "\\(dq"
            case "`": out += "\\(ga"
            case "^": out += "\\(ha"
            case "~": out += "\\(ti"
            default: out.append(character)
            }
        }
    }

    /// The text as a line of roff of its own, whatever it begins with.
    fileprivate var roffLine: String { (hasPrefix(".") || hasPrefix("'") ? "\\&" : "") + roff }
}
