// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Why a connector does not pass a check.
struct CheckFailure: Error {
    /// What was found, as clauses without a full stop.
    let reasons: [String]

    /// One reason.
    init(_ reason: String) { reasons = [reason] }

    /// Several reasons.
    init(_ reasons: [String]) { self.reasons = reasons }
}

/// Why a check could not be made.
struct CheckSkip: Error {
    /// The reason, as a clause without a full stop.
    let reason: String

    /// A reason.
    init(_ reason: String) { self.reason = reason }
}

/// A server that asks to send more slowly: the check is made again.
struct CheckDeferral: Error {
    /// How long to wait where the server does not say.
    static let milliseconds: Int64 = 2_000
}

/// One promise that a connector is held to.
package struct ConformanceCheck: Sendable {
    /// What must be there before a check makes sense.
    package enum Requirement: String, Sendable, Hashable {
        /// Nothing but the library.
        case library
        /// Settings of something that can be read, or of a server.
        case settings
        /// Settings of a server that was made for trying, because the check writes.
        case rehearsal
        /// A child process, because the check is about what such a process leaves behind.
        case child
    }

    /// The name, `area.promise`.
    package let id: String
    /// The promise, as a sentence without a full stop.
    package let title: String
    /// The heading of `docs/reference/abi.md` with the rule.
    package let section: String
    /// The capabilities without which it does not apply.
    package let capabilities: Capabilities
    /// What must be given.
    package let requirement: Requirement
    /// The checks without which this one would only fail for their reason.
    package let needs: [String]
    /// Whether it makes so many kinds of calls that a call which ends the process would end it too.
    let isBroad: Bool
    let body: @Sendable (CheckContext) throws -> Void

    init(
        _ id: String, _ title: String, _ section: String, _ capabilities: Capabilities = [],
        _ requirement: Requirement = .library, needs: [String] = [], isBroad: Bool = false,
        by body: @escaping @Sendable (CheckContext) throws -> Void
    ) {
        self.id = id
        self.title = title
        self.section = section
        self.capabilities = capabilities
        self.requirement = requirement
        self.needs = needs
        self.isBroad = isBroad
        self.body = body
    }

    /// The place of the rule, for a person.
    package var rule: String { "docs/reference/abi.md#" + Self.anchor(section) }

    /// The anchor that a heading has on a page.
    private static func anchor(_ heading: String) -> String {
        heading.lowercased().compactMap { character in
            character == " "
                ? "-" : character.isLetter || character.isNumber || "-_".contains(character) ? String(character) : nil
        }.joined()
    }

    /// The capabilities in words, for example `source, order`; empty for every connector.
    package var capabilityNames: String {
        Self.names.filter { capabilities.contains($0.0) }.map(\.1).joined(separator: ", ")
    }

    static let names: [(Capabilities, String)] = [
        (.source, "source"), (.destination, "destination"), (.query, "query"), (.lowerBound, "lower bound"),
        (.order, "order"), (.prepare, "prepare"), (.delete, "delete"),
    ]
}

/// All checks, in the order in which they are made.
package enum Catalogue {
    /// The checks.
    package static let all: [ConformanceCheck] =
        LoadChecks.all + DescriptorChecks.all + SettingsChecks.all + DiscoveryChecks.all + ArrowChecks.all
        + ReadChecks.all + BoundChecks.all + StopChecks.all + FieldChecks.all + WriteChecks.all + RecordChecks.all
        + SecretChecks.all + ProcessChecks.all

    /// The check called `id`, or nil.
    package static func check(_ id: String) -> ConformanceCheck? { all.first { $0.id == id } }

    /// The check that is about what the other checks' processes have written.
    static let output = "process.output"
}
