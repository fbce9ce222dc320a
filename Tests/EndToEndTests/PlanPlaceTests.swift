// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Where `plan -O` writes to, and what its options mean.
@Suite struct PlanPlaceTests {
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha", "k2,Beta"])
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        return project
    }

    @Test("A plan is written over a plan alone; what else is there stays, and nobody is asked anything")
    func overwrites() throws {
        let project = try project()
        #expect(try project.run().counts == "fetched 2, created 2")
        try project.write("notes.txt", "precious")
        try project.write("empty.plan", "")
        try FileManager.default.createSymbolicLink(
            atPath: project.folder + "/link.plan", withDestinationPath: "notes.txt")
        let before = (project.server.counters.tokensSpent, try project.everyFile())
        for name in [
            "syncs/orgs.yml", "penstock.yml", "connections.yml", "data/orgs.csv", ".penstock/state/orgs.db",
            "notes.txt", "empty.plan", "link.plan", "data",
        ] {
            let result = try project.penstock("plan", "orgs", "-O", name)
            #expect(result.status == 64, "\(name): \(result.everything)")
            #expect(result.errors.contains("error[not-overwritten]") && result.errors.contains(name))
            #expect(result.errors.contains("give -O another file"), "\(result.errors)")
        }
        #expect(project.server.counters.tokensSpent == before.0, "it is said before anything is spent")
        let after = try project.everyFile()
        for (path, data) in before.1 where !path.hasPrefix(".penstock/cache") {
            #expect(after[path] == data, "\(path)")
        }
        #expect(try project.penstock("plan", "orgs", "-O", "a.plan").status == 0)
        let first = try project.text("a.plan")
        #expect(try project.penstock("plan", "orgs", "-O", "a.plan").status == 0)
        #expect(try project.text("a.plan") != first, "a plan is overwritten")
        #expect(try project.penstock("explain", "not-overwritten").status == 0)
    }

    @Test("A place that takes no file is refused before anything is asked")
    func noPlace() throws {
        let project = try project()
        try project.write("file", "x")
        for (name, said) in [
            ("none/a.plan", "there is no folder \(project.folder)/none"), ("file/a.plan", "there is no folder"),
            (String(repeating: "x", count: 255), "cannot be written"),
        ] {
            let result = try project.penstock("plan", "orgs", "-O", name)
            #expect(result.status == 73 && result.errors.contains("error[cannot-write]"), "\(result.everything)")
            #expect(result.errors.contains(said), "\(result.errors)")
        }
        try project.write(".penstock/plans", "a file where the folder is to be")
        let latest = try project.penstock("plan", "orgs", "-O", "latest")
        #expect(latest.status == 73, "\(latest.everything)")
        #expect(project.server.counters.tokensSpent == 0)
    }

    @Test("A mistake in an option is an error of the usual form, and says what is allowed")
    func options() throws {
        let project = try project()
        for (words, said) in [
            (["plan", "--rows", "-1"], "--rows is a number of rows, 1 or more"),
            (["plan", "--limit", "-3"], "--limit is a number of rows, 1 or more"),
            (["run", "--limit", "-3"], "--limit"), (["plan", "--diff", "-1"], "'-1' is invalid for '--diff"),
            (["plan", "-o", "csv"], "table, json or jsonl"),
            (["plan", "--nope"], "--nope"),
        ] {
            let result = try project.penstock(words)
            #expect(result.status == 64 && result.output.isEmpty, "\(words): \(result.everything)")
            #expect(result.errors.hasPrefix("error[usage]: ") && result.errors.contains(said), "\(result.errors)")
        }
        let folder = try project.penstock("-C", project.folder + "/nope", "plan")
        #expect(folder.status == 78 && folder.errors.contains("there is no folder \(project.folder)/nope"))
        #expect(project.server.counters.tokensSpent == 0)
    }

    @Test("A plan that the limits of its sync outdate says which one")
    func limitOfRows() throws {
        let project = try project()
        #expect(try project.penstock("plan", "orgs", "-O", "a.plan").status == 0)
        try project.write("syncs/orgs.yml", try project.text("syncs/orgs.yml") + "limits: {rows: 1}\n")
        let result = try project.penstock("run", "orgs", "--plan", "a.plan")
        #expect(result.status == 78, "\(result.everything)")
        #expect(result.errors.contains("limits.rows has changed: was none, is 1"), "\(result.errors)")
    }

    @Test("A plan that is stale once its run was interrupted does not say that nothing was sent")
    func staleAfterInterruption() throws {
        let project = try TemporaryProject { $0.latency = 20 }
        func rows(_ last: String) -> [String] {
            ["key,company"] + (1...399).map { "k\($0),Name \($0)" } + ["k400,\(last)"]
        }
        try project.csv("orgs", rows("Last"))
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        #expect(try project.penstock("plan", "orgs", "-O", "a.plan").status == 0)
        let program = try project.start("run", "orgs", "--plan", "a.plan")
        try program.wait("it sends") { project.server.writes >= 5 }
        program.send(SIGTERM)
        #expect(try program.result().status == 143)
        try project.csv("orgs", rows("Other"))
        let stale = try project.penstock("run", "orgs", "--plan", "a.plan")
        #expect(stale.status == 78 && stale.errors.contains("error[stale-plan]"), "\(stale.everything)")
        #expect(stale.errors.contains("nothing more was sent") && stale.errors.contains("is not finished"))
        #expect(!stale.errors.contains("nothing was sent"), "\(stale.errors)")
        let finished = try project.penstock("run", "orgs")
        #expect(finished.status == 0, "\(finished.everything)")
        #expect(project.server.names.count == 400)
    }

    @Test("A connector that was found and is refused is told with its file and the reason")
    func refusedConnector() throws {
        let project = try project()
        let folder = project.folder + "/connectors"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        project.environment["PENSTOCK_CONNECTOR_PATH"] = folder
        // One that nothing else can stand for, unlike those that lie beside the program.
        try project.write("connectors/libpenstock-other.so", "this is no library\n")
        let connections = try project.text("connections.yml")
        try project.write(
            "connections.yml", connections.replacing("files: {connector: csv,", with: "files: {connector: other,"))
        let result = try project.penstock("plan", "orgs")
        #expect(result.status == 78 && result.errors.contains("error[unknown-connector]"), "\(result.everything)")
        #expect(result.errors.contains("the connector \"other\" was found, and is refused"), "\(result.errors)")
        #expect(result.errors.contains("\(folder)/libpenstock-other.so "), "\(result.errors)")
    }
}
