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
        for output in project.outputs {
            #expect(!output.contains(TemporaryProject.token))
        }
        for (path, data) in try project.everyFile() {
            #expect(data.firstRange(of: Data(TemporaryProject.token.utf8)) == nil, "\(path)")
        }
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
        #expect(arguments.firstRange(of: Data(TemporaryProject.token.utf8)) == nil)
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
