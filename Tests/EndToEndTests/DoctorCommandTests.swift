// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// `doctor` finds what is wrong, and its bundle holds no secret.
@Suite struct DoctorCommandTests {
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,owner", "k1,Alpha,112", "k2,Row-Canary GmbH,640"])
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {name: company, owner_id: owner}\nrejects: {max: 1}"
        )
        return project
    }

    private func findings(_ project: TemporaryProject, _ words: String...) throws -> [String] {
        let result = try project.penstock(["doctor", "--json"] + words)
        #expect(try result.json["kind"]?.stringValue == "doctor")
        return try (result.json["data"]?.arrayValue ?? []).filter { $0["severity"]?.stringValue == "error" }
            .compactMap { $0["sentence"]?.stringValue }
    }

    @Test("Nothing is wrong with a project that runs; what is broken is named and ends with 1")
    func finds() throws {
        let project = try project()
        let first = try project.penstock("doctor", "--output", "table")
        #expect(first.status == 0, "\(first.output)")
        #expect(
            first.output.contains("connectors")
                && (first.output.contains("Nothing") || first.output.contains("1 warning.")), "\(first.output)")
        _ = try project.run()
        #expect(try findings(project, "--online") == [])
        let online = try project.penstock("doctor", "--online", "--output", "table").output
        #expect(online.contains("crm works"))
        #expect(online.contains("orgs: whole") && online.contains("CRM_TOKEN from the environment"))

        let state = project.folder + "/.penstock/state/orgs.db"
        let handle = try #require(FileHandle(forWritingAtPath: state))
        try handle.seek(toOffset: 4_096)
        try handle.write(contentsOf: Data([UInt8](repeating: 0xA5, count: 2_048)))
        try handle.close()
        try project.write("models/broken.sql", "SELECT 1\n")
        chmod(project.folder + "/.penstock", 0o755)
        let bad = try project.penstock("doctor", "--output", "table")
        #expect(bad.status == 1)
        for text in ["ERROR   orgs: ", "models/broken.sql", "chmod 700"] {
            #expect(bad.output.contains(text), "\(text)")
        }
        #expect(try Program.run(["doctor"], in: "/").status == 0, "without a project")
    }

    @Test("A bundle holds no secret and no value of a row, wherever they stood")
    func bundle() throws {
        let project = try project()
        let canaries = (0..<9).map { "canary-\($0)b1f3c7-bundle" }
        project.environment["HTTP_PROXY_PASSWORD"] = canaries[0]
        project.environment["WAREHOUSE_URL"] = "postgres://me:\(canaries[1])@127.0.0.1/db"
        try project.write("token.txt", canaries[2] + "\n")
        chmod(project.folder + "/token.txt", 0o600)
        try project.write(
            "connections.yml",
            try project.text("connections.yml") + """
                  other:
                    connector: pipedrive
                    # the old one was \(canaries[2])
                    api_token: ${file:./token.txt}
                  literal:
                    connector: pipedrive
                    api_token: \(canaries[3])
                  url:
                    connector: postgres
                    url: postgres://me:\(canaries[4])@127.0.0.1/db
                  gone:
                    connector: nobody-has-it
                    client_secret: |
                      \(canaries[5])

                """)
        try project.write("models/x.sql", "-- connection: base\nSELECT '\(canaries[3])' AS a\n")
        try project.write(
            "penstock.yml",
            try project.text("penstock.yml") + """
                alerts:
                  ops: {webhook: {url: "https://hooks.example.com/services/T0/\(canaries[6])"}}
                  page: {command: [/bin/true, "--token=\(canaries[8])", --team, crm]}
                lineage: {url: "https://lineage.example.com/\(canaries[7])"}

                """)
        let result = try project.penstock("doctor", "--bundle", "b.tar")
        #expect(result.status == 1, "a secret in a file is an error")
        let bytes = try #require(FileManager.default.contents(atPath: project.folder + "/b.tar"))
        let text = String(decoding: bytes, as: UTF8.self) + result.everything
        for canary in canaries + [TemporaryProject.token] { #expect(!text.contains(canary), "\(canary)") }
        #expect(text.contains("penstock-bundle/doctor.txt") && text.contains("penstock-bundle/project/connections.yml"))
        #expect(text.contains("api_token: ${env:CRM_TOKEN}"))
        #expect(text.contains("https://hooks.example.com"))
        let attributes = try FileManager.default.attributesOfItem(atPath: project.folder + "/b.tar")
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try project.penstock("doctor", "--bundle", "b.tar").status == 64, "a file is not overwritten")
    }

    @Test("Results of runs are in a bundle without values of rows")
    func results() throws {
        let project = try project()
        #expect(try project.run().count("rejected") == 1)
        let result = try project.penstock("doctor", "--bundle", "b.tar")
        #expect(result.status == 0, "\(result.everything)")
        let text = String(
            decoding: try #require(FileManager.default.contents(atPath: project.folder + "/b.tar")), as: UTF8.self)
        #expect(text.contains("run_results.json") && text.contains("owner-invalid"))
        #expect(!text.contains("Row-Canary") && !text.contains(TemporaryProject.token))
    }
}
