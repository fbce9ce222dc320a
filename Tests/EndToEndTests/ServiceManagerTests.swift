// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// What a service manager hears of the server, and what others see of it over the network.
@Suite(.serialized) struct ServiceManagerTests {
    @Test func theServiceManagerIsTold() throws {
        let server = try ScheduledServer(rows: 1, ["orgs": "{every: 1000d}"])
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("n-\(UUID().uuidString)").path
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(socket)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0, "\(path)")
        server.project.environment["NOTIFY_SOCKET"] = path
        server.project.environment["WATCHDOG_USEC"] = "1000000"
        try server.start(listen: "127.0.0.1:0")
        var heard: [String] = []
        func hear(until wanted: String) throws {
            var limit = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var buffer = [UInt8](repeating: 0, count: 1 << 14)
            while heard.last?.hasPrefix(wanted) != true {
                let count = recv(socket, &buffer, buffer.count, 0)
                try #require(count > 0, "\(wanted) after \(heard)")
                heard.append(String(decoding: buffer.prefix(count), as: UTF8.self))
            }
        }
        try hear(until: "READY=1\nSTATUS=")
        try hear(until: "WATCHDOG=1")
        try #require(server.program).send(SIGHUP)
        try hear(until: "RELOADING=1\nMONOTONIC_USEC=")
        try hear(until: "READY=1")
        #expect(try server.end(SIGTERM).status == 143)
        try hear(until: "STOPPING=1")
    }

    @Test func linesForTheJournalHavePriorities() throws {
        let server = try ScheduledServer(rows: 1, ["orgs": "{every: 1000d}"])
        // The journal tells who writes to it by device and number of the file behind standard error.
        let script = "JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec \"$0\" server --listen none"
        let program = try server.project.start(["-c", script, Program.penstock], program: "/bin/sh")
        try program.wait("it serves") { try program.errorsSoFar.contains("server.start") }
        #expect(try program.errorsSoFar.hasPrefix("<5>notice serves 1 sync of e2e"))
        program.send(SIGTERM)
        #expect(try program.result().status == 143)
    }

    private static let hasTools = ["openssl", "curl"].allSatisfy {
        FileManager.default.fileExists(atPath: "/usr/bin/\($0)")
    }

    @Test(.enabled(if: hasTools)) func othersComeInWithTLSAlone() throws {
        let server = try ScheduledServer(rows: 1, ["orgs": "{every: 1000d}"])
        let folder = server.project.folder
        let (key, certificate) = (folder + "/key.pem", folder + "/certificate.pem")
        let made = try server.project.run(
            program: "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
            ])
        try #require(made.status == 0, "\(made.everything)")
        let program = try server.project.start(
            "server", "--listen", "0.0.0.0:0", "--tls-cert", certificate, "--tls-key", key)
        try program.wait("it listens") { try program.errorsSoFar.contains("server.start") }
        let log = try program.errorsSoFar
        let place = try #require(log.range(of: "https://0.0.0.0:"))
        let port = String(log[place.upperBound...].prefix { $0.isNumber })
        try server.project.write("header", "Authorization: Bearer \(server.token())\n")
        let curl = ["-s", "--max-time", "30", "--cacert", certificate, "-H", "@" + folder + "/header"]
        let good = try server.project.run(program: "/usr/bin/curl", curl + ["https://127.0.0.1:\(port)/api/v1/syncs"])
        #expect(good.output.contains("\"name\":\"orgs\""), "\(good.everything)")
        let plain = try server.project.run(program: "/usr/bin/curl", curl + ["http://127.0.0.1:\(port)/healthz"])
        #expect(plain.status != 0)
        program.send(SIGTERM)
        #expect(try program.result().status == 143)
        let wrong = try server.project.penstock(
            "server", "--listen", "0.0.0.0:0", "--tls-cert", key, "--tls-key", certificate)
        #expect(wrong.status == 78 && wrong.errors.contains("cannot be used"))
    }
}
