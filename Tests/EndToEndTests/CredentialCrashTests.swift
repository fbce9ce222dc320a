// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// Kills the program at system calls of a renewal; what is left must still be a way in.
@Suite(.enabled(if: Tracing.isPossible, "needs strace and the right to trace")) struct CredentialCrashTests {
    /// A call of the storing, which one it is, and whether a server that takes old refresh tokens back may be used:
    /// between its answer and the rename there is nothing that a client could do.
    private static let points: [(call: String, number: Int, rotates: Bool)] = [
        ("flock", 1, true), ("fsync", 1, false), ("rename", 1, false), ("fsync", 2, true),
    ]

    @Test("After a kill at any call the next run gets in by itself", arguments: points)
    func kill(point: (call: String, number: Int, rotates: Bool)) throws {
        let project = try TemporaryProject {
            $0.tokens = []
            $0.app.rotates = point.rotates
        }
        project.environment["CRM_REFRESH"] = "sandbox-refresh"
        project.environment["CRM_SECRET"] = "sandbox-secret"
        let text = try project.text("connections.yml").replacing(
            "    api_token: ${env:CRM_TOKEN}\n",
            with: "    client_id: sandbox-client\n    client_secret: ${env:CRM_SECRET}\n"
                + "    refresh_token: ${env:CRM_REFRESH}\n")
        try project.write("connections.yml", text)
        // Folder and key are made here, so that the calls below are those of a renewal.
        #expect(try project.penstock("connection", "test", "crm").status == 0)
        project.server.revokeAccessTokens()
        let killed = try project.traced(
            ["-e", "inject=\(point.call):signal=SIGKILL:when=\(point.number)"], "connection", "test", "crm")
        #expect(killed.wasKilled || killed.status == 137, "the fault did not fire: \(killed.everything)")
        let refused = project.server.renewalsRefused
        project.server.revokeAccessTokens()
        let next = try project.penstock("connection", "test", "crm")
        #expect(next.status == 0, "\(next.everything)")
        #expect(project.server.renewalsRefused == refused)
        let left = try FileManager.default.contentsOfDirectory(atPath: project.folder + "/.penstock/credentials")
        #expect(Set(left) == ["crm.cred", "crm.lock"], "a draft of before is replaced")
    }
}

/// strace, where it may be used.
private enum Tracing {
    /// Whether a program can be traced here.
    static let isPossible: Bool = {
        let result = try? Program.run(  // Without strace, or without the right, these tests are counted as skipped.
            ["strace", "-o", "/dev/null", "true"], in: "/", program: "/usr/bin/env")
        return result?.status == 0
    }()
}

extension TemporaryProject {
    /// Runs `penstock` under strace with these options.
    fileprivate func traced(_ options: [String], _ arguments: String...) throws -> ProgramResult {
        try start(
            ["strace", "-f", "-o", "/dev/null"] + options + [Program.penstock] + arguments, program: "/usr/bin/env"
        )
        .result()
    }
}
