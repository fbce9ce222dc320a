// SPDX-License-Identifier: Apache-2.0

import ConnectorConformance

/// The checks of a connector as text, one after the other.
struct ConformanceRenderer {
    private let order: CheckOrder
    private let onlyFailed: Bool
    private let width: Int?
    private static let idWidth = Catalogue.all.map(\.id.count).max() ?? 0

    /// A renderer.
    ///
    /// - Parameter width: How wide a line may be, or nil for no limit.
    init(_ order: CheckOrder, onlyFailed: Bool, width: Int?) {
        self.order = order
        self.onlyFailed = onlyFailed
        self.width = width
    }

    /// What is checked.
    func heading(_ introduction: Introduction) -> String {
        let name = [introduction.id, introduction.version].compactMap { $0 }.joined(separator: " ")
        return "\(name.isEmpty ? "connector" : name.printable)   \(order.library)   seed \(order.seed)\n"
    }

    /// One check; empty where it is not to be shown.
    func text(_ result: ConformanceRun.Result) -> String {
        let status = result.verdict.status
        guard status != .absent, !onlyFailed || status == .failed || result.isNeedlesslyDeclared else { return "" }
        let word =
            switch status {
            case .passed: "ok  "
            case .failed: "FAIL"
            case .declared: "decl"
            default: "skip"
            }
        var lines = ["  \(word) " + result.check.id.fitted(to: Self.idWidth) + "  " + result.check.title]
        let indent = "       "
        for reason in result.verdict.reasons { lines.append(indent + reason.printable) }
        if let declared = result.declared {
            lines.append(
                indent + (result.isNeedlesslyDeclared ? "declared, but it passes: " : "declared: ") + declared.printable
            )
        }
        if status == .failed { lines.append(indent + "rule: " + result.check.rule) }
        return lines.flatMap { $0.wrapped(to: width, indent: 9) }.map { $0 + "\n" }.joined()
    }

    /// The counts, and how to look at what failed.
    func closing(_ report: ConformanceReport) -> String {
        var lines = [report.summary]
        if let first = report.results.first(where: { $0.verdict.status == .failed }) {
            lines.append("again, in a debugger: --include '^\(first.check.id)$' --seed \(order.seed) --in-process")
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
