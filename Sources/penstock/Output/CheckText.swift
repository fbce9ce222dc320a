// SPDX-License-Identifier: Apache-2.0

import PenstockHost
import PenstockModel

/// The report of a connection's check, for people and for programs.
enum CheckText {
    /// One line per step, with the reason under the one that failed, and who answered.
    ///
    /// - Parameter width: How wide the text may be, or nil for no limit.
    static func text(_ name: String, _ report: CheckReport, width: Int?) -> String {
        var lines = ["\(name)   \(report.isOK ? "ok" : "does not work")"]
        for step in report.steps {
            let line =
                "  \(step.failure == nil ? "ok  " : "FAIL") " + step.id.fitted(to: 12) + step.message.printable
            lines.append(line.withoutTrailingSpace)
            guard let failure = step.failure else { continue }
            lines += "       error[\(failure.code)]: \(failure.message)".wrapped(to: width, indent: 9)
            if !failure.detail.isEmpty { lines += "       = \(failure.detail)".wrapped(to: width, indent: 9) }
        }
        for (key, value) in report.identity.sorted(by: { $0.key < $1.key }) {
            lines.append("       " + key.fitted(to: 12) + value.printable)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The report for programs.
    static func json(_ name: String, _ report: CheckReport) -> JSON {
        var identity = JSONObject()
        for (key, value) in report.identity.sorted(by: { $0.key < $1.key }) { identity[key] = .string(value) }
        return .object([
            "connection": .string(name), "ok": .bool(report.isOK), "steps": .array(report.steps.map(step)),
            "identity": .object(identity),
        ])
    }

    private static func step(_ step: CheckReport.Step) -> JSON {
        .object([
            "id": .string(step.id), "ok": .bool(step.failure == nil), "message": .string(step.message),
            "code": step.failure.map { .string($0.code.description) } ?? .null,
            "error": step.failure.map { .string($0.message) } ?? .null,
        ])
    }

    /// The most severe exit code of the steps.
    static func exitCode(_ report: CheckReport) -> ExitCode {
        ExitCode.mostSevere(report.steps.compactMap(\.failure).map { ExitCode($0) })
    }
}
