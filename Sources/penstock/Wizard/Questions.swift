// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject

/// Questions on a terminal, line by line: no cursor movement and no colour, so that any terminal and a screen reader
/// will do.
///
/// Ctrl-C and the end of the input end the command at once.
struct Questions {
    /// One of several answers.
    struct Choice<Value> {
        /// What is shown, and may be typed.
        var name: String
        /// What is said of it, or empty.
        var note: String
        /// What it stands for.
        var value: Value

        init(_ name: String, note: String = "", _ value: Value) {
            self.name = name
            self.note = note
            self.value = value
        }
    }

    /// How wide lines may be.
    let width: Int
    /// The most entries of a list that are shown at once.
    private static let shownMax = 12

    init() { width = max(20, Terminal.width) }

    /// What ends a command whose questions were not answered.
    static var aborted: CommandFailure {
        if Interruption.exitCode != nil { return CommandFailure(silently: Interruption.exitCode ?? .interrupted) }
        return CommandFailure(.usage, code: "aborted", "there was no answer; nothing was written")
    }

    /// Writes lines, broken where they are too wide.
    func say(_ text: String, indent: Int = 4) {
        for line in text.wrapped(to: width - 1, indent: indent) { Terminal.writeError(line + "\n") }
    }

    /// Asks for a text until `check` finds nothing wrong with it; an empty answer takes the default.
    func text(
        _ question: String, default standard: String? = nil, check: (String) -> String? = { _ in nil }
    ) throws -> String {
        while true {
            let answer = try line(question + (standard.map { " [\($0.printable)]" } ?? ""))
            let text = answer.isEmpty ? standard ?? "" : answer
            guard let problem = check(text) else { return text }
            say("      " + problem, indent: 6)
        }
    }

    /// Asks yes or no until it is one of them.
    func confirm(_ question: String, default standard: Bool = false) throws -> Bool {
        while true {
            let answer = try line(question + (standard ? " [Y/n]" : " [y/N]"))
            if answer.isEmpty { return standard }
            if let said = Prompt.yesOrNo(answer) { return said }
            say("      y or n", indent: 6)
        }
    }

    /// Asks for one of several, by number, by name, or by a part of a name.
    ///
    /// - Parameter standard: The place of the answer that an empty line takes, or nil for none.
    func choice<Value>(_ question: String, _ choices: [Choice<Value>], default standard: Int? = 0) throws -> Value {
        var shown = Array(choices.indices)
        show(question, choices, shown, isFirst: true)
        while true {
            let prompt = standard.map { place in
                shown.firstIndex(of: place).map { " [\($0 + 1)]" } ?? " [\(choices[place].name.printable)]"
            }
            let answer = try line(
                "    " + (shown.count > Self.shownMax ? "number, or type to filter" : "number") + (prompt ?? ""))
            if answer.isEmpty, let standard { return choices[standard].value }
            if let number = Int(answer), shown.prefix(Self.shownMax).indices.contains(number - 1) {
                return choices[shown[number - 1]].value
            }
            if let exact = choices.firstIndex(where: { $0.name == answer }) { return choices[exact].value }
            let found = Self.filtered(choices.map(\.name), answer)
            switch found.count {
            case 0:
                say(
                    Int(answer) == nil
                        ? "      nothing here is called \"\(answer.printable)\"; a number, or a part of a name"
                        : "      a number from 1 to \(min(shown.count, Self.shownMax)), or a part of a name")
                shown = Array(choices.indices)
            case 1: return choices[found[0]].value
            default: shown = found
            }
            show(question, choices, shown, isFirst: false)
        }
    }

    /// The places of the names that hold `text`, whatever its case; none for an empty text.
    static func filtered(_ names: [String], _ text: String) -> [Int] {
        let wanted = text.lowercased()
        guard !wanted.isEmpty else { return [] }
        return names.indices.filter { names[$0].lowercased().contains(wanted) }
    }

    /// The choices on one line where they fit, else a line each.
    private func show<Value>(_ question: String, _ choices: [Choice<Value>], _ shown: [Int], isFirst: Bool) {
        let texts = shown.prefix(Self.shownMax).enumerated().map { place, choice in
            "\(place + 1)) " + choices[choice].name.printable
                + (choices[choice].note.isEmpty ? "" : " (\(choices[choice].note.printable))")
        }
        let line = question + "   " + texts.joined(separator: "  ")
        if isFirst, shown.count <= Self.shownMax, line.displayWidth < width {
            Terminal.writeError(line + "\n")
            return
        }
        if isFirst { Terminal.writeError(question + "\n") }
        for text in texts { Terminal.writeError(("      " + text).truncated(to: width - 1) + "\n") }
        if shown.count > Self.shownMax { say("      … and \(shown.count - Self.shownMax) more") }
    }

    private func line(_ prompt: String) throws -> String {
        guard let answer = Prompt.text(prompt) else { throw Self.aborted }
        return answer
    }
}
