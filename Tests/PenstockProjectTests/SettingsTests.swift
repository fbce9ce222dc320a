// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProject
import Testing

/// `alerts:`, `history:` and `lineage:` of `penstock.yml`.
@Suite struct SettingsTests {
    private func load(_ yaml: String) throws -> (project: Project, findings: [String]) {
        let fixture = try ProjectFixture(["penstock.yml": "version: 1\nproject: shop\n" + yaml + "\n"])
        try fixture.write("home/.config/penstock/credentials/hook", Data("s3cret\n".utf8))
        fixture.environment["HOME"] = fixture.root + "/home"
        let (project, found) = fixture.load()
        return (project, found.map(BadProjectTests.line))
    }

    @Test func aRuleIsReadWhole() throws {
        let (project, found) = try load(
            """
            alerts:
              ops:
                on: [failure, reject_queue]
                syncs: [orgs_*]
                rejects: 1%
                reject_queue: 7
                budget: 25%
                overdue: 30m
                repeat: 12h
                resolved: false
                max_per_hour: 3
                timeout: 5s
                command: [/bin/page, --now]
                webhook: {url: "https://example.com/x", secret: "${cred:hook}"}
                smtp: {host: mail.example.com, user: robot, password: "${cred:hook}", from: a@example.com, to: b@example.com}
            history: {keep: P30D, runs: 9, requests: false}
            lineage: {url: "https://lineage.example.com", api_key: "${cred:hook}", namespace: crm}
            """)
        #expect(found.isEmpty)
        let rule = try #require(project.alerts.first)
        #expect(rule.kinds == [.failure, .rejectQueue] && rule.syncs == ["orgs_*"])
        #expect(rule.rejects == .basisPoints(100) && rule.rejectQueue == 7 && rule.budgetBasisPoints == 2_500)
        #expect(rule.graceMilliseconds == 1_800_000 && rule.repeatMilliseconds == 43_200_000)
        #expect(!rule.sendsResolved && rule.hourlyMax == 3 && rule.timeoutMilliseconds == 5_000)
        #expect(rule.channels.map(\.kind) == ["command", "webhook", "smtp"])
        #expect(rule.channels[1] == .webhook(url: "https://example.com/x", secret: "s3cret", caFile: nil))
        guard case .smtp(let server) = rule.channels[2] else { throw CocoaError(.coderInvalidValue) }
        #expect(server.port == 587 && server.security == .starttls && server.password == "s3cret")
        #expect(rule.channels.allSatisfy { !$0.place.contains("s3cret") && !$0.place.contains("/x") })
        #expect(project.history.keepMilliseconds == 30 * 86_400_000 && project.history.runs == 9)
        #expect(!project.history.logsRequests)
        #expect(project.lineage?.apiKey == "s3cret" && project.lineage?.namespace == "crm")
    }

    @Test(
        "Where a webhook leads is told without what is secret",
        arguments: [
            ("https://hooks.example/T0/B0/key", "https://hooks.example"),
            ("https://hooks.example?k=key", "https://hooks.example"),
            ("https://hooks.example:8443#key", "https://hooks.example:8443"),
            ("https://u:key@hooks.example/x", "hooks.example"),
            ("https://hooks.example/a@key", "https://hooks.example"), ("https://", "https://"),
        ])
    func place(url: String, place: String) {
        #expect(AlertChannel.webhook(url: url, secret: nil, caFile: nil).place == place)
    }

    @Test func whatIsLeftOutHasADefault() throws {
        let (project, found) = try load("alerts:\n  ops: {command: [page]}\nlineage: {file: out.jsonl}")
        #expect(found.isEmpty)
        #expect(project.alerts.first?.kinds == AlertDefinition.Kind.allCases)
        #expect(project.alerts.first?.covers("anything") == true)
        #expect(project.history == HistoryPolicy())
        #expect(project.lineage?.namespace == "shop")
        #expect(project.lineage?.file?.hasSuffix("/out.jsonl") == true)
    }

    @Test(
        "What is wrong is found at its place",
        arguments: [
            Wrong(
                "alerts:\n  ops: {on: [failure]}",
                "4:3: error[alert-channel]: the alert \"ops\" is sent nowhere | add command:, webhook: or smtp:"),
            Wrong(
                "alerts:\n  ops: {on: [failed], command: [x]}",
                "4:14: error[enum]: \"failed\" is not something to be told of"),
            Wrong(
                "alerts:\n  ops: {syncs: [nope], command: [x]}",
                "4:17: error[unknown-sync]: there is no sync \"nope\""),
            Wrong(
                "alerts:\n  ops: {comand: [x]}",
                "4:9: error[unknown-key]: unknown key \"comand\" in ops | did you mean \"command\"?"),
            Wrong(
                "alerts:\n  ops: {webhook: {url: \"https://h/x\", secret: abc}}",
                "4:47: error[secret-literal]: a secret is written into the file | store it and write ${cred:NAME}"),
            Wrong(
                "alerts:\n  ops: {webhook: {url: nope}}",
                "4:24: error[alert-channel]: this is not the address of a webhook | write it as https://host/path"),
            Wrong(
                "alerts:\n  ops: {webhook: {url: \"https://h/x\", secret: \"${cred:gone}\"}}",
                "4:48: warning[cred-missing]: there is no credential gone"),
            Wrong(
                "alerts:\n  ops: {smtp: {host: h, tls: none, user: u, password: \"${cred:hook}\", from: a@b, to: b@c}}",
                "4:30: error[alert-channel]: the password would be sent in the clear "
                    + "| write tls: starttls or tls: implicit"),
            Wrong(
                "alerts:\n  ops: {smtp: {host: h, from: nobody, to: b@c}}",
                "4:31: error[alert-channel]: \"nobody\" is not a mail address | write it as name@example.com"),
            Wrong(
                "history: {keep: forever}", "3:17: error[type]: \"forever\" is not a duration as 10m or PT10M"),
            Wrong(
                "lineage: {namespace: x}", "3:10: error[lineage]: lineage is sent nowhere | add file: or url:"),
        ])
    func whatIsWrongIsFound(_ wrong: Wrong) throws {
        let (_, found) = try load(wrong.yaml)
        #expect(found == ["penstock.yml:" + wrong.finding])
    }

    /// A text that is wrong, and what is said of it.
    struct Wrong: Sendable {
        let yaml: String
        let finding: String

        init(_ yaml: String, _ finding: String) {
            self.yaml = yaml
            self.finding = finding
        }
    }
}
