// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox

/// A running sandbox with a client and a clock that stands still; stops when it goes away.
final class Rehearsal {
    let clock = ManualClock()
    let sandbox: RunningSandbox
    let client: TestClient

    init(_ change: (inout SandboxOptions) -> Void = { _ in }) throws {
        var options = SandboxOptions()
        options.burst = 1_000_000
        options.searchBurst = 1_000_000
        options.dailyTokens = 100_000_000
        options.clock = clock.clock
        change(&options)
        sandbox = try PipedriveSandbox.start(options)
        client = try TestClient(sandbox)
    }

    deinit { sandbox.stop() }

    /// The code of a custom field; a label that does not exist makes the request that uses it fail.
    func code(_ label: String) -> String { sandbox.fieldCode(label) ?? "no field \(label)" }

    /// Creates an organization and answers with its id.
    func create(_ body: String) throws -> Int {
        let response = try client.send("POST", "/api/v2/organizations", body)
        return try response.data()["id"]?.intValue ?? -response.status
    }
}
