// SPDX-License-Identifier: Apache-2.0

import DatabaseServers
import Foundation
import Glibc

/// nghttpx in front of a server: TLS with a certificate made for it, HTTP/2 or not, on 127.0.0.1.
final class TLSProxy {
    /// `https://127.0.0.1:PORT`.
    let url: String
    /// The file of its certificate, which signs itself.
    var certificateFile: String { folder + "/cert.pem" }

    private let folder: String
    private let process: Process

    /// Whether the command is there.
    static var isAvailable: Bool { command != nil }

    private static let command = ["/usr/sbin/nghttpx", "/usr/bin/nghttpx", "/usr/local/bin/nghttpx"].first(
        where: FileManager.default.isExecutableFile)

    /// Starts a proxy.
    ///
    /// - Parameters:
    ///   - base: Where requests go, for example `http://127.0.0.1:7391`.
    ///   - protocols: What TLS offers, for example `h2,http/1.1`.
    init(before base: String, protocols: String) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("penstock-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let made = try Self.start(
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=test "
                + "-addext subjectAltName=IP:127.0.0.1 -days 30", in: folder)
        made.waitUntilExit()
        let backend = base.replacingOccurrences(of: "http://", with: "").replacingOccurrences(of: ":", with: ",")
        let port = UInt16(try FreePort.find())
        url = "https://127.0.0.1:\(port)"
        process = try Self.start(
            "exec \(Self.command ?? "nghttpx") --conf=/dev/null -f127.0.0.1,\(port) -b\(backend) --workers=1 --single-process --no-ocsp "
                + "--npn-list=\(protocols) --accesslog-file=access.log "
                + "--accesslog-format='$alpn $remote_port $request' key.pem cert.pem", in: folder)
        for _ in 0..<600 where !Self.answers(port) { usleep(50_000) }
    }

    deinit {
        // It inherits the signals that are blocked in this thread, the one to end by among them.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        // A folder that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Every request so far: the protocol, the port of the client's connection, and the request line.
    func requests() throws -> [(protocol: String, connection: String, line: String)] {
        try String(contentsOfFile: folder + "/access.log", encoding: .utf8).split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
            return (parts[0], parts[1], parts[2])
        }
    }

    private static func start(_ command: String, in folder: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func madeSocket() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }

    private static func answers(_ port: UInt16) -> Bool {
        let descriptor = madeSocket()
        defer { close(descriptor) }
        var address = address(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
