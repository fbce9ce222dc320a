// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A program on a terminal of its own, as a person sees and answers it.
final class TerminalProgram {
    private static let unlock = UInt(0x4004_5431)
    private static let number = UInt(0x8004_5430)
    /// `POSIX_SPAWN_SETSID`, which glibc declares for GNU sources only.
    private static let newSession = Int16(0x80)

    private let terminal: Int32
    private var process: pid_t = 0
    private var status: Int32?
    /// Everything that the terminal has shown.
    private(set) var screen = ""
    private var pending: [UInt8] = []

    /// Starts `penstock` in a folder, or in the one of the tests.
    ///
    /// - Parameter columns: The terminal's width.
    init(
        _ arguments: [String], in folder: String? = nil, environment: [String: String], columns: UInt16 = 80
    ) throws {
        terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (zero, index) = (Int32(0), Int32(0))
        try #require(terminal >= 0 && ioctl(terminal, Self.unlock, &zero) == 0)
        var size = winsize(ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(terminal, Self.number, &index) == 0 && ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The leader of a new session gets the first terminal that it opens as its own.
        for descriptor in Int32(0)...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/pts/\(index)", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Self.newSession | Int16(POSIX_SPAWN_SETSIGMASK))
        let line = (folder.map { ["/usr/bin/env", "-C", $0] } ?? []) + [Program.penstock] + arguments
        var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
        let variables = Program.environment(["TERM": "xterm"].merging(environment) { $1 })
        var pairs: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + pairs).forEach { free($0) } }
        try #require(posix_spawn(&process, line[0], &actions, &attributes, &words, &pairs) == 0)
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        close(terminal)
    }

    /// Its process id.
    var id: Int32 { process }

    /// Whether the terminal shows what is typed.
    var isEchoing: Bool {
        var settings = termios()
        return tcgetattr(terminal, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Waits until the terminal shows a text, once more than before; no longer than ``Program/patience``.
    func expect(_ text: String, after start: String.Index? = nil) throws {
        let deadline = ContinuousClock.now + .seconds(Program.patience)
        while !screen[(start ?? screen.startIndex)...].contains(text) {
            let isOpen = look()
            try #require(isOpen && ContinuousClock.now < deadline, "\(text) is not shown:\n\(screen)")
        }
    }

    /// Waits until the last line that the terminal shows asks this, then types a line.
    func answer(_ question: String, _ line: String) throws {
        try wait(for: question)
        answered = text.count
        type(line + "\n")
    }

    /// Waits until the last line that the terminal shows asks this, once more than was answered.
    func wait(for question: String) throws {
        let deadline = ContinuousClock.now + .seconds(Program.patience)
        while true {
            let last = text.dropFirst(answered).split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
            if last.contains(question), last.hasSuffix(": ") { return }
            let isOpen = look()
            try #require(isOpen && ContinuousClock.now < deadline, "\(question) is not asked:\n\(screen)")
        }
    }

    /// Everything that the terminal has shown, with plain ends of lines.
    var text: String { screen.replacingOccurrences(of: "\r\n", with: "\n") }

    /// How long the text was when the last answer was typed.
    private var answered = 0

    /// Types.
    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(terminal, bytes, bytes.count)
    }

    /// Waits for its end and returns its exit code.
    func end() throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(Program.patience)
        while true {
            let isOpen = look()
            var found: Int32 = 0
            if waitpid(process, &found, WNOHANG) == process {
                status = found
                while look() {}
                return found & 0x7F == 0 ? found >> 8 & 0xFF : -(found & 0x7F)
            }
            try #require(ContinuousClock.now < deadline, "it does not end:\n\(screen)")
            if !isOpen { usleep(2_000) }
        }
    }

    /// Reads what has come; returns false where the other side is closed, or nothing has come and the program ended.
    private func look() -> Bool {
        var end = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        guard poll(&end, 1, 50) > 0 else { return status == nil }
        var piece = [UInt8](repeating: 0, count: 4_096)
        let count = read(terminal, &piece, piece.count)
        guard count > 0 else { return false }
        pending += piece[..<count]
        // A character may be cut in the middle.
        if let whole = String(validating: pending, as: UTF8.self) {
            screen += whole
            pending = []
        }
        return true
    }
}

extension TemporaryProject {
    /// Starts `penstock` in the project's folder, on a terminal.
    func terminal(
        _ arguments: String..., columns: UInt16 = 80, environment more: [String: String] = [:]
    ) throws -> TerminalProgram {
        try TerminalProgram(
            arguments, in: folder, environment: variables.merging(more) { $1 }, columns: columns)
    }
}

/// One HTTP request on a connection of its own.
enum PlainHTTP {
    /// Sends a request to an address `http://127.0.0.1:PORT/…` and returns status, `Location` and the whole text.
    static func send(
        _ method: String, _ address: String, form: String = ""
    ) throws -> (status: Int, location: String, text: String) {
        let rest = try #require(address.hasPrefix("http://") ? address.dropFirst(7) : nil)
        let authority = rest.prefix { $0 != "/" }
        let port = try #require(UInt16(authority.split(separator: ":").last ?? ""))
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = port.bigEndian
        target.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let isOpen = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isOpen, "nobody listens at \(authority)")
        let text =
            "\(method) \(rest.dropFirst(authority.count)) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n"
            + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(form.utf8.count)\r\n\r\n" + form
        let bytes = Array(text.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { break }
            answer += piece[..<count]
        }
        let whole = String(decoding: answer, as: UTF8.self)
        let lines = whole.split(separator: "\r\n")
        let location = lines.first { $0.lowercased().hasPrefix("location: ") }.map { String($0.dropFirst(10)) }
        let status = Int(lines.first?.split(separator: " ").dropFirst().first ?? "") ?? 0
        return (status, location ?? "", whole)
    }
}
