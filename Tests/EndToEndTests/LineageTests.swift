// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Runs are told in the words of OpenLineage.
@Suite struct LineageTests {
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha", "k2,Beta"])
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {name: company}\ninsert: {repeat: allow}")
        return project
    }

    @Test("A run begins and is complete, in a file and at an address, with one id")
    func complete() throws {
        let server = try RawServer { _, path, _, _ in path == "/api/v1/lineage" ? .json("{}") : .close }
        defer { server.stop() }
        let project = try project()
        project.environment["OPENLINEAGE_URL"] = "http://127.0.0.1:\(server.port)"
        #expect(try project.run("--lineage-file", "out.jsonl").status == 0)
        let events = try project.text("out.jsonl").split(separator: "\n").map { try JSON(parsing: String($0)) }
        #expect(events.map { $0["eventType"]?.stringValue } == ["START", "COMPLETE"])
        #expect(Set(events.map { $0["run"]?["runId"]?.stringValue }).count == 1)
        let output = events.last?["outputs"]?.arrayValue?.first
        #expect(output?["name"]?.stringValue == "organization")
        #expect(output?["outputFacets"]?["outputStatistics"]?["rowCount"]?.intValue == 2)
        let lineage = output?["facets"]?["columnLineage"]?["fields"]?["name"]?["inputFields"]?.arrayValue?.first
        #expect(lineage?["field"]?.stringValue == "company")
        #expect(lineage?["name"]?.stringValue?.hasSuffix("/data/orgs.csv") == true)
        let posted = try server.requests.map { try JSON(parsing: String($0.drop { $0 != "{" })) }
        #expect(posted == events)
        try project.expectNothing(of: TemporaryProject.token)
    }

    @Test("A run that stops is a failure, and a dead address is none")
    func failure() throws {
        let project = try project()
        try project.write(
            "penstock.yml",
            "version: 1\nproject: e2e\nlineage: {file: out.jsonl, url: \"http://127.0.0.1:1\"}\n")
        try project.server.play("status=402:method=POST:nth=2")
        let report = try project.run()
        #expect(report.result.errors.contains("warning[lineage]: http://127.0.0.1:1: "), "\(report.result.errors)")
        #expect(report.status != 0)
        let events = try project.text("out.jsonl").split(separator: "\n").map { try JSON(parsing: String($0)) }
        #expect(events.map { $0["eventType"]?.stringValue } == ["START", "FAIL"])
        #expect(events.last?["run"]?["facets"]?["errorMessage"]?["message"]?.stringValue?.isEmpty == false)
        try project.server.play()
        #expect(try project.run().status == 0)
    }

    @Test("A run that cannot begin is told of too, with a begin and a failure")
    func neverBegan() throws {
        let project = try project()
        project.environment["CRM_TOKEN"] = "nobody-has-this-token"
        #expect(try project.penstock("run", "--lineage-file", "out.jsonl").status == 77)
        let events = try project.text("out.jsonl").split(separator: "\n").map { try JSON(parsing: String($0)) }
        #expect(events.map { $0["eventType"]?.stringValue } == ["START", "FAIL"])
        #expect(Set(events.map { $0["run"]?["runId"]?.stringValue }).count == 1)
        let failed = try #require(events.last)
        #expect(failed["run"]?["facets"]?["errorMessage"]?["message"]?.stringValue?.isEmpty == false)
        #expect(failed["job"]?["name"]?.stringValue == "orgs")
        #expect(failed["inputs"]?.arrayValue?.first?["name"]?.stringValue?.hasSuffix("/data/orgs.csv") == true)
    }

    @Test("A run that a signal stops is aborted")
    func abort() throws {
        let project = try TemporaryProject { $0.latency = 5_000_000 }
        try project.csv("orgs", ["key,company"] + (1...2_000).map { "k\($0),Org \($0)" })
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {name: company}\ninsert: {repeat: allow}")
        let run = try project.start("run", "--quiet", "--lineage-file", "out.jsonl")
        // The file is there once the run has begun.
        try run.wait("the run has begun") { (try? project.text("out.jsonl").contains("START")) == true }
        run.send(SIGTERM)
        #expect(try run.result().status == 143)
        let events = try project.text("out.jsonl").split(separator: "\n").map { try JSON(parsing: String($0)) }
        #expect(events.map { $0["eventType"]?.stringValue } == ["START", "ABORT"])
    }
}
