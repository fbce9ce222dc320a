// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockHost
import PenstockModel

/// Makes the checks of one connector, each in a process of its own.
package struct ConformanceRun: Sendable {
    /// How the checks are made.
    package struct Options: Sendable {
        /// What they are made with.
        package var order: CheckOrder
        /// This program, and the words that make it a child.
        package var program: String
        /// The words behind the program.
        package var arguments: [String]
        /// How long one check may take, in milliseconds.
        package var timeoutMilliseconds = 60_000
        /// Whether they are made in this process, for a debugger.
        package var isInProcess = false
        /// Reasons for checks that are known to fail, by id.
        package var declared: [String: String] = [:]
        /// Whether the run is to stop.
        package var isInterrupted: @Sendable () -> Bool = { false }

        /// How the checks of an order are made.
        package init(_ order: CheckOrder, program: String, arguments: [String]) {
            self.order = order
            self.program = program
            self.arguments = arguments
        }
    }

    /// What became of one check.
    package struct Result: Sendable {
        /// The check.
        package var check: ConformanceCheck
        /// How it came out.
        package var verdict: CheckVerdict
        /// How long it took.
        package var milliseconds: Int
        /// The reason that was declared for its failing, or nil.
        package var declared: String?

        /// Whether a reason was declared for a check that does not fail.
        package var isNeedlesslyDeclared: Bool { declared != nil && verdict.status == .passed }
    }

    private struct Output {
        var check: String
        var stream: String
        var text: String
    }

    /// How often a check is made that the other side puts off, and the most milliseconds to wait each time.
    private static let triesMax = 5
    private static let deferralMax = 10_000

    /// The environment variables of the child: those of this process without the host's own.
    private let environment: [String: String]
    private let options: Options
    private let redactor: Redactor

    /// A run.
    package init(_ options: Options) {
        self.options = options
        redactor = Redactor(options.order.secrets.map(Secret.init))
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PENSTOCK_") }
        environment["SWIFT_BACKTRACE"] = "enable=no"
        self.environment = environment
    }

    /// Asks the library who it is.
    package func introduce() -> Introduction { Introduction(child(Introduction.check).verdict) }

    /// Makes these checks in order.
    ///
    /// - Parameter onResult: Called after each.
    package func run(_ checks: [ConformanceCheck], onResult: (Result) -> Void) -> [Result] {
        var results: [Result] = []
        var blocked: [String: String] = [:]
        var deadly: String?
        var capabilities: Capabilities?
        var outputs: [Output] = []
        for check in checks {
            if options.isInterrupted() { break }
            let start = ContinuousClock.now
            var verdict: CheckVerdict
            if let known = capabilities, !known.isSuperset(of: check.capabilities) {
                verdict = CheckVerdict(.absent)
            } else if let reason = missing(check) {
                verdict = CheckVerdict(.skipped, [reason])
            } else if let reason = check.needs.lazy.compactMap({ blocked[$0] }).first {
                verdict = CheckVerdict(.skipped, [reason])
                blocked[check.id] = reason
            } else if check.isBroad, let deadly {
                verdict = CheckVerdict(.skipped, ["it makes all kinds of calls, and \(deadly) ended its process"])
            } else if check.id == Catalogue.output {
                verdict = Self.verdict(on: outputs)
            } else {
                let made = patiently(check)
                verdict = made.0
                outputs += made.1
                capabilities = capabilities ?? verdict.capabilities
            }
            if options.isInterrupted() { break }
            if verdict.hasEndedProcess { deadly = deadly ?? check.id }
            verdict.reasons = verdict.reasons.map(redactor.redacted)
            verdict.notes = verdict.notes.map(redactor.redacted)
            let declared = options.declared[check.id]
            if verdict.status == .failed {
                if declared == nil {
                    blocked[check.id] = "it needs \(check.id), which failed"
                } else {
                    verdict.status = .declared
                }
            }
            let result = Result(
                check: check, verdict: verdict, milliseconds: (ContinuousClock.now - start).wholeMilliseconds,
                declared: declared)
            results.append(result)
            onResult(result)
        }
        return results
    }

    /// Makes a check, and makes it again where the other side asks to be sent less.
    private func patiently(_ check: ConformanceCheck) -> (CheckVerdict, [Output]) {
        var tries = 0
        while true {
            let made = options.isInProcess ? (CheckVerdict.making(check, options.order), []) : child(check)
            tries += 1
            guard let wait = made.0.deferral, tries < Self.triesMax, !options.isInterrupted() else { return made }
            usleep(UInt32(max(100, min(wait, Self.deferralMax))) * 1_000)
        }
    }

    /// What a check lacks, as a clause; nil where it has everything.
    private func missing(_ check: ConformanceCheck) -> String? {
        switch check.requirement {
        case .library: return nil
        case .child: return options.isInProcess ? "it looks at what a child process leaves behind" : nil
        case .settings:
            return options.order.settings == nil ? "it needs settings: --config FILE or --connection NAME" : nil
        case .rehearsal:
            if options.order.settings == nil { return "it needs settings of a server made for trying, and --rehearsal" }
            return options.order.isRehearsal
                ? nil : "it writes; give --rehearsal if the settings are of a server made for trying"
        }
    }

    // MARK: - Children

    private func child(_ check: ConformanceCheck) -> (verdict: CheckVerdict, outputs: [Output]) {
        let process = ChildProcess(
            program: options.program, arguments: options.arguments, environment: environment,
            timeoutMilliseconds: options.timeoutMilliseconds, isInterrupted: options.isInterrupted)
        do throws(ChildProcess.StartFailure) {
            let end = try process.run(options.order.document(check: check.id).utf8)
            return (verdict(end), outputs(end, check.id))
        } catch {
            return (CheckVerdict(.skipped, ["no child process could be started: \(error.reason)"]), [])
        }
    }

    private func verdict(_ end: ChildEnd) -> CheckVerdict {
        let said = String(decoding: end.errors.suffix(2_000), as: UTF8.self).split(separator: "\n").last.map {
            ["it said: \($0)"]
        }
        switch end.way {
        case .interrupted: return CheckVerdict(.skipped, ["the run was stopped"])
        case .timedOut:
            return ended(["it did not end within \(options.timeoutMilliseconds) ms"])
        case .killed(let signal):
            let name = strsignal(signal).map { String(cString: $0) } ?? ""
            return ended(["it ended the process by signal \(signal) (\(name))"] + (said ?? []))
        case .exited(let code):
            // A report that is none is no report.
            if code == 0, let document = try? JSON(parsing: end.report), let verdict = CheckVerdict(document: document)
            {
                return verdict
            }
            return ended(["it ended the process with exit code \(code)"] + (said ?? []))
        }
    }

    private func ended(_ reasons: [String]) -> CheckVerdict {
        var verdict = CheckVerdict(.failed, reasons)
        verdict.hasEndedProcess = true
        return verdict
    }

    private func outputs(_ end: ChildEnd, _ check: String) -> [Output] {
        var outputs: [Output] = []
        func add(_ bytes: [UInt8], _ stream: String) {
            guard !bytes.isEmpty else { return }
            let text = redactor.redacted(String(decoding: bytes.prefix(4_000), as: UTF8.self))
            let line = text.split(separator: "\n").first.map(String.init) ?? ""
            outputs.append(Output(check: check, stream: stream, text: String(line.prefix(100))))
        }
        add(end.output, "standard output")
        // A process that dies says so on standard error, and not by the connector's will.
        if case .exited(0) = end.way { add(end.errors, "standard error") }
        return outputs
    }

    private static func verdict(on outputs: [Output]) -> CheckVerdict {
        guard !outputs.isEmpty else { return CheckVerdict(.passed) }
        let shown = outputs.prefix(5).map { "in \($0.check), to \($0.stream): \($0.text)" }
        let more = outputs.count > shown.count ? ["and \(outputs.count - shown.count) times more"] : []
        return CheckVerdict(.failed, shown + more)
    }
}
