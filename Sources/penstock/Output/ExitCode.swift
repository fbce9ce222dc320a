// SPDX-License-Identifier: Apache-2.0

/// What each exit code promises; the numbers follow sysexits.h where it has one.
enum ExitCode: Int32, CaseIterable {
    /// Everything asked for was done.
    case ok = 0
    /// A sync failed for a reason without a code of its own.
    case failed = 1
    /// Only `plan --detailed-exitcode`: there is something to do.
    case changes = 2
    /// Only with `--check`: something has failed, or is overdue.
    case attention = 3
    /// A bad flag, an unknown sync, a name that matched nothing.
    case usage = 64
    /// The run finished, but more rows were rejected than allowed.
    case data = 65
    /// The source or the destination cannot be reached.
    case unavailable = 69
    /// A fault of Penstock or of a connector.
    case fault = 70
    /// A file or folder cannot be written, or the state of a sync cannot be used.
    case cannotWrite = 73
    /// Later: the budget is used up, another run holds the lock, or rows are still open.
    case tryLater = 75
    /// A credential was refused or lacks the right.
    case permission = 77
    /// The project's files are wrong.
    case config = 78
    /// Stopped cleanly by Ctrl-C.
    case interrupted = 130
    /// Stopped cleanly by SIGTERM.
    case terminated = 143

    /// The code of several results: the most severe one.
    static func mostSevere(_ codes: [ExitCode]) -> ExitCode {
        let order: [ExitCode] = [
            .terminated, .interrupted, .fault, .config, .permission, .cannotWrite, .failed, .unavailable, .tryLater,
            .usage, .data, .attention, .changes, .ok,
        ]
        return order.first(where: codes.contains) ?? .ok
    }

    /// Whether a run that ends so has failed: somebody must look, and time alone will not do.
    var isFailure: Bool {
        switch self {
        case .ok, .changes, .attention, .data, .tryLater, .interrupted, .terminated: false
        default: true
        }
    }

    /// When it is used, in one line.
    var meaning: String {
        switch self {
        case .ok: "everything asked for was done"
        case .failed: "a sync failed for a reason without a code of its own"
        case .changes: "plan --detailed-exitcode: there is something to do"
        case .attention: "status --check, schedule list --check: something has failed, or is overdue"
        case .usage: "a bad flag, an unknown name"
        case .data:
            "the run finished, but more rows were rejected than rejects.max allows; or a limit stopped it before it sent anything"
        case .unavailable: "the source or the destination cannot be reached; trying again may help"
        case .fault: "a fault of Penstock or of a connector; please report it"
        case .cannotWrite: "the project's state cannot be used, or state or output cannot be written"
        case .tryLater: "later: budget used up, another run at work, or rows still open"
        case .permission: "a credential was refused, or lacks the right"
        case .config: "the project's files are wrong"
        case .interrupted: "stopped cleanly by Ctrl-C; the next run goes on"
        case .terminated: "stopped cleanly by SIGTERM; the next run goes on"
        }
    }
}
