// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockSchedule
import Testing
import Yams

@Suite struct ScheduleExportTests {
    private func job(
        _ name: String, _ timing: ScheduleDefinition.Timing, zone: String = "Europe/Berlin", start: String? = nil,
        _ change: (inout ScheduleExport.Job) -> Void = { _ in }
    ) throws -> ScheduleExport.Job {
        let definition = ScheduleDefinition(
            timing: timing, timezone: zone, start: start.map(clock), jitter: 120_000_000)
        var job = ScheduleExport.Job(
            name: name, description: name, definition: definition, recurrence: try Recurrence(definition),
            credentials: ["crm-token", "warehouse-password"])
        change(&job)
        return job
    }

    private let export = ScheduleExport(
        project: "acme-revops", root: "/srv/acme 100%", program: "/usr/bin/penstock", user: "penstock",
        image: "penstock:1.0", isLocked: true)

    private func files(_ jobs: [ScheduleExport.Job], _ target: ScheduleExport.Target) throws -> [String: String] {
        let result = export.files(jobs, for: target)
        try #require(result.problems.isEmpty, "\(result.problems)")
        return Dictionary(uniqueKeysWithValues: result.files.map { ($0.name, $0.text) })
    }

    // MARK: systemd

    @Test func whatSystemdLeavesOutIsSaid() throws {
        func notes(_ cron: String, _ zone: String, _ target: ScheduleExport.Target = .systemd) throws -> [String] {
            export.files([try job("orgs", .cron(cron), zone: zone)], for: target).notes.filter {
                $0.contains("show twice")
            }
        }
        #expect(try notes("*/15 * * * *", "Europe/Berlin").count == 1)
        #expect(try notes("*/15 * * * *", "UTC").isEmpty)
        #expect(try notes("*/15 * * * *", "Europe/Berlin", .kubernetes).isEmpty)
        #expect(try notes("15 6 * * *", "Europe/Berlin").isEmpty)
    }

    @Test func aServiceAndATimerForSystemd() throws {
        let files = try files([job("orgs_to_crm", .cron("15 6 * * MON-FRI"))], .systemd)
        let timer = try #require(files["penstock-orgs_to_crm.timer"])
        #expect(
            timer == """
                # Written by penstock schedule export systemd.
                # 15 6 * * MON-FRI (At 06:15, Monday to Friday, Europe/Berlin)
                [Unit]
                Description=Starts Penstock acme-revops: orgs_to_crm

                [Timer]
                OnCalendar=Mon..Fri *-*-* 06:15:00 Europe/Berlin
                AccuracySec=1s
                RandomizedDelaySec=120s
                Persistent=true

                [Install]
                WantedBy=timers.target

                """)
        let service = try #require(files["penstock-orgs_to_crm.service"])
        for line in [
            "ExecStart=/usr/bin/penstock -C \"/srv/acme 100%%\" run orgs_to_crm --locked --no-input", "User=penstock",
            "LoadCredentialEncrypted=crm-token:/etc/credstore.encrypted/penstock.crm-token",
            "LoadCredentialEncrypted=warehouse-password:/etc/credstore.encrypted/penstock.warehouse-password",
            "ProtectSystem=strict", "NoNewPrivileges=yes", "Restart=on-failure",
            "RestartPreventExitStatus=1 64 65 70 73 77 78", "RestartSec=30min",
            "ReadWritePaths=-\"/srv/acme 100%%/.penstock\"",
        ] {
            #expect(service.contains("\n" + line + "\n"), "\(line)")
        }
    }

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze"), "systemd-analyze"),
        arguments: [true, false])
    func systemdTakesWhatIsWritten(isDynamic: Bool) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "penstock-units-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // A folder that stays behind does no harm.
        defer { try? FileManager.default.removeItem(at: folder) }
        var export = export
        export.program = "/bin/true"
        let jobs = [
            try job("orgs_to_crm", .cron("15 6 * * MON-FRI")),
            try job("ünïcode.sync", .every(5_400_000_000)) { $0.predecessors = ["orgs_to_crm"] },
        ]
        export.user = isDynamic ? nil : "daemon"
        let result = export.files(jobs, for: .systemd)
        var paths: [String] = []
        for file in result.files {
            let path = folder.appendingPathComponent(file.name)
            try Data(file.text.utf8).write(to: path)
            paths.append(path.path)
        }
        let (status, output) = try run("/usr/bin/systemd-analyze", ["verify", "--recursive-errors=no"] + paths)
        #expect(status == 0, "\(output)")
        #expect(output == "")
    }

    /// What systemd makes of an expression, against our own times, in a zone whose clocks are never changed.
    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze"), "systemd-analyze"),
        arguments: 201...210 as ClosedRange<UInt64>)
    func systemdHasTheSameTimes(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var compared = 0
        for _ in 0..<15 {
            let cron = RandomCron(using: &random)
            let zone = ["UTC", "Asia/Kolkata"][Int.random(in: 0...1, using: &random)]
            // What never runs, and what systemd cannot say, is refused, and that is another test's matter.
            guard let recurrence = try? Recurrence(ScheduleDefinition(timing: .cron(cron.text), timezone: zone)),
                let calendar = try? CronExpression(cron.text).onCalendar()
            else { continue }
            let base = utc("2026-01-01T00:00Z") + Int64.random(in: 0..<31_536_000, using: &random) * 1_000
            let expected = recurrence.occurrences(after: base, through: .max, limit: 4)
            let (status, output) = try run(
                "/usr/bin/systemd-analyze",
                ["calendar", "--iterations=4", "--base-time=@\(base / 1_000)", "\(calendar) \(zone)"])
            #expect(status == 0, "seed \(seed): \(cron.text) is \(calendar): \(output)")
            let times = output.split(separator: "\n").compactMap { line -> Int64? in
                guard
                    let mark = line.range(of: "(in UTC): ") ?? line.range(of: "Next elapse: ")
                        ?? line.range(of: "Iter. #"), line.hasSuffix("UTC")
                else { return nil }
                let words = line[mark.upperBound...].split(separator: " ")
                guard words.count >= 4 else { return nil }
                return utc("\(words[words.count - 3])T\(words[words.count - 2])Z")
            }
            compared += 1
            #expect(
                Array(Set(times)).sorted() == expected, "seed \(seed): \(cron.text) is \(calendar) \(zone): \(output)")
        }
        #expect(compared > 0, "seed \(seed)")
    }

    @Test func aProjectOfRootIsRunBySomebodyElse() throws {
        var export = export
        export.user = nil
        let result = export.files([try job("orgs", .cron("@daily"))], for: .systemd)
        let service = try #require(result.files.first).text
        for line in [
            "DynamicUser=yes", "User=penstock-acme-revops",
            "StateDirectory=penstock/acme-revops penstock/acme-revops-marks",
            "BindPaths=/var/lib/penstock/acme-revops:\"/srv/acme 100%%/.penstock\"",
        ] {
            #expect(service.contains("\n" + line + "\n"), "\(line)")
        }
    }

    // MARK: Intervals

    @Test(arguments: [
        (900, nil, "Europe/Berlin", ["0,15,30,45 * * * *"], "UTC"),
        (21_600, nil, "Europe/Berlin", ["0 5,11,17,23 * * *"], "UTC"),
        (5_400, nil, "UTC", ["0 0,3,6,9,12,15,18,21 * * *", "30 1,4,7,10,13,16,19,22 * * *"], "UTC"),
        (3_600, nil, "Asia/Kolkata", ["30 * * * *"], "UTC"),
        (86_400, "2026-11-01 06:15", "Europe/Berlin", ["15 6 * * *"], "Europe/Berlin"),
        (604_800, "2026-11-01 06:15", "Europe/Berlin", ["15 6 * * 0"], "Europe/Berlin"),
    ])
    func anIntervalThatDividesADayIsTimesOfTheDay(
        _ seconds: Int64, _ start: String?, _ zone: String, _ lines: [String], _ zoneOut: String
    ) throws {
        let definition = ScheduleDefinition(
            timing: .every(seconds * 1_000_000), timezone: zone, start: start.map(clock))
        let recurrence = try Recurrence(definition)
        let form = try CalendarForm(recurrence)
        #expect(form.lines.map(\.text) == lines)
        #expect(form.zone.name == zoneOut)
        // The same times, for a month in which no clock is changed.
        let from = utc("2026-11-05T00:00Z")
        let all = try form.lines.flatMap {
            try Recurrence(ScheduleDefinition(timing: .cron($0.text), timezone: zoneOut))
                .occurrences(after: from, through: from + 30 * 86_400_000, limit: .max)
        }
        #expect(all.sorted() == recurrence.occurrences(after: from, through: from + 30 * 86_400_000, limit: .max))
    }

    // MARK: What cannot be said

    @Test(arguments: [
        (
            ScheduleExport.Target.systemd, ScheduleDefinition.Timing.cron("0 6 1 * MON"), "UTC",
            "\"0 6 1 * MON\" is due on either of two days, and systemd runs only where both fit"
        ),
        (.systemd, .every(420_000_000), "UTC", "an interval that does not divide a day is no time of a calendar"),
        (.cron, .every(3 * 86_400_000_000), "UTC", "every 3 days is no time of a calendar"),
        (
            .cron, .cron("0 6 */2 * FRI"), "UTC",
            "\"0 6 */2 * FRI\" is due where both days fit, which not every cron reads so"
        ),
        (.kubernetes, .every(5_400_000_000), "UTC", "a CronJob has one expression, and this takes 2"),
        (
            .github, .cron("0 6 * * *"), "Europe/Berlin",
            "GitHub runs workflows by UTC, and the schedule is meant in Europe/Berlin"
        ),
        (
            .github, .cron("*/3 * * * *"), "UTC",
            "GitHub starts a workflow every 5 minutes at most, and \"*/3 * * * *\" is due more often"
        ),
        (
            .github, .cron("58,1 * * * *"), "UTC",
            "GitHub starts a workflow every 5 minutes at most, and \"58,1 * * * *\" is due more often"
        ),
    ])
    func whatATargetCannotSayIsRefused(
        _ target: ScheduleExport.Target, _ timing: ScheduleDefinition.Timing, _ zone: String, _ reason: String
    ) throws {
        let good = try job("good", .cron("0 6 * * *"), zone: "UTC")
        let result = export.files([good, try job("bad", timing, zone: zone)], for: target)
        #expect(result.files.isEmpty)
        #expect(result.problems.map(\.job) == ["bad"])
        #expect(result.problems.first?.refusal.reason == reason)
        #expect(result.problems.first?.refusal.suggestion.isEmpty == false)
    }

    // MARK: cron

    @Test func aFileForCron() throws {
        let jobs = [
            try job("orgs", .cron("15 6 * * MON-FRI")), try job("deals", .every(5_400_000_000), zone: "UTC"),
            try job("people's", .cron("@daily")) { $0.variables = ["TOKEN"] },
        ]
        let text = try #require(try files(jobs, .cron)["penstock-acme-revops"])
        #expect(
            text == """
                # Written by penstock schedule export cron. Install: /etc/cron.d/penstock-acme-revops
                SHELL=/bin/sh
                PATH=/usr/local/bin:/usr/bin:/bin

                CRON_TZ=Europe/Berlin
                # 15 6 * * MON-FRI (At 06:15, Monday to Friday, Europe/Berlin)
                15 6 * * 1-5 penstock /usr/bin/penstock -C '/srv/acme 100\\%' run orgs --locked --no-input --quiet
                # @daily (At 00:00, every day, Europe/Berlin)
                0 0 * * * penstock set -a; . /etc/penstock/acme-revops.env; /usr/bin/penstock -C '/srv/acme 100\\%' run \
                'people'\\''s' --locked --no-input --quiet

                CRON_TZ=UTC
                # Every 90 minutes, UTC
                0 0,3,6,9,12,15,18,21 * * * penstock /usr/bin/penstock -C '/srv/acme 100\\%' run deals --locked \
                --no-input --quiet
                30 1,4,7,10,13,16,19,22 * * * penstock /usr/bin/penstock -C '/srv/acme 100\\%' run deals --locked \
                --no-input --quiet

                """)
        let notes = export.files(jobs, for: .cron).notes
        #expect(notes[0].hasPrefix("CRON_TZ is read by cronie; Debian's cron goes by the machine's zone"))
        #expect(notes.contains("orgs: jitter is not exported"))
    }

    @Test(arguments: [
        ("*/15 * * * *", "0,15,30,45 * * * *"), ("0 0 1-31 * MON", "0 0 1-31 * 1"), ("0 0 * * 5-7", "0 0 * * 0,5,6"),
        ("0 0 */2 JAN-MAR *", "0 0 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 1-3 *"), ("@hourly", "0 * * * *"),
    ])
    func anExpressionIsWrittenForEveryCron(_ text: String, _ plain: String) throws {
        let cron = try CronExpression(text)
        #expect(cron.plain == plain)
        let (left, right) = (
            try Recurrence(ScheduleDefinition(timing: .cron(text))),
            try Recurrence(ScheduleDefinition(timing: .cron(plain)))
        )
        let from = utc("2026-01-01T00:00Z")
        #expect(
            left.occurrences(after: from, through: .max, limit: 200)
                == right.occurrences(after: from, through: .max, limit: 200))
    }

    // MARK: Kubernetes and GitHub

    @Test func aCronJob() throws {
        let files = try files(
            [job("Orgs_to_CRM", .cron("15 6 * * MON-FRI")) { $0.variables = ["CRM_URL"] }], .kubernetes)
        let text = try #require(files["penstock-orgs-to-crm.yaml"])
        let root = try #require(try Yams.load(yaml: text) as? [String: Any])
        #expect(root["kind"] as? String == "CronJob")
        let spec = try #require(root["spec"] as? [String: Any])
        #expect(spec["schedule"] as? String == "15 6 * * 1-5")
        #expect(spec["timeZone"] as? String == "Europe/Berlin")
        #expect(spec["concurrencyPolicy"] as? String == "Forbid")
        #expect(spec["startingDeadlineSeconds"] as? Int == 86_400)
        let template =
            ((spec["jobTemplate"] as? [String: Any])?["spec"] as? [String: Any])?["template"] as? [String: Any]
        let pod = try #require(template?["spec"] as? [String: Any])
        let container = try #require((pod["containers"] as? [[String: Any]])?.first)
        #expect(
            container["args"] as? [String]
                == ["-C", "/etc/penstock/acme-revops", "run", "Orgs_to_CRM", "--locked", "--no-input"])
        #expect((container["volumeMounts"] as? [Any])?.count == 3)
        #expect((pod["volumes"] as? [Any])?.count == 3)
        #expect((container["envFrom"] as? [Any])?.count == 1)
    }

    @Test func aWorkflow() throws {
        let jobs = [
            try job("orgs", .cron("15 6 * * 1-5"), zone: "UTC"),
            try job("deals", .cron("15 6 * * MON-FRI"), zone: "UTC"),
            try job("people", .every(900_000_000), zone: "UTC") { $0.variables = ["CRM_TOKEN"] },
        ]
        let text = try #require(try files(jobs, .github)[".github/workflows/penstock.yml"])
        let root = try #require(try Yams.compose(yaml: text))
        let crons = root["on"]?["schedule"]?.sequence?.compactMap { $0["cron"]?.string } ?? []
        #expect(crons == ["15 6 * * 1-5", "0,15,30,45 * * * *"])
        #expect(text.contains("run: penstock run orgs deals --locked --no-input"))
        #expect(text.contains("CRM_TOKEN: ${{ secrets.CRM_TOKEN }}"))
        #expect(root["jobs"]?["run"]?["steps"]?.sequence?.count == 3)
    }

    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ["LANG": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
