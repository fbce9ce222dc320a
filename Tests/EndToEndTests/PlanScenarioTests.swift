// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// What a plan says is what its run costs, to the token, whatever the sync and the records are.
///
/// `PENSTOCK_SEED` repeats the scenarios.
@Suite struct PlanScenarioTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["PENSTOCK_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999)
    private static let scenarios = environment["PENSTOCK_SCENARIOS"].flatMap(Int.init) ?? 30

    private struct Scenario {
        var object: String
        var fetch: String
        var insert: String
        var compare: String
        var match: String
        var guarded: Bool
        var rows: Int
        var records: Int

        init(_ random: inout SeededNumbers) {
            object = ["organization", "person", "deal"].randomElement(using: &random) ?? ""
            fetch = ["FULL", "INCREMENTAL"].randomElement(using: &random) ?? ""
            insert = ["Append", "Update", "Update", "Update"].randomElement(using: &random) ?? ""
            compare = ["auto", "ledger", "remote", "none"].randomElement(using: &random) ?? ""
            match = ["id", "name"].randomElement(using: &random) ?? ""
            guarded = Bool.random(using: &random)
            records = Int.random(in: 0...130, using: &random)
            rows = Int.random(in: 1...150, using: &random)
        }

        var nameField: String { object == "deal" ? "title" : "name" }

        var sync: String {
            let isMatch = insert == "Update"
            let id = isMatch && match == "id" ? "id: pd, " : ""
            let how =
                isMatch
                ? "{mode: Update, on_missing: create, compare: \(compare)\(match == "id" ? "" : ", match: \(nameField)")}"
                : "{mode: Append}"
            let values = ["organization": "Account tier: site", "person": "Tier code: site", "deal": "value: amount"]
            let value = values[object] ?? ""
            return """
                source: {connection: files, table: orgs, key: key}
                map: {\(id)\(nameField): name, \(value)}
                fetch: {mode: \(fetch)\(fetch == "FULL" ? "" : ", key: at")}
                insert: \(how)
                rejects: {max: 100%}
                limits: {shrink: off, creates: 100000}
                """
        }

        func lines(_ random: inout SeededNumbers, at: Int) -> [String] {
            (1...rows).map { row in
                let pd = row <= records && Bool.random(using: &random) ? "\(row)" : ""
                let name = Int.random(in: 0...30, using: &random) == 0 ? "" : "Name \(row)"
                let kind = Int.random(in: 0...3, using: &random)
                return "k\(row),\(pd),\(name),site \(kind),\(kind)00,\(at)"
            }
        }
    }

    @Test("Random scenarios cost what was planned, by the server's own count")
    func scenarios() throws {
        for number in 0..<Self.scenarios {
            var random = SeededNumbers(seed: Self.seed &+ UInt64(number))
            try run(Scenario(&random), &random, "seed \(Self.seed), scenario \(number)")
        }
    }

    private func run(_ scenario: Scenario, _ random: inout SeededNumbers, _ name: String) throws {
        let project = try TemporaryProject(types: "{pd: integer, at: integer, amount: decimal}")
        try project.sync(scenario.sync, object: scenario.object)
        for record in 0..<scenario.records {
            try project.server.create(
                [scenario.nameField: .string("Name \(record + 1)")], of: scenario.object)
        }
        let head = ["key,pd,name,site,amount,at"]
        for round in 1...2 {
            try project.csv("orgs", head + scenario.lines(&random, at: round))
            let options = scenario.guarded && round == 2 ? ["--guard"] : []
            let plan = try project.penstock(["plan", "orgs", "-O", "latest", "--json"] + options)
            try #require(plan.status == 0, "\(name), round \(round): \(plan.everything)\n\(scenario)")
            let before = project.server.counters
            let result = try project.penstock("run", "orgs", "--plan", "latest", "--json")
            let after = project.server.counters
            let report = try SyncReport(result, tokens: after.tokensSpent - before.tokensSpent)
            let requests = after.byRoute.values.reduce(0, +) - before.byRoute.values.reduce(0, +)
            let comment: Comment = "\(name), round \(round): \(scenario)"
            try #require(report["as_planned"].boolValue == true, "\(name), round \(round): \(result.everything)")
            #expect(report["predicted"]["tokens"]?.intValue == report.tokens, comment)
            #expect(report["predicted"]["requests"]?.intValue == requests, comment)
        }
    }
}
