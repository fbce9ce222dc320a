// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A connection with OAuth: whatever becomes of tokens and processes, nobody is locked out and no row is lost.
@Suite struct OAuthTests {
    private static let secret = "canary-77d1a0e5-client-secret"
    private static let refresh = "canary-19c2fb3e-refresh-token"

    /// A project whose connection `crm` uses OAuth, with one sync per name.
    private func project(
        rows: Int, syncs: [String] = ["orgs"], _ configure: (inout SandboxOptions) throws -> Void = { _ in }
    ) throws -> TemporaryProject {
        let project = try TemporaryProject { options in
            options.tokens = []
            options.app.clientSecret = Self.secret
            options.app.refreshToken = Self.refresh
            try configure(&options)
        }
        project.environment["CRM_REFRESH"] = Self.refresh
        project.environment["CRM_SECRET"] = Self.secret
        let text = try project.text("connections.yml").replacing(
            "    api_token: ${env:CRM_TOKEN}\n",
            with: "    client_id: sandbox-client\n    client_secret: ${env:CRM_SECRET}\n"
                + "    refresh_token: ${env:CRM_REFRESH}\n")
        try project.write("connections.yml", text)
        for name in syncs {
            try project.csv(name, ["key,company"] + (1...rows).map { "k\($0),\(name) \($0)" })
            try project.write(
                "syncs/\(name).yml",
                """
                version: 1
                destination: {connection: crm, object: organization}
                source: {connection: files, table: \(name), key: key}
                map: {name: company}

                """)
        }
        return project
    }

    @Test(
        "Access tokens that run out in the middle of a run are renewed, and every row arrives once",
        arguments: [true, false])
    func expiry(isSaid: Bool) throws {
        let project = try project(rows: 400) {
            $0.latency = 500_000_000
            $0.app.lifetime = 2_000_000_000
            // Where the lifetime is not said, a refusal is the first that is heard of it.
            $0.app.claimedSeconds = isSaid ? nil : 3_600
        }
        let report = try project.run()
        #expect(report.counts == "fetched 400, created 400", "\(report.result.everything)")
        #expect(report.status == 0)
        #expect(Set(project.server.names).count == 400 && project.server.organizations.count == 400)
        #expect(project.server.renewalsRefused == 0)
        #expect(project.server.renewals >= 2, "64 rows at a time take half a second: a token does not last")
    }

    @Test("A token that is taken back in the middle of a run is renewed once, and every row arrives once")
    func takenBack() throws {
        let project = try project(rows: 200) { $0.latency = 20_000_000 }
        let run = try project.start("run", "orgs")
        try run.wait("the run has not come half way") { project.server.counters.created > 70 }
        project.server.revokeAccessTokens()
        let result = try run.result()
        #expect(result.status == 0, "\(result.everything)")
        #expect(project.server.renewals == 2)
        #expect(Set(project.server.names).count == 200 && project.server.organizations.count == 200)
    }

    @Test("Two processes that renew one credential take turns, and nobody is locked out")
    func twoProcesses() throws {
        let project = try project(rows: 300, syncs: ["one", "two"]) {
            $0.latency = 500_000_000
            $0.app.lifetime = 2_000_000_000
            $0.app.claimedSeconds = 3_600
        }
        let runs = [try project.start("run", "one"), try project.start("run", "two")]
        for run in runs {
            let result = try run.result()
            #expect(result.status == 0, "\(result.everything)")
        }
        #expect(project.server.renewalsRefused == 0, "no refresh token was used twice")
        #expect(project.server.renewals >= 2)
        #expect(Set(project.server.names).count == 600 && project.server.organizations.count == 600)
    }

    @Test("A run that is killed while it renews leaves a credential that works", arguments: ["hang", "hang-after"])
    func killWhileRenewing(fault: String) throws {
        // Pipedrive hands the same refresh token out again.
        let project = try project(rows: 5) { $0.app.rotates = fault == "hang" }
        try project.server.play("\(fault):path=/oauth/token:nth=1")
        let run = try project.start("run", "orgs")
        try run.wait("the run has not asked for a token") { project.server.counters.faults == 1 }
        run.send(SIGKILL)
        #expect(try run.result().wasKilled)
        let report = try project.run()
        #expect(report.counts == "fetched 5, created 5", "\(report.result.everything)")
        #expect(report.status == 0)
    }

    @Test("A run that is killed after it has renewed goes on with what it stored")
    func killAfterRenewing() throws {
        let project = try project(rows: 5)
        try project.server.play("hang:path=/api/v2/organizationFields:nth=1")
        let run = try project.start("run", "orgs")
        try run.wait("the run has not asked for the fields") { project.server.counters.faults == 1 }
        run.send(SIGKILL)
        #expect(try run.result().wasKilled)
        project.server.revokeAccessTokens()
        let report = try project.run()
        #expect(report.counts == "fetched 5, created 5", "\(report.result.everything)")
        #expect(project.server.renewals == 2 && project.server.renewalsRefused == 0)
    }

    @Test("What no client can mend: the old token was taken back and the answer lost; it is said, and a new one helps")
    func residue() throws {
        let project = try project(rows: 2)
        try project.server.play("hang-after:path=/oauth/token:nth=1")
        let run = try project.start("run", "orgs")
        try run.wait("the run has not asked for a token") { project.server.counters.faults == 1 }
        run.send(SIGKILL)
        #expect(try run.result().wasKilled)
        let refused = try project.penstock("run")
        #expect(refused.status == 77, "\(refused.everything)")
        #expect(refused.errors.contains("refresh_token"), "\(refused.errors)")
        project.server.setRefreshToken("another-canary-1")
        project.environment["CRM_REFRESH"] = "another-canary-1"
        #expect(try project.run().counts == "fetched 2, created 2")
    }

    @Test("A refresh token that is revoked in the middle is 77, and the next run goes on with a new one")
    func revokedRefreshToken() throws {
        let project = try project(rows: 200) { $0.latency = 20_000_000 }
        let first = try project.start("run", "orgs")
        try first.wait("the run has not come half way") { project.server.counters.created > 70 }
        project.server.setRefreshToken(nil)
        project.server.revokeAccessTokens()
        let stopped = try first.result()
        #expect(stopped.status == 77, "\(stopped.everything)")
        #expect(project.server.counters.unauthorized401 <= 64)
        #expect(project.server.renewalsRefused == 1)
        let created = project.server.organizations.count
        // A new token in the project's file wins over what is stored.
        project.server.setRefreshToken("another-canary-2")
        project.environment["CRM_REFRESH"] = "another-canary-2"
        let report = try project.run()
        #expect(report.counts == "fetched 200, created 200, recovered \(created)", "\(report.result.everything)")
        #expect(report.status == 0)
        #expect(Set(project.server.names).count == 200)
    }

    @Test("A token endpoint that fails for the moment is asked again")
    func endpointTrouble() throws {
        let project = try project(rows: 2) { $0.app.rotates = false }
        for fault in ["status=503", "reset-before", "garbage=html"] {
            try project.server.play("\(fault):path=/oauth/token:nth=1")
            project.server.revokeAccessTokens()
            let result = try project.penstock("connection", "test", "crm")
            #expect(result.status == 0, "\(fault): \(result.everything)")
        }
        try project.server.play("status=503:path=/oauth/token")
        project.server.revokeAccessTokens()
        #expect(try project.penstock("plan").status == 69)
    }

    @Test("No token is in any output or file, whenever it was handed out")
    func canaries() throws {
        let project = try project(rows: 3)
        for words in [["connection", "test"], ["plan"], ["run"], ["history", "show", "latest"]] {
            project.server.revokeAccessTokens()
            try project.penstock(words + ["-vvv"])
            try project.penstock(words + ["--json", "-vvv"])
        }
        for fault in ["status=500:path=/oauth/token", "status=401", "garbage=html:path=/oauth/token"] {
            try project.server.play(fault)
            try project.penstock("run", "-vvv")
        }
        #expect(project.server.renewals > 3)
        let secrets = project.server.issuedTokens + [Self.secret, Self.refresh]
        let files = try project.everyFile()
        #expect(files.keys.contains(".penstock/credentials/crm.cred"))
        for secret in secrets {
            for output in project.outputs { #expect(!output.contains(secret)) }
            for (path, data) in files { #expect(data.firstRange(of: Data(secret.utf8)) == nil, "\(path)") }
        }
        for path in ["", "/crm.cred", "/crm.lock"] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: project.folder + "/.penstock/credentials" + path)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1 == (path.isEmpty ? 0o700 : 0o600))
        }
    }

    @Test("A stored credential that cannot be opened is 77, with the connection and the key, and says the way out")
    func unusableStore() throws {
        let project = try project(rows: 1)
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        let key = project.folder + "/home/.config/penstock/key"
        let good = try Data(contentsOf: URL(fileURLWithPath: key))
        try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: key))
        chmod(key, 0o600)
        for command in [["plan"], ["run"], ["connection", "test", "crm"]] {
            let result = try project.penstock(command)
            #expect(result.status == 77, "\(command): \(result.everything)")
            #expect(result.everything.contains("connection crm was sealed with the key "), "\(result.everything)")
        }
        try good.write(to: URL(fileURLWithPath: key))
        chmod(key, 0o600)
        let path = project.folder + "/.penstock/credentials/crm.cred"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let damaged = try project.penstock("run")
        #expect(damaged.status == 77 && damaged.errors.contains("damaged"), "\(damaged.errors)")
        #expect(damaged.errors.contains("remove "), "\(damaged.errors)")
    }

    @Test("Exactly one way in is asked for, and what is wrong is named at its place")
    func settings() throws {
        let project = try project(rows: 1)
        let good = try project.text("connections.yml")
        let wrong = [
            (
                "    client_id: sandbox-client\n", "    client_id: x\n    api_token: ${env:CRM_TOKEN}\n",
                "api_token"
            ),
            ("    client_secret: ${env:CRM_SECRET}\n", "", "client_secret"),
            ("    refresh_token: ${env:CRM_REFRESH}\n", "", "refresh_token"),
        ]
        for (text, other, name) in wrong {
            try project.write("connections.yml", good.replacing(text, with: other))
            let result = try project.penstock("run")
            #expect(result.status == 78, "\(result.everything)")
            #expect(result.errors.contains("error[bad-config]") && result.errors.contains(name), "\(result.errors)")
        }
        #expect(project.server.counters.requests == 0)
        try project.write("connections.yml", good.replacing("sandbox-client", with: "another-client"))
        let refused = try project.penstock("run")
        #expect(refused.status == 77 && refused.errors.contains("client_id"), "\(refused.errors)")
    }
}
