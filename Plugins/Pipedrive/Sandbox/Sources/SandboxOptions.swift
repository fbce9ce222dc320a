// SPDX-License-Identifier: Apache-2.0

/// How a sandbox is to behave.
package struct SandboxOptions: Sendable {
    /// The port on 127.0.0.1; 0 takes a free one.
    package var port = 0
    /// Nanoseconds added to each answer.
    package var latency: Int64 = 0
    /// Nanoseconds by which the latency of an answer may be longer or shorter, by chance; it never falls below 0.
    package var jitter: Int64 = 0
    /// Requests per rolling 2 seconds and token.
    package var burst = 40
    /// Search requests per rolling 2 seconds and token.
    package var searchBurst = 10
    /// Tokens per day (UTC) for the whole account.
    package var dailyTokens = 360_000
    /// The API tokens that are accepted.
    package var tokens = ["sandbox-token"]
    /// The OAuth app whose access tokens are accepted too.
    package var app = SandboxApp()
    /// What the token endpoint says of where the account is.
    package var apiDomain = "https://sandbox.pipedrive.com"
    /// How many organizations there are at the start.
    package var seedOrganizations = 0
    /// What the account has beside what every account has.
    package var features = Set(SandboxFeature.allCases)
    /// Whether the CRM starts with the twelve companies of the demo project.
    package var seedDemo = false
    /// The file that gets one JSON line per request, or nil.
    package var log: String?
    /// The faults to play.
    package var faults: [SandboxFault] = []
    /// The clock.
    package var clock = SandboxClock.system

    /// Nanoseconds that one answer takes longer, drawn anew for each.
    package func delay(using generator: inout some RandomNumberGenerator) -> Int64 {
        jitter > 0 ? max(0, latency + Int64.random(in: -jitter...jitter, using: &generator)) : latency
    }

    /// The defaults.
    package init() {}

    /// Nanoseconds of `50ms`, `1.5s`, or `50` (milliseconds), or nil for anything else.
    package static func duration(_ text: String) -> Int64? {
        let (number, unit): (Substring, Double) =
            text.hasSuffix("ms")
            ? (text.dropLast(2), 1e6) : text.hasSuffix("s") ? (text.dropLast(), 1e9) : (text[...], 1e6)
        guard let value = Double(number), value >= 0, value * unit < 1e15 else { return nil }
        return Int64(value * unit)
    }
}
