// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `penstock demo`, from its first line to its last.
@Suite struct DemoTests {
    /// With `PENSTOCK_UPDATE_GOLDEN` set, the output becomes the expectation.
    @Test("The demo shows what it has always shown")
    func wholeOutput() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // A folder that stays behind does no harm.
        let first = try Program.run(["demo"], in: folder.path)
        #expect(first.status == 0, "\(first.errors)")
        let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("demo.txt")
        if ProcessInfo.processInfo.environment["PENSTOCK_UPDATE_GOLDEN"] != nil {
            try Data(normal(first.output).utf8).write(to: golden)
        }
        #expect(normal(first.output) == (try String(contentsOf: golden, encoding: .utf8)))
        let second = try Program.run(["demo"], in: folder.path)
        #expect(second.status == 0, "\(second.errors)")
        #expect(normal(second.output) == normal(first.output), "a demo can be repeated")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/penstock-demo/syncs/companies.yml"))
        #expect(!first.everything.contains("sandbox-token\n"))
    }

    @Test("A demo can be repeated, and its sandbox started again, also where marks are kept outside of the project")
    func again() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // A folder that stays behind does no harm.
        let home = ["HOME": folder.appendingPathComponent("home").path]
        for _ in 0..<2 {
            let demo = try Program.run(["demo"], in: folder.path, environment: home)
            #expect(demo.status == 0 && demo.output.contains("Nothing left to do"), "\(demo.everything)")
        }
        // As the demo says at its end.
        let sandbox = try RunningProgram(
            ["sandbox", "demo", "--dir", "penstock-demo"], in: folder.path, environment: home)
        try sandbox.wait("the sandbox listens") { try sandbox.outputSoFar.contains("http://127.0.0.1:") }
        let plan = try Program.run(["-C", "penstock-demo", "plan"], in: folder.path, environment: home)
        #expect(plan.status == 0 && plan.output.contains("8 to create, 9 to update"), "\(plan.everything)")
        sandbox.send(SIGTERM)
        _ = try sandbox.result()
    }

    @Test("A sandbox that cannot listen, or not log, leaves the state of an earlier demo where it is")
    func cannotStart() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // A folder that stays behind does no harm.
        let home = ["HOME": folder.appendingPathComponent("home").path]
        #expect(try Program.run(["demo"], in: folder.path, environment: home).status == 0)
        // Behind the last port there is none that could be taken in its place.
        let port = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(port) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(65_535).bigEndian
        place.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        _ = withUnsafePointer(to: place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(port, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        listen(port, 1)
        let before = try files(folder)
        let words = ["sandbox", "demo", "--dir", "penstock-demo"]
        for more in [["--port", "65535"], ["--log", "no/such/folder/log"]] {
            let result = try Program.run(words + more, in: folder.path, environment: home)
            #expect(result.status == 73, "\(result.everything)")
        }
        #expect(try files(folder) == before)
    }

    @Test("A folder with something else in it is left alone")
    func foreignFolder() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("penstock-demo"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // A folder that stays behind does no harm.
        try Data("mine".utf8).write(to: folder.appendingPathComponent("penstock-demo/notes.txt"))
        let result = try Program.run(["demo"], in: folder.path)
        #expect(result.status != 0)
        #expect(result.errors.contains("--dir"), "\(result.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/penstock-demo") == ["notes.txt"])
    }

    /// The output without what differs between two runs: the port, times and the run's id.
    private func normal(_ output: String) -> String {
        output.replacing(/127\.0\.0\.1:\d+/, with: "127.0.0.1:PORT")
            .replacing(/\d+\.\d s/, with: "TIME").replacing(/run [0-9A-HJKMNP-TV-Z]{26}/, with: "run ID")
    }

    @Test(
        "A project that is not the demo's own is left alone with its state and its marks, however it is called",
        arguments: ["project: penstock-demo-europe", "project: mine  # was project: penstock-demo"])
    func otherProject(line: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // A folder that stays behind does no harm.
        let home = ["HOME": folder.appendingPathComponent("home").path]
        #expect(try Program.run(["demo"], in: folder.path, environment: home).status == 0)
        let file = folder.appendingPathComponent("penstock-demo/penstock.yml")
        let text = try String(contentsOf: file, encoding: .utf8)
        try Data(text.replacing("project: penstock-demo", with: line).utf8).write(to: file)
        let before = try files(folder)
        for words in [["demo"], ["sandbox", "demo", "--dir", "penstock-demo"]] {
            let result = try Program.run(words, in: folder.path, environment: home)
            #expect(result.status != 0 && result.errors.contains("--dir"), "\(result.everything)")
        }
        #expect(try files(folder) == before)
    }

    /// Every file below a folder, with what it holds.
    private func files(_ folder: URL) throws -> [String: Data] {
        var found: [String: Data] = [:]
        let paths = FileManager.default.enumerator(atPath: folder.path)
        while let path = paths?.nextObject() as? String {
            found[path] = FileManager.default.contents(atPath: folder.appendingPathComponent(path).path) ?? Data()
        }
        return found
    }
}
