// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

@testable import PenstockProject

@Suite struct ModelTests {
    private static let yaml = """
        version: 1
        params:
          since: {type: date, default: 2026-01-31, description: The first day.}
          region: text
        columns:
          name: {type: text, description: As on the invoice.}

        """

    private func fixture(_ source: String, sql: String = "SELECT * FROM t WHERE d >= :since AND r = :region\n") throws
        -> ProjectFixture
    {
        var files = ProjectFixture.good
        files["models/crm_orgs.sql"] = "-- connection: warehouse\n-- key: account_id\n" + sql
        files["models/crm_orgs.yml"] = Self.yaml
        files["syncs/orgs.yml"] = files["syncs/orgs.yml"]?.replacing("  model: crm_orgs\n", with: source)
        return try ProjectFixture(files)
    }

    @Test("A sync gives a model's parameters their values, and defaults stand in")
    func parameters() throws {
        let fixture = try fixture("  model: crm_orgs\n  params: {region: \"O'Hara\"}\n")
        let (project, found) = fixture.validate()
        #expect(found.map(BadProjectTests.line) == [])
        let sync = try #require(project.sync(named: "orgs"))
        guard case .query(let sql) = sync.definition.source.target else { throw Unexpected() }
        #expect(sql.hasSuffix("d >= '2026-01-31' AND r = 'O''Hara'"))
        let model = try #require(project.model(named: "crm_orgs"))
        #expect(model.parameters.map(\.name) == ["since", "region"])
        #expect(model.columns == [Model.Column(name: "name", type: "text", description: "As on the invoice.")])
        #expect(try model.query(["region": "x", "since": "2026-02-01"]).hasSuffix("'2026-02-01' AND r = 'x'"))
    }

    @Test(
        "Parameters that do not fit are found at their place",
        arguments: [
            (
                "  model: crm_orgs\n", "SELECT :region\n",
                "syncs/orgs.yml:6:10: error[model-param]: model crm_orgs needs a value for its parameter region "
                    + "| add params: {region: …} under source"
            ),
            (
                "  model: crm_orgs\n  params: {region: x, since: soon}\n", "SELECT :region\n",
                "syncs/orgs.yml:7:30: error[model-param]: \"soon\" is no value of the parameter since, which is "
                    + "a date as 2026-01-31"
            ),
            (
                "  model: crm_orgs\n  params: {regin: x}\n", "SELECT :region\n",
                "syncs/orgs.yml:7:12: error[model-param]: model crm_orgs has no parameter \"regin\" "
                    + "| did you mean \"region\"?"
            ),
            (
                "  model: crm_orgs\n  params: {region: x}\n", "SELECT 1,\n  :regoin\n",
                "models/crm_orgs.sql:4:3: error[model-param]: the model has no parameter \"regoin\" "
                    + "| did you mean \"region\"?"
            ),
            (
                "  model: crm_orgs\n  params: {region: x}\n", "SELECT '{{region}}'\n",
                "models/crm_orgs.sql:3:9: error[model-param]: the parameter region stands in quotes "
                    + "| remove the quotes"
            ),
            (
                "  connection: warehouse\n  table: t\n  params: {region: x}\n", "SELECT :region\n",
                "syncs/orgs.yml:8:3: error[model-param]: a table has no parameters | remove this, or read a model"
            ),
        ])
    func misfits(_ source: String, _ sql: String, _ expected: String) throws {
        let fixture = try fixture(source, sql: sql)
        #expect(fixture.validate().diagnostics.map(BadProjectTests.line) == [expected])
    }

    @Test("A draft of a model is a model")
    func drafts() throws {
        var draft = ModelDraft(
            name: "orgs", connection: nil, text: "-- Connection: warehouse\n-- key: a, b\n-- all of them\nSELECT 1;\n",
            key: nil, description: "All: of \"them\"")
        #expect(draft.connection == "warehouse" && draft.key == ["a", "b"])
        #expect(draft.sqlText == "-- connection: warehouse\n-- all of them\nSELECT 1\n")
        draft.parameters = [try #require(ModelParameter(declaration: "since:date=2026-01-01"))]
        var files = ProjectFixture.good
        files[draft.sqlFile] = draft.sqlText
        files[draft.yamlFile] = draft.yamlText
        let (project, found) = try ProjectFixture(files).validate()
        #expect(found.map(BadProjectTests.line) == [])
        let model = try #require(project.model(named: "orgs"))
        #expect(model.key == ["a", "b"] && model.description == "All: of \"them\"")
        #expect(model.parameters == draft.parameters)
        #expect(ModelParameter(declaration: "since") == nil && ModelParameter(declaration: "x:dat") == nil)
        #expect(
            ModelDraft.select(["id", "Full Name"], from: "mart.Orgs", .standard)
                == "SELECT \"id\",\n       \"Full Name\"\nFROM   \"mart\".\"Orgs\"")
        #expect(ModelDraft.quotings(for: ["orgs", "a_1"]).first == ModelDraft.Quoting.none)
        #expect(ModelDraft.quotings(for: ["Orgs"]).first == .standard)
    }
}

@Suite struct DBTTests {
    private static func node(
        _ name: String, _ package: String = "shop", version: String? = nil, materialized: String = "table"
    ) -> String {
        let suffix = version.map { ".v\($0)" } ?? ""
        let relation =
            materialized == "ephemeral" ? "null" : "\"\\\"dwh\\\".\\\"mart\\\".\\\"\(name)\(version ?? "")\\\"\""
        return """
            "model.\(package).\(name)\(suffix)": {"resource_type": "model", "name": "\(name)",
              "package_name": "\(package)", "version": \(version ?? "null"), "relation_name": \(relation),
              "description": "All \(name).", "config": {"materialized": "\(materialized)"}, "primary_key": ["id"],
              "columns": {"id": {"name": "id", "description": "The number.", "data_type": "int"}}}
            """
    }

    private static let manifest = """
        {"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"}, "nodes": {
        \(node("orgs")), \(node("people", version: "1")), \(node("people", version: "2")), \(node("deals")),
        \(node("deals", "other")), \(node("parts", materialized: "ephemeral")),
        "test.shop.unique_orgs": {"resource_type": "test", "name": "unique_orgs", "package_name": "shop"}}}
        """

    private func fixture(_ model: String, manifest: String? = manifest, section: Bool = true) throws -> ProjectFixture {
        var files = ProjectFixture.good
        if section { files["penstock.yml"]? += "dbt: {manifest: dbt/manifest.json, connection: warehouse}\n" }
        files["dbt/manifest.json"] = manifest
        files["syncs/orgs.yml"] = files["syncs/orgs.yml"]?.replacing("model: crm_orgs", with: "model: \(model)")
        return try ProjectFixture(files)
    }

    @Test("A sync reads the table that dbt makes", arguments: ["dbt:orgs", "dbt:shop.orgs"])
    func reads(_ name: String) throws {
        let (project, found) = try fixture(name).validate()
        #expect(found.map(BadProjectTests.line) == [])
        let source = try #require(project.sync(named: "orgs")).definition.source
        #expect(source.model == "dbt:orgs" && source.connection == "warehouse" && source.key == ["id"])
        #expect(source.target == .query("SELECT * FROM \"dwh\".\"mart\".\"orgs\""))
        let model = try #require(project.model(named: "dbt:orgs"))
        #expect(model.origin == .dbt(uniqueID: "model.shop.orgs") && model.description == "All orgs.")
        #expect(model.columns == [Model.Column(name: "id", type: "int", description: "The number.")])
    }

    @Test("All of dbt's models can be listed, each by the shortest name that is its own")
    func lists() throws {
        let fixture = try fixture("dbt:people.v2")
        let (project, _) = Project.load(
            root: fixture.root, version: "0.3.0", resolver: fixture.resolver, takesAllModels: true)
        #expect(
            project.models.map(\.name) == [
                "crm_orgs", "dbt:orgs", "dbt:other.deals", "dbt:people.v1", "dbt:people.v2", "dbt:shop.deals",
            ])
        #expect(try self.fixture("dbt:people.v2").validate().diagnostics.isEmpty)
    }

    @Test(
        "A model that is not exactly one is refused",
        arguments: [
            ("dbt:ogrs", "dbt's manifest has no model \"ogrs\" | did you mean \"dbt:orgs\"?"),
            ("dbt:people", "dbt has several models \"people\" | name one of them"),
            ("dbt:deals", "dbt has several models \"deals\" | name one of them"),
            (
                "dbt:parts",
                "dbt makes no table or view for parts, so there is nothing to read | materialize it as a table or view"
            ),
        ])
    func refuses(_ name: String, _ expected: String) throws {
        let found = try fixture(name).validate().diagnostics
        #expect(found.map(BadProjectTests.line) == ["syncs/orgs.yml:6:10: error[dbt-model]: \(expected)"])
        if name == "dbt:people" { #expect(found[0].notes == ["models: dbt:people.v1, dbt:people.v2"]) }
    }

    @Test("A manifest that is not there, or is none, is told of once", arguments: [nil, "{}", "not JSON"])
    func broken(_ manifest: String?) throws {
        let found = try fixture("dbt:orgs", manifest: manifest).validate().diagnostics
        #expect(found.map(\.code) == ["dbt-manifest"] && found.map(\.file) == ["penstock.yml"])
        let silent = try fixture("crm_orgs", manifest: manifest).validate().diagnostics
        #expect(silent.isEmpty, "a manifest that no sync needs is not read")
        let unsaid = try fixture("dbt:orgs", section: false).validate().diagnostics
        #expect(unsaid.map(\.code) == ["dbt-manifest"] && unsaid.map(\.file) == ["syncs/orgs.yml"])
    }
}
