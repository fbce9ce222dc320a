// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockSchedule
import PenstockServer
import Testing

/// The API without a network, and the pieces around it.
@Suite struct ServerAPITests {
    private let api = ServerAPI(
        root: "/nonexistent", version: "0", board: StatusBoard(), mailbox: Mailbox(), token: Array("correct horse".utf8)
    )

    private func status(_ method: String, _ target: String, _ authorization: String? = nil, trusted: Bool = false)
        -> Int
    {
        api.reply(to: APIRequest(method: method, target: target, authorization: authorization, isTrusted: trusted))
            .status
    }

    @Test(
        "Only the token lets in",
        arguments: [
            (nil, 401), ("Bearer correct horse", 200), ("bearer correct horse", 200), ("Bearer correct hors", 401),
            ("Bearer correct horse1", 401), ("Bearer ", 401), ("Bearer", 401), ("Basic correct horse", 401), ("", 401),
        ] as [(String?, Int)])
    func token(header: String?, expected: Int) {
        #expect(status("GET", "/api/v1/syncs", header) == expected)
        #expect(status("GET", "/metrics", header) == expected)
        #expect(status("GET", "/healthz", header) == 200)
    }

    @Test func withoutATokenOnlyTheTrustedGetIn() {
        let api = ServerAPI(root: "/nonexistent", version: "0", board: StatusBoard(), mailbox: Mailbox(), token: nil)
        #expect(api.reply(to: APIRequest(method: "GET", target: "/metrics", authorization: "Bearer ")).status == 401)
        #expect(api.reply(to: APIRequest(method: "GET", target: "/metrics", isTrusted: true)).status == 200)
    }

    @Test(
        "What cannot be answered is told as JSON",
        arguments: [
            ("GET", "/", 404), ("GET", "/api/v1", 404), ("GET", "/api/v1/nothing", 404), ("POST", "/api/v1/syncs", 405),
            ("DELETE", "/api/v1/runs", 405), ("GET", "/api/v1/syncs/a/run", 405), ("GET", "/api/v1/runs?limit=0", 400),
            ("GET", "/api/v1/runs?limit=x", 400), ("GET", "/api/v1/schedule?next=1000", 400), ("GET", "/%zz", 400),
            ("GET", "/api/v1/runs?sync=%f", 400), ("GET", "/api/v1/runs?sync=nobody", 404), ("GET", "*", 400),
            ("GET", "/api/v1/syncs/../../etc/passwd", 404), ("GET", "/api/v1/runs/nope", 404),
        ])
    func failure(method: String, target: String, expected: Int) throws {
        let reply = api.reply(to: APIRequest(method: method, target: target, isTrusted: true))
        #expect(reply.status == expected, "\(target)")
        #expect(try JSON(parsing: reply.body)["error"]?["message"]?.stringValue?.isEmpty == false)
    }

    @Test func aServerThatHasNotBegunIsNotReady() {
        #expect(status("GET", "/readyz") == 503)
        #expect(status("POST", "/readyz") == 405)
    }

    @Test("What one run may spend is told from a budget that is used up", arguments: [true, false])
    func ration(isRation: Bool) {
        let document = """
            {"data": [{"error": {"code": "quota-spent", "message": "m"}\(isRation ? ", \"rationed\": true" : "")}]}
            """
        let end = ChildEnd(exitCode: 75, signal: nil, output: Array(document.utf8), now: 0)
        #expect(end.isRationed == isRation && end.message == "m")
    }

    @Test func aDamagedStateDoesNotHideTheOthers() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-api-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: root) }  // A folder that stays behind does no harm.
        for folder in ["syncs", ".penstock/state"] {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        func write(_ file: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)/\(file)"))
        }
        try write(
            "penstock.yml",
            "version: 1\nproject: p\nconnections:\n  a: {connector: csv, path: data}\n  b: {connector: csv, path: data}\n"
        )
        for name in ["bad", "good"] {
            try write(
                "syncs/\(name).yml",
                """
                version: 1
                source: {connection: a, table: t, key: id}
                destination: {connection: b, object: o}
                fetch: {mode: FULL}
                insert: {mode: Append, repeat: allow}
                map: {name: name}

                """)
        }
        try write(".penstock/state/bad.db", String(repeating: "damaged ", count: 1_000))
        let board = StatusBoard()
        var status = ServiceStatus()
        do {
            status.entries = try ServedProject(root: root, profile: nil, version: "0").entries
        } catch {
            Issue.record("\(error.lines)")
        }
        board.post(status)
        let api = ServerAPI(root: root, version: "0", board: board, mailbox: Mailbox(), token: nil)
        func reply(_ target: String) throws -> (Int, JSON) {
            let reply = api.reply(to: APIRequest(method: "GET", target: target, isTrusted: true))
            return (reply.status, try JSON(parsing: reply.body))
        }
        let all = try reply("/api/v1/runs")
        #expect(all.0 == 200 && all.1["unreadable"]?.arrayValue?.compactMap(\.stringValue) == ["bad"])
        #expect(try reply("/api/v1/runs?sync=bad").0 == 503)
        let good = try reply("/api/v1/runs?sync=good")
        #expect(good.0 == 200 && good.1["unreadable"] == nil)
    }

    @Test func aSchedulerThatDoesNothingIsNotReady() throws {
        let board = StatusBoard()
        var status = ServiceStatus()
        status.phase = .running
        board.post(status)
        func look(_ path: String, _ patience: Duration) -> (Int, String) {
            let api = ServerAPI(
                root: "/nonexistent", version: "0", board: board, mailbox: Mailbox(), token: nil, patience: patience)
            let reply = api.reply(to: APIRequest(method: "GET", target: path, isTrusted: true))
            return (reply.status, String(decoding: reply.body, as: UTF8.self))
        }
        #expect(look("/readyz", .seconds(3_600)) == (200, "ready\n"))
        #expect(look("/metrics", .seconds(3_600)).1.contains("\npenstock_scheduler_up 1\n"))
        usleep(2_000)
        #expect(look("/readyz", .milliseconds(1)) == (503, "stuck\n"))
        #expect(look("/metrics", .milliseconds(1)).1.contains("\npenstock_scheduler_up 0\n"))
    }

    @Test func metricsOfAServerAreReadable() throws {
        let reply = api.reply(to: APIRequest(method: "GET", target: "/metrics", isTrusted: true))
        let parsed = try PrometheusText(parsing: String(decoding: reply.body, as: UTF8.self))
        #expect(parsed.samples.contains { $0.name == "penstock_scheduler_up" && $0.value == 0 })
    }

    @Test(
        "Addresses to listen on",
        arguments: [
            ("127.0.0.1:7390", true), ("127.8.8.8:1", true), ("localhost:0", true), ("[::1]:7390", true),
            ("0.0.0.0:7390", false), ("[::]:7390", false), ("10.0.0.1:80", false), ("127.evil.example:80", false),
            ("unix:/run/penstock.sock", true), ("none", true),
        ])
    func listen(text: String, isLocal: Bool) throws {
        #expect(try #require(ListenAddress(text)).isLocal == isLocal)
    }

    @Test(
        "Addresses that are none",
        arguments: ["", "7390", ":7390", "host", "host:", "host:70000", "::1:80", "unix:", "[::1]"])
    func noAddress(text: String) { #expect(ListenAddress(text) == nil) }

    @Test func aRehearsalRunsFasterAndGoesOn() throws {
        let clock = try #require(SchedulerClock(rehearsal: "2026-10-20T00:00:00Z@1000"))
        let first = clock.milliseconds
        usleep(20_000)
        #expect(first - 1_792_454_400_000 < 3_600_000 && clock.milliseconds - first >= 20_000)
        #expect(clock.wait(until: clock.milliseconds + 10_000_000) <= 10_000)
        let hourAgo = (Int64(Date().timeIntervalSince1970 * 1_000) - 3_600_000).utcText
        let later = try #require(SchedulerClock(rehearsal: "2026-10-20T00:00:00Z@24@\(hourAgo)"))
        #expect(abs(later.milliseconds - 1_792_454_400_000 - 86_400_000) < 600_000)
        for text in [
            "", "2026-10-20", "2026-10-20T00:00:00Z", "2026-10-20T00:00:00Z@0", "now@5", "2026-10-20T00:00:00Z@5@x",
        ] {
            #expect(SchedulerClock(rehearsal: text) == nil, "\(text)")
        }
    }
}

/// The journal of ticks.
@Suite struct TickJournalTests {
    private func withJournal(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-ticks-\(UUID().uuidString)")
            .path
        // Files that stay behind do no harm.
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        try body(path)
    }

    @Test func whatWasDecidedIsThereAgain() throws {
        try withJournal { path in
            #expect(try TickJournal(reading: path) == nil)
            var planner = TickPlanner(jobs: 1)
            let hour: Int64 = 3_600_000
            let sync = TickSync(
                name: "a", definition: "hourly", overlap: .queue, next: { ($0 / hour + 1) * hour },
                occurrences: { after, through, limit in
                    Array(stride(from: (after / hour + 1) * hour, through: through, by: Int(hour)).prefix(limit))
                })
            do {
                let journal = try TickJournal(writing: path)
                _ = try journal.begin(at: 0)
                try journal.record(planner.adopt([sync], now: 0), at: 0)
                try journal.record(planner.turn(now: 5 * hour, missedThrough: 0), finished: ["a": 7], at: 5 * hour)
                let end = planner.end(1, exitCode: 0, now: 6 * hour)
                try journal.record(end: 1, exitCode: 0, run: "RUN", item: end, at: 6 * hour)
                try journal.record(planner.turn(now: 6 * hour, missedThrough: 0), finished: ["a": 8], at: 6 * hour)
                #expect(try journal.book() == planner.book)
                #expect(try journal.start(of: 2).finishedBefore == 8)
            }
            let reader = try #require(try TickJournal(reading: path))
            #expect(try reader.book() == planner.book)
            let entries = try reader.entries(limit: 100)
            #expect(entries.map(\.last) == [6, 5, 4, 3, 2, 1].map { $0 * hour })
            #expect(entries.last?.run == "RUN" && entries.last?.state == "done")
        }
    }

    @Test func whatIsRemovedStaysCounted() throws {
        try withJournal { path in
            let day: Int64 = 86_400_000
            var planner = TickPlanner(jobs: 1)
            let sync = TickSync(
                name: "a", definition: "daily", next: { ($0 / day + 1) * day },
                occurrences: { after, through, limit in
                    Array(stride(from: (after / day + 1) * day, through: through, by: Int(day)).prefix(limit))
                })
            let journal = try TickJournal(writing: path)
            _ = try journal.begin(at: 0)
            try journal.record(planner.adopt([sync], now: 0), at: 0)
            try journal.record(planner.turn(now: 3 * day, missedThrough: 2 * day), at: 3 * day)
            try journal.record(
                end: 1, exitCode: 0, run: nil, item: planner.end(1, exitCode: 0, now: 3 * day), at: 3 * day)
            try journal.record(planner.turn(now: 4 * day, missedThrough: 0), at: 4 * day)
            func totals() throws -> [String] {
                try journal.totals().map { "\($0.sync) \($0.outcome) \($0.count)" }
            }
            let expected = ["a missed 2", "a run 2"]
            #expect(try totals() == expected)
            try journal.prune(at: 200 * day)
            #expect(try journal.entries(limit: 100).map(\.last) == [4 * day])
            #expect(try totals() == expected)
            // A tick that was never started counts once it is given up, as left out.
            guard let asked = planner.ask("b", now: 5 * day) else { return }
            try journal.record([.item(asked)], at: 5 * day)
            #expect(try totals() == expected)
            try journal.record(planner.cancel("b"), at: 5 * day)
            #expect(try totals().last == "b cancelled 1")
        }
    }

    @Test func aDamagedJournalIsRefused() throws {
        try withJournal { path in
            try Data((0..<8_192).map { UInt8(truncatingIfNeeded: $0) }).write(to: URL(fileURLWithPath: path))
            #expect(throws: (any Error).self) { try TickJournal(writing: path) }
        }
    }
}
