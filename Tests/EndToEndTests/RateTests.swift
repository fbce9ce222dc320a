// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Two programs at a time that use one credential, each with a sync of its own.
@Suite(.serialized) struct RateTests {
    /// A project with the syncs `orgs` and `more`, whose organizations are called `A 1`, `A 2`, … and `B 1`, ….
    private func project(
        rows: Int, budget: String, _ configure: (inout SandboxOptions) throws -> Void
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(budget: budget, configure)
        for (table, letter) in [("orgs", "A"), ("more", "B")] {
            try project.csv(table, ["key,company"] + (1...rows).map { "\($0),\(letter) \($0)" })
            try project.write(
                "syncs/\(table).yml",
                """
                version: 1
                source: {connection: files, table: \(table), key: [key]}
                destination: {connection: crm, object: organization}
                map: {name: company}
                insert: {mode: Append}

                """)
        }
        return project
    }

    private func expected(_ letter: String, _ rows: Int) -> Set<String> { Set((1...rows).map { "\(letter) \($0)" }) }

    @Test("Two processes on one credential are refused nothing, and each has its share while both have rows")
    func twoProcesses() throws {
        let project = try project(rows: 170, budget: "{burst: 80, window: 2s}") {
            $0.burst = 80
            $0.latency = 20_000_000
        }
        let first = try project.start("run", "orgs", "--json")
        let second = try project.start("run", "more", "--json")
        let ends = [try first.result(), try second.result()]
        for end in ends { #expect(end.status == 0, "\(end.everything)") }
        #expect(project.server.counters.burst429 == 0)
        let letters = project.server.names.map { $0.prefix(1) }
        #expect(letters.count == 340)
        #expect(Set(project.server.names) == expected("A", 170).union(expected("B", 170)))
        let start = try #require([letters.firstIndex(of: "A"), letters.firstIndex(of: "B")].compactMap { $0 }.max())
        let end = try #require([letters.lastIndex(of: "A"), letters.lastIndex(of: "B")].compactMap { $0 }.min())
        // The first window belongs to whoever comes first.
        let both = letters[min(end, start + 80)..<end]
        let share = Double(both.filter { $0 == "A" }.count) / Double(max(1, both.count))
        #expect((0.4...0.6).contains(share), "\(share) of \(both.count)")
    }

    @Test("kill -9 of one of two processes leaves the other undisturbed")
    func killed() throws {
        let project = try project(rows: 150, budget: "{burst: 80, window: 2s}") {
            $0.burst = 80
            $0.latency = 20_000_000
        }
        let first = try project.start("run", "orgs", "--json")
        let second = try project.start("run", "more", "--json")
        try first.wait("both have begun") {
            let names = project.server.names
            return names.filter { $0.hasPrefix("A") }.count > 20 && names.filter { $0.hasPrefix("B") }.count > 20
        }
        first.send(SIGKILL)
        #expect(try first.result().wasKilled)
        let end = try second.result()
        #expect(end.status == 0, "\(end.everything)")
        #expect(project.server.counters.burst429 == 0)
        #expect(expected("B", 150).isSubset(of: project.server.names))
    }

    @Test("Two processes spend one daily budget down to its reserve, and the next day finishes both")
    func dailyBudget() throws {
        let clock = ManualClock()
        let project = try project(rows: 30, budget: "{burst: 100000, window: 2s, reserve: 10%}") {
            $0.dailyTokens = 250
            $0.clock = clock.clock
        }
        let programs = try ["orgs", "more"].map { ($0, try project.start("run", $0, "--json")) }
        // One of them may be so much faster that its rows suffice.
        var unfinished: [String] = []
        for (sync, program) in programs {
            let end = try program.result()
            guard end.status != 0 else { continue }
            #expect(end.status == 75, "\(end.everything)")
            #expect(end.everything.contains("is renewed by "))
            unfinished.append(sync)
        }
        #expect(!unfinished.isEmpty)
        #expect(project.server.counters.daily429 == 0)
        #expect((221...225).contains(project.server.counters.tokensSpent), "25 are the reserve, and a write costs 5")
        clock.advance(milliseconds: 86_400_000)
        for sync in unfinished {
            let end = try project.penstock("run", sync)
            #expect(end.status == 0, "\(end.everything)")
        }
        #expect(project.server.counters.daily429 == 0)
        #expect(project.server.names.count == 60)
        #expect(Set(project.server.names) == expected("A", 30).union(expected("B", 30)))
    }

    @Test("A run that waits for the budget goes on as soon as another process has found it renewed")
    func waiting() throws {
        let project = try project(rows: 100, budget: "{burst: 100000, window: 2s, reserve: 10%}") {
            $0.dailyTokens = 400
            $0.clock = ManualClock().clock
        }
        let short = try project.penstock("run", "orgs", "--wait-for-budget=1s")
        #expect(short.status == 75, "\(short.everything)")
        #expect(short.errors.contains("waits for the daily budget of connection crm"))
        #expect(project.server.names.count == 70, "10 for the fields, 40 kept as a reserve")
        let stopped = try project.start("run", "orgs", "--wait-for-budget")
        try stopped.wait("it waits") { try stopped.errorsSoFar.contains("waits for the daily budget") }
        stopped.send(SIGINT)
        #expect(try stopped.result().status == 130)
        let patient = try project.start("run", "--wait-for-budget", "orgs")
        try patient.wait("it waits") { try patient.errorsSoFar.contains("waits for the daily budget") }
        project.server.renewDailyTokens()
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        let end = try patient.result()
        #expect(end.status == 0, "\(end.everything)")
        #expect(Set(project.server.names) == expected("A", 100) && project.server.names.count == 100)
        #expect(project.server.counters.daily429 == 0)
    }

    @Test("A limit of one run is not waited for")
    func limitOfOneRun() throws {
        let project = try project(rows: 5, budget: "{burst: 100000, window: 2s}") { $0.dailyTokens = 10_000 }
        try project.write(
            "syncs/orgs.yml", try project.text("syncs/orgs.yml") + "limits: {tokens_per_run: 20}\n")
        let end = try project.penstock("run", "orgs", "--wait-for-budget", "--json")
        #expect(end.status == 75, "\(end.everything)")
        #expect(end.everything.contains("tokens_per_run"))
        let document = try end.json["data"]?.arrayValue?.first
        #expect(document?["exit_code"]?.intValue == 75 && document?["rationed"]?.boolValue == true)
        #expect(document?["error"]?["code"]?.stringValue == "quota-spent")
    }
}
