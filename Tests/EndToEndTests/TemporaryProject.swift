// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A project in a folder of its own, with a server of its own.
final class TemporaryProject {
    /// The token of the server: nothing that a program writes may hold it.
    static let token = "canary-4f81c0de77aa-token"

    /// The project's folder.
    let folder: String
    /// The server.
    let server: RunningSandbox
    /// Where the programs share what they know of limits: a server of another test may have had the same port before.
    var runtimeFolder: String { folder + "-runtime" }
    /// Variables for the programs, beside the token.
    var environment: [String: String] = [:]
    /// The databases of the connections to database servers, by connection.
    var databases: [String: String] = [:]
    /// The file of the server's log, where it keeps one; removed with the project.
    var log = ""
    /// What every program that was run in this project has written.
    private(set) var outputs: [String] = []

    /// A project with the connections `files`, `base` and `crm`, and no sync.
    ///
    /// - Parameter types: The `types` setting of the CSV connection, as YAML.
    init(
        types: String = "{}", budget: String = "{burst: 100000, window: 2s}",
        _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws {
        var options = SandboxOptions()
        options.burst = 100_000
        options.tokens = [Self.token]
        try configure(&options)
        server = try PipedriveSandbox.start(options)
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-e2e-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder + "/home", withIntermediateDirectories: true)
        try write("penstock.yml", "version: 1\nproject: e2e\n")
        try write(
            "connections.yml",
            """
            version: 1
            connections:
              files: {connector: csv, path: ./data/*.csv, types: \(types)}
              base: {connector: sqlite, path: ./base.db}
              crm:
                connector: pipedrive
                base_url: \(server.baseURL)
                api_token: ${env:CRM_TOKEN}
                budget: \(budget)

            """)
        try sql("CREATE TABLE unused (id INTEGER PRIMARY KEY)")
    }

    deinit {
        server.stop()
        // Folders that stay behind do no harm.
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.removeItem(atPath: runtimeFolder)
        // So does a log.
        if !log.isEmpty { try? FileManager.default.removeItem(atPath: log) }
    }

    // MARK: - Files

    /// Writes a file of the project.
    func write(_ path: String, _ text: String) throws {
        let url = URL(fileURLWithPath: folder + "/" + path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Writes a table of the connection `files`.
    func csv(_ table: String, _ lines: [String]) throws {
        try write("data/\(table).csv", lines.map { $0 + "\n" }.joined())
    }

    /// Executes SQL in the database of the connection `base`, or in another one of the project.
    func sql(_ statements: String, in file: String = "base.db") throws {
        var database: OpaquePointer?
        defer { sqlite3_close(database) }
        try #require(sqlite3_open(folder + "/" + file, &database) == SQLITE_OK)
        let code = sqlite3_exec(database, statements, nil, nil, nil)
        try #require(code == SQLITE_OK, "\(String(cString: sqlite3_errmsg(database))): \(statements)")
    }

    /// Writes the sync `orgs`: everything below `version` and `destination`.
    func sync(_ yaml: String, object: String = "organization") throws {
        try write("syncs/orgs.yml", "version: 1\ndestination: {connection: crm, object: \(object)}\n" + yaml + "\n")
    }

    /// A file of the project as text.
    func text(_ path: String) throws -> String { try String(contentsOfFile: folder + "/" + path, encoding: .utf8) }

    /// Every file and folder below the project's folder, with what the files hold; without the files in which
    /// SQLite's readers note that they are there, and without the copies of the destination's fields and records.
    func snapshot() throws -> [String: Data] {
        try everyFile().filter { path, _ in
            !path.hasSuffix("-shm") && !path.hasSuffix("-wal") && path != ".penstock"
                && !path.hasPrefix(".penstock/cache")
        }
    }

    /// Every file and folder below the project's folder, with what the files hold.
    func everyFile() throws -> [String: Data] {
        var found: [String: Data] = [:]
        let files = FileManager.default.enumerator(atPath: folder)
        while let path = files?.nextObject() as? String {
            found[path] = FileManager.default.contents(atPath: folder + "/" + path) ?? Data()
        }
        return found
    }

    /// The path of a file that is not there yet, outside of the project.
    static func scratchFile() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("penstock-scratch-\(UUID().uuidString)").path
    }

    /// The bodies of the updates in a log of the server; the log is removed.
    func patches(_ log: String) throws -> [String] {
        defer { try? FileManager.default.removeItem(atPath: log) }  // A log that stays behind does no harm.
        return try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
            .map { try JSON(parsing: String($0)) }
            .filter { $0["method"]?.stringValue == "PATCH" }.compactMap { $0["body"]?.stringValue }
    }

    // MARK: - Programs

    /// The variables of every program that is started here.
    var variables: [String: String] {
        [
            "CRM_TOKEN": Self.token, "HOME": folder + "/home",
            "XDG_RUNTIME_DIR": runtimeFolder,
        ].merging(environment) {
            $1
        }
    }

    /// Runs `penstock` in the project's folder.
    @discardableResult
    func penstock(_ arguments: String...) throws -> ProgramResult { try penstock(arguments) }

    /// Runs `penstock` in the project's folder.
    @discardableResult
    func penstock(_ arguments: [String]) throws -> ProgramResult {
        let result = try Program.run(arguments, in: folder, environment: variables)
        outputs.append(result.everything)
        return result
    }

    /// Runs `penstock` in the project's folder with a text on its standard input.
    @discardableResult
    func penstock(_ arguments: [String], input: String) throws -> ProgramResult {
        let run = try RunningProgram(arguments, in: folder, environment: variables, input: input)
        return noted(try run.result())
    }

    /// The result, whose outputs count among the project's.
    func noted(_ result: ProgramResult) -> ProgramResult {
        outputs.append(result.everything)
        return result
    }

    /// Runs another program in the project's folder.
    func run(program: String, _ arguments: [String]) throws -> ProgramResult {
        try Program.run(arguments, in: folder, environment: variables, program: program)
    }

    /// Starts `penstock` in the project's folder.
    func start(_ arguments: String...) throws -> RunningProgram {
        try RunningProgram(arguments, in: folder, environment: variables)
    }

    /// Starts another program with the environment of `penstock`.
    func start(_ arguments: [String], program: String) throws -> RunningProgram {
        try RunningProgram(arguments, in: folder, environment: variables, program: program)
    }

    /// Runs the sync `orgs`.
    func run(_ options: String...) throws -> SyncReport { try run(options) }

    private func run(_ options: [String]) throws -> SyncReport {
        let before = server.counters.tokensSpent
        let result = try penstock(["run", "orgs", "--json"] + options)
        let report = try SyncReport(result, tokens: server.counters.tokensSpent - before)
        let stored = try JSON(parsing: text(".penstock/runs/\(report["run"].stringValue ?? "")/run_results.json"))
        #expect(stored["data"] == report.data)
        #expect(stored["kind"]?.stringValue == "run_results" && stored["schema_version"]?.stringValue == "1.0")
        #expect(report.data["exit_code"]?.intValue == Int(report.status))
        return report
    }

    /// Plans the sync `orgs` and makes sure that nothing was written, neither here nor at the server.
    func plan(_ options: String...) throws -> SyncReport {
        let files = try snapshot()
        let records = server.everything
        let before = server.counters.tokensSpent
        let result = try penstock(["plan", "orgs", "--json"] + options)
        let report = try SyncReport(result, tokens: server.counters.tokensSpent - before)
        #expect(try snapshot() == files, "a plan writes nothing")
        #expect(server.everything == records, "a plan sends nothing")
        return report
    }

    /// Plans the sync `orgs`, runs it, and makes sure that the plan was right.
    func runAsPlanned() throws -> SyncReport {
        let plan = try plan()
        #expect(plan.status == 0, "\(plan.result.errors)")
        let report = try run()
        #expect(plan.counts == report.counts)
        #expect(plan["cost"]["tokens"]?.intValue == report.tokens, "what the plan said is what the server counted")
        #expect(report["api"]["tokens"]?.intValue == report.tokens)
        #expect(plan["cost"]["requests"] == report["api"]["requests"])
        #expect(plan.data["rejects"] == report.data["rejects"])
        return report
    }
}

/// What a run or plan of one sync said.
struct SyncReport {
    /// What the program left behind.
    let result: ProgramResult
    /// The sync's part of its JSON document.
    let data: JSON
    /// What the server counted meanwhile.
    let tokens: Int

    init(_ result: ProgramResult, tokens: Int) throws {
        self.result = result
        self.tokens = tokens
        // Without a document the requirement below fails, with the output.
        let document = try? JSON(parsing: result.output)
        let data = document?["data"]?.arrayValue?.first
        self.data = try #require(data, "exit \(result.status): \(result.everything)")
    }

    /// The exit status.
    var status: Int32 { result.status }

    /// A member of the document; null where there is none.
    subscript(key: String) -> JSON { data[key] ?? .null }

    /// One count.
    func count(_ name: String) -> Int { data["counts"]?[name]?.intValue ?? -1 }

    /// The counts that are not 0, in the order of the document: `fetched 3, created 3`.
    var counts: String {
        (data["counts"]?.objectValue?.members ?? []).filter { $0.value.intValue != 0 }
            .map { "\($0.key) \($0.value.text)" }.joined(separator: ", ")
    }

    /// The reject codes with their numbers: `owner-invalid 2`.
    var rejects: String {
        (data["rejects"]?.arrayValue ?? []).map { "\($0["code"]?.stringValue ?? "") \($0["count"]?.text ?? "")" }
            .sorted().joined(separator: ", ")
    }
}
