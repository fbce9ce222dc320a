// SPDX-License-Identifier: Apache-2.0

import DatabaseServers
import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// The connectors of `Tests/Fixtures/BrokenConnectors`, built with the C compiler.
enum BrokenConnector {
    private static let folder = ExampleConnector.package.appendingPathComponent("Tests/Fixtures/BrokenConnectors")

    /// The names of the files, each with the check that its second line says must catch it; `none` for the right ones.
    static let all: [(name: String, check: String)] = {
        // Without the folder there is no file, and a test counts them.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".c") }.sorted().compactMap { file in
            // A file that cannot be read is one fewer, which that test sees too.
            let text = try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            let line = text?.components(separatedBy: "\n").dropFirst().first
            let check = line?.dropFirst(3).components(separatedBy: ": ").first
            return check.map { (String(file.dropLast(2)), $0) }
        }
    }()

    /// Builds one into a folder.
    ///
    /// - Parameter flags: More flags for the compiler.
    static func build(_ name: String, into place: String, flags: String = "") throws -> String {
        let library = place + "/\(name).so"
        let include = ExampleConnector.package.appendingPathComponent("Sources/CPenstock/include").path
        let source = folder.appendingPathComponent(name + ".c").path
        let command =
            "exec cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -pthread \(flags) "
            + "-I '\(include)' -o '\(library)' '\(source)'"
        let result = try Program.run(["-c", command], in: place, program: "/bin/sh")
        try #require(result.status == 0, "\(result.everything)")
        return library
    }

    /// Whether one is a destination.
    static func isDestination(_ name: String) throws -> Bool {
        let text = try String(contentsOf: folder.appendingPathComponent(name + ".c"), encoding: .utf8)
        return text.contains("memory_destination.h")
    }
}

/// A folder for one run of the kit.
final class KitFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-kit-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path + "/data", withIntermediateDirectories: true)
    }

    deinit {
        // A folder that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    /// Runs the kit; the report, and the exit status.
    func check(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (report: JSON, status: Int32, output: String) {
        let result = try Program.run(
            ["connector", "check"] + arguments + ["--json"], in: path, environment: environment)
        let report = try #require(try result.json["data"], "\(result.everything)")
        return (report, result.status, result.everything)
    }
}

extension JSON {
    /// The ids of the checks with a status, in a report.
    func checks(_ status: String) -> [String] {
        (self["checks"]?.arrayValue ?? []).filter { $0["status"]?.stringValue == status }
            .compactMap { $0["id"]?.stringValue }
    }

    /// Why the checks that failed did so.
    var complaints: String {
        (self["checks"]?.arrayValue ?? []).filter { $0["status"]?.stringValue == "failed" }
            .map { ($0["id"]?.stringValue ?? "") + ": " + ($0["reasons"]?.text ?? "") }.joined(separator: "\n")
    }
}

@Suite struct ConnectorCheckTests {
    /// The suite that every connector's tests run: no check fails, and these are skipped, for the reasons they give.
    private func expectPass(
        _ report: (report: JSON, status: Int32, output: String), atLeast passed: Int, skipped: Set<String>
    ) {
        #expect(report.status == 0)
        #expect(report.report.checks("failed") == [], "\(report.report.complaints)")
        #expect(report.report.checks("passed").count >= passed)
        #expect(Set(report.report.checks("skipped")) == skipped)
    }

    private static let noSecrets: Set<String> = ["secrets.refused", "secrets.used"]

    @Test("Each broken connector is caught by the check it names", arguments: BrokenConnector.all.map(\.name))
    func aBrokenConnectorIsCaught(name: String) throws {
        let folder = try KitFolder()
        let library = try BrokenConnector.build(name, into: folder.path)
        let isDestination = try BrokenConnector.isDestination(name)
        let settings = isDestination ? "place: x\n" : "path: x\ntoken: ${env:KIT_TOKEN}\n"
        let config = try folder.write("settings.yml", settings)
        let result = try folder.check(
            [library, "--config", config, "--seed", "7", "--timeout", "8"] + (isDestination ? ["--rehearsal"] : []),
            environment: ["KIT_TOKEN": "hushed-1f2e3d4c"])
        let expected = try #require(BrokenConnector.all.first { $0.name == name }).check
        #expect(result.report.checks("failed") == (expected == "none" ? [] : [expected]), "\(result.report.complaints)")
        #expect(result.status == (expected == "none" ? 0 : 70))
        #expect(!result.output.contains("hushed-1f2e3d4c"))
    }

    @Test func thereAreADozenBrokenConnectorsAndTwoRightOnes() {
        #expect(BrokenConnector.all.count { $0.check != "none" } >= 12)
        #expect(BrokenConnector.all.filter { $0.check == "none" }.map(\.name) == ["right_destination", "right_source"])
    }

    @Test func theExampleInCPasses() throws {
        let folder = try KitFolder()
        let lines = (1...40).map { "{\"id\": \($0), \"name\": \"n\($0)\", \"rate\": 1.5, \"ok\": true}" }
        _ = try folder.write("data/people.jsonl", lines.joined(separator: "\n") + "\n")
        let config = try folder.write("settings.json", "{\"path\": \"./data\"}")
        let library = try ExampleConnector.library.get() + "/libpenstock-jsonl.so"
        expectPass(
            try folder.check([library, "--config", config]), atLeast: 44,
            skipped: Self.noSecrets.union(["read.batch-bytes"]))
    }

    @Test func theLoopbackFixturePasses() throws {
        let folder = try KitFolder()
        let config = try folder.write("settings.yml", "path: x\ntoken: ${env:KIT_TOKEN}\n")
        let library = Program.folder.appendingPathComponent("libloopback-fixture.so").path
        let token = ["KIT_TOKEN": "hushed-1f2e3d4c"]
        expectPass(
            try folder.check(
                [library, "--config", config, "--object", "types", "--object", "thing", "--rehearsal"],
                environment: token),
            atLeast: 72, skipped: ["read.batch-bytes", "write.read-one", "write.unknown"])
    }

    @Test func csvPasses() throws {
        let folder = try KitFolder()
        let name = String(repeating: "n\u{e9}", count: 250)
        let rows = (1...240).map { "\($0),2026-01-\($0 % 19 + 10),\(name)\($0)" }
        _ = try folder.write("data/people.csv", "id,day,name\n" + rows.joined(separator: "\n") + "\n")
        let config = try folder.write("settings.yml", "path: ./data/*.csv\n")
        expectPass(try folder.check(["csv", "--config", config]), atLeast: 45, skipped: Self.noSecrets)
    }

    @Test func sqlitePasses() throws {
        let project = try TemporaryProject()
        try project.sql(
            """
            CREATE TABLE people (id INTEGER PRIMARY KEY, stamp INTEGER, name TEXT, rate REAL, raw BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 240)
            INSERT INTO people SELECT i, CASE WHEN i % 9 THEN i / 4 END,
              CASE WHEN i % 5 THEN printf('%.*c', 900, 'n') || i END, i / 3.0, x'00ff' FROM n;
            CREATE VIEW named AS SELECT id, name FROM people WHERE name IS NOT NULL;
            """)
        let result = try Program.run(
            [
                "connector", "check", "sqlite", "--connection", "base", "--query", "SELECT id, name FROM people",
                "--json",
            ],
            in: project.folder, environment: project.environment.merging(["CRM_TOKEN": TemporaryProject.token]) { $1 })
        let report = try #require(try result.json["data"], "\(result.everything)")
        expectPass((report, result.status, result.everything), atLeast: 48, skipped: Self.noSecrets)
    }

    private static let people = """
        CREATE TABLE people (id int PRIMARY KEY, stamp int, at timestamp NULL, name varchar(6000), rate numeric(9, 3));
        INSERT INTO people
        """

    private func check(_ project: TemporaryProject, _ connector: String, _ connection: String) throws {
        let environment = project.environment.merging(["CRM_TOKEN": TemporaryProject.token]) { $1 }
        let result = try Program.run(
            [
                "connector", "check", connector, "--connection", connection, "--object", "people", "--query",
                "SELECT id, name FROM people", "--json",
            ], in: project.folder, environment: environment)
        let report = try #require(try result.json["data"], "\(result.everything)")
        #expect(report.checks("failed") == [], "\(report.complaints)")
        #expect(result.status == 0 && report.checks("passed").count >= 48)
        #expect(!result.everything.contains("canary"), "no password is printed")
    }

    @Test(PostgresServer.isThere) func postgresPasses() throws {
        let project = try TemporaryProject()
        try project.postgres(
            Self.people + " SELECT i, nullif(i / 4, 9), timestamp '2026-01-01' + i / 3 * interval '1 us', "
                + "repeat('n', 5000) || i, i / 7.0 FROM generate_series(1, 40) i")
        try check(project, "postgres", "warehouse")
    }

    @Test(MariaDBServer.isThere) func mysqlPasses() throws {
        let project = try TemporaryProject()
        try project.mysql(
            Self.people
                + " SELECT seq, nullif(seq div 4, 9), timestamp '2026-01-01 00:00:00' + interval seq div 3 second, "
                + "concat(repeat('n', 5000), seq), seq / 7.0 FROM seq_1_to_30")
        try check(project, "mysql", "shop")
    }

    @Test func pipedrivePassesAgainstTheSandbox() throws {
        let project = try TemporaryProject()
        let result = try Program.run(
            [
                "connector", "check", "pipedrive", "--connection", "crm", "--object", "organization", "--rehearsal",
                "--json",
            ],
            in: project.folder, environment: project.environment.merging(["CRM_TOKEN": TemporaryProject.token]) { $1 })
        let report = try #require(try result.json["data"], "\(result.everything)")
        expectPass((report, result.status, result.everything), atLeast: 40, skipped: ["settings.required"])
        #expect(!result.everything.contains(TemporaryProject.token))
    }
}
