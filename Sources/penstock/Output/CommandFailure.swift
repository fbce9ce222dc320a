// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel

/// Ends a command with a code and a message on standard error.
struct CommandFailure: Error {
    /// The exit code.
    var exitCode: ExitCode
    /// What is printed, with its `error[code]:` prefix; empty where everything was said already.
    var message: String
    /// The kind of failure for programs; empty where there is none.
    var code: String
    /// The sentence for programs.
    var sentence: String
    /// After how many milliseconds another try can help, where that is known.
    var retryAfterMilliseconds: Int64?
    /// Whether it came to the end of what one run may spend.
    var isRation = false

    /// An end without a further word.
    init(silently exitCode: ExitCode) {
        self.exitCode = exitCode
        message = ""
        code = ""
        sentence = ""
    }

    /// Ends here unless `code` is `ok`; everything was said already.
    static func end(unlessOK code: ExitCode) throws {
        if code != .ok { throw CommandFailure(silently: code) }
    }

    /// An end with a message in the house's form.
    ///
    /// - Parameter notes: Lines below it: what is allowed, what to try.
    init(_ exitCode: ExitCode, code: String, _ sentence: String, notes: [String] = []) {
        self.exitCode = exitCode
        self.code = code
        self.sentence = sentence
        // What was typed, or came from elsewhere, must not steer the terminal.
        message = (["error[\(code)]: \(sentence)"] + notes.map { "  = \($0)" }).joined(separator: "\n").printableLines
    }

    /// An end because a connector could not do what it was asked.
    ///
    /// - Parameter subject: The connection or connector, for example `connection crm`.
    init(_ error: ConnectorError, subject: String, notes: [String] = []) {
        let detail = error.detail.isEmpty ? [] : [error.detail]
        self.init(
            ExitCode(error), code: error.code.description, "\(subject): \(error.message)", notes: detail + notes)
        retryAfterMilliseconds = error.retryAfterMilliseconds
        isRation = error.isRation
    }

    /// The entry of a sync that failed before it had a report, in the document of a plan or run.
    func json(sync: String) -> JSON {
        var object: JSONObject = [
            "sync": .string(sync), "status": .string(code == Self.stoppedCode ? "interrupted" : "failed"),
            "exit_code": .integer(exitCode.rawValue),
            "error": .object(["code": .string(code), "message": .string(sentence)]),
        ]
        if let wait = retryAfterMilliseconds {
            object["try_again_at"] = .string(TimeDisplay.utc(WallClock.milliseconds + wait))
        }
        if isRation { object["rationed"] = .bool(true) }
        return .object(object)
    }

    private static let stoppedCode = "cancelled"

    /// The end of a plan or run that was told to stop.
    static var stopped: CommandFailure {
        var failure = CommandFailure(silently: Interruption.exitCode ?? .interrupted)
        failure.code = stoppedCode
        failure.sentence = "it was stopped"
        return failure
    }
}

extension ExitCode {
    /// The exit code for an error of a connector: a certificate that does not convince is a matter of permission.
    init(_ error: ConnectorError) {
        self = error.vendorCode.hasPrefix("tls") ? .permission : ExitCode(error.code)
    }

    /// The exit code for an error of a connector, by who must act.
    init(_ code: ConnectorError.Code) {
        switch code {
        case .unsupported, .badConfig, .badRequest, .notFound, .schemaChanged: self = .config
        case .unauthorized, .forbidden: self = .permission
        case .unavailable, .timedOut, .broken, .rateLimited: self = .unavailable
        case .quotaSpent, .busy, .conflict: self = .tryLater
        case .badData: self = .data
        case .cancelled: self = .interrupted
        default: self = .fault
        }
    }
}
