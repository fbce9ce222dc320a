// SPDX-License-Identifier: Apache-2.0

import CCrypto
import CCurl
import CProcess
import CService
import Foundation
import PenstockModel
import PenstockProject

/// Sends a message through a channel.
///
/// Blocks the thread for as long as the tries take. What it says of a failure holds no secret and no path of an
/// address.
package struct ChannelSender: Sendable {
    /// The variables of this process, of which a program gets a few.
    private let environment: [String: String]
    /// The project's folder, in which programs are started.
    private let root: String
    private let userAgent: String

    /// How often something that may pass is tried at once.
    private static let triesMax = 2
    private static let pauseMicroseconds: UInt32 = 1_000_000
    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// What a program keeps of this process's variables: nothing that could be a secret.
    private static let keptVariables = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"]

    /// A sender for a project.
    package init(root: String, environment: [String: String], version: String) {
        self.root = root
        self.environment = environment
        userAgent = "penstock/\(version)"
    }

    /// Sends a message.
    ///
    /// - Returns: What went wrong, or nil.
    package func send(_ message: AlertMessage, to channel: AlertChannel, timeoutMilliseconds: Int64) -> String? {
        guard Self.isReady else { return "libcurl cannot be used" }
        switch channel {
        case .command(let words): return run(words, message, timeoutMilliseconds)
        case .webhook(let url, let secret, let caFile):
            return post(
                message.json, to: url, secret: secret, caFile: caFile, id: message.id,
                timeoutMilliseconds: timeoutMilliseconds)
        case .smtp(let server): return mail(message, server, timeoutMilliseconds)
        }
    }

    // MARK: - Addresses

    /// Posts a document, signed where there is a secret; tried twice where the fault may pass.
    ///
    /// - Parameters:
    ///   - key: What is sent as a bearer token, or nil.
    ///   - id: The message's id, or nil.
    /// - Returns: What went wrong, or nil.
    package func post(
        _ document: JSON, to url: String, secret: String? = nil, key: String? = nil, caFile: String? = nil,
        id: String? = nil, timeoutMilliseconds: Int64
    ) -> String? {
        guard Self.isReady else { return "libcurl cannot be used" }
        let body = document.text
        var problem: String?
        for attempt in 0..<Self.triesMax {
            if attempt > 0 { usleep(Self.pauseMicroseconds) }
            let headers = headers(body, secret: secret, key: key, id: id)
            let (code, status, words) = perform(timeoutMilliseconds) { error, status in
                penstock_curl_post(
                    url, headers, headers.utf8.count, body, body.utf8.count, caFile ?? "", Int(timeoutMilliseconds),
                    &error, &status)
            }
            if code == 0, (200..<300).contains(status) { return nil }
            problem = code == 0 ? "it answered with \(status)" : words
            let mayPass = code != 0 || status == 408 || status == 429 || status >= 500
            if !mayPass { break }
        }
        return problem
    }

    private func headers(_ body: String, secret: String?, key: String?, id: String?) -> String {
        let now = String(Int64(Date().timeIntervalSince1970))
        var lines = ["Content-Type: application/json", "User-Agent: \(userAgent)", "Expect:"]
        if let id { lines.append("Penstock-Alert-Id: \(id)") }
        if let key { lines.append("Authorization: Bearer \(key)") }
        if let secret {
            lines.append("Penstock-Timestamp: \(now)")
            lines.append("Penstock-Signature: v1=\(Self.signature(secret, now, body))")
        }
        return lines.map { $0.filter { !$0.isNewline } }.joined(separator: "\n")
    }

    /// HMAC-SHA256 over the time, a point and the body, in hexadecimal digits.
    package static func signature(_ secret: String, _ time: String, _ body: String) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let signed = Array("\(time).\(body)".utf8)
        let key = Array(secret.utf8)
        guard penstock_hmac_sha256(key, key.count, signed, signed.count, &digest) == 1 else { return "" }
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func perform(
        _ timeout: Int64, _ body: (inout [CChar], inout Int) -> Int32
    ) -> (code: Int32, status: Int, words: String) {
        var error = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        var status = 0
        let code = body(&error, &status)
        // libcurl's own sentence may quote an address with its path; the name of the code never does.
        let known = curl_easy_strerror(CURLcode(UInt32(bitPattern: code)))
        let name = known.map { String(cString: $0) } ?? "error \(code)"
        return (code, status, name.prefix(1).lowercased() + name.dropFirst())
    }

    // MARK: - Mail

    private func mail(_ message: AlertMessage, _ server: MailServer, _ timeout: Int64) -> String? {
        let scheme = server.security == .implicit ? "smtps" : "smtp"
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        let text = message.mail(from: server.from, to: server.to)
        let recipients = server.to.joined(separator: "\n")
        var problem: String?
        for attempt in 0..<Self.triesMax {
            if attempt > 0 { usleep(Self.pauseMicroseconds) }
            let (code, status, words) = perform(timeout) { error, status in
                penstock_curl_mail(
                    "\(scheme)://\(host):\(server.port)", server.security == .starttls ? 1 : 0, server.user ?? "",
                    server.password ?? "", server.from, recipients, recipients.utf8.count, text, text.utf8.count,
                    server.caFile ?? "", Int(timeout), &error, &status)
            }
            if code == 0 { return nil }
            problem = status >= 400 ? "the server answered with \(status) (\(words))" : words
            if (500..<600).contains(status) { break }
        }
        return problem
    }

    // MARK: - Programs

    private func run(_ words: [String], _ message: AlertMessage, _ timeout: Int64) -> String? {
        guard let first = words.first, let program = path(of: first) else {
            return "there is no program \(words.first ?? "")"
        }
        // A file, not a pipe: however long the document is, nothing waits for the program to read.
        let input = penstock_memory_file()
        guard input >= 0 else { return "no memory can be had for what \(first) reads" }
        defer { close(input) }
        let document = Array((message.json.text + "\n").utf8)
        let isWhole = write(input, document, document.count) == document.count && lseek(input, 0, SEEK_SET) == 0
        var variables = Self.keptVariables.compactMap { name in environment[name].map { "\(name)=\($0)" } }
        variables += message.variables.map { "\($0.name)=\($0.value)" }
        var block = Self.block([program] + words.dropFirst())
        var variableBlock = Self.block(variables)
        let child = isWhole ? penstock_start_program(&block, &variableBlock, root, input) : -1
        guard child > 0 else { return "\(first) cannot be started" }
        return wait(for: child, first, timeout)
    }

    private func wait(for child: Int32, _ name: String, _ timeout: Int64) -> String? {
        let deadline = ContinuousClock.now + .milliseconds(timeout)
        var status: Int32 = 0
        while waitpid(child, &status, WNOHANG) == 0 {
            if ContinuousClock.now > deadline {
                kill(-child, SIGKILL)
                while waitpid(child, &status, 0) < 0, errno == EINTR {}
                return "\(name) did not end within \(timeout) ms and was killed"
            }
            usleep(10_000)
        }
        let signal = status & 0x7f
        if signal != 0 { return "\(name) was ended by signal \(signal)" }
        let code = (status >> 8) & 0xff
        if code == 127 { return "\(name) cannot be started, or ended with 127" }
        return code == 0 ? nil : "\(name) ended with \(code)"
    }

    private func path(of program: String) -> String? {
        if program.contains("/") {
            let path = program.hasPrefix("/") ? program : "\(root)/\(program)"
            return access(path, X_OK) == 0 ? path : nil
        }
        return (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(program)" }.first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
    }

    private static func block(_ texts: [String]) -> [CChar] {
        texts.flatMap { text in text.utf8.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0] } + [0]
    }
}
