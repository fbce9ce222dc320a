// SPDX-License-Identifier: Apache-2.0

import Foundation
import PipedriveSandbox
import Testing

/// No secret leaves when a process dies, and none is there for others to look at while it lives.
@Suite struct CrashSecretTests {
    /// What switches Swift's crash handler on, as loudly as it goes.
    private static let loudCrashes = ["SWIFT_BACKTRACE": "enable=yes,sanitize=no,registers=all,output-to=stderr"]

    /// A project whose sync reads from the connector of `Tests/Fixtures/CrashingConnector`.
    ///
    /// - Parameter flags: More flags for the compiler.
    private func project(flags: String = "") throws -> TemporaryProject {
        let project = try TemporaryProject()
        let root = ExampleConnector.package
        let library = project.folder + "/connectors/crash.so"
        try FileManager.default.createDirectory(
            atPath: project.folder + "/connectors", withIntermediateDirectories: true)
        let command =
            "exec cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -pthread \(flags) "
            + "-I '\(root.path)/Sources/CPenstock/include' -o '\(library)' "
            + "'\(root.path)/Tests/Fixtures/CrashingConnector/crash_with_token.c'"
        let built = try Program.run(["-c", command], in: project.folder, program: "/bin/sh")
        try #require(built.status == 0, "\(built.everything)")
        project.environment["PENSTOCK_CONNECTOR_PATH"] = project.folder + "/connectors"
        project.environment["CRASH_TOKEN"] = TemporaryProject.token
        project.environment.merge(Self.loudCrashes) { $1 }
        try project.connection("crash", "{connector: people, path: x, token: \"${env:CRASH_TOKEN}\"}")
        try project.sync("source: {connection: crash, table: people}\nmap: {name: name}")
        return project
    }

    @Test("A connector that crashes with the token in its registers and on its stack shows nothing of it")
    func connectorCrash() throws {
        let project = try project()
        for words in [["run", "orgs", "-vvv"], ["plan", "orgs"], ["run", "orgs", "--json"]] {
            let result = try project.penstock(words)
            #expect(result.wasKilled && result.status == SIGSEGV, "\(result.status): \(result.everything)")
        }
        try project.expectNothing(of: TemporaryProject.token)
        let cores = try project.everyFile().keys.filter { $0.hasPrefix("core") }
        #expect(cores.isEmpty)
    }

    @Test("The scan finds what a connector spills when it crashes")
    func plantedSpillIsFound() throws {
        let result = try project(flags: "-DSPILL").penstock("run", "orgs")
        #expect(SecretScan(TemporaryProject.token).hits(in: result.errors) != [])
    }

    @Test(
        "A host that crashes in the middle of a run shows nothing of the token",
        arguments: [SIGSEGV, SIGABRT, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGQUIT])
    func hostCrash(signal: Int32) throws {
        let project = try slow(milliseconds: 30_000)
        project.environment.merge(Self.loudCrashes) { $1 }
        let run = try project.start("run", "orgs", "-vvv")
        try run.wait("the run has not asked the server") { project.server.counters.requests > 0 }
        let limits = try String(contentsOfFile: "/proc/\(run.id)/limits", encoding: .utf8)
        #expect(limits.contains(#/Max core file size +0 +0 /#))
        run.send(signal)
        let result = try run.result()
        #expect(result.wasKilled && result.status == signal)
        #expect(SecretScan(TemporaryProject.token).hits(in: result.everything) == [])
        try project.expectNothing(of: TemporaryProject.token)
    }

    @Test("A token from a file is not in the environment, and no descriptor is left to programs started later")
    func livingProcess() throws {
        let project = try slow()
        let secrets = try TemporaryProject.secretFile()
        defer { try? FileManager.default.removeItem(atPath: secrets) }  // A file that stays behind does no harm.
        let connections = try project.text("connections.yml")
        try project.write("connections.yml", connections.replacing("${env:CRM_TOKEN}", with: "${file:\(secrets)}"))
        project.environment["CRM_TOKEN"] = "unused"
        project.environment["PENSTOCK_ALLOW_DEBUGGER"] = "1"
        let run = try project.start("run", "orgs")
        try run.wait("the run has not asked the server") { project.server.counters.requests > 0 }
        let environment = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(run.id)/environ"))
        #expect(environment.firstRange(of: Data("PENSTOCK_ALLOW_DEBUGGER".utf8)) != nil)
        #expect(SecretScan(TemporaryProject.token).hits(in: environment) == [])
        let pairs = try Set(
            String(contentsOfFile: "/proc/\(run.id)/net/unix", encoding: .utf8).split(separator: "\n")
                .compactMap { $0.split(separator: " ").dropFirst(6).first }.map { "socket:[\($0)]" })
        var seen = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(run.id)/fdinfo") {
            guard let number = Int(name), number > 2 else { continue }
            // What was closed meanwhile is nobody's.
            guard let info = try? String(contentsOfFile: "/proc/\(run.id)/fdinfo/\(name)", encoding: .utf8),
                let match = info.firstMatch(of: #/flags:\s*([0-7]+)/#), let flags = Int(match.1, radix: 8)
            else { continue }
            seen += 1
            // The pairs with which libcurl wakes itself up carry nothing, and cannot be reached to be marked.
            let isPair = try pairs.contains(place(of: name, in: run.id))
            #expect(isPair || flags & 0o2000000 != 0, "descriptor \(name) is left to programs that are started")
        }
        #expect(seen >= 3, "the state, its lock and a connection are open")
        #expect(try run.result().status == 0)
    }

    @Test("Nobody but the superuser can look into a running host, unless it is allowed to")
    func closedProcess() throws {
        let project = try slow()
        let run = try project.start("run", "orgs")
        try run.wait("the run has not asked the server") { project.server.counters.requests > 0 }
        let attributes = try FileManager.default.attributesOfItem(atPath: "/proc/\(run.id)/environ")
        #expect((attributes[.ownerAccountID] as? NSNumber)?.intValue == 0)
        #expect(try run.result().status == 0)
    }

    /// What a descriptor of a process is open on.
    private func place(of descriptor: String, in process: Int32) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(descriptor)")
    }

    /// A project with a sync of one row whose requests take long.
    private func slow(milliseconds: Int64 = 600) throws -> TemporaryProject {
        let project = try TemporaryProject { $0.latency = milliseconds * 1_000_000 }
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
        return project
    }
}

extension TemporaryProject {
    /// A file outside of the project that holds the token, for its owner only.
    fileprivate static func secretFile() throws -> String {
        let path = scratchFile()
        try Data(token.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }
}
