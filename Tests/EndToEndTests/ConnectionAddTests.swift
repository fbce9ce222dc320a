// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Connections are made, changed and removed by command; no secret is in an argument, a project file or an output.
@Suite struct ConnectionAddTests {
    private let canary = "canary-c0ffee-token-2"

    private func project() throws -> TemporaryProject {
        try TemporaryProject { $0.tokens = [TemporaryProject.token, "canary-c0ffee-token-2", "canary-c0ffee-token-3"] }
    }

    private func stored(_ project: TemporaryProject) throws -> [String] {
        try project.everyFile().keys.filter { $0.hasPrefix("home/.config/penstock/credentials/") }.sorted()
    }

    @Test("On a terminal every setting is asked for, and the secret is not shown")
    func asked() throws {
        let project = try project()
        let program = try TerminalProgram(["-C", project.folder, "connection", "add"], environment: project.variables)
        try program.answer("Which connector?", "pipedrive")
        try program.answer("Name of the connection", "second")
        try program.answer("company_domain (Enter leaves it out)", "Ac me")
        try program.answer("How to sign in?", "1")
        try program.expect("api_token (not shown)")
        program.type(canary + "\n")
        // What the connector says against a value is said, and the value is asked for again; without it, others are.
        try program.answer("company_domain (Enter leaves it out)", "")
        try program.answer("base_url (Enter leaves it out)", project.server.baseURL)
        #expect(try program.end() == 0, "\(program.screen)")
        #expect(program.screen.contains("error[bad-config]: ") && !program.screen.contains(canary), "\(program.screen)")
        #expect(try project.penstock("connection", "remove", "second", "--yes").status == 0)
        #expect(try stored(project) == [])
        let words = [
            "-C", project.folder, "connection", "add", "second", "--connector", "pipedrive", "--set",
            "base_url=\(project.server.baseURL)", "--set", "company_domain=acme",
        ]
        let second = try TerminalProgram(words, environment: project.variables)
        try second.answer("How to sign in?", "api_token")
        try second.expect("api_token (not shown)")
        let arguments = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(second.id)/cmdline"))
        second.type(canary + "\n")
        #expect(try second.end() == 0, "\(second.screen)")
        #expect(second.screen.contains("Same without questions") && second.screen.contains("Mara"), "\(second.screen)")
        #expect(!second.screen.contains(canary) && arguments.firstRange(of: Data(canary.utf8)) == nil)
        #expect(try project.text("connections.yml").contains("    api_token: ${cred:second-api-token}\n"))
        try project.expectNothing(of: canary)
    }

    @Test("Ctrl-C at a question leaves nothing, and the terminal shows what is typed again")
    func interrupted() throws {
        let project = try project()
        let before = try project.snapshot()
        let program = try TerminalProgram(
            [
                "-C", project.folder, "connection", "add", "second", "--connector", "pipedrive", "--set",
                "company_domain=a",
            ],
            environment: project.variables)
        try program.answer("How to sign in?", "1")
        try program.expect("api_token (not shown)")
        program.type("half of it\u{3}")
        #expect(try program.end() == 130, "\(program.screen)")
        #expect(try project.snapshot() == before)
        #expect(program.isEchoing)
    }

    @Test("Everything from flags: two accounts side by side, and nobody's secret in the place of another's")
    func flags() throws {
        let project = try project()
        let base = "base_url=\(project.server.baseURL)"
        let add = ["connection", "add", "second", "--connector", "pipedrive", "--set", base]
        #expect(try project.penstock(add).status == 64, "a missing secret names its flags")
        let twice = try project.penstock(add + ["--set", base])
        #expect(twice.status == 64 && twice.errors.contains("base_url is given twice"), "\(twice.errors)")
        let token = try project.penstock(add + ["--token-stdin", "--token-for", "client_id"], input: canary)
        #expect(token.errors.contains("error[unknown-setting]"), "\(token.errors)")
        let literal = try project.penstock(add + ["--set", "api_token=written-out-1"])
        #expect(literal.status == 64 && literal.errors.contains("--token-stdin"), "\(literal.errors)")
        #expect(!literal.everything.contains("written-out-1"))
        let wrong = try project.penstock(add + ["--token-stdin"], input: "canary-wrong-token-77\n")
        #expect(wrong.status == 77 && wrong.errors.contains("FAIL credential"), "\(wrong.everything)")
        #expect(try stored(project) == [] && !project.text("connections.yml").contains("second"))
        let good = try project.penstock(add + ["--token-stdin"], input: canary + "\n")
        #expect(good.status == 0, "\(good.everything)")
        #expect(try project.text("connections.yml").hasPrefix("version: 1\nconnections:\n  files: {connector: csv,"))
        // Another project of the same user, with a connection of the same name.
        let other = try self.project()
        other.environment["HOME"] = project.folder + "/home"
        let again = add.dropLast() + ["base_url=\(other.server.baseURL)", "--token-stdin"]
        #expect(try other.penstock(Array(again), input: "canary-c0ffee-token-3\n").status == 0)
        #expect(try other.text("connections.yml").contains("${cred:second-api-token-2}"))
        #expect(
            try stored(project).map { $0.split(separator: "/").last } == ["second-api-token", "second-api-token-2"])
        let list = try project.penstock("connection", "list", "--json")
        #expect(list.output.contains("\"sealed\"") && list.output.contains("\"last_test\""), "\(list.output)")
        let show = try project.penstock("connection", "show", "second")
        #expect(
            show.output.contains("••••") && show.output.contains("sealed file in ~/.config/penstock/credentials"),
            "\(show.output)")
        #expect(try project.penstock("connection", "remove", "second", "--yes").status == 0)
        #expect(try stored(project).map { $0.split(separator: "/").last } == ["second-api-token-2"])
        for secret in [canary, "canary-wrong-token-77", "canary-c0ffee-token-3"] {
            try project.expectNothing(of: secret)
        }
    }

    @Test("An edit keeps comments, tries the change first, and replaces a secret")
    func edited() throws {
        let project = try project()
        let text = try project.text("connections.yml")
        try project.write("connections.yml", text.replacing("    api_token:", with: "    # of Mara\n    api_token:"))
        let bad = try project.penstock("connection", "edit", "crm", "--set", "base_url=http://127.0.0.1:1")
        #expect(bad.status == 69 && bad.errors.contains("Nothing was changed"), "\(bad.everything)")
        let good = try project.penstock(
            [
                "connection", "edit", "crm", "--set", "timeout=7", "--token-for", "api_token",
                "--token-stdin",
            ], input: canary)
        #expect(good.status == 0, "\(good.everything)")
        let after = try project.text("connections.yml")
        #expect(after.contains("    # of Mara\n    api_token: ${cred:crm-api-token}\n") && after.contains("timeout: 7"))
        project.environment["CRM_TOKEN"] = ""
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        #expect(try project.penstock("connection", "edit", "crm", "--unset", "nothing").status == 64)
        // Somebody has written the reference into a second connection by hand.
        let server = project.server.baseURL
        try project.write(
            "connections.yml",
            after + "  third: {connector: pipedrive, base_url: \"\(server)\", api_token: \"${cred:crm-api-token}\"}\n")
        let moved = try project.penstock("connection", "edit", "crm", "--set", "api_token=${env:OTHER}", "--no-test")
        #expect(moved.status == 0 && !moved.errors.contains("Removed"), "\(moved.everything)")
        #expect(try project.penstock("connection", "test", "third").status == 0)
        // The one secret that the connection has is meant, and a byte order mark is no obstacle.
        try project.write("connections.yml", "\u{FEFF}" + after)
        let next = try project.penstock(["connection", "edit", "crm", "--token-stdin"], input: "canary-c0ffee-token-3")
        #expect(next.status == 0 && next.errors.contains("Changed crm: api_token"), "\(next.everything)")
        // Who stores another value under the name leaves the secret the connection's.
        #expect(try project.penstock(["secret", "set", "crm-api-token"], input: canary + "\n").status == 0)
        #expect(try project.penstock("connection", "remove", "crm", "--yes").status == 0)
        #expect(try stored(project) == [])
        try project.expectNothing(of: canary)
    }

    @Test("A connection that something uses is not removed, and who uses it is said")
    func used() throws {
        let project = try project()
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        let refused = try project.penstock("connection", "remove", "crm", "--yes")
        #expect(refused.status == 64 && refused.errors.contains("sync orgs (syncs/orgs.yml)"), "\(refused.errors)")
        #expect(try project.penstock("connection", "remove", "base").errors.contains("--yes"))
        #expect(try project.penstock("connection", "remove", "base", "--yes").status == 0)
        #expect(try project.text("connections.yml").contains("base:") == false)
    }

    @Test("Secrets are set, listed, checked and removed; a program prints one where it may")
    func secrets() throws {
        let project = try project()
        project.environment["CRM_TOKEN"] = ""
        let missing = try project.penstock("secret", "check")
        #expect(missing.status == 77 && missing.errors.contains("CRM_TOKEN"), "\(missing.everything)")
        let text = try project.text("connections.yml")
        try project.write("connections.yml", text.replacing("${env:CRM_TOKEN}", with: "${cred:mine}"))
        #expect(try project.penstock(["secret", "set", "mine"], input: canary + "\n").status == 0)
        #expect(try project.penstock("secret", "check").status == 0)
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        let list = try project.penstock("secret", "list", "-o", "tsv")
        #expect(
            list.output.contains("sealed file in ~/.config/penstock/credentials\tyes (21 characters)"), "\(list.output)"
        )
        #expect(try project.penstock("secret", "remove", "mine", "--yes").status == 0)
        try project.write("connections.yml", text.replacing("${env:CRM_TOKEN}", with: "${NOBODY:-\(canary)}"))
        for words in [
            ["connection", "list"], ["connection", "show", "crm"], ["secret", "list"], ["secret", "check"],
        ] {
            for form in ["table", "json"] {
                let shown = try project.penstock(words + ["-o", form])
                #expect(!shown.everything.contains(canary), "\(words)")
            }
        }
        let file = project.folder + "/home/printed"
        try Data((canary + "\n").utf8).write(to: URL(fileURLWithPath: file))
        try project.write("connections.yml", text.replacing("${env:CRM_TOKEN}", with: "'${exec:cat \(file)}'"))
        let forbidden = try project.penstock("connection", "test", "crm")
        #expect(forbidden.status == 78 && forbidden.errors.contains("error[exec-forbidden]"), "\(forbidden.errors)")
        #expect(try project.penstock("connection", "test", "crm", "--allow-exec").status == 0)
        try project.write("home/.config/penstock/config.yml", "allow_exec: true\n")
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        project.environment["PENSTOCK_ALLOW_EXEC"] = "0"
        #expect(try project.penstock("connection", "test", "crm").status == 78)
        try FileManager.default.removeItem(atPath: file)
        try project.expectNothing(of: canary)
    }

    @Test("The first rows of a query are shown, of sources alone")
    func query() throws {
        let project = try project()
        let rows = try project.penstock("connection", "query", "base", "SELECT 1 AS a UNION SELECT 2", "--limit", "1")
        #expect(rows.status == 0 && rows.output == "a\n1\n", "\(rows.everything)")
        #expect(try project.penstock("connection", "query", "crm", "SELECT 1").status == 64)
        #expect(try project.penstock("connection", "query", "base", "DELETE FROM unused").status != 0)
    }
}
