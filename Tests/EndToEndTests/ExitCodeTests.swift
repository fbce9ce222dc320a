// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Every end has its code, and its message says where and what to do.
@Suite struct ExitCodeTests {
    private static let good = "source: {connection: files, table: orgs, key: key}\nmap: {name: company}"

    private func project(_ sync: String = good) throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync(sync)
        return project
    }

    /// A sync below its first two lines, and the start of what is said of it.
    private static let badSyncs: [(yaml: String, message: String)] = [
        (good + "\nfetch: {mode: INCREMENTL}", "syncs/orgs.yml:5:15: error[enum]"),
        (good + "\nfetch: {mode: FULL, key: key}", "syncs/orgs.yml:5:21: error[fetch-full]"),
        (good + "\ndesination: x", "syncs/orgs.yml:5:1: error[unknown-key]"),
        (good + "\nfetch:\n\tmode: FULL", "syncs/orgs.yml:6:1: error[tab]"),
        (good + "\ninsert: {mode: Update}", "syncs/orgs.yml:5:16: error[update-id]"),
        (
            "source: {connection: files, table: orgs, model: m}\nmap: {name: company}",
            "syncs/orgs.yml:3:29: error[source-both]"
        ),
    ]

    @Test("A bad project file is named with line and column, and nothing is sent", arguments: badSyncs)
    func badFiles(sync: (yaml: String, message: String)) throws {
        let project = try project(sync.yaml)
        for command in [["validate"], ["plan"], ["run"]] {
            let result = try project.penstock(command)
            #expect(result.status == 78, "\(command)")
            #expect(result.everything.contains(sync.message), "\(command): \(result.everything)")
            #expect(result.everything.contains("^"), "the place is shown")
        }
        #expect(project.server.counters.requests == 0)
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/.penstock/state"))
        let findings = try project.penstock("validate", "--json").json["data"]?.arrayValue ?? []
        #expect(!findings.isEmpty)
    }

    @Test("A secret that is written out is refused, and not shown")
    func literalSecret() throws {
        let project = try project()
        let text = try project.text("connections.yml").replacing("${env:CRM_TOKEN}", with: TemporaryProject.token)
        try project.write("connections.yml", text)
        let result = try project.penstock("run")
        #expect(result.status == 78)
        #expect(result.errors.contains("connections.yml:8:16: error[secret-literal]"), "\(result.errors)")
        #expect(!result.everything.contains(TemporaryProject.token))
        #expect(project.server.counters.requests == 0)
    }

    @Test("A variable that is not set is named with its place")
    func missingVariable() throws {
        let project = try project()
        let text = try project.text("connections.yml").replacing("CRM_TOKEN", with: "NOT_SET")
        try project.write("connections.yml", text)
        let result = try project.penstock("run")
        #expect(result.status == 78)
        #expect(result.errors.contains("connections.yml:8:16: error[env-unset]: NOT_SET"), "\(result.errors)")
        #expect(try project.penstock("validate", "--no-env").status == 0)
    }

    /// A sync whose names do not exist, and what is said of it.
    private static let unknownNames: [(yaml: String, message: String, suggestion: String)] = [
        (
            "source: {connection: files, table: orgs, key: key}\nmap: {name: compny}",
            "syncs/orgs.yml:4:13: error[unknown-column]", "did you mean \"company\"?"
        ),
        (
            "source: {connection: files, table: orgs, key: key}\nmap:\n  name: company\n  ARR (EURO): company",
            "syncs/orgs.yml:6:3: error[unknown-field]", "did you mean \"ARR (EUR)\"?"
        ),
        (
            "source: {connection: files, table: orgs, key: keey}\nmap: {name: company}",
            "syncs/orgs.yml:3:47: error[unknown-column]", "did you mean \"key\"?"
        ),
        (
            good + "\nfetch: {mode: INCREMENTAL, key: updated}", "syncs/orgs.yml:5:33: error[unknown-column]",
            "columns: key, company"
        ),
        (
            "source: {connection: files, table: ogrs, key: key}\nmap: {name: company}",
            "syncs/orgs.yml:3:36: error[unknown-table]", "orgs"
        ),
    ]

    @Test("A name that does not exist is found before anything is written", arguments: unknownNames)
    func unknownNameIsFound(sync: (yaml: String, message: String, suggestion: String)) throws {
        let project = try project(sync.yaml)
        for command in [["plan"], ["run"], ["validate", "--online"]] {
            let result = try project.penstock(command)
            #expect(result.status == 78, "\(command)")
            #expect(result.everything.contains(sync.message), "\(command): \(result.everything)")
            #expect(result.everything.contains(sync.suggestion), "\(command)")
        }
        #expect(project.server.writes == 0)
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/penstock.lock"))
    }

    @Test("A token that is refused is 77, for a plan, a run and a test of the connection")
    func wrongToken() throws {
        let project = try project()
        project.environment["CRM_TOKEN"] = "another-secret-word"
        for command in [["plan"], ["run"], ["connection", "test", "crm"], ["validate", "--online"]] {
            let result = try project.penstock(command)
            #expect(result.status == 77, "\(command): \(result.everything)")
            #expect(!result.everything.contains("another-secret-word"))
        }
        #expect(project.server.organizations.isEmpty)
    }

    @Test("A server that does not answer is 69")
    func serverDown() throws {
        let project = try project()
        project.server.stop()
        for command in [["plan"], ["run"], ["connection", "test", "crm"]] {
            let result = try project.penstock(command)
            #expect(result.status == 69, "\(command): \(result.everything)")
            #expect(result.everything.contains("crm"), "\(command): \(result.everything)")
        }
    }

    @Test("A name that matches nothing is 64, with what was probably meant")
    func unknownSync() throws {
        let project = try project()
        for command in [["run", "ogrs"], ["plan", "ogrs"], ["sync", "show", "ogrs"], ["reject", "show", "ogrs"]] {
            let result = try project.penstock(command)
            #expect(result.status == 64, "\(command)")
            #expect(result.errors.contains("did you mean \"orgs\"?"), "\(result.errors)")
        }
        let command = try project.penstock("rnu")
        #expect(command.status == 64)
        #expect(command.errors.contains("did you mean \"penstock run\"?"), "\(command.errors)")
        #expect(try project.penstock("run", "--lmit", "3").status == 64)
        #expect(project.server.counters.requests == 0)
    }

    @Test("A profile that does not exist is 78, also where a command else looks past what is wrong with the files")
    func unknownProfile() throws {
        let project = try project()
        try project.write("penstock.yml", try project.text("penstock.yml") + "profiles: {prod: {}}\n")
        #expect(try project.penstock("status", "-P", "prod").status == 0)
        for command in [["status"], ["sync", "list"], ["reject", "show", "orgs"], ["connection", "list"], ["run"]] {
            let slip = try project.penstock(command + ["-P", "pord"])
            #expect(slip.status == 78, "\(command): \(slip.everything)")
            #expect(slip.errors.contains("did you mean \"prod\"?"), "\(command): \(slip.errors)")
            #expect(slip.output.isEmpty, "\(command)")
        }
        let failed = try project.penstock("history", "list", "--status", "failed", "--json").json["data"]?.arrayValue
        #expect(
            failed?.count == 1 && failed?.first?["sync"]?.stringValue == "orgs", "a run is missed, whoever starts it")
        let findings = try project.penstock("validate", "--json", "-P", "pord")
        #expect(findings.status == 78 && findings.output.contains("unknown-profile"), "\(findings.everything)")
        try project.write("syncs/broken.yml", "version: 1\nsourec: {}\n")
        #expect(try project.penstock("status").status == 0)
    }

    @Test("Without a project every command that needs one says how to start one")
    func noProject() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-none-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // A folder that stays behind does no harm.
        for command in [["run"], ["plan"], ["validate"], ["sync", "list"]] {
            let result = try Program.run(command, in: folder.path)
            #expect(result.status == 78, "\(command)")
            #expect(result.errors.contains("penstock init"))
        }
    }

    @Test("State that cannot be written is 73, and nothing is sent")
    func unwritableState() throws {
        let project = try project()
        try project.write(".penstock", "a file where a folder belongs")
        let blocked = try project.penstock("run")
        #expect(blocked.status == 73, "\(blocked.everything)")
        #expect(project.server.writes == 0)
        try FileManager.default.removeItem(atPath: project.folder + "/.penstock")
        try FileManager.default.createDirectory(
            atPath: project.folder + "/.penstock/state", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755])
        let open = try project.penstock("run")
        #expect(open.status == 73 && open.errors.contains("chmod 700"), "\(open.everything)")
        #expect(project.server.writes == 0)
    }

    @Test("A plan tells by its code whether there is something to do, where that is asked for")
    func detailedExitCode() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync(Self.good + "\ninsert: {mode: Update, match: name, on_missing: create}")
        #expect(try project.penstock("plan").status == 0)
        #expect(try project.penstock("plan", "--detailed-exitcode").status == 2)
        #expect(try project.penstock("run").status == 0)
        let nothing = try project.penstock("plan", "--detailed-exitcode")
        #expect(nothing.status == 0)
        #expect(nothing.output.contains("Nothing left to do"))
    }

    @Test("Of several syncs the most severe end counts, and the good ones run")
    func severalSyncs() throws {
        let project = try project()
        try project.write(
            "syncs/bad.yml",
            """
            version: 1
            destination: {connection: crm, object: organization}
            source: {connection: files, table: orgs}
            map: {name: nothing}

            """)
        let result = try project.penstock("run", "--json")
        #expect(result.status == 78)
        #expect(project.server.names == ["Alpha"])
        let syncs = try result.json["data"]?.arrayValue ?? []
        let ends = syncs.map { "\($0["sync"]?.stringValue ?? "") \($0["status"]?.stringValue ?? "")" }
        #expect(ends.sorted() == ["bad failed", "orgs finished"])
    }
}
