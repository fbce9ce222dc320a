// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import PipedriveSandbox

/// The options of every command that serves.
struct ServerOptions: ParsableArguments {
    @Option(help: "The port on 127.0.0.1; 0 takes a free one, and where it is in use the next free one is taken.")
    var port = 0

    @Option(help: "Delay added to each answer, for example 50ms or 1.5s.")
    var latency = "0"

    @Option(help: "Up to so much more or less than the latency, by chance, for example 20ms.")
    var jitter = "0"

    @Option(help: "Requests per rolling 2 seconds and token.")
    var burst = 40

    @Option(help: "Search requests per rolling 2 seconds and token.")
    var searchBurst = 10

    @Option(help: "Tokens per day (UTC) for the whole account.")
    var dailyTokens = 360_000

    @Option(help: "An API token to accept; repeatable (default: sandbox-token).")
    var token: [String] = []

    @Option(help: "How long an OAuth access token lives, for example 3600s.")
    var accessLifetime = "3600s"

    @Option(help: "A callback URL of the OAuth app; repeatable (default: any of this machine).")
    var redirectUri: [String] = []

    @Flag(help: "The consent page refuses an app that does not use PKCE.")
    var requirePkce = false

    @Flag(help: "Renewing an OAuth access token leaves the refresh token as it is.")
    var keepRefreshToken = false

    @Option(help: "How many organizations there are at the start.")
    var seedOrganizations = 0

    @Option(help: "A feature that the account lacks: contact-sync or campaigns; repeatable.")
    var without: [String] = []

    @Option(help: "Append one JSON line per request to this file.")
    var log: String?

    @Option(help: "A fault to play, for example status=503:every=7 or reset-after:nth=5:method=POST; repeatable.")
    var fault: [String] = []

    /// The options as the server takes them.
    func options() throws -> SandboxOptions {
        guard (0...65_535).contains(port) else { throw ValidationError("--port is a number from 0 to 65535.") }
        guard let latency = SandboxOptions.duration(latency) else {
            throw ValidationError("--latency is a time such as 50ms or 1.5s.")
        }
        guard let jitter = SandboxOptions.duration(jitter) else {
            throw ValidationError("--jitter is a time such as 20ms.")
        }
        guard burst > 0, searchBurst > 0, dailyTokens >= 0, seedOrganizations >= 0 else {
            throw ValidationError(
                "Limits and counts are numbers from 1 (--daily-tokens, --seed-organizations: from 0).")
        }
        var options = SandboxOptions()
        options.port = port
        options.latency = latency
        options.jitter = jitter
        guard let lifetime = SandboxOptions.duration(accessLifetime), lifetime > 0 else {
            throw ValidationError("--access-lifetime is a time such as 3600s.")
        }
        options.app.lifetime = lifetime
        options.app.rotates = !keepRefreshToken
        options.app.redirectURIs = redirectUri
        options.app.requiresPKCE = requirePkce
        options.burst = burst
        options.searchBurst = searchBurst
        options.dailyTokens = dailyTokens
        options.seedOrganizations = seedOrganizations
        options.log = log
        for name in without {
            guard let feature = SandboxFeature(rawValue: name) else {
                let names = SandboxFeature.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--without is one of \(names).")
            }
            options.features.remove(feature)
        }
        if !token.isEmpty { options.tokens = token }
        do throws(SandboxFaultError) {
            for text in fault { options.faults.append(try SandboxFault(parsing: text)) }
        } catch {
            throw ValidationError(error.description)
        }
        return options
    }
}
