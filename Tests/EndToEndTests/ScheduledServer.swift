// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A project with a server at work, and a plain client for its API.
final class ScheduledServer {
    let project: TemporaryProject
    private(set) var program: RunningProgram?
    private(set) var port = 0

    /// A project whose table has so many rows.
    ///
    /// - Parameters:
    ///   - latency: How many milliseconds the destination takes for every answer.
    ///   - tokens: The destination's budget for a day.
    init(rows: Int, latency: Int64 = 0, tokens: Int = 360_000, _ schedules: [String: String]) throws {
        project = try TemporaryProject {
            $0.latency = latency * 1_000_000
            $0.dailyTokens = tokens
        }
        try project.csv("companies", ["id,name"] + (1...rows).map { "\($0),Company \($0)" })
        for (name, schedule) in schedules { try sync(name, schedule) }
    }

    /// Writes a sync that inserts every row again with every run.
    func sync(_ name: String, _ schedule: String) throws {
        try project.write(
            "syncs/\(name).yml",
            """
            version: 1
            source: {connection: files, table: companies, key: id}
            destination: {connection: crm, object: organization}
            fetch: {mode: FULL}
            insert: {mode: Append, repeat: allow}
            map: {name: name}
            schedule: \(schedule)

            """)
    }

    /// Starts the server and waits until it is ready.
    func start(_ arguments: String..., listen: String = "127.0.0.1:0") throws {
        let program = try project.start(["server", "--listen", listen] + arguments, program: Program.penstock)
        self.program = program
        try program.wait("the server is ready: \(try program.errorsSoFar)") {
            let log = try program.errorsSoFar
            if let place = log.range(of: "http://127.0.0.1:") {
                port = Int(log[place.upperBound...].prefix { $0.isNumber }) ?? 0
            }
            return log.contains("server.start")
        }
    }

    /// Ends the server at once, whatever it does.
    func killNow() throws {
        let program = try #require(program)
        program.send(SIGKILL)
        _ = try program.result()
        self.program = nil
    }

    /// Waits for the server's end after a signal.
    func end(_ signal: Int32) throws -> ProgramResult {
        let program = try #require(program)
        program.send(signal)
        let result = try program.result()
        self.program = nil
        return result
    }

    /// The lines of `server ticks`, newest first.
    func ticks(_ sync: String) throws -> [JSON] {
        let result = try project.penstock("server", "ticks", "--sync", sync, "--limit", "10000", "--json")
        return try result.json["data"]?.arrayValue ?? []
    }

    /// Waits until `condition` holds, for five minutes at most.
    func wait(_ comment: Comment, until condition: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try !condition() {
            try #require(ContinuousClock.now < deadline, comment)
            usleep(50_000)
        }
    }

    /// The token that the server has made.
    func token() throws -> String {
        try project.text(".penstock/server.token").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Sends bytes to the API and returns everything that comes back until the connection ends, or nothing comes for
    /// so many seconds.
    func raw(_ text: String, seconds: Int = 30) throws -> String {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0, "port \(port)")
        let bytes = Array(text.utf8)
        _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(socket, &buffer, buffer.count)
            guard count > 0 else { break }
            answer += buffer.prefix(count)
        }
        return String(decoding: answer, as: UTF8.self)
    }

    /// Asks the API with the token.
    func ask(_ method: String, _ target: String) throws -> (status: Int, body: String) {
        let answer = try raw(
            "\(method) \(target) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token())\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        let words = answer.split(separator: " ", maxSplits: 2)
        let body = answer.range(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) } ?? ""
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0, body)
    }
}
