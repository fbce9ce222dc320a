// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// One thing that was looked at.
package struct DoctorFinding: Sendable, Hashable {
    /// How it is.
    package enum Severity: String, Sendable, Hashable, CaseIterable {
        /// As it should be.
        case ok
        /// It works, and something about it is worth knowing.
        case note
        /// It works, and may not for long, or is weaker than it could be.
        case warning
        /// Something does not work.
        case error
    }

    /// What it belongs to, for example `connectors`.
    package var area: String
    /// How it is.
    package var severity: Severity
    /// What was found, as one clause.
    package var sentence: String
    /// What to do, or nil.
    package var advice: String?

    /// A finding.
    package init(_ area: String, _ severity: Severity, _ sentence: String, advice: String? = nil) {
        self.area = area
        self.severity = severity
        self.sentence = sentence
        self.advice = advice
    }
}

/// What a look at the installation and the project found.
package struct DoctorReport: Sendable {
    /// Everything that was looked at, area by area.
    package var findings: [DoctorFinding] = []

    /// Nothing looked at yet.
    package init() {}

    /// Whether nothing is broken; warnings are no errors.
    package var isHealthy: Bool { !findings.contains { $0.severity == .error } }

    /// The areas in the order in which they were looked at.
    private var areas: [String] {
        findings.map(\.area).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The report for people: one line a finding, with what to do below it.
    ///
    /// - Parameter width: Where lines are broken, in columns.
    package func text(width: Int = 100) -> String {
        var lines: [String] = []
        for area in areas {
            lines.append(area)
            for finding in findings where finding.area == area {
                lines += Self.wrapped("  \(Self.sign(finding.severity)) ", finding.sentence, width)
                if let advice = finding.advice { lines.append(Self.indent + advice) }
            }
        }
        return lines.joined(separator: "\n") + "\n\n\(summary)\n"
    }

    private static let indent = String(repeating: " ", count: 10)

    /// A sentence behind what comes before it, broken at spaces; what goes on below is indented.
    private static func wrapped(_ start: String, _ sentence: String, _ width: Int) -> [String] {
        var lines: [String] = []
        var current = start
        var isFresh = true
        for word in sentence.split(separator: " ", omittingEmptySubsequences: false) {
            if !isFresh, current.count + 1 + word.count > width {
                lines.append(current)
                (current, isFresh) = (indent, true)
            }
            current += (isFresh ? "" : " ") + word
            isFresh = false
        }
        return lines + [current]
    }

    /// `2 errors, 1 warning`, or that all is well.
    package var summary: String {
        let parts = [(DoctorFinding.Severity.error, "error"), (.warning, "warning")].compactMap { severity, noun in
            let count = findings.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(noun)\(count == 1 ? "" : "s")"
        }
        return parts.isEmpty ? "Nothing is wrong." : parts.joined(separator: ", ") + "."
    }

    private static func sign(_ severity: DoctorFinding.Severity) -> String {
        switch severity {
        case .ok: "ok     "
        case .note: "note   "
        case .warning: "WARNING"
        case .error: "ERROR  "
        }
    }

    /// The report for programs.
    package var json: JSON {
        .array(
            findings.map { finding in
                .object([
                    "area": .string(finding.area), "severity": .string(finding.severity.rawValue),
                    "sentence": .string(finding.sentence), "advice": finding.advice.map { .string($0) } ?? .null,
                ])
            })
    }
}
