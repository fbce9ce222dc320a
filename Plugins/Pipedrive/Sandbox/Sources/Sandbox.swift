// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// The sandbox's state behind one lock, with its clock and its request log.
final class Sandbox: Sendable {
    let options: SandboxOptions
    private let state: Mutex<SandboxState>
    private let log: RequestLog?

    init(_ options: SandboxOptions) throws {
        self.options = options
        state = Mutex(SandboxState(options))
        log = try options.log.map { try RequestLog(path: $0) }
    }

    /// Answers one request at the time of the clock.
    func reply(to request: SandboxRequest) -> SandboxReply {
        let now = options.clock.now()
        let reply = state.withLock { $0.reply(to: request, now: now) }
        log?.append(request, reply, now: now)
        return reply
    }

    /// Looks at the state or changes it.
    func withState<Result: Sendable>(_ body: (inout SandboxState) -> Result) -> Result {
        let now = options.clock.now()
        return state.withLock { state in
            state.settle(now: now)
            return body(&state)
        }
    }
}
