// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The results of a run, for people's eyes and for programs.
package struct ConformanceReport: Sendable {
    /// The results, in order.
    package var results: [ConformanceRun.Result]
    /// What the library said about itself.
    package var introduction: Introduction
    /// What the checks were made with.
    package var order: CheckOrder

    /// A report.
    package init(_ results: [ConformanceRun.Result], _ introduction: Introduction, _ order: CheckOrder) {
        self.results = results
        self.introduction = introduction
        self.order = order
    }

    /// How many checks came out so.
    package func count(_ status: CheckVerdict.Status) -> Int { results.count { $0.verdict.status == status } }

    /// The counts in one line.
    package var summary: String {
        var parts = ["\(count(.passed)) passed", "\(count(.failed)) failed"]
        if count(.declared) > 0 { parts.append("\(count(.declared)) fail as declared") }
        parts.append("\(count(.skipped)) skipped")
        let absent = count(.absent)
        if absent > 0 { parts.append("\(absent) \(absent == 1 ? "does" : "do") not apply") }
        return parts.joined(separator: ", ")
    }

    /// The report for programs.
    package var json: JSON {
        .object([
            "connector": introduction.id.map(JSON.string) ?? .null,
            "version": introduction.version.map(JSON.string) ?? .null, "path": .string(order.library),
            "seed": .string(String(order.seed)),
            "counts": .object([
                "passed": .integer(count(.passed)), "failed": .integer(count(.failed)),
                "declared": .integer(count(.declared)), "skipped": .integer(count(.skipped)),
                "absent": .integer(count(.absent)),
            ]),
            "checks": .array(results.map(Self.json)),
        ])
    }

    private static func json(_ result: ConformanceRun.Result) -> JSON {
        .object([
            "id": .string(result.check.id), "title": .string(result.check.title), "rule": .string(result.check.rule),
            "capabilities": .string(result.check.capabilityNames),
            "requires": .string(result.check.requirement.rawValue),
            "status": .string(result.verdict.status.rawValue), "reasons": .strings(result.verdict.reasons),
            "notes": .strings(result.verdict.notes), "declared": result.declared.map(JSON.string) ?? .null,
            "needlessly_declared": .bool(result.isNeedlesslyDeclared), "milliseconds": .integer(result.milliseconds),
        ])
    }

    /// The report as JUnit's XML, which build servers read.
    package var junit: String {
        let name = introduction.id ?? "connector"
        let total = results.map(\.milliseconds).reduce(0, +)
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<testsuite name=\"\(Self.escaped("penstock connector check " + name))\" tests=\"\(results.count)\" "
                + "failures=\"\(count(.failed))\" errors=\"0\" "
                + "skipped=\"\(count(.skipped) + count(.absent) + count(.declared))\" time=\"\(Self.seconds(total))\">",
            "  <properties><property name=\"seed\" value=\"\(order.seed)\"/></properties>",
        ]
        for result in results {
            let area = result.check.id.split(separator: ".").first ?? ""
            let head =
                "  <testcase classname=\"\(Self.escaped("\(name).\(area)"))\" name=\"\(Self.escaped(result.check.id))\" "
                + "time=\"\(Self.seconds(result.milliseconds))\""
            let reasons = Self.escaped(result.verdict.reasons.joined(separator: "\n"))
            switch result.verdict.status {
            case .passed: lines.append(head + "/>")
            case .failed:
                let message = Self.escaped(result.verdict.reasons.first ?? result.check.title)
                lines.append(head + "><failure message=\"\(message)\">\(reasons)</failure></testcase>")
            case .skipped: lines.append(head + "><skipped message=\"\(reasons)\"/></testcase>")
            case .absent: lines.append(head + "><skipped message=\"does not apply\"/></testcase>")
            case .declared:
                lines.append(
                    head + "><skipped message=\"\(Self.escaped("declared: " + (result.declared ?? "")))\"/></testcase>")
            }
        }
        return (lines + ["</testsuite>"]).joined(separator: "\n") + "\n"
    }

    private static func seconds(_ milliseconds: Int) -> String {
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// Text for XML: without what XML cannot hold.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "\n": out += "&#10;"
            default: out.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0xFFFE ? " " : scalar)
            }
        }
        return out
    }
}
