// SPDX-License-Identifier: Apache-2.0

import Foundation
import PipedriveSandbox
import Testing

/// `penstock init` on a terminal: bad answers are asked for again, connections are tried, and no account is needed.
@Suite struct InitTests {
    private func begin(_ project: TemporaryProject) throws -> TerminalProgram {
        let program = try project.terminal("init", "acme", "--sandbox-port", "0")
        try program.answer("Project name [acme]", "")
        try program.answer("number [1]", "csv")
        try program.answer("path", "data")
        try program.answer("delimiter", "")
        return program
    }

    @Test("A bad answer is asked for again, each connection is tried, and nothing of a project is left behind Ctrl-C")
    func askedAgain() throws {
        let project = try TemporaryProject()
        let before = try project.snapshot()
        let stopped = try begin(project)
        try stopped.answer("number [1]", "1")
        try stopped.wait(for: "path")
        stopped.type("\u{3}")
        #expect(try stopped.end() == 130, "\(stopped.text)")
        #expect(try project.snapshot() == before)
        let program = try begin(project)
        try program.expect("error[not-found]")
        try program.answer("number [1]", "keep it")
        try program.answer("number [1]", "pipedrive")
        try program.answer("company_domain", project.server.baseURL)
        try program.answer("How to sign in?", "api_token")
        try program.answer("api_token (not shown)", "wrong-canary-token")
        try program.expect("error[bad-config]")
        try program.answer("company_domain", "")
        try program.answer("base_url", project.server.baseURL)
        try program.expect("FAIL credential")
        try program.answer("number [1]", "other answers")
        try program.answer("company_domain", "")
        try program.answer("How to sign in?", "api_token")
        try program.answer("api_token (not shown)", TemporaryProject.token)
        try program.answer("company_domain", "")
        try program.answer("base_url", project.server.baseURL)
        #expect(try program.end() == 0, "\(program.text)")
        #expect(program.text.contains("Connecting … ok, company Sandbox"), "\(program.text)")
        #expect(!program.text.contains("wrong-canary-token") && !program.text.contains("first sync"))
        #expect(try project.text("acme/connections.yml").contains("api_token: ${cred:crm-api-token}"))
        #expect(try project.penstock("-C", "acme", "connection", "test", "crm").status == 0)
    }

    @Test("The sandbox needs no account, and a first sync is made with it")
    func sandbox() throws {
        let project = try TemporaryProject()
        try FileManager.default.createDirectory(
            atPath: project.folder + "/acme/data", withIntermediateDirectories: true)
        try project.write("acme/data/customers.csv", "customer_no,name\nC-1,Nordwind\n")
        let program = try begin(project)
        try program.answer("number [1]", "sandbox")
        try program.answer("Create a first sync now?", "x")
        try program.answer("Create a first sync now? [Y/n]", "")
        try program.answer("number [1]", "crm")
        try program.answer("number [1]", "organization")
        try program.answer("number [1]", "source")
        try program.answer("number [1]", "customers")
        try program.answer("number [1]", "customer_no")
        try program.answer("[accept]: ", "")
        try program.answer("number [1]", "FULL")
        try program.answer("number [1]", "Append")
        try program.answer("number [1]", "by hand")
        try program.answer("5/5 Name", "first")
        try program.answer("Title", "")
        try program.answer("Description", "")
        try program.answer("template too?", "n")
        #expect(try program.end() == 0, "\(program.text)")
        #expect(program.text.contains("penstock sandbox --port "), "\(program.text)")
        #expect(try project.text("acme/syncs/first.yml").contains("name: name"))
        #expect(try project.text("acme/connections.yml").contains("base_url: http://127.0.0.1:"))
        #expect(try project.penstock("-C", "acme", "validate").status == 0)
        let flags = try project.penstock(
            "init", "other", "--source", "csv", "--source-set", "path=data", "--sandbox", "--no-input")
        #expect(flags.status == 0, "\(flags.everything)")
        #expect(try project.text("other/connections.yml").contains("base_url: http://127.0.0.1:7391\n"))
        let bad = try project.penstock(
            "init", "third", "--source", "csv", "--source-set", "path=data", "--destination", "pipedrive",
            "--destination-set", "company_domain=http://x", "--destination-set", "api_token=${env:CRM_TOKEN}")
        #expect(bad.status == 78 && bad.errors.contains("no project was written"), "\(bad.everything)")
    }
}
