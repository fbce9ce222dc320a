// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// `penstock server`: ticks, control, and what is left when it dies.
@Suite(.serialized) struct ScheduleServerTests {
    private static func time(_ json: JSON?) throws -> Int64 {
        try #require(TimeText.parseStamp(json?.stringValue ?? "")?.instant) / 1_000_000
    }

    /// Two weeks around the end of summer time, sixty thousand times faster, with a server that is killed six times.
    @Test func everyTickRunsOnceHoweverTheServerDies() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var numbers = SystemRandomNumberGenerator()
        let server = try ScheduledServer(
            rows: 1,
            [
                "night": "{cron: \"30 2 * * *\", timezone: Europe/Berlin, catch_up: all, overlap: queue}",
                "hourly": "{cron: \"0 * * * *\", timezone: UTC, catch_up: latest, overlap: skip}",
            ])
        // A quick machine comes to more runs than are kept otherwise.
        try server.project.write("penstock.yml", "version: 1\nproject: e2e\nhistory: {runs: 100000}\n")
        let begin = try #require(TimeText.parseStamp("2026-10-17T00:00:00Z")?.instant) / 1_000_000
        let now = TimeText.instant(Int64(Date().timeIntervalSince1970) * 1_000_000)
        server.project.environment["PENSTOCK_TEST_CLOCK"] = "2026-10-17T00:00:00Z@60000@\(now)"
        for _ in 0..<6 {
            try server.start()
            usleep(UInt32.random(in: 200_000...2_500_000, using: &numbers))
            try server.killNow()
        }
        try server.start()
        let nights = Self.nights(from: begin)
        let last = try #require(nights.last)
        try server.wait("the last night is done") {
            try server.ticks("night").contains {
                try Self.time($0["tick"]) >= last && $0["state"]?.stringValue == "done"
            }
        }
        try server.sync("night", "{cron: \"30 2 * * *\", timezone: Europe/Berlin, enabled: false}")
        try server.sync("hourly", "{cron: \"0 * * * *\", timezone: UTC, enabled: false}")
        try server.wait("nothing is at work") {
            let status = try server.project.penstock("server", "status", "--json").json["data"]
            let isOff = status?["syncs"]?.arrayValue?.allSatisfy { $0["next_at"]?.isNull == true } ?? false
            return isOff && status?["queue"]?.arrayValue?.isEmpty == true
        }
        #expect(try server.end(SIGTERM).status == 143)
        try check(server, nights, "seed \(seed)")
    }

    private func check(_ server: ScheduledServer, _ nights: [Int64], _ comment: Comment) throws {
        let ticks = try server.ticks("night").reversed().map { $0 }
        let times = try ticks.map { try Self.time($0["tick"]) }
        let first = try #require(times.first)
        let last = try #require(nights.last)
        #expect(times.filter { $0 <= last } == nights.filter { $0 >= first }, comment)
        #expect(ticks.allSatisfy { $0["reason"]?.isNull == true || $0["reason"]?.stringValue == "disabled" }, comment)
        let hours = try server.ticks("hourly").reversed().map { $0 }
        var next: Int64?
        for entry in hours {
            let (from, to) = (try Self.time(entry["first"]), try Self.time(entry["tick"]))
            #expect(from == next ?? from && to - from == Int64((entry["count"]?.intValue ?? 0) - 1) * 3_600, comment)
            next = to + 3_600
        }
        let done = (ticks + hours).filter { $0["state"]?.stringValue == "done" && $0["reason"]?.isNull == true }
        #expect(done.allSatisfy { $0["exit_code"]?.intValue == 0 }, comment)
        #expect(server.project.server.organizations.count == done.count, "one record a tick; \(comment)")
        let runs = try server.project.penstock("history", "list", "--limit", "10000", "--json").json["data"]?.arrayValue
        #expect(runs?.count == done.count, "one run a tick; \(comment)")
        #expect(Set(done.compactMap { $0["run"]?.stringValue }).count == done.count, comment)
    }

    /// Half past two in Berlin on every day of the two weeks: the repeated hour counts once, the first time.
    private static func nights(from begin: Int64) -> [Int64] {
        (0..<15).map { day in
            let midnight = begin + Int64(day) * 86_400
            // Summer time ends on the 25th at 01:00 UTC; that day's first 02:30 is still in it.
            return midnight + (day <= 8 ? 1_800 : 5_400)
        }
    }

    @Test func controlOverTheSocketAndHTTP() throws {
        let server = try ScheduledServer(rows: 2, ["orgs": "{every: 1000d}", "more": "{every: 1000d}"])
        try server.start("--log-format", "json")
        let second = try server.project.penstock("server", "--listen", "none")
        #expect(second.status == 75 && second.errors.contains("error[server-running]"))
        #expect(second.errors.contains("pid \(try #require(server.program).id)"))
        #expect(try server.raw("GET /healthz HTTP/1.0\r\n\r\n").contains("\r\n\r\nok\n"))
        #expect(try server.raw("GET /api/v1/syncs HTTP/1.0\r\n\r\n").hasPrefix("HTTP/1.1 401"))
        #expect(try server.ask("GET", "/readyz").status == 200)
        let syncs = try JSON(parsing: server.ask("GET", "/api/v1/syncs").body)["data"]?.arrayValue
        #expect(syncs?.compactMap { $0["name"]?.stringValue } == ["more", "orgs"])
        #expect(try server.project.penstock("server", "run", "orgs").status == 0)
        try server.wait("the run is done") {
            try server.ticks("orgs").first?["state"]?.stringValue == "done"
        }
        #expect(try server.ask("POST", "/api/v1/syncs/more/run").status == 202)
        try server.wait("the other run is done") {
            try server.ticks("more").first?["state"]?.stringValue == "done"
        }
        #expect(server.project.server.organizations.count == 4)
        let tick = try #require(try server.ticks("orgs").first)
        #expect(tick["asked"]?.boolValue == true && tick["exit_code"]?.intValue == 0)
        let run = try #require(tick["run"]?.stringValue)
        #expect(try server.ask("GET", "/api/v1/runs/\(run)").body.contains("\"created\":2"))
        #expect(try server.ask("GET", "/api/v1/runs?sync=orgs").body.contains(run))
        let metrics = try server.ask("GET", "/metrics").body
        #expect(metrics.contains("penstock_sync_rows_total{sync=\"orgs\",result=\"created\"} 2\n"))
        #expect(metrics.contains("penstock_api_tokens_total{connection=\"crm\",endpoint=\"create\"} 20\n"))
        #expect(metrics.contains("penstock_scheduler_ticks_total{sync=\"orgs\"} 1\n"))
        let unknown = try server.project.penstock("server", "run", "orgz")
        #expect(unknown.status == 64 && unknown.errors.contains("did you mean \"orgs\"?"))
        let idle = try server.project.penstock("server", "cancel", "orgs")
        #expect(idle.status == 75 && idle.errors.contains("error[server-conflict]: orgs is not running"))
        try badRequests(server)
        #expect(try server.project.penstock("server", "stop").status == 0)
        let result = try server.end(0)
        #expect(result.status == 0)
        for line in result.errors.split(separator: "\n") {
            let json = try JSON(parsing: String(line))
            #expect(["ts", "level", "event", "msg"].allSatisfy { json[$0]?.stringValue != nil }, "\(line)")
        }
        #expect(!result.everything.contains(TemporaryProject.token))
        #expect(!result.everything.contains(try server.token()))
        let gone = try server.project.penstock("server", "status")
        #expect(gone.status == 69 && gone.errors.contains("error[no-server]"))
    }

    private func badRequests(_ server: ScheduledServer) throws {
        #expect(try server.raw("HELLO\r\n\r\n").hasPrefix("HTTP/1.1 400"))
        let huge = String(repeating: "x", count: 200_000)
        #expect(try !server.raw("GET /\(huge) HTTP/1.1\r\nHost: x\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        #expect(
            try server.raw("POST /api/v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n\(huge)")
                .hasPrefix("HTTP/1.1 413"))
        // A client that never ends its request loses its connection, and nobody else is held up meanwhile.
        #expect(try server.raw("GET /healthz HTTP/1.1\r\nHost:", seconds: 60).isEmpty)
        #expect(try server.ask("GET", "/healthz").status == 200)
    }

    @Test func aServerThatIsToldToStopLosesNothing() throws {
        let server = try ScheduledServer(rows: 60, latency: 100, ["orgs": "{every: 1000d}"])
        try server.start("--jobs", "1")
        try server.project.penstock("server", "run", "orgs")
        try server.wait("rows arrive") { server.project.server.organizations.count > 3 }
        #expect(try server.end(SIGTERM).status == 143)
        let stopped = server.project.server.organizations.count
        #expect(try server.ticks("orgs").count == 1)
        try server.start()
        try server.wait("the run is finished") { try server.ticks("orgs").first?["state"]?.stringValue == "done" }
        #expect(server.project.server.organizations.count == 60, "\(stopped) were there before")
        #expect(try server.project.penstock("history", "list", "--json").json["data"]?.arrayValue?.count == 1)
        #expect(try server.end(SIGINT).status == 130)
    }

    @Test func aRunWithoutBudgetIsTriedAgainWhenThereIsSome() throws {
        let server = try ScheduledServer(rows: 60, tokens: 150, ["orgs": "{every: 1000d}"])
        // An hour, after which the budget may be there again, passes in four seconds.
        server.project.environment["PENSTOCK_TEST_CLOCK"] = "2026-10-20T00:00:00Z@1000"
        try server.start()
        try server.project.penstock("server", "run", "orgs")
        try server.wait("the budget is used up") {
            try server.ticks("orgs").first?["state"]?.stringValue == "retrying"
        }
        #expect(try server.ticks("orgs").first?["exit_code"]?.intValue == 75)
        #expect(server.project.server.organizations.count < 60)
        server.project.server.renewDailyTokens()
        try server.wait("the run is finished, or out of budget again") {
            if try server.ticks("orgs").first?["state"]?.stringValue == "retrying" {
                server.project.server.renewDailyTokens()
            }
            return try server.ticks("orgs").first?["state"]?.stringValue == "done"
        }
        #expect(server.project.server.organizations.count == 60)
        let tick = try #require(try server.ticks("orgs").first)
        #expect(tick["exit_code"]?.intValue == 0 && (tick["attempts"]?.intValue ?? 0) > 1)
        #expect(try server.end(SIGTERM).status == 143)
    }

    @Test func aChangeThatIsWrongKeepsTheSchedulesAsTheyWere() throws {
        let server = try ScheduledServer(rows: 1, ["orgs": "{every: 1000d}"])
        try server.start()
        let program = try #require(server.program)
        try server.sync("orgs", "{cron: \"61 * * * *\"}")
        try program.wait("it says what is wrong") { try program.errorsSoFar.contains("syncs/orgs.yml:7:") }
        let status = try server.project.penstock("server", "status", "--json").json["data"]
        let problems = (status?["project_problems"]?.arrayValue ?? []).map(\.text)
        #expect(problems.contains { $0.contains("syncs/orgs.yml:7:") }, "\(problems)")
        #expect(status?["syncs"]?.arrayValue?.first?["schedule"]?["every_seconds"]?.intValue == 86_400_000)
        try server.sync("orgs", "{cron: \"1 * * * *\"}")
        program.send(SIGHUP)
        try program.wait("it takes the new one") { try program.errorsSoFar.contains("project.reload") }
        let now = try server.project.penstock("server", "status", "--json").json["data"]
        #expect(now?["project_problems"]?.arrayValue?.isEmpty == true)
        #expect(now?["syncs"]?.arrayValue?.first?["schedule"]?["cron"]?.stringValue == "1 * * * *")
        #expect(try server.end(SIGTERM).status == 143)
    }

    @Test func whatCannotBeServedIsRefused() throws {
        let server = try ScheduledServer(rows: 1, ["orgs": "{every: 1000d}"])
        let open = try server.project.penstock("server", "--listen", "0.0.0.0:0")
        #expect(open.status == 64 && open.errors.contains("--tls-cert"))
        #expect(try server.project.penstock("server", "--listen", "nowhere").status == 64)
        #expect(try server.project.penstock("server", "--jobs", "0").status == 64)
        try server.project.write("shared.token", "a-token-that-is-long-enough\n")
        chmod(server.project.folder + "/shared.token", 0o644)
        let shared = try server.project.penstock(
            "server", "--listen", "none", "--token-file", server.project.folder + "/shared.token")
        #expect(shared.status == 77 && shared.errors.contains("can be read by others"))
        server.project.environment["PENSTOCK_TEST_CLOCK"] = "tomorrow"
        let clock = try server.project.penstock("server", "--listen", "none")
        #expect(clock.status == 64 && clock.errors.contains("error[test-clock]"))
    }

    @Test func metricsOfARunInAFile() throws {
        let server = try ScheduledServer(rows: 3, ["orgs": "{every: 1000d}"])
        let folder = server.project.folder
        #expect(try server.project.penstock("run", "--metrics-textfile", folder).status == 0)
        #expect(try server.project.penstock("run", "--metrics-textfile", folder).status == 0)
        let text = try server.project.text("penstock_e2e.prom")
        #expect(text.contains("penstock_sync_rows_total{project=\"e2e\",sync=\"orgs\",result=\"created\"} 6\n"))
        #expect(text.contains("penstock_build_info{project=\"e2e\",version="))
        #expect(text.contains("penstock_sync_last_exit_code{project=\"e2e\",sync=\"orgs\"} 0\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { !$0.hasSuffix(".part") })
        let bad = try server.project.penstock("run", "--metrics-textfile", folder + "/nowhere")
        #expect(bad.status == 73 && bad.errors.contains("penstock_e2e.prom cannot be written"))
    }
}
