// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Questions on standard error, answers from standard input.
enum Prompt {
    /// What a command fails with where a question was not answered.
    static func aborted(_ consequence: String) -> CommandFailure {
        if let code = Interruption.exitCode { return CommandFailure(silently: code) }
        return CommandFailure(.usage, code: "aborted", "there was no answer; \(consequence)")
    }

    /// Asks for a text; an empty answer takes the default.
    ///
    /// - Returns: Nil at the end of the input.
    static func text(
        _ question: String, default standard: String? = nil, whileWaiting: () -> Void = {}
    ) -> String? {
        Terminal.writeError(question + (standard.map { " [\($0)]" } ?? "") + ": ")
        guard let answer = Terminal.readAnswer(whileWaiting: whileWaiting)?.trimmingCharacters(in: .whitespaces) else {
            Terminal.writeError("\n")
            return nil
        }
        return answer.isEmpty ? standard ?? "" : answer
    }

    /// Asks for one of several, by number or name.
    static func choice(_ question: String, _ choices: [String]) -> String? {
        let list = choices.enumerated().map { "\($0.offset + 1)) \($0.element)" }.joined(separator: "  ")
        while let answer = text("\(question)   \(list)", default: choices.isEmpty ? nil : "1") {
            if let number = Int(answer), choices.indices.contains(number - 1) { return choices[number - 1] }
            if choices.contains(answer) { return answer }
            Terminal.writeError("  a number from 1 to \(choices.count), or a name\n")
        }
        return nil
    }

    /// What an answer to yes or no says; nil for neither.
    static func yesOrNo(_ answer: String) -> Bool? {
        switch answer.lowercased() {
        case "y", "yes": true
        case "n", "no": false
        default: nil
        }
    }

    /// Asks yes or no until it is one of them; no is the default.
    ///
    /// - Returns: Nil at the end of the input, and where the program is told to stop.
    static func decision(_ question: String) -> Bool? {
        while let answer = text("\(question) [y/N]") {
            if answer.isEmpty { return false }
            if let said = yesOrNo(answer) { return said }
            Terminal.writeError("  y or n\n")
        }
        return nil
    }

    /// Asks for a text that is not shown while it is typed.
    static func secret(_ question: String) -> String? {
        var before = termios()
        let isTerminal = tcgetattr(0, &before) == 0
        if isTerminal { hideTyping(TCSAFLUSH) }
        defer {
            if isTerminal {
                tcsetattr(0, TCSAFLUSH, &before)
                Terminal.writeError("\n")
            }
        }
        // Whoever stops the program and goes on gets the terminal from the shell as it was: with echo.
        return text(question) { if isTerminal { hideTyping(TCSANOW) } }
    }

    private static func hideTyping(_ when: Int32) {
        var settings = termios()
        guard tcgetattr(0, &settings) == 0, settings.c_lflag & tcflag_t(ECHO) != 0 else { return }
        settings.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, when, &settings)
    }
}
