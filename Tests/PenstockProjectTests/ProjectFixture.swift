// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// A project in a folder of its own, which is removed at the end.
final class ProjectFixture {
    let root: String
    var environment = ["PG_PASSWORD": "pg-secret", "CRM_TOKEN": "crm-secret"]

    init(_ files: [String: String]) throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-\(UUID().uuidString)").path
        for (file, text) in files { try write(file, Data(text.utf8)) }
    }

    deinit {
        // A folder that cannot be removed stays in the temporary folder.
        try? FileManager.default.removeItem(atPath: root)
    }

    func write(_ file: String, _ data: Data, mode: Int = 0o600) throws {
        let path = "\(root)/\(file)"
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    var resolver: ReferenceResolver {
        ReferenceResolver(root: root, environment: environment, sharedSecrets: "\(root)/shared")
    }

    func load(profile: String? = nil, noEnv: Bool = false) -> (project: Project, diagnostics: [Diagnostic]) {
        Project.load(root: root, profile: profile, version: "0.3.0", resolver: noEnv ? nil : resolver)
    }

    /// Everything that `penstock validate` finds.
    func validate(profile: String? = nil, noEnv: Bool = false) -> (project: Project, diagnostics: [Diagnostic]) {
        let (project, found) = load(profile: profile, noEnv: noEnv)
        let more = project.check(connectors: Self.connectors, resolver: noEnv ? nil : resolver)
        return (project, project.sorted(found + more))
    }

    /// Connectors as a host would have them.
    static let connectors: [String: ConnectorDescriptor] = {
        let costs = RequestCosts(
            create: 5, update: 5, delete: 3, readByIDs: 10, readByIDsMax: 100, readPage: 10, readPageMax: 500)
        func object(_ id: String, _ required: String) -> ObjectDescriptor {
            ObjectDescriptor(id: id, title: id, requiredOnCreate: [required], costs: costs)
        }
        let database: Capabilities = [.source, .query, .lowerBound, .order]
        let all = [
            ConnectorDescriptor(
                id: "postgres", title: "PostgreSQL", version: "1.0.3", summary: "Reads PostgreSQL.",
                capabilities: database,
                settings: [
                    ConfigField("url", .string, "The address."),
                    ConfigField("service", .string, "A service of pg_service.conf."),
                    ConfigField("port", .integer(1...65_535), "The port."),
                    ConfigField("password", .secret, "The password."),
                    ConfigField("sslmode", .choice(["require", "verify-full"]), "How TLS is used."),
                    ConfigField("statement_timeout", .string, "The most time for a query."),
                ]),
            ConnectorDescriptor(
                id: "mysql", title: "MySQL", version: "1.0.1", summary: "Reads MySQL.", capabilities: database,
                settings: [ConfigField("defaults_group", .string, "A group of my.cnf.")]),
            ConnectorDescriptor(
                id: "sqlite", title: "SQLite", version: "1.0.0", summary: "Reads SQLite.", capabilities: database,
                settings: [ConfigField("path", .path, "The file.", isRequired: true)]),
            ConnectorDescriptor(
                id: "csv", title: "CSV files", version: "1.0.0", summary: "Reads CSV.", capabilities: [.source],
                settings: [
                    ConfigField("path", .path, "The files.", isRequired: true),
                    ConfigField("header", .boolean, "Whether there is one.", defaultValue: .bool(true)),
                    ConfigField("encoding", .string, "The encoding."),
                    ConfigField("types", .map(["integer", "text"]), "Types by column."),
                    ConfigField("null_values", .strings, "What is NULL."),
                ]),
            ConnectorDescriptor(
                id: "pipedrive", title: "Pipedrive", version: "1.2.0", summary: "Writes Pipedrive.",
                capabilities: [.destination],
                settings: [
                    ConfigField("api_token", .secret, "The token of a user.", isRequired: true),
                    ConfigField("company_domain", .string, "The part before .pipedrive.com."),
                    ConfigField("base_url", .string, "Another address."),
                ],
                objects: [object("organization", "name"), object("person", "name"), object("deal", "title")]),
        ]
        return Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
    }()

    /// A project in which nothing is wrong.
    static let good = [
        "penstock.yml": """
        version: 1
        project: acme

        """,
        "connections.yml": """
        version: 1
        connections:
          warehouse:
            connector: postgres
            service: analytics
            password: ${env:PG_PASSWORD}
          exports:
            connector: csv
            path: ./data/*.csv
          crm:
            connector: pipedrive
            api_token: ${env:CRM_TOKEN}

        """,
        "models/crm_orgs.sql": """
        -- connection: warehouse
        -- key: account_id
        SELECT * FROM mart.crm_orgs

        """,
        "syncs/orgs.yml": """
        version: 1
        destination:
          connection: crm
          object: organization
        source:
          model: crm_orgs
        map:
          id: crm_id
          name: company_name
          Segment: {from: segment, option: label}
        fetch:
          mode: INCREMENTAL
          key: updated_at
        insert:
          mode: Update

        """,
    ]
}
