// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProcess
import PenstockProject

/// The options of everything that logs in in a browser.
struct LoginOptions: ParsableArguments {
    @Flag(name: .long, help: "Do not open a browser; the address is printed in any case.")
    var noBrowser = false

    @Option(name: .long, help: "The port on 127.0.0.1 to which the browser comes back; 0 takes a free one.")
    var port: Int?

    @Option(name: .long, help: "Another registered callback URL; its address is then pasted here.")
    var redirectUrl: String?

    @Option(name: .long, help: "How many seconds to wait for the answer.")
    var timeout = 300

    func validate() throws {
        guard (1...3_600).contains(timeout) else { throw ValidationError("--timeout is from 1 to 3600 seconds.") }
        guard port.map({ (0...65_535).contains($0) }) ?? true else {
            throw ValidationError("--port is a number from 0 to 65535.")
        }
        guard port == nil || redirectUrl == nil else {
            throw ValidationError("--port and --redirect-url exclude each other.")
        }
    }
}

/// Sends a person to an authorization server and waits for the one answer.
struct LoginFlow {
    /// Who is to log in where.
    struct Subject {
        /// The connection's name.
        var name: String
        /// Its connector.
        var connector: any Connector
        /// How its login goes.
        var login: BrowserLogin
        /// Its settings, without what the login gives.
        var settings: ResolvedSettings
    }

    /// What has come of waiting.
    private enum Outcome {
        case code(String)
        case refused(String)
    }

    private let workspace: Workspace
    private let options: LoginOptions

    init(_ workspace: Workspace, _ options: LoginOptions) {
        self.workspace = workspace
        self.options = options
    }

    /// Asks for a code and has the connector exchange it.
    ///
    /// - Parameter keep: Keeps the credential, before it is used for anything.
    /// - Returns: What the connector says of the connection, with the new credential.
    func run(
        _ subject: Subject, keep: @escaping LoginHost.Keeping
    ) throws -> (report: CheckReport, hasKept: Bool) {
        let server = try authorizeURL(subject)
        let listener = try listener(subject)
        let redirect = options.redirectUrl ?? "http://127.0.0.1:\(listener?.port ?? 0)\(LoopbackListener.path)"
        let request = try SecretKeeper.reporting(subject.name) { () throws(ConnectorError) in
            try LoginRequest(redirectURI: redirect, usesPKCE: usesPKCE(subject))
        }
        let clientID = subject.settings.settings[subject.login.clientIDSetting]?.stringValue ?? ""
        let address = request.address(authorizeURL: server, clientID: clientID, scope: subject.login.scope)
        announce(address, redirect, listener)
        switch try answer(to: request, listener) {
        case .refused(let word):
            throw CommandFailure(
                .permission, code: "login-refused", "the login was refused (\(word)); nothing was changed",
                notes: ["to try again: penstock connection login \(subject.name)"])
        case .code(let code):
            let side = try workspace.side(subject.name, subject.connector, subject.settings)
            side.redactor.learn([Secret(code)] + request.secrets)
            return try ConnectionCalls.login(
                side, subject.connector, request.settings(code: code), workspace, keep: keep)
        }
    }

    private func usesPKCE(_ subject: Subject) -> Bool {
        let setting = subject.login.pkceSetting
        return setting.isEmpty || subject.settings.settings[setting]?.boolValue ?? false
    }

    private func authorizeURL(_ subject: Subject) throws -> String {
        let written = subject.settings.settings[subject.login.authorizeURLSetting]?.stringValue
        let address = written ?? subject.login.authorizeURL
        let isPlain = LoginRequest.isLoopback(address)
        let isClean = address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        guard isClean, address.hasPrefix("https://") || isPlain, !address.contains("#") else {
            throw CommandFailure(
                .config, code: "login-address", "the address of the login page must start with https://",
                notes: ["setting: \(subject.login.authorizeURLSetting)"])
        }
        return address
    }

    private func listener(_ subject: Subject) throws -> LoopbackListener? {
        if options.redirectUrl != nil { return nil }
        do throws(LoopbackListener.Problem) {
            return try LoopbackListener(port: options.port ?? subject.login.port ?? 0)
        } catch {
            throw CommandFailure(
                .unavailable, code: "login-port", error.reason,
                notes: error.isInUse
                    ? [
                        "another program listens there; --port takes another one, if that is a callback URL of the app"
                    ]
                    : [])
        }
    }

    /// Whether the address may be pasted beside a listener: from a terminal, or from a pipe, as with `ssh`.
    private var readsInput: Bool { !workspace.options.noInput }

    private func announce(_ address: String, _ redirect: String, _ listener: LoopbackListener?) {
        Terminal.writeError("Open this address, and allow the access:\n\n  \(address)\n\n")
        if listener != nil {
            Terminal.writeError("Waiting for the browser at \(redirect), for \(options.timeout) s.\n")
            if readsInput {
                Terminal.writeError("Where it is on another machine, paste the address here that it ends at.\n")
            }
        } else {
            Terminal.writeError("Paste the address here that the browser ends at:\n")
        }
        if !options.noBrowser, Terminal.errorIsTerminal { openBrowser(address) }
    }

    private func openBrowser(_ address: String) {
        let environment = workspace.environment
        let program =
            environment["BROWSER"]
            ?? (environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil ? "xdg-open" : nil)
        guard let program, !program.isEmpty else { return }
        var start = ProgramStart([program, address])
        start.isSearched = true
        start.input = .nothing
        start.output = .nothing
        start.errors = .nothing
        // It may stay as the browser, which Ctrl-C here must not end.
        start.hasOwnGroup = true
        start.isClosed = true
        // The address was printed; a browser that does not start changes nothing.
        guard let browser = try? start.start() else { return }
        // Whoever opens a page ends soon, or stays as the browser.
        Thread.detachNewThread { ProgramStart.end(of: browser) }
    }

    /// Waits for the first answer that belongs to the request, from the browser or from a person who pastes it.
    private func answer(to request: LoginRequest, _ listener: LoopbackListener?) throws -> Outcome {
        let end = ContinuousClock.now + .seconds(options.timeout)
        let readsInput = readsInput || listener == nil
        var typed = TypedLines()
        var outcome: Outcome?
        var strangers = 0
        while outcome == nil {
            if Interruption.exitCode != nil { throw Prompt.aborted("") }
            guard ContinuousClock.now < end else { throw timedOut(strangers) }
            let input: Int32? = readsInput && !typed.isOver ? 0 : nil
            if input == nil, listener == nil { throw Prompt.aborted("nothing was changed") }
            let hasInput =
                listener?.wait(milliseconds: 200, input: input) { target in
                    // One answer is taken, whatever comes in the same moment.
                    guard outcome == nil else { return (400, "The answer was given already.") }
                    let (found, page) = Self.page(request.answer(in: target))
                    outcome = found
                    if page.status == 400, found == nil {
                        strangers += 1
                        Terminal.writeError(
                            "warning[login-state]: an answer that belongs to no login of this command was refused\n")
                    }
                    return page
                } ?? Self.hasInput()
            guard outcome == nil, hasInput, let line = typed.next() else { continue }
            outcome = try pasted(line, request)
        }
        guard let outcome else { throw timedOut(strangers) }
        return outcome
    }

    private static func hasInput() -> Bool {
        var end = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return poll(&end, 1, 200) > 0
    }

    private static func page(_ answer: LoginRequest.Answer) -> (Outcome?, (status: Int, text: String)) {
        switch answer {
        case .code(let code): (.code(code), (200, "Penstock has the answer. You can close this window."))
        case .refused(let word): (.refused(word), (200, "The access was not allowed. You can close this window."))
        case .otherState: (nil, (400, "This answer belongs to another login. Start again from the terminal."))
        case .none: (nil, (400, "This is no answer to a login."))
        }
    }

    private func pasted(_ line: String, _ request: LoginRequest) throws -> Outcome? {
        // Copied from a shell or a mail, it comes in quotes or brackets.
        let line = line.trimmingCharacters(in: .whitespaces.union(CharacterSet(charactersIn: "'\"<>")))
        if line.isEmpty { return nil }
        switch request.answer(in: line) {
        case .code(let code): return .code(code)
        case .refused(let word): return .refused(word)
        case .otherState:
            throw CommandFailure(
                .permission, code: "login-state", "this address belongs to another login; nothing was changed",
                notes: ["its state is not the one of the address above; start again"])
        case .none:
            Terminal.writeError("  this is not it: the address holds code=… and state=…; paste all of it\n")
            return nil
        }
    }

    private func timedOut(_ strangers: Int) -> CommandFailure {
        CommandFailure(
            .unavailable, code: "login-timeout",
            "there was no answer within \(options.timeout) s; nothing was changed",
            notes: strangers == 0
                ? ["--timeout waits longer"] : ["\(strangers) answers of other logins were refused meanwhile"])
    }
}

/// The lines that a person types, as they come.
private struct TypedLines {
    private var bytes: [UInt8] = []
    /// Whether the input has ended.
    private(set) var isOver = false

    /// Reads what is there; returns a line once it is whole, or the rest at the end.
    mutating func next() -> String? {
        var piece = [UInt8](repeating: 0, count: 4_096)
        let count = read(0, &piece, piece.count)
        if count > 0 { bytes += piece[..<count] } else { isOver = true }
        guard let end = bytes.firstIndex(of: 0x0A) ?? (isOver && !bytes.isEmpty ? bytes.endIndex : nil) else {
            return nil
        }
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        bytes = Array(bytes[end...].dropFirst())
        return line
    }
}
