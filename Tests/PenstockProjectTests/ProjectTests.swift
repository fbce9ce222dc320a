// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject
import PenstockSchedule
import Testing

@Suite struct ProjectTests {
    private func annotated() throws -> ProjectFixture {
        let fixture = try ProjectFixture(AnnotatedProject.files)
        fixture.environment = ["CREDENTIALS_DIRECTORY": "\(fixture.root)/credentials"]
        try fixture.write("credentials/warehouse-password", Data("hunter2\n".utf8))
        try fixture.write("credentials/pipedrive-token", Data("3f9c1d\n".utf8))
        return fixture
    }

    @Test func theAnnotatedProjectHasNoFindings() throws {
        let fixture = try annotated()
        let (project, found) = fixture.validate()
        #expect(found.map(BadProjectTests.line) == [])
        #expect(project.name == "acme-revops")
        #expect(project.profile == "dev")
        #expect(project.profiles == ["dev", "prod"])
        #expect(project.connections.map(\.name) == ["warehouse", "crm-mirror", "notebook", "exports", "pipedrive-eu"])
    }

    @Test func everyKeyOfASyncArrivesInItsDefinition() throws {
        let fixture = try annotated()
        let sync = try #require(fixture.load().project.sync(named: "orgs_to_pipedrive"))
        let definition = sync.definition
        #expect(definition.source.connection == "warehouse")
        #expect(definition.source.model == "crm_orgs")
        #expect(definition.source.key == ["account_id"])
        guard case .query(let sql) = definition.source.target else { throw Unexpected() }
        #expect(sql.hasPrefix("-- connection") && sql.hasSuffix("is_customer"))
        #expect(definition.destination == SyncDestination(connection: "pipedrive-eu", object: "organization"))
        #expect(definition.map.count == 10)
        #expect(definition.map[3] == MapEntry(target: "ARR (EUR)", from: "arr_eur"))
        #expect(definition.map[6] == MapEntry(target: "visible_to", value: "3"))
        #expect(
            definition.map[7]
                == MapEntry(target: "label_ids", from: "labels", option: .label, split: ",", whenMissing: .skip))
        let budget = [
            MapEntry(target: "value", from: "budget", defaultText: "0"), MapEntry(target: "currency", value: "EUR"),
        ]
        #expect(definition.map[8] == MapEntry(target: "Budget", parts: budget))
        #expect(definition.map[9].columns == ["starts_on", "ends_on"])
        #expect(
            definition.fetch
                == FetchDefinition(
                    mode: .incremental, key: "updated_at", start: "2026-01-01T00:00:00Z",
                    lookback: .microseconds(600_000_000), nullKey: .include))
        #expect(definition.insert == InsertDefinition(mode: .update, onMissing: .create))
        #expect(definition.rejectsMax == .basisPoints(100))
        #expect(sync.limits.tokensPerRun == 20_000)
        #expect(sync.limits.rows == 50_000)
        #expect(sync.limits.reserveBasisPoints == 2_500)
        #expect(sync.mask == ["ARR (EUR)"])
        #expect(sync.after == ["deals"])
        #expect(sync.tags == ["crm", "daily"])
        let schedule = try #require(sync.schedule)
        #expect(schedule.timing == .cron("15 6 * * MON-FRI"))
        #expect(schedule.jitter == 120_000_000)
        #expect(schedule.start == 1_793_600_100_000)
        #expect(schedule.priority == 5)
        #expect(!sync.hasErrors)
    }

    @Test func defaultsStandUnderASyncAndAProfileOverThem() throws {
        let fixture = try annotated()
        let deals = try #require(fixture.load().project.sync(named: "deals"))
        #expect(deals.schedule?.timezone == "Europe/Berlin")
        #expect(deals.schedule?.timing == .every(3_600_000_000))
        #expect(deals.limits.rows == 50)
        #expect(deals.limits.reserveBasisPoints == 2_500)
        #expect(deals.definition.source.key == ["region", "number"])
        let prod = fixture.load(profile: "prod").project
        #expect(prod.sync(named: "deals")?.limits.rows == nil)
    }

    @Test func aProfileChangesASettingOfAConnection() throws {
        let fixture = try annotated()
        for (profile, url) in [("dev", "http://127.0.0.1:7391"), ("prod", nil)] {
            let project = fixture.load(profile: profile).project
            let connection = try #require(project.connection(named: "pipedrive-eu"))
            let descriptor = try #require(ProjectFixture.connectors["pipedrive"])
            let result = project.resolvedSettings(
                of: connection, descriptor: descriptor, resolver: fixture.resolver)
            #expect(result.settings?.settings["base_url"]?.stringValue == url)
            #expect(result.settings?.settings["company_domain"]?.stringValue == "acme")
        }
    }

    @Test func anUnknownProfileOnTheCommandLineIsAFinding() throws {
        let found = try annotated().load(profile: "stage").diagnostics
        #expect(found.map(\.code) == ["unknown-profile"])
        #expect(found.first?.line == 0)
    }

    @Test func aProjectOfOneFileWorks() throws {
        let fixture = try ProjectFixture([
            "penstock.yml": """
            version: 1
            connections:
              files: {connector: csv, path: ./data}
              db: {connector: sqlite, path: db.sqlite}
              crm: {connector: pipedrive, api_token: "${CRM_TOKEN}"}
            models:
              orgs:
                connection: db
                key: id
                sql: |
                  SELECT *
                  FROM orgs;
            syncs:
              orgs:
                source: {model: orgs}
                destination: {connection: crm, object: organization}
                map: {name: company}
              people:
                source: {connection: files, table: people}
                destination: {connection: crm, object: person}
                map: {name: full_name}

            """
        ])
        let (project, found) = fixture.validate()
        #expect(found.map(BadProjectTests.line) == [])
        #expect(project.syncs.map(\.name) == ["orgs", "people"])
        #expect(project.model(named: "orgs")?.sql == "SELECT *\nFROM orgs")
        #expect(project.sync(named: "orgs")?.definition.source.key == ["id"])
        #expect(project.sync(named: "people")?.position(of: .table).line == 19)
    }

    @Test func scalarsStayTheTextsThatTheyAre() throws {
        var files = ProjectFixture.good
        files["syncs/orgs.yml"] = """
            destination: {connection: crm, object: organization}
            source: {connection: exports, table: NO}
            map:
              name: {value: NO}
              Opened: {value: 12:30}
              Zip: {value: 0123}
              Rate: {value: 1e3}
              Big: {value: 12345678901234567890.10}
              Day: {value: 2026-01-01}
              Yes: yes
              Empty: {from: a, default: ""}
              Word: {value: "null"}
            fetch: {mode: full}
            insert: {mode: APPEND}

            """
        let (project, found) = try ProjectFixture(files).validate()
        #expect(found.map(BadProjectTests.line) == [])
        let definition = try #require(project.sync(named: "orgs")?.definition)
        #expect(definition.source.target == .object("NO"))
        let values = ["NO", "12:30", "0123", "1e3", "12345678901234567890.10", "2026-01-01", nil, nil, "null"]
        #expect(definition.map.map(\.value) == values)
        #expect(definition.map[6].from == "yes")
        #expect(definition.map[7].defaultText?.isEmpty == true)
        #expect(definition.fetch.mode == .full)
    }

    @Test func anchorsAndMergeKeysWork() throws {
        var files = ProjectFixture.good
        files["connections.yml"] = """
            connections:
              warehouse: &db
                connector: postgres
                service: analytics
              other:
                <<: *db
                service: other
              crm: {connector: pipedrive, api_token: "${env:CRM_TOKEN}"}

            """
        let fixture = try ProjectFixture(files)
        let (project, found) = fixture.validate()
        #expect(found.map(BadProjectTests.line) == [])
        let other = try #require(project.connection(named: "other"))
        #expect(other.connector == "postgres")
        #expect(other.position(of: "service").line == 7)
    }

    @Test func aByteOrderMarkAndCarriageReturnsDoNotMovePlaces() throws {
        let fixture = try ProjectFixture(ProjectFixture.good)
        let text = (ProjectFixture.good["syncs/orgs.yml"] ?? "").replacing("INCREMENTAL", with: "INCREMENTL")
        let windows = "\u{FEFF}" + text.replacing("\n", with: "\r\n")
        try fixture.write("syncs/orgs.yml", Data(windows.utf8))
        let (project, found) = fixture.validate()
        #expect(found.map { "\($0.line):\($0.column) \($0.code)" } == ["12:9 enum"])
        #expect(!project.renderer.render(found).contains("\r"))
    }

    @Test func aFileThatIsNotUTF8IsFoundAtItsFirstWrongByte() throws {
        let fixture = try ProjectFixture(ProjectFixture.good)
        try fixture.write("syncs/orgs.yml", Data("version: 1\ntitle: é".utf8) + Data([0xE9]) + Data("x\n".utf8))
        let found = fixture.validate().diagnostics
        #expect(found.map { "\($0.line):\($0.column) \($0.code)" } == ["2:9 encoding"])
    }

    @Test func oneBrokenFileDoesNotLeadToFindingsElsewhere() throws {
        for file in ["connections.yml", "models/crm_orgs.yml", "penstock.yml"] {
            var files = ProjectFixture.good
            files[file] = "a: [\n"
            let found = try ProjectFixture(files).validate().diagnostics
            #expect(found.map { "\($0.file) \($0.code)" } == ["\(file) syntax"])
        }
    }

    @Test func withoutAnEnvironmentReferencesAreNotLookedUp() throws {
        var files = ProjectFixture.good
        files["connections.yml"]?.replace("service: analytics", with: "port: ${PORT}")
        files["syncs/orgs.yml"]?.replace("INCREMENTAL", with: "${MODE}")
        let fixture = try ProjectFixture(files)
        fixture.environment = [:]
        #expect(fixture.validate(noEnv: true).diagnostics.filter { $0.code == "env-unset" } == [])
        #expect(fixture.validate().diagnostics.filter { $0.code == "env-unset" }.count == 4)
    }

    @Test func onlySelectedSyncsAndTheirConnectionsAreChecked() throws {
        var files = ProjectFixture.good
        files["connections.yml"]?.replace("path: ./data/*.csv", with: "paht: ./data/*.csv")
        let fixture = try ProjectFixture(files)
        let project = fixture.load().project
        let all = project.check(connectors: ProjectFixture.connectors, resolver: fixture.resolver)
        let some = project.check(connectors: ProjectFixture.connectors, resolver: fixture.resolver, syncs: ["orgs"])
        #expect(all.map(\.code) == ["unknown-setting"])
        #expect(some == [])
    }

    @Test func aProjectIsFoundFromAFolderInIt() throws {
        let fixture = try ProjectFixture(ProjectFixture.good)
        let root = URL(fileURLWithPath: fixture.root).standardizedFileURL.path
        #expect(ProjectLocator.find(from: "\(root)/syncs") == root)
        #expect(ProjectLocator.find(from: "\(root)/syncs/../models/.") == root)
        #expect(ProjectLocator.find(from: "/") == nil)
    }
}

/// Thrown where a value has not the case that a test needs.
struct Unexpected: Error {
    @Test func aMatchMayHaveARule() throws {
        func insert(_ match: String) throws -> InsertDefinition? {
            let fixture = try ProjectFixture([
                "penstock.yml": "version: 1\nproject: p\n",
                "connections.yml": """
                version: 1
                connections:
                  files: {connector: csv, path: ./data}
                  crm: {connector: pipedrive, company_domain: acme, api_token: "${env:CRM_TOKEN}"}

                """,
                "syncs/orgs.yml": """
                version: 1
                source: {connection: files, table: orgs}
                destination: {connection: crm, object: organization}
                map: {name: name}
                insert: {mode: Update, match: \(match)}

                """,
            ])
            let (project, diagnostics) = fixture.load()
            #expect(diagnostics.map(\.message) == [])
            return project.syncs.first?.definition.insert
        }
        #expect(try insert("name")?.matchRule == MatchRule())
        let named = try insert("{field: name, as: Text, ignore_case: true}")
        #expect(named?.match == "name" && named?.matchRule == MatchRule(form: .text, ignoresCase: true))
        let found = try insert("{field: website, as: domain, from: mail}")
        #expect(found?.match == "website" && found?.matchRule == MatchRule(form: .domain, from: "mail"))
    }
}
