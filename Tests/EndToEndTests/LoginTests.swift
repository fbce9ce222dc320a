// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A login in a browser: what comes back is kept before it is used, and nothing else counts as an answer.
@Suite struct LoginTests {
    private static let secret = "canary-5be0-client-secret"

    /// A project whose connection `crm` is to be logged in.
    private func project(_ configure: (inout SandboxOptions) -> Void = { _ in }) throws -> TemporaryProject {
        let project = try TemporaryProject { options in
            options.tokens = []
            options.app.clientSecret = Self.secret
            configure(&options)
        }
        project.environment["CRM_SECRET"] = Self.secret
        let text = try project.text("connections.yml").replacing(
            "    api_token: ${env:CRM_TOKEN}\n",
            with: "    authorize_url: \(project.server.baseURL)/oauth/authorize # the page\n"
                + "    client_id: sandbox-client\n    client_secret: ${env:CRM_SECRET}\n")
        try project.write("connections.yml", text)
        return project
    }

    /// The address that a waiting login has printed.
    private func address(_ run: RunningProgram) throws -> String {
        var found = ""
        try run.wait("no address was printed") {
            found = Self.address(in: try run.errorsSoFar)
            return !found.isEmpty
        }
        return found
    }

    private static func address(in text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first {
            $0.contains("/oauth/authorize?") && $0.contains("state=")
        }
        return (line ?? "").trimmingCharacters(in: .whitespaces)
    }

    /// What the browser is sent to once the person has decided.
    private func decide(_ decision: String, at address: String) throws -> String {
        let page = try PlainHTTP.send("GET", address)
        try #require(page.status == 200 && page.text.contains("Allow and install"))
        let answer = try PlainHTTP.send("POST", address, form: "decision=\(decision)")
        try #require(answer.status == 302)
        return answer.location
    }

    /// Expects no token, no code and not the app's secret in any output or file.
    private func expectNoToken(in project: TemporaryProject) throws {
        let files = try project.everyFile()
        for secret in project.server.issuedTokens + [Self.secret] {
            for output in project.outputs { #expect(!output.contains(secret)) }
            for (path, data) in files { #expect(data.firstRange(of: Data(secret.utf8)) == nil, "\(path)") }
        }
        #expect(project.server.issuedTokens.count > 2)
    }

    @discardableResult
    private func login(_ project: TemporaryProject) throws -> ProgramResult {
        let run = try project.start("connection", "login", "crm", "--no-browser", "--port", "0")
        #expect(try PlainHTTP.send("GET", decide("allow", at: address(run))).status == 200)
        return try project.noted(run.result())
    }

    @Test("A login is kept sealed, works, is renewed by two processes at once, and ends with 77 and what to do")
    func life() throws {
        let project = try project {
            $0.app.lifetime = 2_000_000_000
            $0.latency = 500_000_000
        }
        for name in ["one", "two"] {
            try project.csv(name, ["key,company"] + (1...300).map { "k\($0),\(name) \($0)" })
            try project.write(
                "syncs/\(name).yml",
                "version: 1\ndestination: {connection: crm, object: organization}\n"
                    + "source: {connection: files, table: \(name), key: key}\nmap: {name: company}\n")
        }
        let before = try project.penstock("connection", "test", "crm")
        #expect(before.status == 78, "\(before.everything)")
        let result = try login(project)
        #expect(result.status == 0 && result.output.contains("Mara"), "\(result.everything)")
        #expect(
            try project.text("connections.yml").contains(
                "/oauth/authorize # the page\n    client_id: sandbox-client\n    client_secret: ${env:CRM_SECRET}\n"))
        #expect(try project.text("connections.yml").contains("    refresh_token: ${cred:crm-refresh-token}\n"))
        #expect(project.server.exchanges == 1 && project.server.renewals == 0, "the first token is used")
        let runs = [try project.start("run", "one"), try project.start("run", "two")]
        for run in runs {
            let result = try project.noted(run.result())
            #expect(result.status == 0, "\(result.everything)")
        }
        #expect(project.server.renewals >= 1 && project.server.renewalsRefused == 0)
        #expect(Set(project.server.names).count == 600 && project.server.organizations.count == 600)
        project.server.setRefreshToken(nil)
        project.server.revokeAccessTokens()
        for words in [["run", "one"], ["connection", "test", "crm"], ["plan", "one"]] {
            let refused = try project.penstock(words)
            #expect(refused.status == 77, "\(refused.everything)")
            #expect(refused.everything.contains("penstock connection login crm"), "\(refused.everything)")
        }
        #expect(try login(project).status == 0)
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        try expectNoToken(in: project)
        #expect(try project.penstock("connection", "logout", "crm").status == 0)
        let after = try project.penstock("connection", "test", "crm")
        #expect(after.errors.contains("log in: penstock connection login crm"), "\(after.everything)")
    }

    @Test("An access that is revoked in the middle of a run ends it with what to do, and a login lets it go on")
    func revokedMidway() throws {
        let project = try project { $0.latency = 20_000_000 }
        try project.csv("orgs", ["key,company"] + (1...200).map { "k\($0),C \($0)" })
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        #expect(try login(project).status == 0)
        let run = try project.start("run", "orgs")
        try run.wait("the run has not come half way") { project.server.counters.created > 70 }
        project.server.setRefreshToken(nil)
        project.server.revokeAccessTokens()
        let stopped = try project.noted(run.result())
        #expect(stopped.status == 77 && stopped.everything.contains("penstock connection login crm"))
        #expect(try login(project).status == 0)
        #expect(try project.penstock("run", "orgs").status == 0)
        #expect(Set(project.server.names).count == 200 && project.server.organizations.count == 200)
    }

    @Test("A person who says no, and a connection that cannot log in, change nothing")
    func refused() throws {
        let project = try project()
        let before = try project.snapshot()
        let run = try project.start("connection", "login", "crm", "--no-browser", "--port", "0")
        let back = try decide("deny", at: address(run))
        #expect(try PlainHTTP.send("GET", back).text.contains("not allowed"))
        let result = try run.result()
        #expect(result.status == 77 && result.errors.contains("error[login-refused]"), "\(result.everything)")
        let other = try project.penstock("connection", "login", "base")
        #expect(other.status == 64 && other.errors.contains("no login in a browser"))
        let late = try project.penstock("connection", "login", "crm", "--no-browser", "--port", "0", "--timeout", "1")
        #expect(late.status == 69 && late.errors.contains("error[login-timeout]"), "\(late.everything)")
        #expect(try project.snapshot() == before)
    }

    @Test("An answer with another state is refused, and the right one is still taken, once")
    func otherState() throws {
        let project = try project()
        let run = try project.start("connection", "login", "crm", "--no-browser", "--port", "0")
        let back = try decide("allow", at: address(run))
        let start = try #require(back.firstRange(of: "state="))
        let wrong = String(back[..<start.upperBound]) + "x" + String(back[start.upperBound...])
        let root = try #require(back.firstRange(of: "/callback"))
        #expect(try PlainHTTP.send("GET", wrong).status == 400)
        #expect(try PlainHTTP.send("GET", String(back[..<root.lowerBound]) + "/favicon.ico").status == 404)
        #expect(try PlainHTTP.send("GET", back).status == 200)
        let result = try run.result()
        #expect(result.status == 0, "\(result.everything)")
        #expect(result.errors.contains("warning[login-state]"), "\(result.errors)")
    }

    @Test("PKCE is used where the connection says so, and a server that insists on it is satisfied")
    func pkce() throws {
        let project = try project { $0.app.requiresPKCE = true }
        let without = try project.start("connection", "login", "crm", "--no-browser", "--port", "0", "--timeout", "60")
        #expect(try PlainHTTP.send("GET", address(without)).status == 400)
        without.send(SIGINT)
        #expect(try without.result().status == 130)
        let edit = try project.penstock("connection", "edit", "crm", "--set", "pkce=true", "--no-test")
        #expect(edit.status == 0, "\(edit.everything)")
        #expect(try project.text("connections.yml").contains("    pkce: true\n"))
        let result = try login(project)
        #expect(result.status == 0, "\(result.everything)")
    }

    @Test("Where the browser is on another machine, its last address is pasted")
    func pasted() throws {
        let project = try project { $0.app.redirectURIs = ["https://acme.example/back"] }
        let words = ["-C", project.folder, "connection", "login", "crm", "--redirect-url", "https://acme.example/back"]
        let wrong = try TerminalProgram(words, environment: project.variables)
        try wrong.expect("Paste the address here")
        let address = Self.address(in: wrong.screen)
        let back = try decide("allow", at: address)
        wrong.type(back.replacing("state=", with: "state=x") + "\n")
        #expect(try wrong.end() == 77)
        #expect(wrong.screen.contains("error[login-state]"), "\(wrong.screen)")
        let right = try TerminalProgram(words, environment: project.variables)
        try right.expect("Paste the address here")
        right.type("what is this\n")
        try right.expect("this is not it")
        right.type(try decide("allow", at: Self.address(in: right.screen)) + "\n")
        #expect(try right.end() == 0, "\(right.screen)")
    }

    @Test("Beside the listener the address may come from a pipe, in quotes; with --no-input nothing is said of it")
    func pastedIntoPipe() throws {
        let project = try project()
        let pipe = TemporaryProject.scratchFile()
        try #require(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        let run = try project.start(
            [
                "-c", "exec \"$0\" connection login crm --no-browser --port 0 < \"$1\"", Program.penstock, pipe,
            ], program: "/bin/sh")
        let writer = open(pipe, O_WRONLY)
        defer { close(writer) }
        let line = Array("'\(try decide("allow", at: address(run)))'\n".utf8)
        #expect(write(writer, line, line.count) == line.count)
        let result = try project.noted(run.result())
        #expect(result.status == 0 && result.errors.contains("paste the address"), "\(result.everything)")
        let silent = try project.penstock(
            "connection", "login", "crm", "--no-browser", "--port", "0", "--timeout", "1", "--no-input")
        #expect(silent.status == 69 && !silent.errors.contains("paste"), "\(silent.everything)")
    }

    @Test("What somebody writes into connections.yml during a login stays")
    func writtenMeanwhile() throws {
        let project = try project()
        let run = try project.start("connection", "login", "crm", "--no-browser", "--port", "0")
        let back = try decide("allow", at: address(run))
        let text = try project.text("connections.yml") + "  late: {connector: csv, path: data} # by hand\n"
        try project.write("connections.yml", text)
        #expect(try PlainHTTP.send("GET", back).status == 200)
        let result = try run.result()
        #expect(result.status == 0, "\(result.everything)")
        let after = try project.text("connections.yml")
        #expect(after.contains("# by hand") && after.contains("refresh_token: ${cred:crm-refresh-token}"), "\(after)")
    }

    @Test("A login that is stopped behind its tokens is kept whole, and one that cannot be kept leaves the old one")
    func keptOrNot() throws {
        let project = try project { $0.latency = 1_500_000_000 }
        let run = try project.start("connection", "login", "crm", "--no-browser", "--port", "0")
        #expect(try PlainHTTP.send("GET", decide("allow", at: address(run))).status == 200)
        try run.wait("no code was exchanged") { project.server.exchanges == 1 }
        try run.wait("nothing is kept") {
            try project.everyFile().keys.contains { $0.hasSuffix("credentials/crm.cred") }
        }
        run.send(SIGINT)
        let stopped = try run.result()
        #expect(stopped.status == 130, "\(stopped.everything)")
        #expect(try project.text("connections.yml").contains("refresh_token: ${cred:crm-refresh-token}"))
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        try FileManager.default.createDirectory(
            atPath: project.folder + "/.penstock/credentials/crm.cred.new", withIntermediateDirectories: false)
        let again = try project.start("connection", "login", "crm", "--no-browser", "--port", "0")
        _ = try PlainHTTP.send("GET", decide("allow", at: address(again)))
        let refused = try again.result()
        #expect(refused.status != 0 && refused.errors.contains("Nothing was kept"), "\(refused.everything)")
        try FileManager.default.removeItem(atPath: project.folder + "/.penstock/credentials/crm.cred.new")
        #expect(try project.penstock("connection", "test", "crm").status == 0)
    }

    @Test("A connection is added with a login: secrets are sealed, and the file holds references")
    func added() throws {
        let project = try project()
        let secretFile = TemporaryProject.scratchFile()
        try Data((Self.secret + "\n").utf8).write(to: URL(fileURLWithPath: secretFile))
        chmod(secretFile, 0o600)
        // The file is of no use after the test.
        defer { try? FileManager.default.removeItem(atPath: secretFile) }
        let server = project.server.baseURL
        let run = try project.start(
            "connection", "add", "second", "--connector", "pipedrive", "--login", "--set", "client_id=sandbox-client",
            "--set", "base_url=\(server)", "--set", "authorize_url=\(server)/oauth/authorize", "--token-file",
            secretFile, "--no-browser", "--port", "0")
        #expect(try PlainHTTP.send("GET", decide("allow", at: address(run))).status == 200)
        let result = try project.noted(run.result())
        #expect(result.status == 0, "\(result.everything)")
        let text = try project.text("connections.yml")
        #expect(text.contains("    client_secret: ${cred:second-client-secret}\n"))
        #expect(text.contains("    refresh_token: ${cred:second-refresh-token}\n"))
        #expect(try project.penstock("connection", "test", "second").status == 0)
        try expectNoToken(in: project)
        let removed = try project.penstock("connection", "remove", "second", "--yes")
        #expect(removed.status == 0, "\(removed.everything)")
        #expect(try project.everyFile().keys.filter { $0.contains("second") && !$0.hasSuffix(".lock") } == [])
    }
}
