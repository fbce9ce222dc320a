// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What became of one check.
package struct CheckVerdict: Sendable {
    /// How it came out.
    package enum Status: String, Sendable, Hashable {
        case passed
        case failed
        case skipped
        /// The connector does not say that it can do this.
        case absent
        /// It fails, and a reason was declared.
        case declared
    }

    /// How it came out.
    package var status: Status
    /// What was found, or why it was skipped, as clauses without a full stop.
    package var reasons: [String]
    /// What a person may want to know although nothing is wrong.
    package var notes: [String] = []
    /// How long to wait before the check can be made, in milliseconds; nil where it was made.
    var deferral: Int?
    /// Whether the check's process was ended by the connector, or had to be.
    var hasEndedProcess = false
    /// The connector's capabilities, where it was loaded.
    var capabilities: Capabilities?

    /// A verdict.
    package init(_ status: Status, _ reasons: [String] = [], notes: [String] = []) {
        self.status = status
        self.reasons = reasons
        self.notes = notes
    }

    /// Makes a check in this process.
    static func making(_ check: ConformanceCheck, _ order: CheckOrder) -> CheckVerdict {
        let context = CheckContext(order, check.id)
        var deferral: Int?
        do {
            if !check.capabilities.isEmpty, try !context.connector().capabilities.isSuperset(of: check.capabilities) {
                return CheckVerdict(.absent)
            }
            try check.body(context)
        } catch let skip as CheckSkip {
            if context.findings.isEmpty { return CheckVerdict(.skipped, [skip.reason], notes: context.notes) }
        } catch let failure as CheckFailure {
            for reason in failure.reasons { context.find(reason) }
        } catch let refusal as Refusal {
            context.find(refusal.text)
            if refusal.error.code == .rateLimited {
                deferral = Int(refusal.error.retryAfterMilliseconds ?? CheckDeferral.milliseconds)
            }
        } catch is CheckDeferral {
            context.find("the other side asked to send more slowly")
            deferral = Int(CheckDeferral.milliseconds)
        } catch {
            context.find("\(error)")
        }
        let status: Status = context.findings.isEmpty ? .passed : .failed
        var verdict = CheckVerdict(status, context.findings, notes: context.notes)
        verdict.capabilities = context.capabilities
        verdict.deferral = deferral
        return verdict
    }

    /// The verdict as a child reports it.
    var document: JSON {
        .object([
            "status": .string(status.rawValue), "reasons": .strings(reasons), "notes": .strings(notes),
            "deferral": deferral.map { .integer($0) } ?? .null,
            "capabilities": capabilities.map { .string(String($0.rawValue)) } ?? .null,
        ])
    }

    /// The verdict in a report; nil where it is none.
    init?(document: JSON) {
        guard let status = document["status"]?.stringValue.flatMap(Status.init) else { return nil }
        self.init(
            status, document["reasons"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            notes: document["notes"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        deferral = document["deferral"]?.intValue
        capabilities = document["capabilities"]?.stringValue.flatMap(UInt64.init).map(Capabilities.init)
    }
}

/// The child's side: makes the one check that its parent orders.
package enum ConformanceChild {
    /// Makes the check and reports; the process ends afterwards.
    ///
    /// - Returns: Whether there was an order.
    package static func run() -> Bool {
        ParentLine.forbidCores()
        // A line that brings no order is answered below.
        guard let document = try? JSON(parsing: ParentLine.order()),
            let (id, order) = CheckOrder.order(document: document),
            let check = Catalogue.check(id) ?? (id == Introduction.check.id ? Introduction.check : nil)
        else { return false }
        ParentLine.give(CheckVerdict.making(check, order).document.utf8)
        return true
    }
}
