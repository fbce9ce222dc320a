// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// `/_sandbox/…`: what Pipedrive does not have; free of tokens, limits, faults and authentication.
extension SandboxState {
    mutating func introspect(_ request: SandboxRequest, _ target: RequestTarget, now: Int64) -> SandboxAnswer {
        // An empty body is the same as an empty object; anything else that is not JSON is answered below.
        let body = request.body.isEmpty ? JSON.members([:]) : try? JSON(parsing: request.body)
        guard let body else { return .failure(400, "The body is not JSON.", code: "ERR_SANDBOX") }
        switch (request.method, Array(target.segments.dropFirst())) {
        case ("GET", ["state"]): return .data(stateJSON(withRows: target["rows"] != "false"))
        case ("POST", ["reset"]):
            var fresh = options
            fresh.seedOrganizations = body["seed_organizations"]?.intValue ?? options.seedOrganizations
            self = SandboxState(fresh)
            return .data(stateJSON(withRows: false))
        case ("POST", ["faults"]): return setFaults(body["faults"]?.arrayValue ?? [])
        case ("POST", ["users"]): return putUser(body)
        case ("POST", ["tokens"]): return setTokens(body)
        case ("POST", ["renew"]):
            meter.renew()
            return .data(.members(["tokens_left_today": .integer(meter.tokensLeft)]))
        case ("DELETE", let path) where path.count == 1 || path.count == 2:
            guard let table = tables.firstIndex(where: { $0.object.path == path[0] }) else {
                return .failure(404, "The sandbox has no such path.", code: "ERR_SANDBOX")
            }
            return purge(table, path.count == 2 ? path[1] : nil, now: now)
        default: return .failure(404, "The sandbox has no such path.", code: "ERR_SANDBOX")
        }
    }

    /// Forgets one record, or all.
    private mutating func purge(_ table: Int, _ id: String?, now: Int64) -> SandboxAnswer {
        let object = tables[table].object
        guard let id else {
            tables[table].store.purge()
            return .data(.members([object.path: .integer(0)]))
        }
        guard let id = Int(id), tables[table].store[id] != nil else { return .notFound(object.title) }
        tables[table].store.remove(id, now: now / 1_000_000_000, purging: true)
        return .data(.members(["id": .integer(id)]))
    }

    private func stateJSON(withRows: Bool) -> JSON {
        var object = JSONObject()
        for table in tables {
            object.append(table.object.path, .integer(table.store.liveCount))
            object.append("deleted_\(table.object.path)", .integer(table.store.deletedCount))
        }
        object.append("counters", counters.json)
        object.append("tokens_spent_today", .integer(meter.spentToday))
        object.append("tokens_left_today", .integer(meter.tokensLeft))
        object.append(
            "faults",
            .array(
                faults.map {
                    .members(["fault": .string($0.fault.text), "played": .integer($0.fired)])
                }))
        object.append("users", .array(users.users.map(\.json)))
        guard withRows else { return .object(object) }
        for table in tables {
            let view = RecordView(table, RequestTarget("/"), features: features)
            object.append("\(table.object.name)_rows", .array(table.store.live.map(view.json)))
        }
        return .object(object)
    }

    private mutating func setFaults(_ specs: [JSON]) -> SandboxAnswer {
        do throws(SandboxFaultError) {
            var parsed: [ActiveFault] = []
            for spec in specs { parsed.append(ActiveFault(try SandboxFault(parsing: spec.stringValue ?? spec.text))) }
            faults = parsed
            return .data(.members(["faults": .integer(parsed.count)]))
        } catch {
            return .failure(400, error.description, code: "ERR_SANDBOX")
        }
    }

    private mutating func setTokens(_ body: JSON) -> SandboxAnswer {
        if let accepted = body["api_tokens"]?.arrayValue { tokens = accepted.compactMap(\.stringValue) }
        if let token = body["refresh_token"] { oauth.refreshToken = token.stringValue }
        if body["revoke_access"]?.boolValue == true { oauth.revokeAccessTokens() }
        return .data(.members(["renewals": .integer(oauth.renewals), "refused": .integer(oauth.refusals)]))
    }

    private mutating func putUser(_ body: JSON) -> SandboxAnswer {
        let id = body["id"]?.intValue ?? users.freeID
        var user =
            users.users.first { $0.id == id }
            ?? SandboxUser(id: id, name: "User \(id)", email: "user\(id)@acme.example")
        if let name = body["name"]?.stringValue { user.name = name }
        if let email = body["email"]?.stringValue { user.email = email }
        if let isActive = body["active"]?.boolValue { user.isActive = isActive }
        users.put(user)
        return .data(user.json)
    }
}
