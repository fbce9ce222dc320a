// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// No secret leaves: not in outputs, files, logs or arguments.
@Suite struct SecretTests {
    @Test("The token is in no output and in no file, whatever happens")
    func canary() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,owner", "k1,Alpha,112", "k2,Nobody's,640", "k3,Gamma,112"])
        let text = try project.text("connections.yml").replacing("    budget:", with: "    timeout: 1\n    budget:")
        try project.write("connections.yml", text)
        try project.sync(
            "source: {connection: files, table: orgs, key: key}\nmap: {name: company, owner_id: owner}\n"
                + "insert: {settle: 1s}")
        try project.server.play("status=429:method=POST:nth=1", "reset-after:method=POST:nth=3")
        for words in [
            ["plan"], ["run"], ["run", "--new"], ["connection", "test"], ["connection", "list"],
            ["reject", "show", "orgs"],
            ["validate", "--online"], ["history", "show", "latest"], ["state", "show"],
        ] {
            try project.penstock(words + ["-vvv"])
            try project.penstock(words + ["--json", "-vvv"])
        }
        for fault in ["status=500", "status=401", "status=403", "garbage=html", "reset-before"] {
            try project.server.play(fault)
            try project.penstock("plan", "-vvv")
            try project.penstock("run", "-vvv")
        }
        try project.server.play()
        project.server.stop()
        try project.penstock("run", "-vvv")
        #expect(project.outputs.count > 25)
        try project.expectNothing(of: TemporaryProject.token)
    }

    @Test("The scan finds a secret in every form")
    func scanFindsWhatIsThere() {
        let secret = "psk \"canary\" \\ 4f/81+é"
        let scan = SecretScan(secret)
        let base64 = (0..<3).map {
            Data((String(repeating: "x", count: $0) + secret + "yz").utf8).base64EncodedString()
        }
        let leaks =
            base64 + [
                "a\(secret)b", JSON.string(secret).text, "psk%20%22canary%22%20%5C%204f%2F81%2B%C3%A9",
                "70736b202263616e61727922205c2034662f38312bc3a9", "rsi 0x616e616322206b7370",
                "70 73 6b 20 22 63 61 6e |",
            ]
        for leak in leaks { #expect(!scan.hits(in: leak).isEmpty, "\(leak)") }
        #expect(scan.hits(in: "psk ••••").isEmpty)
    }

    @Test("The passwords of databases are in no output and in no file")
    func passwords() throws {
        let project = try TemporaryProject()
        let password = "psk\"canary\\7f3 &%é/"
        let inURL = "psk%22canary%5C7f3%20%26%25%C3%A9%2F"
        project.environment["PASSWORD"] = password
        project.environment["PG_URL"] = "postgresql://reader:\(inURL)@127.0.0.1:1/shop?connect_timeout=2"
        project.environment["MY_URL"] = "mysql://reader:\(inURL)@127.0.0.1:1/shop"
        let settings = "host: 127.0.0.1, port: 1, user: reader, password: \"${env:PASSWORD}\""
        try project.connection("pg", "{connector: postgres, dbname: shop, \(settings)}")
        try project.connection("pgurl", "{connector: postgres, url: \"${env:PG_URL}\"}")
        try project.connection("my", "{connector: mysql, database: shop, \(settings)}")
        try project.connection("myurl", "{connector: mysql, url: \"${env:MY_URL}\"}")
        for name in ["pg", "pgurl", "my", "myurl"] {
            try project.sync("source: {connection: \(name), table: orgs, key: key}\nmap: {name: company}")
            #expect(try project.penstock("connection", "test", name, "-vvv").status != 0)
            for words in [["plan"], ["run"], ["validate", "--online"]] {
                #expect(try project.penstock(words + ["-vvv"]).status != 0)
                try project.penstock(words + ["--json"])
            }
        }
        try project.penstock("connection", "list", "--json")
        // In a file that is refused as a whole, with the secret in a place where none belongs.
        try project.write(
            "connections.yml", try project.text("connections.yml") + "  odd: {connector: \"${env:PASSWORD}\"}\n")
        try project.penstock("validate", "-vvv")
        try project.penstock("validate", "--json")
        try project.expectNothing(of: password)
        try project.expectNothing(of: inURL)
    }

    @Test("The token is in no program's arguments")
    func arguments() throws {
        let project = try TemporaryProject { $0.latency = 400_000_000 }
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        let run = try project.start("run", "orgs")
        try run.wait("the run has not asked the server") { project.server.counters.requests > 0 }
        let arguments = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(run.id)/cmdline"))
        #expect(arguments.firstRange(of: Data("orgs".utf8)) != nil)
        #expect(SecretScan(TemporaryProject.token).hits(in: arguments) == [])
        #expect(try run.result().status == 0)
    }

    @Test("What the state holds is readable by its owner only")
    func permissions() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        _ = try project.run()
        for path in try project.snapshot().keys where path.hasPrefix(".penstock") {
            let attributes = try FileManager.default.attributesOfItem(atPath: project.folder + "/" + path)
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
            let isFolder = attributes[.type] as? FileAttributeType == .typeDirectory
            let isInside = path.hasPrefix(".penstock/runs/") && !isFolder
            #expect(isInside || mode & 0o077 == 0, "\(path) \(String(mode, radix: 8))")
        }
    }

    @Test("A masked field is shown as dots")
    func masks() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,arr", "k1,Alpha,7654321", "k2,Beta,765x"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, ARR (EUR): arr}
            mask: [ARR (EUR)]
            """)
        for words in [["plan"], ["plan", "--json"], ["run", "-vv"], ["reject", "show", "orgs"], ["reject", "list"]] {
            let result = try project.penstock(words)
            #expect(!result.everything.contains("765"), "\(words): \(result.everything)")
        }
        #expect(try project.penstock("plan").output.contains("•••"))
    }
}

extension TemporaryProject {
    /// Expects a secret in no output and in no file of this project.
    func expectNothing(of secret: String) throws {
        let scan = SecretScan(secret)
        for output in outputs { #expect(scan.hits(in: output) == [], "\(output)") }
        for (path, data) in try everyFile() { #expect(scan.hits(in: data) == [], "\(path)") }
    }
}
