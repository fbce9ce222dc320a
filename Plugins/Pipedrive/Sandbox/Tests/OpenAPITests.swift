// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PipedriveSandbox
import Testing

/// Holds the sandbox against Pipedrive's own files.
@Suite(
    .enabled(
        if: OpenAPIDocument.path != nil,
        "PENSTOCK_OPENAPI names no file: the answers are not held against Pipedrive's own description"))
struct OpenAPITests {
    /// An operation with a request that succeeds.
    struct Served {
        let method: String
        let path: String
        let target: String
        var body: String?
    }

    private static let organization = """
        {"name": "Nordwind", "owner_id": 112, "visible_to": 3, "label_ids": [1, 2], "website": "https://n.example",
         "linkedin": "https://l.example/n", "industry": 11, "annual_revenue": 5, "employee_count": 6,
         "add_time": "2025-05-05T05:05:05Z", "address": {"value": "x", "country": "EE"}}
        """

    private static let namespaces = "include_fields=ui_visibility,important_fields,required_fields"

    private static let version2 = [
        Served(method: "POST", path: "/organizations", target: "/organizations", body: organization),
        Served(method: "GET", path: "/organizations", target: "/organizations?limit=3&include_labels=false"),
        Served(method: "GET", path: "/organizations/{id}", target: "/organizations/1"),
        Served(method: "PATCH", path: "/organizations/{id}", target: "/organizations/1", body: #"{"name": "B"}"#),
        Served(method: "GET", path: "/organizations/search", target: "/organizations/search?term=nord"),
        Served(method: "DELETE", path: "/organizations/{id}", target: "/organizations/2"),
        Served(method: "GET", path: "/organizationFields", target: "/organizationFields?limit=500&\(namespaces)"),
        Served(
            method: "POST", path: "/organizationFields", target: "/organizationFields",
            body: #"{"field_name": "A", "field_type": "set", "options": [{"label": "x"}]}"#),
        Served(
            method: "GET", path: "/organizationFields/{field_code}",
            target: "/organizationFields/address?\(namespaces)"),
    ]

    private static let document: OpenAPIDocument? = {
        // A file that cannot be read leaves nil, and every test below fails on it.
        OpenAPIDocument.path.flatMap { path in try? OpenAPIDocument(path) { $0.contains("rganization") } }
    }()

    private func operation(_ method: String, _ path: String) throws -> OpenAPIOperation {
        try #require(Self.document?[method, path], "the file does not have \(method) \(path)")
    }

    private func check(_ served: Served, _ operation: OpenAPIOperation, prefix: String) throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 30 }
        let response = try rehearsal.client.send(served.method, prefix + served.target, served.body)
        #expect(response.status == 200, "\(served): \(response.text)")
        #expect(operation.statuses.contains("200"))
        #expect(rehearsal.sandbox.counters.tokensSpent == operation.cost, "\(served)")
        let schema = try #require(operation.response)
        let json = try response.json()
        var check = SchemaCheck()
        check.check(json, schema, at: "\(served.method) \(served.path)")
        #expect(check.findings == [])
        // What the file declares of a record is answered, not only allowed.
        guard let dataSchema = SchemaCheck.properties(schema)["data"] else { return }
        let record = json["data"]?.arrayValue?.first ?? json["data"]
        let declared = SchemaCheck.properties(dataSchema["items"] ?? dataSchema).keys
        let missing = declared.filter { record?[$0] == nil && !Self.namespaces.contains($0) }
        #expect(missing.sorted() == [], "\(served)")
    }

    @Test func everyAnswerHasTheDeclaredShapeAndPrice() throws {
        for served in Self.version2 { try check(served, operation(served.method, served.path), prefix: "/api/v2") }
    }

    @Test(.enabled(if: OpenAPIDocument.version1Path != nil, "there is no v1 file beside the one of PENSTOCK_OPENAPI"))
    func theUsersHaveTheDeclaredShapeAndPrice() throws {
        let path = try #require(OpenAPIDocument.version1Path)
        let document = try OpenAPIDocument(path) { $0.hasPrefix("/users") }
        for target in ["/users", "/users/me"] {
            let operation = try #require(document["GET", target])
            try check(Served(method: "GET", path: target, target: target), operation, prefix: "/v1")
        }
    }

    @Test func anErrorStatusIsDeclaredOrDocumented() throws {
        let documented = [400, 401, 402, 403, 404, 405, 410, 415, 422, 429, 500, 501, 503]
        let rehearsal = try Rehearsal()
        for (method, target, body) in [
            ("GET", "/organizations/7", nil), ("POST", "/organizations", "{}"), ("PUT", "/organizations/7", "{}"),
            ("GET", "/nothing", nil), ("GET", "/organizations?limit=x", nil),
        ] as [(String, String, String?)] {
            let status = try rehearsal.client.send(method, "/api/v2\(target)", body).status
            #expect(documented.contains(status), "\(method) \(target): \(status)")
        }
    }

    /// A value of the declared type that the sandbox has reason to accept.
    private static let samples: [String: String] = [
        "name": #""A""#, "owner_id": "112", "add_time": #""2025-05-05T05:05:05Z""#, "visible_to": "7",
        "label_ids": "[1]", "address": #"{"value": "x"}"#, "industry": "11", "custom_fields": "{}",
    ]

    @Test(arguments: [
        ("POST", "/organizations", "/organizations"), ("PATCH", "/organizations/{id}", "/organizations/1"),
    ])
    func exactlyTheDeclaredPropertiesAreAccepted(method: String, path: String, target: String) throws {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 1 }
        let operation = try operation(method, path)
        let schema = try #require(operation.request)
        let declared = SchemaCheck.properties(schema)
        let answered =
            try SchemaCheck.properties(#require(operation.response))["data"].map(SchemaCheck.properties) ?? [:]
        for name in Set(declared.keys).union(answered.keys).union(Self.samples.keys).sorted() {
            let type = declared[name]?["type"]?.stringValue
            let value = Self.samples[name] ?? (type == "integer" ? "5" : #""x""#)
            let required = method == "POST" && name != "name" ? #""name": "A", "# : ""
            let response = try rehearsal.client.send(
                method, "/api/v2\(target)", #"{\#(required)"\#(name)": \#(value)}"#)
            #expect((response.status == 200) == (declared[name] != nil), "\(name): \(response.text)")
            guard let property = declared[name] else { continue }
            let isNullable = property["nullable"]?.boolValue ?? false
            let null = try rehearsal.client.send(method, "/api/v2\(target)", #"{\#(required)"\#(name)": null}"#)
            #expect((null.status == 200) == isNullable, "\(name): null: \(null.text)")
        }
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            #expect(
                try rehearsal.client.send(method, "/api/v2\(target)", "{}").error().contains("\(name): is required"))
        }
    }

    @Test func exactlyTheDeclaredPartsOfAnAddressAreAccepted() throws {
        let rehearsal = try Rehearsal()
        let schema = try #require(try operation("POST", "/organizations").request)
        let parts = SchemaCheck.properties(try #require(SchemaCheck.properties(schema)["address"]))
        #expect(parts.count == 10)
        let members = parts.keys.sorted().map { #""\#($0)": "x""# }.joined(separator: ", ")
        #expect(try rehearsal.create(#"{"name": "A", "address": {\#(members)}}"#) == 1)
    }

    @Test func exactlyTheDeclaredFieldTypesCanBeCreated() throws {
        let rehearsal = try Rehearsal()
        let operation = try operation("POST", "/organizationFields")
        let request = SchemaCheck.properties(try #require(operation.request))
        #expect(
            Set(request.keys) == [
                "field_name", "field_type", "options", "ui_visibility", "important_fields", "required_fields",
            ])
        let creatable = Set(request["field_type"]?["enum"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        let data = try SchemaCheck.properties(#require(operation.response))["data"].map(SchemaCheck.properties) ?? [:]
        let known = Set(data["field_type"]?["enum"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        #expect(creatable.count == 16)
        for type in known.union(creatable) {
            let options = type == "enum" || type == "set" ? #", "options": [{"label": "x"}]"# : ""
            let body = #"{"field_name": "\#(type)", "field_type": "\#(type)", "ui_visibility": {}\#(options)}"#
            let status = try rehearsal.client.send("POST", "/api/v2/organizationFields", body).status
            #expect((status == 200) == creatable.contains(type), "\(type)")
        }
    }

    @Test func exactlyTheDeclaredParametersAreAccepted() throws {
        let rehearsal = try Rehearsal()
        for served in Self.version2 {
            let declared = Set(try operation(served.method, served.path).queryParameters)
            let plain = served.target.prefix { $0 != "?" }
            for name in declared.union(["zoom", "start", "status", "limit", "term"]) {
                let response = try rehearsal.client.send(
                    served.method, "/api/v2\(plain)?\(name)=x", served.method == "GET" ? nil : "{}")
                let isUnknown = response.text.contains("\(name): Parameter '\(name)' is not allowed\"")
                #expect(isUnknown != declared.contains(name), "\(served.path) \(name): \(response.text)")
            }
        }
    }
}
