// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What the sandbox counted since it started or was reset.
package struct SandboxCounters: Sendable, Equatable {
    /// Requests to the API, refused ones included.
    package var requests = 0
    /// Requests by operation, for example `PATCH /api/v2/organizations/{id}`; `other` for paths that do not exist.
    package var byRoute: [String: Int] = [:]
    /// Answers by status; resets and hangs have none.
    package var byStatus: [Int: Int] = [:]
    /// Refused because the burst window was full.
    package var burst429 = 0
    /// Refused because the day's tokens were used up.
    package var daily429 = 0
    /// Refused after too many refusals.
    package var blocked403 = 0
    /// Refused because of the token.
    package var unauthorized401 = 0
    /// Tokens spent.
    package var tokensSpent = 0
    /// Faults played.
    package var faults = 0
    /// Records created.
    package var created = 0
    /// Records that an update really changed.
    package var updated = 0
    /// Updates that changed nothing.
    package var unchanged = 0
    /// Records deleted.
    package var deleted = 0

    /// Nothing counted yet.
    package init() {}

    var json: JSON {
        var routes = JSONObject()
        for (name, count) in byRoute.sorted(by: { $0.key < $1.key }) { routes.append(name, .integer(count)) }
        var statuses = JSONObject()
        for (status, count) in byStatus.sorted(by: { $0.key < $1.key }) {
            statuses.append(String(status), .integer(count))
        }
        return .members([
            "requests": .integer(requests), "by_route": .object(routes), "by_status": .object(statuses),
            "burst_429": .integer(burst429), "daily_429": .integer(daily429), "blocked_403": .integer(blocked403),
            "unauthorized_401": .integer(unauthorized401), "tokens_spent": .integer(tokensSpent),
            "faults": .integer(faults), "created": .integer(created), "updated": .integer(updated),
            "unchanged": .integer(unchanged), "deleted": .integer(deleted),
        ])
    }
}
