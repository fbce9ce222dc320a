// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockHost
import PenstockModel

/// What the run of a plan costs, by what is done.
struct PlanCosts {
    private let report: PlanReport
    private let ahead: BudgetForecast.Work

    /// The costs of a plan.
    ///
    /// - Parameter ahead: What is to be spent of the same budget before.
    init(_ report: PlanReport, ahead: BudgetForecast.Work = .none) {
        self.report = report
        self.ahead = ahead
    }

    /// Requests and tokens by what is done; what does not happen is left out.
    var rows: [(name: String, requests: Int64, tokens: Int64)] {
        let records = report.recordReads
        let costs = report.costs
        let counts = report.counts
        var rows: [(name: String, requests: Int64, tokens: Int64)] = []
        if report.opening.requestsTotal > 0 {
            rows.append(("fields, users, options", report.opening.requestsTotal, report.opening.spent))
        }
        if records.requests > 0 { rows.append(("records read", records.requests, records.tokens)) }
        if counts.created > 0 {
            rows.append(("create \(counts.created.grouped) × \(costs.create)", counts.created, report.createCost))
        }
        if counts.updated > 0 {
            rows.append(("update \(counts.updated.grouped) × \(costs.update)", counts.updated, report.updateCost))
        }
        if report.askCost > 0 { rows.append(("ask about lost creates", 1, report.askCost)) }
        return rows
    }

    /// Where the cost stands: of the day and of what is left; then how long it takes.
    func standing(isAffordable: Bool) -> [String] {
        var parts: [String] = []
        if let size = daySize, size > 0 { parts.append("\(Self.percent(report.cost, size)) of \(size.grouped) a day") }
        if let left = report.budgetLeft { parts.append("left today \(left.grouped)") }
        if let reserve, reserve > 0 { parts.append("reserve \(reserve.grouped) kept") }
        var time: [String] = []
        if report.budgetLeft != nil, isAffordable {
            let before = ahead.tokens > 0 ? " behind the \(ahead.tokens.grouped) of the syncs before it" : ""
            time.append("fits today" + before)
        }
        if let allowance = report.allowance {
            let rate = Double(allowance.slots) * 1_000 / Double(allowance.window)
            let text = rate == rate.rounded() ? "\(Int64(rate).grouped)" : "\((rate * 10).rounded() / 10)"
            time.append(
                "about \(TimeDisplay.duration(milliseconds: milliseconds)) at \(text) requests a second")
        }
        return [parts, time].filter { !$0.isEmpty }.map { $0.joined(separator: " · ") }
    }

    /// How long the requests take at the permitted rate.
    private var milliseconds: Int64 {
        guard let allowance = report.allowance else { return 0 }
        return Int64((Double(report.requests) / Double(allowance.slots) * Double(allowance.window)).rounded(.up))
    }

    private var reserve: Int64? {
        guard let left = report.budgetLeft, let spendable = report.spendable, spendable > 0 else { return nil }
        return left - spendable
    }

    private var daySize: Int64? {
        report.allowance.flatMap { allowance in allowance.daily.map { $0 + (reserve ?? 0) } }
    }

    private static func percent(_ part: Int64, _ whole: Int64) -> String {
        let thousandths = part * 100_000 / whole
        if part > 0, thousandths == 0 { return "less than 0.001 %" }
        if thousandths >= 1_000 { return "\(thousandths / 1_000).\(thousandths % 1_000 / 100) %" }
        let digits = String(thousandths)
        return "0." + String(repeating: "0", count: 3 - digits.count) + digits + " %"
    }

    /// The costs for programs.
    var json: JSON {
        .object([
            "tokens": .integer(report.cost), "requests": .integer(report.requests),
            "tokens_read": .integer(report.meter.spent), "tokens_create": .integer(report.createCost),
            "tokens_update": .integer(report.updateCost), "tokens_ask": .integer(report.askCost),
            "tokens_fields": .integer(report.opening.spent), "tokens_records": .integer(report.recordReads.tokens),
            "planning": .object([
                "requests": .integer(report.meter.requestsTotal), "tokens": .integer(report.meter.spent),
            ]), "saved": .integer(report.saved), "milliseconds": .integer(milliseconds),
            "ahead": .integer(ahead.tokens), "left_today": report.budgetLeft.map { .integer($0) } ?? .null,
            "reserve": reserve.map { .integer($0) } ?? .null, "day": daySize.map { .integer($0) } ?? .null,
        ])
    }
}
