// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// What a destination and the network may do, fault by fault, through the real program.
@Suite struct DestinationFaultTests {
    private func project(
        rows: Int, insert: String = "{mode: Append}", timeout: Int = 30,
        _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws -> TemporaryProject {
        let project = try TemporaryProject(configure)
        try project.csv("orgs", ["key,pd,company"] + (1...rows).map { "k\($0),\($0),Org \($0)" })
        let id = insert.contains("Update") ? "id: pd, " : ""
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {\(id)name: company}\ninsert: \(insert)")
        let text = try project.text("connections.yml").replacing(
            "    budget:", with: "    timeout: \(timeout)\n    budget:")
        try project.write("connections.yml", text)
        return project
    }

    /// Ends after which nobody can say whether a create was carried out, and whether the sandbox carries it out.
    private static let doubtful: [(fault: String, isDone: Bool)] = [
        ("reset-before", false), ("reset-after", true), ("status=500", false), ("status-after=502", true),
        ("status-after=504", true), ("status=408", false), ("status-after=408", true), ("garbage=html", true),
        ("garbage=cut", true), ("garbage=no-id", true), ("garbage=refusal", true), ("garbage=empty", true),
        ("endless", true), ("huge", true), ("bomb", true),
    ]

    /// A create whose fate is unknown is asked about one second behind the request's own second.
    private static let hurried = "{mode: Append, settle: 1s}"

    @Test(
        "A create is in doubt, neither lost nor refused, and is asked about before it is sent again",
        arguments: doubtful)
    func doubtfulCreates(end: (fault: String, isDone: Bool)) throws {
        let project = try project(rows: 4, insert: Self.hurried, timeout: 1)
        try project.server.play("\(end.fault):method=POST:nth=2")
        let report = try project.run("--no-wait")
        #expect(report.counts == "fetched 4, created 3, unknown 1")
        #expect(report.status == 75)
        #expect(project.server.writes == 4)
        #expect(project.server.organizations.count == (end.isDone ? 4 : 3))
        #expect(!report.result.everything.contains("We will be right back"))
        let again = try project.run()
        #expect(again.counts == "fetched 4, created 4, recovered \(end.isDone ? 4 : 3)")
        #expect(again.status == 0)
        #expect(project.server.writes == (end.isDone ? 4 : 5), "what was carried out is found; nothing goes twice")
        #expect(project.server.names.sorted() == (1...4).map { "Org \($0)" })
    }

    @Test("A create whose answer does not come is in doubt after the time allowed", arguments: ["hang", "hang-after"])
    func silentCreates(fault: String) throws {
        let project = try project(rows: 3, insert: Self.hurried, timeout: 1)
        try project.server.play("\(fault):method=POST:nth=2")
        let report = try project.run("--no-wait")
        #expect(report.counts == "fetched 3, created 2, unknown 1")
        #expect(report.status == 75)
        #expect(project.server.writes == 3)
        #expect(try project.run().status == 0)
        #expect(project.server.names.sorted() == (1...3).map { "Org \($0)" })
    }

    @Test("A create that arrives after its connection broke is waited for, found, and not sent again")
    func lateCreate() throws {
        let project = try project(rows: 3, insert: "{mode: Append, settle: 10s}", timeout: 1)
        try project.server.play("late=3s:method=POST:nth=2")
        let report = try project.run()
        #expect(report.counts == "fetched 3, created 3")
        #expect(report.status == 0)
        #expect(project.server.writes == 3)
        #expect(project.server.names.sorted() == (1...3).map { "Org \($0)" })
    }

    @Test(
        "An update is sent again after every end that may pass",
        arguments: [
            "status=500", "status-after=504", "status=408", "garbage=refusal", "garbage=empty", "bomb", "endless",
            "late=10ms",
        ])
    func updates(fault: String) throws {
        let project = try project(rows: 3, insert: "{mode: Update, compare: none}")
        for _ in 1...3 { try project.server.create(["name": .string("Old")]) }
        try project.server.play("\(fault):method=PATCH:nth=2")
        let report = try project.run()
        #expect(report.counts == "fetched 3, updated 3")
        #expect(report.status == 0)
        #expect(report["api"]["retries"]?.intValue == 1)
        #expect(project.server.names == (1...3).map { "Org \($0)" })
    }

    @Test(
        "A read is tried again after every end that may pass",
        arguments: ["status=408", "garbage=cut", "bomb", "reset-before"])
    func reads(fault: String) throws {
        let project = try project(rows: 1)
        try project.server.play("\(fault):path=/api/v2/organizationFields:nth=1")
        #expect(try project.run().counts == "fetched 1, created 1")
    }

    @Test("An update of a record that is gone is a reject", arguments: ["status=404", "status=410"])
    func gone(fault: String) throws {
        let project = try project(rows: 2, insert: "{mode: Update, compare: none}")
        for _ in 1...2 { try project.server.create(["name": .string("Old")]) }
        try project.server.play("\(fault):method=PATCH:nth=1")
        let report = try project.run()
        #expect(report.counts == "fetched 2, updated 1, rejected 1")
        #expect(report.rejects == "not-found 1")
    }

    // MARK: - Refusals that are about the account

    @Test(
        "A refusal of the account stops the run, and no row is to blame",
        arguments: [("status=402", Int32(77)), ("block", 75), ("daily", 75)])
    func accountRefusals(fault: String, status: Int32) throws {
        let project = try project(rows: 200) { $0.latency = 5_000_000 }
        try project.server.play("\(fault):method=POST:every=1")
        let result = try project.run()
        #expect(result.status == status, "\(result.result.errors)")
        #expect(result.counts == "fetched 200, not_tried 200" || result.count("rejected") <= 0, "\(result.counts)")
        #expect(result.count("created") <= 0 && result.count("unknown") <= 0)
        #expect(project.server.writes <= 64, "only what was on its way is refused, too")
        #expect(!result.result.everything.contains("Cloudflare") && !result.result.everything.contains("Attention"))
        #expect(result["message"].stringValue?.isEmpty == false)
    }

    @Test("A token that is revoked in the middle leaves the rows open, and the next run finishes them with a good one")
    func revokedToken() throws {
        let project = try project(rows: 300) { $0.latency = 20_000_000 }
        let first = try project.start("run", "orgs")
        try first.wait("the run has not come half way") { project.server.counters.created > 100 }
        project.server.setTokens([])
        let stopped = try first.result()
        #expect(stopped.status == 77, "\(stopped.everything)")
        #expect(stopped.everything.contains("api_token"))
        #expect(project.server.counters.unauthorized401 <= 64)
        let created = project.server.organizations.count
        #expect(try project.penstock("run", "orgs").status == 77)
        project.server.setTokens([TemporaryProject.token])
        let report = try project.run()
        #expect(report.counts == "fetched 300, created 300, recovered \(created)")
        #expect(report.status == 0)
        #expect(Set(project.server.names).count == 300 && project.server.organizations.count == 300)
    }

    // MARK: - Where requests go

    @Test("A redirection is not followed, and nothing reaches the second host")
    func redirection() throws {
        let other = try RawServer { _, _, _, _ in .json("{}") }
        defer { other.stop() }
        let project = try project(rows: 2)
        try project.server.play("redirect=\(other.port)")
        for command in [["plan"], ["run"], ["connection", "test", "crm"]] {
            let result = try project.penstock(command)
            #expect(result.status == 77, "\(command): \(result.everything)")
            #expect(result.everything.contains("redirection"), "\(command): \(result.everything)")
        }
        #expect(other.requests.isEmpty)
    }

    @Test("libcurl's own repetition of a create on a dead kept connection does not happen")
    func deadConnection() throws {
        let server = try RawServer { method, _, body, _ in
            if method == "GET" {
                return .json(#"{"success":true,"data":[],"additional_data":{"next_cursor":null}}"#)
            }
            // Committed, then closed before the first byte of an answer: what makes libcurl send it again.
            if body.contains("Org 2") { return .close }
            return .json(#"{"success":true,"data":{"id":\#(body.contains("Org 1") ? 1 : 3)}}"#)
        }
        defer { server.stop() }
        let project = try project(rows: 3)
        let text = try project.text("connections.yml").replacing(
            project.server.baseURL, with: "http://127.0.0.1:\(server.port)"
        )
        .replacing("{burst: 100000, window: 2s}", with: "{burst: 1, window: 100ms}")
        try project.write("connections.yml", text)
        let report = try project.run("--no-wait")
        #expect(report.counts == "fetched 3, created 2, unknown 1")
        #expect(report.status == 75)
        for name in ["Org 1", "Org 2", "Org 3"] {
            let posts = server.requests.filter { $0.hasPrefix("POST") && $0.contains(name) }
            #expect(posts.count == 1, "\(name): \(posts)")
        }
    }

    @Test("A certificate that does not convince is 77, and nothing is sent")
    func certificate() throws {
        let project = try project(rows: 1)
        let server = try OpenSSLServer(in: project.folder)
        defer { server.stop() }
        let text = try project.text("connections.yml").replacing(
            project.server.baseURL, with: "https://127.0.0.1:\(server.port)")
        try project.write("connections.yml", text)
        for command in [["plan"], ["run"], ["connection", "test", "crm"]] {
            let result = try project.penstock(command)
            #expect(result.status == 77, "\(command): \(result.everything)")
            #expect(result.everything.contains("certificate"), "\(command): \(result.everything)")
        }
    }
}

/// A TLS server of the openssl command with a certificate that nobody trusts.
private final class OpenSSLServer {
    let port: Int
    private let process = Process()

    init(in folder: String) throws {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c",
            "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days 1 -keyout tls.key -out tls.crt 2>/dev/null",
        ]
        shell.currentDirectoryURL = URL(fileURLWithPath: folder)
        try shell.run()
        shell.waitUntilExit()
        try #require(shell.terminationStatus == 0)
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "s_server", "-accept", "127.0.0.1:0", "-key", "tls.key", "-cert", "tls.crt", "-www",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var text = ""
        while !text.contains("ACCEPT") || text.last != "\n" {
            let data = output.fileHandleForReading.availableData
            try #require(!data.isEmpty, "\(text)")
            text += String(decoding: data, as: UTF8.self)
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") } ?? ""
        port = try #require(line.split(separator: ":").last.flatMap { Int($0) })
    }

    func stop() { process.terminate() }
}
