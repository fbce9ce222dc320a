// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockDoctor
import PenstockModel
import Testing

@Suite struct DoctorTests {
    private let folder: String

    init() throws {
        folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("penstock-doctor-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    @Test("A report counts what is wrong and says what to do")
    func report() {
        var report = DoctorReport()
        report.findings = [DoctorFinding("a", .ok, "fine"), DoctorFinding("b", .warning, "weak", advice: "do better")]
        #expect(report.isHealthy && report.summary == "1 warning.")
        report.findings.append(DoctorFinding("a", .error, "broken"))
        #expect(!report.isHealthy && report.summary == "1 error, 1 warning.")
        #expect(
            report.text()
                == "a\n  ok      fine\n  ERROR   broken\nb\n  WARNING weak\n          do better\n\n1 error, 1 warning.\n"
        )
        #expect(report.json.arrayValue?.count == 3)
        report.findings = [DoctorFinding("a", .ok, "one two three four")]
        #expect(report.text(width: 20).hasPrefix("a\n  ok      one two\n          three four\n"))
    }

    @Test("A clock that cannot be right, or goes otherwise than another, is found")
    func clock() {
        #expect(MachineChecks.clock(now: 0).severity == .error)
        let now: Int64 = 1_790_000_000_000
        #expect(MachineChecks.clock(now: now).severity == .ok)
        #expect(MachineChecks.clock(now: now, other: ("crm", now - 2_000)).severity == .ok)
        let behind = MachineChecks.clock(now: now, other: ("crm", now + 60_000))
        #expect(behind.severity == .warning && behind.sentence == "the clock is 60 s behind that of crm")
        #expect(MachineChecks.clock(now: now, other: ("crm", now - 3_600_000)).severity == .error)
    }

    @Test("Time zones, certificates and libraries that are not there are found")
    func machine() {
        #expect(MachineChecks.timeZones().severity == .ok)
        #expect(MachineChecks.timeZones("Nowhere/Atall").severity == .error)
        #expect(MachineChecks.certificates(["/nowhere"]).severity == .warning)
        #expect(MachineChecks.certificates(["/etc/os-release"]).severity == .ok)
        let maps =
            "7f r-xp 0 08:01 1  /usr/lib/libpq.so.5.15\n7f r--p 0 08:01 1  /usr/lib/libpq.so.5.15\n7f r 0 0 0 /x/y.so\n"
        #expect(MachineChecks.libraries(maps: maps).sentence == "libpq.so.5.15")
    }

    @Test("Folders and files that are open to others, and a full disk, are found")
    func folders() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A folder that stays behind does no harm.
        func severity(_ path: String) -> DoctorFinding.Severity? {
            FolderChecks.privateFolder(path, area: "x", what: "the folder").first?.severity
        }
        #expect(severity(folder) == .ok)
        #expect(severity(folder + "/none") == .note)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        #expect(severity(folder) == .error)
        let file = folder + "/secret"
        #expect(FolderChecks.privateFile(file, area: "x") == nil)
        let isMade = FileManager.default.createFile(
            atPath: file, contents: Data(), attributes: [.posixPermissions: 0o644])
        #expect(isMade)
        #expect(FolderChecks.privateFile(file, area: "x")?.severity == .error)
        #expect(severity(file) == .error)
        #expect(FolderChecks.room(folder, area: "x", free: 10 << 20).severity == .error)
        #expect(FolderChecks.room(folder, area: "x", free: 500 << 20).severity == .warning)
        #expect(FolderChecks.room(folder, area: "x", free: 50 << 30).sentence.hasPrefix("50 GB"))
    }

    @Test("The archive is one that tar reads")
    func tar() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }  // A folder that stays behind does no harm.
        var archive = TarArchive(seconds: 1_790_000_000)
        archive.add("b/one.txt", Array("one\n".utf8))
        archive.add("b/empty", [])
        archive.add("b/block", [UInt8](repeating: 65, count: 512))
        let path = folder + "/x.tar"
        try Data(archive.data).write(to: URL(fileURLWithPath: path))
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-C", folder, "-xf", path]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        #expect(try String(contentsOfFile: folder + "/b/one.txt", encoding: .utf8) == "one\n")
        #expect(FileManager.default.contents(atPath: folder + "/b/empty")?.count == 0)
        #expect(FileManager.default.contents(atPath: folder + "/b/block")?.count == 512)
    }
}

@Suite struct BundleTextTests {
    private let canary = "canary-77aa-secret"

    @Test("A value that is known to be secret is nowhere, whatever its form")
    func known() {
        let text = BundleText(secrets: [canary])
        let base64 = Data("user:\(canary)".utf8).base64EncodedString()
        let out = text.plain("a \(canary) b\nx: \(base64)\n")
        #expect(!out.contains(canary) && !out.contains(base64))
    }

    @Test(
        "What looks like a secret is nowhere, though nobody knows it",
        arguments: [
            "api_token: canary-77aa-secret", "  password: \"canary-77aa-secret\"", "{token: canary-77aa-secret, a: 1}",
            "password: |\n  canary-77aa-secret\n", "client_secret:\n    canary-77aa-secret\nother: 1",
            "url: postgres://me:canary-77aa-secret@host/db", "url: https://canary-77aa-secret@host/",
            "Authorization: Bearer canary-77aa-secret", "GET /x?api_token=canary-77aa-secret&a=1",
            "-----BEGIN PRIVATE KEY-----\ncanary-77aa-secret\n-----END PRIVATE KEY-----\n",
            "jwt eyJhbGciOiJIUzI1NiJ9.canary-77aa-secret", "  - secret: canary-77aa-secret",
        ])
    func unknown(_ text: String) {
        let out = BundleText(secrets: []).plain(text)
        #expect(!out.contains(canary) && !out.contains("77aa"), "\(out)")
    }

    @Test("What is no secret stays")
    func stays() {
        let text = """
            connections:
              crm:
                connector: acme
                api_token: ${cred:crm-token}
                base_url: https://api.example.com/v1
            map: {name: company, key: id}
            """
        #expect(BundleText(secrets: []).plain(text) == text)
    }

    @Test("Values of rows are taken out of results and logs, and counts stay")
    func rows() {
        let out = BundleText(secrets: []).results(
            "{\"counts\":{\"fetched\":3},\"rejects\":[{\"code\":\"x\",\"value\":\"Jane Doe\",\"record\":{\"a\":1}}]}")
        #expect(!out.contains("Jane") && out.contains("fetched") && out.contains("\"x\""))
        let lines = BundleText(secrets: []).results(
            "{\"event\":\"row\",\"value\":\"Jane\",\"key\":\"Jane\",\"fields\":{\"a\":\"Jane\"}}\nnot JSON token=abcdefgh\n"
        )
        #expect(!lines.contains("Jane") && lines.contains("not JSON"))
    }
}
