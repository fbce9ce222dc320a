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

    private static let bodies = [
        "organization": """
        {"name": "Nordwind", "owner_id": 112, "visible_to": 3, "label_ids": [1, 2], "website": "https://n.example",
         "linkedin": "https://l.example/n", "industry": 11, "annual_revenue": 5, "employee_count": 6,
         "add_time": "2025-05-05T05:05:05Z", "address": {"value": "x", "country": "EE"}}
        """,
        "person": """
        {"name": "Ada Lovelace", "owner_id": 112, "org_id": 1, "visible_to": 3, "label_ids": [1], "job_title": "x",
         "emails": [{"value": "ada@n.example", "primary": true, "label": "work"}], "phones": [{"value": "+1"}],
         "im": [{"value": "ada"}], "birthday": "1815-12-10", "notes": "n", "marketing_status": "subscribed",
         "add_time": "2025-05-05T05:05:05Z", "postal_address": {"value": "x"}}
        """,
        "deal": """
        {"title": "Nordwind engine", "value": 10, "currency": "EUR", "owner_id": 112, "org_id": 1, "person_id": 1,
         "pipeline_id": 1, "stage_id": 2, "status": "lost", "lost_reason": "x", "probability": 10.5,
         "lost_time": "2025-05-05T05:05:05Z", "close_time": "2025-05-05T05:05:05Z", "label_ids": [1],
         "expected_close_date": "2026-01-01", "visible_to": 3, "is_archived": false, "is_deleted": false}
        """,
    ]

    private static let namespaces = "include_fields=ui_visibility,important_fields,required_fields"
    /// What the file declares of a record that is answered only where it is asked for.
    private static let onDemand = ["source_lead_id"]

    private static let version2 =
        ["organization", "person", "deal"].flatMap(served(_:)) + [
            Served(method: "GET", path: "/deals/archived", target: "/deals/archived?limit=3"),
            Served(method: "GET", path: "/pipelines", target: "/pipelines"),
            Served(method: "GET", path: "/stages", target: "/stages?pipeline_id=2"),
        ]

    private static func served(_ object: String) -> [Served] {
        let (list, fields) = ("/\(object)s", "/\(object)Fields")
        let name = object == "deal" ? "title" : "name"
        let labels = object == "deal" ? "include_labels=true" : "include_labels=false"
        return [
            Served(method: "POST", path: list, target: list, body: bodies[object]),
            Served(method: "GET", path: list, target: "\(list)?limit=3&\(labels.replacing("true", with: "false"))"),
            Served(method: "GET", path: "\(list)/{id}", target: "\(list)/1"),
            Served(method: "PATCH", path: "\(list)/{id}", target: "\(list)/1", body: "{\"\(name)\": \"B\"}"),
            Served(method: "GET", path: "\(list)/search", target: "\(list)/search?term=nord"),
            Served(method: "DELETE", path: "\(list)/{id}", target: "\(list)/2"),
            Served(method: "GET", path: fields, target: "\(fields)?limit=500&\(namespaces)"),
            Served(
                method: "POST", path: fields, target: fields,
                body: #"{"field_name": "A", "field_type": "set", "options": [{"label": "x"}]}"#),
            Served(
                method: "GET", path: "\(fields)/{field_code}", target: "\(fields)/owner_id?\(namespaces)"),
        ]
    }

    /// A sandbox with records of every object, the second of each to be deleted.
    private func rehearsal() throws -> Rehearsal {
        let rehearsal = try Rehearsal { $0.seedOrganizations = 30 }
        for object in ["person", "deal"] {
            for _ in 1...2 {
                let response = try rehearsal.client.send("POST", "/api/v2/\(object)s", Self.bodies[object])
                #expect(response.status == 200, "\(response.text)")
            }
        }
        let archived = try rehearsal.client.send("POST", "/api/v2/deals", #"{"title": "Old", "is_archived": true}"#)
        #expect(archived.status == 200, "\(archived.text)")
        return rehearsal
    }

    private static func isServed(_ path: String) -> Bool {
        let first = path.split(separator: "/").first ?? ""
        return [
            "organizations", "organizationFields", "persons", "personFields", "deals", "dealFields", "pipelines",
            "stages",
        ].contains(first)
    }

    private static let document: OpenAPIDocument? = {
        // A file that cannot be read leaves nil, and every test below fails on it.
        OpenAPIDocument.path.flatMap { path in try? OpenAPIDocument(path, wanted: isServed) }
    }()

    private func operation(_ method: String, _ path: String) throws -> OpenAPIOperation {
        try #require(Self.document?[method, path], "the file does not have \(method) \(path)")
    }

    private func check(_ served: Served, _ operation: OpenAPIOperation, prefix: String) throws {
        let rehearsal = try rehearsal()
        let before = rehearsal.sandbox.counters.tokensSpent
        let response = try rehearsal.client.send(served.method, prefix + served.target, served.body)
        #expect(response.status == 200, "\(served): \(response.text)")
        #expect(operation.statuses.contains("200"))
        #expect(rehearsal.sandbox.counters.tokensSpent - before == operation.cost, "\(served)")
        let schema = try #require(operation.response)
        let json = try response.json()
        var check = SchemaCheck()
        check.check(json, schema, at: "\(served.method) \(served.path)")
        #expect(check.findings == [])
        // What the file declares of a record is answered, not only allowed.
        guard let dataSchema = SchemaCheck.properties(schema)["data"] else { return }
        let record = json["data"]?.arrayValue?.first ?? json["data"]
        let declared = SchemaCheck.properties(dataSchema["items"] ?? dataSchema).keys
        let missing = declared.filter {
            record?[$0] == nil && !Self.namespaces.contains($0) && !Self.onDemand.contains($0)
        }
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
        "name": #""A""#, "title": #""A""#, "owner_id": "112", "add_time": #""2025-05-05T05:05:05Z""#,
        "visible_to": "7", "label_ids": "[1]", "address": #"{"value": "x"}"#, "industry": "11",
        "custom_fields": "{}", "org_id": "1", "person_id": "1", "emails": #"[{"value": "x"}]"#,
        "phones": #"[{"value": "x"}]"#, "im": #"[{"value": "x"}]"#, "birthday": #""2000-01-01""#,
        "postal_address": #"{"value": "x"}"#, "marketing_status": #""no_consent""#, "currency": #""EUR""#,
        "pipeline_id": "1", "stage_id": "1", "status": #""open""#, "is_deleted": "false", "is_archived": "false",
        "expected_close_date": #""2026-01-01""#,
    ]
    /// What has to be named beside a property so that it means something.
    private static let company: [String: String] = [
        "lost_reason": #""status": "lost", "#, "lost_time": #""status": "lost", "#, "won_time": #""status": "won", "#,
        "close_time": #""status": "won", "#, "archive_time": #""is_archived": true, "#,
    ]
    private static let companySamples: [String: String] = [
        "lost_time": #""2025-05-05T05:05:05Z""#, "won_time": #""2025-05-05T05:05:05Z""#,
        "close_time": #""2025-05-05T05:05:05Z""#, "archive_time": #""2025-05-05 05:05:05""#,
    ]

    @Test(arguments: ["organization", "person", "deal"], ["POST", "PATCH"])
    func exactlyTheDeclaredPropertiesAreAccepted(object: String, method: String) throws {
        let operation = try operation(method, method == "POST" ? "/\(object)s" : "/\(object)s/{id}")
        let schema = try #require(operation.request)
        let declared = SchemaCheck.properties(schema)
        let answered =
            try SchemaCheck.properties(#require(operation.response))["data"].map(SchemaCheck.properties) ?? [:]
        let main = object == "deal" ? "title" : "name"
        for name in Set(declared.keys).union(answered.keys).union(Self.samples.keys).sorted() {
            let rehearsal = try rehearsal()
            let target = "/api/v2/\(object)s" + (method == "POST" ? "" : "/1")
            let type = declared[name]?["type"]?.stringValue
            let isNumber = type == "integer" || type == "number"
            let value = Self.samples[name] ?? Self.companySamples[name] ?? (isNumber ? "5" : #""x""#)
            let beside =
                (method == "POST" && name != main ? "\"\(main)\": \"A\", " : "") + (Self.company[name] ?? "")
            let response = try rehearsal.client.send(method, target, "{\(beside)\"\(name)\": \(value)}")
            #expect((response.status == 200) == (declared[name] != nil), "\(name): \(response.text)")
            guard let property = declared[name] else { continue }
            let isNullable = property["nullable"]?.boolValue ?? false
            let fresh = try self.rehearsal()
            let null = try fresh.client.send(method, target, "{\(beside)\"\(name)\": null}")
            #expect((null.status == 200) == isNullable, "\(name): null: \(null.text)")
        }
        let rehearsal = try rehearsal()
        for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            let error = try rehearsal.client.send(method, "/api/v2/\(object)s", "{}").error()
            #expect(error.contains("\(name): is required"))
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

    @Test(arguments: ["organization", "person", "deal"])
    func exactlyTheDeclaredFieldTypesCanBeCreated(object: String) throws {
        let rehearsal = try Rehearsal()
        let operation = try operation("POST", "/\(object)Fields")
        let request = SchemaCheck.properties(try #require(operation.request))
        let described: Set<String> = object == "deal" ? ["description"] : []
        #expect(
            Set(request.keys)
                == described.union([
                    "field_name", "field_type", "options", "ui_visibility", "important_fields", "required_fields",
                ]))
        let creatable = Set(request["field_type"]?["enum"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        let data = try SchemaCheck.properties(#require(operation.response))["data"].map(SchemaCheck.properties) ?? [:]
        let known = Set(data["field_type"]?["enum"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        #expect(creatable.count == 16)
        for type in known.union(creatable) {
            let options = type == "enum" || type == "set" ? #", "options": [{"label": "x"}]"# : ""
            let body = #"{"field_name": "\#(type)", "field_type": "\#(type)", "ui_visibility": {}\#(options)}"#
            let status = try rehearsal.client.send("POST", "/api/v2/\(object)Fields", body).status
            #expect((status == 200) == creatable.contains(type), "\(type)")
        }
    }

    @Test func exactlyTheDeclaredParametersAreAccepted() throws {
        let rehearsal = try Rehearsal()
        for served in Self.version2 {
            let declared = Set(try operation(served.method, served.path).queryParameters)
            let plain = served.target.prefix { $0 != "?" }
            for name in declared.union(["zoom", "start", "status", "limit", "term", "org_id", "pipeline_id"]) {
                let response = try rehearsal.client.send(
                    served.method, "/api/v2\(plain)?\(name)=x", served.method == "GET" ? nil : "{}")
                let isUnknown = response.text.contains("\(name): Parameter '\(name)' is not allowed\"")
                #expect(isUnknown != declared.contains(name), "\(served.path) \(name): \(response.text)")
            }
        }
    }
}
