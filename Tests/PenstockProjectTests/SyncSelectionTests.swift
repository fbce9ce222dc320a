// SPDX-License-Identifier: Apache-2.0

import PenstockProject
import Testing

@Suite struct SyncSelectionTests {
    private static let files = [
        "penstock.yml": "version: 1\n",
        "connections.yml": """
        version: 1
        connections:
          exports: {connector: csv, path: ./data}
          crm: {connector: pipedrive, company_domain: acme}
          crm-us: {connector: pipedrive, company_domain: acme-us}

        """,
        "syncs/deals.yml": sync("crm", "deal", "tags: [daily, money]\nafter: [orgs]\n"),
        "syncs/orgs.yml": sync("crm", "organization", "tags: [daily]\n"),
        "syncs/orgs_us.yml": sync("crm-us", "organization", "schedule: {every: 1h, priority: 7}\n"),
        "syncs/people.yml": sync("crm", "person", "enabled: false\nschedule: {every: 1h, priority: 9}\n"),
        "syncs/zeta.yml": sync("crm", "person", "schedule: {every: 1h, priority: -1}\n"),
    ]

    private static func sync(_ connection: String, _ object: String, _ more: String) -> String {
        """
        version: 1
        destination: {connection: \(connection), object: \(object)}
        source: {connection: exports, table: t}
        map: {name: name, title: name}
        insert: {repeat: allow}
        \(more)
        """
    }

    private func select(
        _ selected: [String], except excluded: [String] = [], enabledOnly: Bool = false
    ) throws -> SyncSelection.Outcome {
        let project = try ProjectFixture(Self.files).load().project
        let selection = SyncSelection(
            selected: try selected.map { try SyncSelector($0) }, excluded: try excluded.map { try SyncSelector($0) })
        return selection.of(project.syncs, enabledOnly: enabledOnly) { $0.name == "deals" ? .failed : .ok }
    }

    @Test(arguments: [
        (["orgs"], ["orgs"]), (["orgs*"], ["orgs", "orgs_us"]), (["*s"], ["deals", "orgs", "orgs_us"]),
        (["????"], ["orgs", "zeta"]), (["tag:daily"], ["deals", "orgs"]), (["tag:mon*"], ["deals"]),
        (["connection:crm-us"], ["orgs_us"]), (["connection:exports"], ["deals", "orgs", "orgs_us", "people", "zeta"]),
        (["object:person"], ["people", "zeta"]), (["result:failed"], ["deals"]),
        (["zeta", "tag:money"], ["deals", "zeta"]), ([], ["deals", "orgs", "orgs_us", "people", "zeta"]),
    ])
    func takesWhatFits(_ selected: [String], _ names: [String]) throws {
        #expect(try select(selected).syncs.map(\.name) == names)
    }

    @Test func leavesOutWhatIsExcluded() throws {
        #expect(try select(["tag:daily"], except: ["orgs"]).syncs.map(\.name) == ["deals"])
        #expect(try select([], except: ["object:person", "*_us"]).syncs.map(\.name) == ["deals", "orgs"])
    }

    @Test func aDisabledSyncIsRunByItsNameOnly() throws {
        #expect(try select([], enabledOnly: true).syncs.map(\.name) == ["deals", "orgs", "orgs_us", "zeta"])
        #expect(try select(["object:person"], enabledOnly: true).syncs.map(\.name) == ["zeta"])
        #expect(try select(["peopl*"], enabledOnly: true).syncs.map(\.name) == [])
        #expect(try select(["people"], enabledOnly: true).syncs.map(\.name) == ["people"])
    }

    @Test func whatFitsNothingIsSaid() throws {
        let outcome = try select(["orgs", "tag:dayly"])
        #expect(outcome.empty.map(\.selector.pattern) == ["dayly"])
        #expect(outcome.empty.first?.words == ["daily", "money"])
        #expect(try select(["result:never"]).empty.isEmpty)
    }

    @Test(arguments: [
        ("tags:daily", "\"tags\" is nothing that syncs are selected by", "did you mean tag:?"),
        (
            "state:modified", "\"state\" is nothing that syncs are selected by",
            "a name, tag:, connection:, object:, result:"
        ),
        ("result:faild", "\"faild\" is no result", "did you mean result:failed?"),
    ])
    func whatIsNoSelectorIsRefused(_ text: String, _ message: String, _ suggestion: String) throws {
        let problem = try #require(throws: SyncSelector.Problem.self) { try SyncSelector(text) }
        #expect(problem.message == message)
        #expect(problem.suggestion == suggestion)
    }

    @Test func patternsOfManyStarsTakeNoTime() throws {
        let selector = try SyncSelector(String(repeating: "*a", count: 200) + "*b")
        #expect(selector.method == .name)
        #expect(try select([String(repeating: "*a", count: 200)]).syncs.isEmpty)
    }

    @Test func whatOthersWaitForIsAsUrgentAsTheyAre() throws {
        var syncs = try ProjectFixture(Self.files).load().project.syncs
        for index in syncs.indices where syncs[index].name == "deals" { syncs[index].after = ["zeta"] }
        for index in syncs.indices where syncs[index].name == "orgs_us" { syncs[index].after = ["deals"] }
        #expect(syncs.inOrder.map(\.name) == ["people", "zeta", "deals", "orgs_us", "orgs"])
    }

    @Test func linksAndAfterGoBeforePriority() throws {
        let project = try ProjectFixture(Self.files).load().project
        #expect(project.syncs.inOrder.map(\.name) == ["people", "orgs_us", "orgs", "deals", "zeta"])
    }
}
