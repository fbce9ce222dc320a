// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel
import PenstockProject

/// How long a run waits for its budget: the value of `--wait-for-budget`.
struct BudgetWait: ExpressibleByArgument {
    /// The longest wait in milliseconds, or nil for as long as it takes.
    let milliseconds: Int64?

    private static let option = "--wait-for-budget"
    private static let endless = "renewed"

    init?(argument: String) {
        if argument == Self.endless {
            milliseconds = nil
        } else {
            guard let microseconds = DurationText.microseconds(argument) else { return nil }
            milliseconds = microseconds / 1_000
        }
    }

    /// The command line with a value for the option where it has none.
    ///
    /// The option takes its value with `=` alone, so that the word behind it is the name of a sync.
    static func spelledOut(_ arguments: [String]) -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return arguments.enumerated().map { index, word in
            word == option && index < end ? "\(option)=\(endless)" : word
        }
    }
}

/// Runs a sync again and again until the budget no longer ends it, and waits in between.
struct BudgetPatience {
    private let wait: BudgetWait?
    private let name: String
    private let connection: String
    private let options: GlobalOptions
    private let limits: CredentialLimits?

    private static let pause: Int64 = 1_000

    /// Patience for one sync; none where `wait` is nil.
    init(
        _ wait: BudgetWait?, _ file: SyncFile, _ workspace: Workspace, _ project: Project, _ options: GlobalOptions
    ) throws {
        self.wait = wait
        self.options = options
        name = file.name
        connection = file.definition.destination.connection
        limits = try wait.map { _ in
            let side = try workspace.setup(file, in: project).destination
            return CredentialLimits(
                CredentialLimits.Identity(side.connector.descriptor, side.settings), side.budget.terms)
        }
    }

    /// Runs, and again after a wait while the budget is what ends the run.
    ///
    /// - Returns: What the last run returned; its failure is thrown.
    /// - Throws: ``CommandFailure``, for Ctrl-C during a wait, too.
    func repeating(_ run: () throws -> (ExitCode, JSON)) throws -> (ExitCode, JSON) {
        var left = wait?.milliseconds ?? .max
        while true {
            let result = Result { try run() }
            guard let limits, isLater(result), limits.standstill != nil, try isOver(limits, &left) else {
                return try result.get()
            }
        }
    }

    private func isLater(_ result: Result<(ExitCode, JSON), any Error>) -> Bool {
        switch result {
        case .success((let code, _)): code == .tryLater
        case .failure(let failure as CommandFailure): failure.exitCode == .tryLater
        case .failure: false
        }
    }

    /// Waits until sending may work again.
    ///
    /// - Parameter left: How many milliseconds may still be waited; what was waited is taken off.
    /// - Returns: False where they are used up before.
    private func isOver(_ limits: CredentialLimits, _ left: inout Int64) throws -> Bool {
        let display = WaitDisplay(options)
        defer { display.end() }
        while let standstill = limits.standstill, standstill.tryIn > 0 {
            guard left > 0 else { return false }
            let next = LimitText.clock(inMilliseconds: standstill.tryIn)
            let what =
                switch standstill.cause {
                case .budget:
                    "waits for the daily budget of connection \(connection), renewed by "
                        + "\(LimitText.clock(inMilliseconds: standstill.overIn)) at the latest; tries again at \(next)"
                case .asked: "waits until \(next), as connection \(connection) was asked to"
                case .blocked: "waits until \(next), as the other side blocks connection \(connection)"
                }
            display.show("\(name)  \(what)  (Ctrl-C stops)")
            let pause = max(1, min(Self.pause, left, standstill.tryIn))
            if Interruption.cancellation.wait(milliseconds: pause) { throw CommandFailure.stopped }
            left -= pause
        }
        return true
    }
}

/// Says on standard error what is waited for: in a line that is redrawn on a terminal, once elsewhere.
private final class WaitDisplay {
    private let redraws: Bool
    private let isShown: Bool
    private var hasLine = false

    init(_ options: GlobalOptions) {
        isShown = !options.quiet && options.progress != .none
        redraws = isShown && options.progress == .auto && Terminal.errorIsTerminal
    }

    func show(_ line: String) {
        guard isShown else { return }
        if redraws {
            Terminal.writeError("\r" + line.fitted(to: max(1, Terminal.width - 3)))
        } else if !hasLine {
            Terminal.writeError("\(TimeDisplay.log(Date())) \(line)\n")
        }
        hasLine = true
    }

    func end() {
        if hasLine, redraws { Terminal.writeError("\r" + String(repeating: " ", count: Terminal.width - 1) + "\r") }
        hasLine = false
    }
}
