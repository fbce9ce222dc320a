// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// `penstock.lock` keeps what a sync was written against.
@Suite struct LockFileTests {
    private func project(_ more: String = "") throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,pd,company,tier", "k1,1,Alpha,Gold"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {id: pd, name: company, Account tier: tier}
            insert: {mode: Update}
            \(more)
            """)
        try project.server.create(["name": .string("Old")])
        return project
    }

    @Test("A field that is renamed at the destination is still written, and the run says so")
    func renamed() throws {
        let project = try project("mask: [Account tier]")
        let code = try #require(project.server.fieldCode("Account tier"))
        #expect(try project.runAsPlanned().counts == "fetched 1, updated 1")
        let lock = try JSON(parsing: project.text("penstock.lock"))
        #expect(lock["fields"]?["crm"]?["organization"]?["Account tier"]?["code"]?.stringValue == code)
        project.server.renameField("Account tier", to: "Tier of the account")
        try project.csv("orgs", ["key,pd,company,tier", "k1,1,Alpha,Silver"])
        for words in [["plan"], ["run"]] {
            let result = try project.penstock(words)
            #expect(result.status == 0, "\(words): \(result.everything)")
            #expect(result.everything.contains("field-renamed"), "\(words): \(result.everything)")
            #expect(result.everything.contains("Tier of the account"), "\(words)")
            #expect(!result.everything.contains("Silver"), "\(words): what is masked stays masked")
        }
        #expect(project.server.organization(1)?.customFields[code] == .string("Silver"))
        let again = try project.run()
        #expect(again.counts == "fetched 1, unchanged 1")
        #expect(again["notes"].arrayValue?.count == 1)
        let after = try JSON(parsing: project.text("penstock.lock"))
        #expect(after["fields"] == lock["fields"], "the code stays pinned under the label of the sync")
    }

    @Test("Without a lock file a label that is gone is an error with its place")
    func unpinned() throws {
        let project = try project()
        project.server.renameField("Account tier", to: "Tier of the account")
        let result = try project.penstock("run")
        #expect(result.status == 78)
        #expect(result.errors.contains("syncs/orgs.yml:4:30: error[unknown-field]"), "\(result.errors)")
    }

    @Test("A connector file that has changed is told, and refused where that is asked for")
    func changedConnector() throws {
        let project = try project()
        let folder = project.folder + "/connectors"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let library = folder + "/libpenstock-csv.so"
        try FileManager.default.copyItem(
            atPath: Program.folder.appendingPathComponent("libpenstock-csv.so").path, toPath: library)
        project.environment["PENSTOCK_CONNECTOR_PATH"] = folder
        #expect(try project.penstock("run", "orgs", "--locked").status == 0, "there is nothing to differ from yet")
        let same = try project.penstock("run", "orgs", "--locked")
        #expect(same.status == 0 && !same.errors.contains("connector-changed"), "\(same.errors)")
        #expect(try project.penstock("plan", "orgs", "-O", "kept.plan").status == 0)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: library))
        try file.seekToEnd()
        try file.write(contentsOf: Data([0]))
        try file.close()
        let refused = try project.penstock("run", "orgs", "--locked")
        #expect(refused.status == 78)
        #expect(refused.errors.contains("error[connector-changed]: connector csv"), "\(refused.errors)")
        let lock = try project.text("penstock.lock")
        let stale = try project.penstock("run", "orgs", "--plan", "kept.plan")
        #expect(stale.status == 78 && stale.errors.contains("stale-plan"), "\(stale.errors)")
        #expect(try project.text("penstock.lock") == lock, "what was refused was not run with")
        #expect(try project.penstock("run", "orgs", "--locked").status == 78, "and is refused by the next one")
        let told = try project.penstock("run", "orgs")
        #expect(told.status == 0 && told.errors.contains("warning[connector-changed]"), "\(told.errors)")
        #expect(try project.penstock("run", "orgs", "--locked").status == 0, "the run has taken note of the file")
    }

    @Test("A damaged lock file is refused with what to do")
    func damaged() throws {
        let project = try project()
        try project.write("penstock.lock", "connectors: [")
        let result = try project.penstock("run")
        #expect(result.status == 78 && result.errors.contains("error[lock-damaged]"), "\(result.errors)")
        #expect(project.server.writes == 1, "only what the test created")
    }
}
