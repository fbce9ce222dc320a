// SPDX-License-Identifier: Apache-2.0

import PenstockProject
import Testing

@Suite struct TemplateTests {
    private static let good = """
        version: 1
        template: update
        description: Update organizations by id.
        params:
          connection: {type: connection, connector: pipedrive}
          model: {type: model}
          cron: {type: cron, default: "0 6 * * *"}
          owner: {type: text, required: false}
        sync:
          destination: {connection: "{{connection}}", object: organization}
          source: {model: "{{ model }}"}
          map: {id: crm_id, name: name}
          insert: {mode: Update}
          owner: "{{owner}}"
          schedule: {cron: "{{cron}}", timezone: UTC}

        """

    private func findings(_ text: String) throws -> [String] {
        let fixture = try ProjectFixture([
            "penstock.yml": "version: 1\nproject: p\n", "templates/update.yml": text,
        ])
        return fixture.validate().diagnostics.map {
            "\($0.file):\($0.line):\($0.column) \($0.severity.rawValue)[\($0.code)] \($0.message)"
        }
    }

    @Test func aTemplateIsFilledIn() throws {
        let fixture = try ProjectFixture([
            "penstock.yml": "version: 1\nproject: p\n", "templates/update.yml": Self.good,
        ])
        let (project, diagnostics) = fixture.load()
        #expect(diagnostics.isEmpty)
        let template = try #require(project.template(named: "update"))
        #expect(template.parameters.map(\.name) == ["connection", "model", "cron", "owner"])
        #expect(
            template.text(name: "orgs", values: ["connection": "crm", "model": "yes"]) == """
                version: 1
                name: orgs
                destination:
                  connection: crm
                  object: organization
                source:
                  model: "yes"
                map:
                  id: crm_id
                  name: name
                insert:
                  mode: Update
                schedule:
                  cron: 0 6 * * *
                  timezone: UTC
                template: update

                """)
    }

    @Test(
        "What is wrong with a template is found where it stands",
        arguments: [
            (
                "{{connection}}", "{{conection}}",
                "10:30 error[template-param] the template has no parameter \"conection\""
            ),
            ("{type: model}", "{type: modle}", "6:17 error[enum] \"modle\" is not a type of parameter"),
            ("{type: model}", "{type: choice}", "6:3 error[template-param] a choice needs something to choose from"),
            (
                "{type: model}", "{type: model, connector: x}",
                "6:24 error[template-param] a parameter of type model has no connector"
            ),
            ("\"0 6 * * *\"", "\"0 6 * *\"", "7:31 error[template-param] "),
            ("mode: Update", "mode: Updaet", "13:18 error[enum] \"Updaet\" is not"),
            ("template: update", "template: other", "2:11 error[name-mismatch] the template is called"),
            ("object: organization", "objekt: organization", "10:47 error[unknown-key] unknown key \"objekt\""),
            ("  owner: \"{{owner}}\"\n", "", "8:3 warning[template-param] the sync has no place for \"owner\""),
            ("sync:", "snyc:", "error[unknown-key] unknown key \"snyc\""),
        ])
    func findings(wrote: String, instead: String, expected: String) throws {
        let found = try findings(Self.good.replacing(wrote, with: instead))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }
}
