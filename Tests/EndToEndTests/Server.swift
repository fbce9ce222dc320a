// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

extension RunningSandbox {
    /// Creates a record as another program would.
    ///
    /// - Returns: Its id.
    @discardableResult
    func create(_ body: JSONObject, custom: [String: JSON] = [:], of object: String = "organization") throws -> Int {
        let reply = reply(to: request("POST", "/api/v2/\(object)s", body, custom, object))
        try #require(reply.answer.status == 201 || reply.answer.status == 200, "\(reply.answer.text)")
        return try #require(reply.answer.recordID)
    }

    /// Changes a record as a person at the destination would.
    func edit(
        _ id: Int, _ body: JSONObject, custom: [String: JSON] = [:], of object: String = "organization"
    ) throws {
        let reply = reply(to: request("PATCH", "/api/v2/\(object)s/\(id)", body, custom, object))
        try #require(reply.answer.status == 200, "\(reply.answer.text)")
    }

    /// Deletes an organization as a person at the destination would.
    func delete(_ id: Int) throws {
        let request = SandboxRequest(
            method: "DELETE", target: "/api/v2/organizations/\(id)", token: TemporaryProject.token)
        try #require(reply(to: request).answer.status == 200)
    }

    private func request(
        _ method: String, _ target: String, _ body: JSONObject, _ custom: [String: JSON], _ object: String
    ) -> SandboxRequest {
        var body = body
        var fields = JSONObject()
        for (label, value) in custom.sorted(by: { $0.key < $1.key }) {
            fields.append(fieldCode(label, of: object) ?? label, value)
        }
        if !fields.isEmpty { body["custom_fields"] = .object(fields) }
        return SandboxRequest(
            method: method, target: target, token: TemporaryProject.token, contentType: "application/json",
            body: JSON.object(body).utf8)
    }

    /// The names of all organizations, in the order of their ids.
    var names: [String] { organizations.map { $0.properties["name"]?.stringValue ?? "" } }

    /// The value of a custom field of a record, as text; empty where it has none.
    func custom(_ label: String, of id: Int, _ object: String = "organization") -> String {
        guard let code = fieldCode(label, of: object), let value = record(id, of: object)?.customFields[code] else {
            return ""
        }
        return value.stringValue ?? value.text
    }

    /// A property of a record as text; empty where it has none.
    func value(_ name: String, of id: Int, _ object: String) -> String {
        let value = record(id, of: object)?.properties[name] ?? .null
        return value.isNull ? "" : value.stringValue ?? value.text
    }

    /// Every record of every object as text.
    var everything: [String] {
        ["organization", "person", "deal"].flatMap { object in records(object).map { object + " " + $0.text } }
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
