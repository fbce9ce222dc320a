// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject
import Testing

@Suite struct DiagnosticRendererTests {
    private static func render(_ text: String, line: Int = 1, column: Int, length: Int) -> [String] {
        let source = SourceText(file: "a.yml", text: text)
        let span = SourceSpan(file: "a.yml", line: line, column: column, length: length)
        let diagnostic = Diagnostic(.error, "enum", at: span, "wrong")
        let text = DiagnosticRenderer(sources: ["a.yml": source]).render(diagnostic)
        return text.split(separator: "\n").dropFirst().map(String.init)
    }

    @Test func aReportReadsLikeACompilers() throws {
        var files = ProjectFixture.good
        files["syncs/orgs.yml"]?.replace("INCREMENTAL", with: "INCREMENTL")
        files["syncs/people.yml"] = """
            version: 1
            desination: {connection: crm, object: person}
            source: {connection: exports, table: people}
            map: {name: full_name}

            """
        files["syncs/deals.yml"] = "version: 1\nmap:\n  title: {first} {last}\n"
        files["syncs/import_orgs.yml"] = """
            version: 1
            destination: {connection: crm, object: organization}
            source: {connection: exports, table: orgs}
            map: {name: company}
            schedule:
              cron: "0 * * * *"

            """
        let fixture = try ProjectFixture(files)
        fixture.environment["CRM_TOKEN"] = nil
        let (project, found) = fixture.validate()
        #expect(
            project.renderer.render(found) == """
                connections.yml:12:16: error[env-unset]: CRM_TOKEN is not set
                   12 │     api_token: ${env:CRM_TOKEN}
                      │                ^^^^^^^^^^^^^^^^
                      = used by 2 syncs
                      = set it, or store the secret as a file and write ${cred:NAME}
                      = penstock explain env-unset

                syncs/deals.yml:3:10: error[syntax]: did not find expected key
                    2 │ map:
                    3 │   title: {first} {last}
                      │          ^ a value that starts with { is a YAML map. Quote it: "{first} {last}"

                syncs/import_orgs.yml:6:9: warning[append-full-repeat]: FULL + Append inserts all rows on every run
                    5 │ schedule:
                    6 │   cron: "0 * * * *"
                      │         ^^^^^^^^^^^ every row again, each time
                      = use fetch: INCREMENTAL, or insert: Update, or say insert.repeat: allow

                syncs/orgs.yml:12:9: error[enum]: "INCREMENTL" is not a fetch mode
                   11 │ fetch:
                   12 │   mode: INCREMENTL
                      │         ^^^^^^^^^^ did you mean INCREMENTAL?
                      = allowed: FULL, INCREMENTAL

                syncs/people.yml:2:1: error[unknown-key]: unknown key "desination"
                    2 │ desination: {connection: crm, object: person}
                      │ ^^^^^^^^^^ did you mean "destination"?

                5 problems (4 errors, 1 warning) in 5 files
                """)
    }

    @Test func aNoteHasTheCommandThatExplainsIt() throws {
        var files = ProjectFixture.good
        files["syncs/orgs.yml"]?.replace("INCREMENTAL", with: "INCREMENTL")
        let (project, found) = try ProjectFixture(files).validate()
        let lines = project.renderer.render(found).split(separator: "\n")
        #expect(
            lines.contains("      = allowed: FULL, INCREMENTAL                                  penstock explain enum"))
    }

    @Test func caretsStandUnderWideCharacters() {
        #expect(Self.render("名前: 日本語", column: 5, length: 3) == ["    1 │ 名前: 日本語", "      │       ^^^^^^"])
        #expect(Self.render("a: 👩‍👩‍👧 b", column: 10, length: 1) == ["    1 │ a: 👩‍👩‍👧 b", "      │       ^"])
        #expect(Self.render("e\u{301}: x", column: 5, length: 1) == ["    1 │ e\u{301}: x", "      │    ^"])
        #expect(Self.render("🇩🇪: x", column: 5, length: 1) == ["    1 │ 🇩🇪: x", "      │     ^"])
    }

    @Test func tabsAreShownAsSpaces() {
        #expect(Self.render("\ta: x", column: 5, length: 1) == ["    1 │     a: x", "      │        ^"])
    }

    @Test func controlCharactersDoNotReachTheTerminal() {
        #expect(Self.render("a: \u{1B}[2Jx", column: 8, length: 1) == ["    1 │ a: \u{FFFD}[2Jx", "      │        ^"])
    }

    @Test func aPlaceBehindTheEndOfTheTextIsStillShown() {
        #expect(Self.render("a", line: 9, column: 9, length: 9) == ["    9 │ ", "      │ ^"])
    }

    @Test func longLinesAreCutAroundThePlace() {
        let lines = Self.render(String(repeating: "x", count: 1_000) + "y", column: 1_001, length: 1)
        #expect(lines.allSatisfy { $0.count < 200 })
        #expect(lines[0].hasSuffix("xy"))
        #expect(lines[1].count == lines[0].count)
    }

    @Test(arguments: [
        "    api_token: s3cr3t-value", "{api_token: s3cr3t-value, x: 1}", "\"db_password\": 's3cr3t-value'",
        "url: postgresql://u:s3cr3t-value@h/d", "token: ${X:-s3cr3t-value}", "x: {secret: \"s3cr3t-value\"}",
    ])
    func whatLooksLikeASecretIsNotShown(_ line: String) {
        let text = Self.render(line, column: 1, length: 1).joined(separator: "\n")
        #expect(!text.contains("s3cr3t"))
    }

    @Test(arguments: ["api_token", "api_tokn", "credential", "url"])
    func aSecretInAProjectDoesNotReachTheReport(_ key: String) throws {
        var files = ProjectFixture.good
        let value = key == "url" ? "https://u:s3cr3t@host" : "s3cr3t"
        files["connections.yml"]?.replace("api_token: ${env:CRM_TOKEN}", with: "\(key): \(value)\n    base_url: [x]")
        let (project, found) = try ProjectFixture(files).validate()
        #expect(found.count >= 2)
        #expect(!project.renderer.render(found).contains("s3cr3t"))
        #expect(!JSON.array(found.map(\.json)).text.contains("s3cr3t"))
    }

    @Test func aReferenceIsShown() {
        #expect(Self.render("token: ${cred:x}", column: 8, length: 9)[0] == "    1 │ token: ${cred:x}")
        #expect(Self.render("{token: \"${X}\", a: b}", column: 1, length: 1)[0] == "    1 │ {token: \"${X}\", a: b}")
    }

    @Test func aFindingIsAJSONObject() {
        let span = SourceSpan(file: "a.yml", line: 2, column: 3, length: 4)
        let json = Diagnostic(.warning, "enum", at: span, "wrong", suggestion: "right", notes: ["why"]).json
        #expect(
            json
                == .object(
                    [
                        "severity": .string("warning"), "code": .string("enum"), "file": .string("a.yml"),
                        "line": .integer(2), "column": .integer(3), "length": .integer(4), "message": .string("wrong"),
                        "suggestion": .string("right"), "notes": .strings(["why"]),
                    ] as JSONObject))
    }

    @Test func theSummaryCounts() {
        let error = Diagnostic(.error, "enum", at: SourceSpan(file: "a.yml"), "wrong")
        let warning = Diagnostic(.warning, "enum", at: SourceSpan(file: "b.yml"), "odd")
        #expect(Diagnostic.summary([error]) == "1 problem (1 error) in 1 file")
        #expect(Diagnostic.summary([error, error, warning]) == "3 problems (2 errors, 1 warning) in 2 files")
        #expect(Diagnostic.summary([]) == "0 problems in 0 files")
    }
}
