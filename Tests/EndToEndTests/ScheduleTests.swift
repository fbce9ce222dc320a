// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Schedules on the command line, and which syncs a command is about.
@Suite struct ScheduleTests {
    private static let body = "source: {connection: files, table: orgs, key: key}\nmap: {name: company}\n"

    /// The syncs `deals` (hourly, priority 5), `orgs` (weekdays, Berlin) and `people` (none), all of which could run.
    private func project(_ configure: (inout SandboxOptions) -> Void = { _ in }) throws -> TemporaryProject {
        let project = try TemporaryProject(configure)
        try project.csv("orgs", ["key,company"] + (1...10).map { "k\($0),Org \($0)" })
        let head = "version: 1\ndestination: {connection: crm, object: organization}\n" + Self.body
        let update = "insert: {repeat: allow}\n"
        try project.write(
            "syncs/deals.yml", head + update + "tags: [daily]\nafter: [people]\nschedule: {every: 1h, priority: 5}\n")
        try project.write(
            "syncs/orgs.yml",
            head + update + """
                tags: [daily]
                # Before everybody comes to work.
                schedule:
                  cron: "15 6 * * MON-FRI"   # not at the weekend
                  timezone: Europe/Berlin
                  jitter: 2m

                """)
        try project.write("syncs/people.yml", head + update)
        return project
    }

    // MARK: check

    @Test func anExpressionIsExplained() throws {
        let project = try project()
        let end = try project.penstock("schedule", "check", "30 2 * * *", "--timezone", "Europe/Berlin", "--next", "2")
        #expect(end.status == 0, "\(end.everything)")
        let lines = end.output.split(separator: "\n")
        #expect(lines.first == "At 02:30, every day   (Europe/Berlin)")
        #expect(lines.count { $0.contains(" 02:30 +0") || $0.contains(" 03:00 +0") } >= 2)
        #expect(end.output.contains("02:00 → 03:00: 02:30 is skipped; runs once, at 03:00"))
        #expect(end.output.contains("03:00 → 02:00: 02:30 comes twice; runs the first time"))
        let json = try project.penstock("schedule", "check", "6h", "--json").json
        #expect(json["data"]?["words"]?.stringValue == "Every 6 hours")
        #expect(json["data"]?["next"]?.arrayValue?.count == 5)
    }

    @Test func aMistakeIsPointedAt() throws {
        let project = try project()
        let end = try project.penstock("schedule", "check", "0 25 * * *")
        #expect(end.status == 78)
        #expect(end.errors == "error[cron]: hour \"25\" is not within 0 to 23\n  = 0 25 * * *\n  =   ^^\n")
        let zone = try project.penstock("schedule", "check", "@daily", "--timezone", "Europe/Berln")
        #expect(zone.status == 78)
        #expect(zone.errors.contains("did you mean \"Europe/Berlin\"?"))
        #expect(try project.penstock("schedule", "check", "@daly").errors.contains("did you mean @daily?"))
    }

    // MARK: list

    @Test func schedulesAreListedByTheirNextTime() throws {
        let project = try project()
        let end = try project.penstock("schedule", "list", "--next", "2", "--json")
        #expect(end.status == 0, "\(end.everything)")
        let data = try end.json["data"]?.arrayValue ?? []
        #expect(data.compactMap { $0["sync"]?.stringValue }.sorted() == ["deals", "deals", "orgs", "orgs"])
        let times = data.compactMap { $0["next"]?.stringValue }
        #expect(times.count == 4 && times[0] <= times[2], "who is due first stands first")
        let orgs = try #require(data.first { $0["sync"]?.stringValue == "orgs" })
        #expect(orgs["words"]?.stringValue == "At 06:15, Monday to Friday")
        #expect(orgs["next_in_zone"]?.stringValue?.contains(" 06:15 +0") == true)
        #expect(data.first { $0["sync"]?.stringValue == "deals" }?["priority"]?.intValue == 5)
        let text = try project.penstock("schedule", "list", "-s", "orgs").output
        #expect(text.hasPrefix("SYNC\tWHEN\tNEXT\tZONE\tLOCAL\tLAST RUN\tREMARK\norgs\tAt 06:15, Monday to Friday\t"))
        #expect(text.contains("\tEurope/Berlin\t"))
    }

    @Test func aStartThatDidNotComeIsOverdue() throws {
        let project = try project()
        #expect(try project.penstock("schedule", "list", "--check").status == 0, "what was just written is not overdue")
        let old = Date(timeIntervalSinceNow: -7 * 86_400)
        for name in ["deals", "orgs"] {
            try FileManager.default.setAttributes(
                [.modificationDate: old], ofItemAtPath: project.folder + "/syncs/\(name).yml")
        }
        let late = try project.penstock("schedule", "list", "--check")
        #expect(late.status == 3, "\(late.everything)")
        #expect(late.output.contains("overdue: due at "))
        #expect(try project.penstock("schedule", "list").status == 0)
        #expect(try project.penstock("run", "deals", "orgs").status == 0)
        #expect(try project.penstock("schedule", "list", "--check").status == 0)
        #expect(try project.penstock("schedule", "list", "--check", "--grace", "soon").status == 64)
    }

    // MARK: pause and resume

    @Test func aScheduleIsPausedInItsFile() throws {
        let project = try project()
        let before = try project.text("syncs/orgs.yml")
        let pause = try project.penstock("schedule", "pause", "orgs")
        #expect(pause.output == "orgs: the schedule is paused  (syncs/orgs.yml)\n", "\(pause.everything)")
        let paused = try project.text("syncs/orgs.yml")
        #expect(paused.contains("enabled: false"))
        #expect(paused.contains("# not at the weekend") && paused.contains("# Before everybody comes to work."))
        #expect(try project.penstock("schedule", "list", "-s", "orgs").output.contains("\tpaused\t"))
        #expect(try project.penstock("schedule", "pause", "orgs").output.contains("is paused already"))
        let resume = try project.penstock("schedule", "resume", "orgs")
        #expect(resume.output.hasPrefix("orgs: the schedule is on  (syncs/orgs.yml)\n  next   "))
        #expect(try project.text("syncs/orgs.yml").replacingOccurrences(of: "  enabled: true\n", with: "") == before)
        let none = try project.penstock("schedule", "pause", "people")
        #expect(none.status == 64)
        #expect(none.errors.contains("error[no-schedule]: people has no schedule"))
        #expect(try project.penstock("schedule", "pause", "orgz").errors.contains("did you mean \"orgs\"?"))
    }

    @Test func aScheduleInTheProjectFileIsPausedThere() throws {
        let project = try project()
        try project.write(
            "penstock.yml",
            """
            version: 1
            project: e2e
            syncs:
              late:   # at night
                destination: {connection: crm, object: organization}
                source: {connection: files, table: orgs, key: key}
                map: {name: company}
                insert: {repeat: allow}
                schedule: {cron: "@daily"}

            """)
        #expect(try project.penstock("schedule", "pause", "late").status == 0)
        let text = try project.text("penstock.yml")
        #expect(text.contains("late:   # at night") && text.contains("enabled: false"), "\(text)")
        #expect(try project.penstock("validate").status == 0)
    }

    // MARK: export

    @Test func schedulesAreExported() throws {
        let project = try project()
        let end = try project.penstock("schedule", "export", "systemd", "--out", "units", "--user", "penstock")
        #expect(end.status == 0, "\(end.everything)")
        #expect(
            end.output == """
                units/penstock-deals.service
                units/penstock-deals.timer
                units/penstock-orgs.service
                units/penstock-orgs.timer

                """)
        #expect(
            try project.text("units/penstock-orgs.timer").contains("OnCalendar=Mon..Fri *-*-* 06:15:00 Europe/Berlin"))
        let service = try project.text("units/penstock-orgs.service")
        #expect(service.contains("EnvironmentFile=/etc/penstock/e2e.env"))
        #expect(service.contains("User=penstock"))
        #expect(end.errors.contains("note: orgs: put CRM_TOKEN into /etc/penstock/e2e.env, mode 0600"))
        let github = try project.penstock("schedule", "export", "github")
        #expect(github.status == 78)
        #expect(github.output == "")
        #expect(github.errors.contains("error[schedule-export]: orgs: GitHub runs workflows by UTC"))
        #expect(try project.penstock("schedule", "export", "github", "--exclude", "orgs").status == 0)
        #expect(try project.penstock("schedule", "export", "cron", "-s", "people").status == 64)
        #expect(try project.penstock("schedule", "export", "anacron").status == 64)
    }

    // MARK: Selectors

    @Test func selectorsSayWhatRunsAndInWhichOrder() throws {
        let project = try project()
        let names = { (result: ProgramResult) in
            try result.json["data"]?.arrayValue?.compactMap { $0["sync"]?.stringValue ?? $0["name"]?.stringValue } ?? []
        }
        // `people` goes first, for `deals` waits for it; then priority decides.
        #expect(try names(try project.penstock("plan", "--json")) == ["people", "deals", "orgs"])
        #expect(try names(try project.penstock("plan", "--json", "-s", "tag:daily")) == ["deals", "orgs"])
        #expect(
            try names(try project.penstock("plan", "orgs", "--json", "-s", "d*", "--exclude", "tag:none"))
                == ["deals", "orgs"])
        #expect(try names(try project.penstock("sync", "list", "--json", "--exclude", "tag:daily")) == ["people"])
        #expect(try project.penstock("run", "people").status == 0)
        #expect(try names(try project.penstock("sync", "list", "--json", "-s", "result:ok")) == ["people"])
        #expect(try names(try project.penstock("history", "list", "--json", "-s", "object:organization")) == ["people"])
        #expect(try names(try project.penstock("history", "list", "--json", "-s", "tag:daily")) == [])
    }

    @Test func whatFitsNothingIsAMistake() throws {
        let project = try project()
        let tag = try project.penstock("run", "-s", "tag:dayly")
        #expect(tag.status == 64)
        #expect(
            tag.errors
                == "error[unknown-tag]: there is no tag \"dayly\"\n  = did you mean \"daily\"?\n  = tags: daily\n")
        #expect(try project.penstock("plan", "-s", "orgz").errors.contains("did you mean \"orgs\"?"))
        #expect(try project.penstock("run", "-s", "result:failed").status == 64)
        #expect(try project.penstock("run", "-s", "result:failed", "--allow-empty").status == 0)
        #expect(try project.penstock("sync", "list", "-s", "orgs", "--exclude", "o*").status == 64)
        #expect(project.server.names.isEmpty)
    }

    // MARK: Forecast

    @Test func aRunThatTheBudgetEndsSaysWhenItIsDone() throws {
        let clock = ManualClock()
        let project = try project {
            $0.clock = clock.clock
            $0.dailyTokens = 50
        }
        let plan = try project.penstock("plan", "people", "--json")
        #expect(plan.status == 75)
        #expect(try plan.json["data"]?.arrayValue?.first?["forecast"]?["outcome"]?.stringValue == "later")
        #expect(try project.penstock("plan", "people").output.contains(": this backfill ends "))
        project.server.renewDailyTokens()
        let end = try project.penstock("run", "people")
        #expect(end.status == 75, "\(end.everything)")
        #expect(end.output.contains("  forecast    about "))
        #expect(end.output.contains("this backfill ends "))
        #expect(end.output.contains("if it is run again when the budget is renewed"))
        try project.write(
            "syncs/people.yml", try project.text("syncs/people.yml") + "schedule: {every: 1h}\n")
        let list = try project.penstock("schedule", "list", "-s", "people")
        #expect(list.output.contains("unfinished: about "), "\(list.everything)")
        #expect(list.output.contains("by its schedule"))
    }

    @Test("Of syncs that are planned together, each has what those before it leave of the day's budget")
    func syncsOfOneConnectionShareTheDay() throws {
        func plans(_ project: TemporaryProject, _ syncs: String...) throws -> (status: Int32, [JSON], String) {
            let result = try project.penstock(["plan", "--json"] + syncs)
            let text = try project.penstock(["plan"] + syncs).output
            return (result.status, try result.json["data"]?.arrayValue ?? [], text)
        }
        let free = try project { $0.dailyTokens = 100_000 }
        let (status, both, text) = try plans(free, "orgs", "people")
        #expect(status == 0)
        let costs = try both.map { try #require($0["cost"]?["tokens"]?.intValue) }
        let reads = try both.map { try #require($0["cost"]?["tokens_read"]?.intValue) }
        try #require(costs.count == 2)
        #expect(both.map { $0["cost"]?["ahead"]?.intValue } == [0, costs[0]])
        #expect(text.contains("fits today ·"))
        #expect(text.contains("fits today behind the \(costs[0]) of the syncs before it"))

        // Half of what the second one writes is missing, and only because of the first one.
        let project = try project { $0.dailyTokens = reads[0] + reads[1] + costs[0] + 25 }
        let short = try plans(project, "orgs", "people")
        #expect(short.status == 75 && short.1.map { $0["forecast"]?["outcome"]?.stringValue } == ["today", "later"])
        #expect(short.1.last?["forecast"]?["tokens_ahead"]?.intValue == costs[0])
        #expect(short.2.contains("once the syncs before it have spent \(costs[0]) of this connection's"), "\(short.2)")
        project.server.renewDailyTokens()
        #expect(try project.penstock("plan", "people").status == 0, "alone it fits")
        // What a sync's own limit forbids it to spend is left for the one behind it.
        try project.write("syncs/orgs.yml", try project.text("syncs/orgs.yml") + "limits: {tokens_per_run: 20}\n")
        let capped = try project.penstock("plan", "orgs", "people", "--json").json["data"]?.arrayValue ?? []
        #expect(capped.last?["cost"]?["ahead"]?.intValue == 20)
    }
}
