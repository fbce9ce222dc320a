// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

extension RunningSandbox {
    /// Creates an organization as another program would.
    ///
    /// - Returns: Its id.
    @discardableResult
    func create(_ body: JSONObject, custom: [String: JSON] = [:]) throws -> Int {
        let reply = reply(to: request("POST", "/api/v2/organizations", body, custom))
        try #require(reply.answer.status == 201 || reply.answer.status == 200, "\(reply.answer.text)")
        return try #require(reply.answer.recordID)
    }

    /// Changes an organization as a person at the destination would.
    func edit(_ id: Int, _ body: JSONObject, custom: [String: JSON] = [:]) throws {
        let reply = reply(to: request("PATCH", "/api/v2/organizations/\(id)", body, custom))
        try #require(reply.answer.status == 200, "\(reply.answer.text)")
    }

    /// Deletes an organization as a person at the destination would.
    func delete(_ id: Int) throws {
        let request = SandboxRequest(
            method: "DELETE", target: "/api/v2/organizations/\(id)", token: TemporaryProject.token)
        try #require(reply(to: request).answer.status == 200)
    }

    private func request(_ method: String, _ target: String, _ body: JSONObject, _ custom: [String: JSON])
        -> SandboxRequest
    {
        var body = body
        var fields = JSONObject()
        for (label, value) in custom.sorted(by: { $0.key < $1.key }) {
            fields.append(fieldCode(label) ?? label, value)
        }
        if !fields.isEmpty { body["custom_fields"] = .object(fields) }
        return SandboxRequest(
            method: method, target: target, token: TemporaryProject.token, contentType: "application/json",
            body: JSON.object(body).utf8)
    }

    /// The names of all organizations, in the order of their ids.
    var names: [String] { organizations.map { $0.properties["name"]?.stringValue ?? "" } }

    /// The value of a custom field of an organization, as text; empty where it has none.
    func custom(_ label: String, of id: Int) -> String {
        guard let code = fieldCode(label), let value = organization(id)?.customFields[code] else { return "" }
        return value.stringValue ?? value.text
    }

    /// Plays faults from now on.
    func play(_ faults: String...) throws { setFaults(try faults.map { try SandboxFault(parsing: $0) }) }

    /// How many writes were asked for.
    var writes: Int {
        counters.byRoute.filter { $0.key.hasPrefix("POST") || $0.key.hasPrefix("PATCH") }.map(\.value).reduce(0, +)
    }
}

extension SandboxAnswer {
    /// The body as text.
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension SandboxRecord {
    /// Everything of the record that a write can change, as one text.
    var text: String {
        let properties = properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
        let custom = customFields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }
        return "\(id) " + (properties + custom).joined(separator: " ")
    }
}
