// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockHost
import PenstockModel
import PenstockProcess
import PenstockProject

/// `penstock demo`.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "A file becomes records of a sandbox: plan, run, plan again.",
        discussion: """
            Everything happens on this machine; no account is needed and nothing leaves it.

            Example: penstock demo --dir penstock-demo --serve
            """)

    @OptionGroup var options: GlobalOptions

    @Option(name: .long, help: "Where the demo project is written.")
    var dir = "penstock-demo"

    @Flag(name: .long, help: "Keep the sandbox running afterwards, until Ctrl-C.")
    var serve = false

    func run() throws {
        let folder = URL(fileURLWithPath: dir, relativeTo: URL(fileURLWithPath: options.startFolder + "/"))
            .standardizedFileURL.path
        let before = DemoFolder(folder)
        let sandbox = try SandboxChild(
            program: try SandboxProgram.find(nil), arguments: ["demo", "--dir", folder])
        defer { sandbox.stop() }
        try before.release()
        guard !options.isMachineReadable else { return try writeDocument(folder, sandbox.address) }
        Terminal.write(
            "Penstock \(Version.text) demo: a file → a sandbox on \(sandbox.address) (no account, nothing leaves this machine)\n\n"
        )
        Terminal.write("1. Project   \(dir)\n\n2. Plan      penstock plan\n\n")
        try step(PlanCommand.self, folder)
        Terminal.write("3. Run       penstock run\n\n")
        try step(RunCommand.self, folder)
        Terminal.write("4. Plan again: nothing is left to do\n\n")
        try step(PlanCommand.self, folder, ["--diff", "0"])
        try step(SyncRejects.self, folder)
        Terminal.write(
            """

            Look around:
              cd \(dir) && cat syncs/*.yml          the sync
              penstock sandbox demo --dir \(dir)    start the sandbox again, then: penstock plan
            With your own data:
              penstock init

            """)
        if serve {
            Terminal.write("\nThe sandbox serves \(sandbox.address) until Ctrl-C.\n")
            while !Interruption.cancellation.wait(milliseconds: 3_600_000) {}
        }
    }

    /// The same steps, each by a program of its own, as one document.
    private func writeDocument(_ folder: String, _ address: String) throws {
        func document(_ command: String) throws -> JSON {
            let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
            do {
                let (output, _) = try ProgramStart([program, "-C", folder, command, "--json"]).printed()
                return try JSON(parsing: output)["data"] ?? .null
            } catch {
                throw CommandFailure(.fault, code: "internal", "penstock \(command) gave no document")
            }
        }
        var data: JSONObject = ["project": .string(folder), "sandbox": .string(address)]
        data["plan"] = try document("plan")
        data["run"] = try document("run")
        data["plan_again"] = try document("plan")
        Terminal.write(Document(kind: "demo", data: .object(data)).text(options.format))
    }

    private func step<C: ParsableCommand>(_ command: C.Type, _ folder: String, _ more: [String] = []) throws {
        var step = try C.parse(["-C", folder, "--output", "table"] + more)
        try step.run()
    }

    /// The rejects of every sync.
    private struct SyncRejects: ParsableCommand {
        @OptionGroup var options: GlobalOptions

        func run() throws {
            let workspace = Workspace(options)
            for sync in try workspace.loadProject(resolves: false).project.syncs {
                Terminal.write("5. What did not make it   penstock reject show \(sync.name)\n\n")
                let show = try RejectCommand.Show.parse(["-C", options.startFolder, "--output", "table", sync.name])
                try show.run()
            }
        }
    }
}

/// A sandbox that runs as a child process.
final class SandboxChild {
    private let process: pid_t
    private let output: Int32

    /// Where it listens.
    let address: String

    /// Starts the sandbox and waits until it listens.
    ///
    /// - Throws: ``CommandFailure`` where it does not.
    init(program: String, arguments: [String]) throws {
        do {
            var start = ProgramStart([program] + arguments)
            // Ctrl-C asks a run to stop, which still needs its answers.
            start.hasOwnGroup = true
            start.isClosed = true
            (process, output) = try start.startPrinting()
        } catch {
            throw CommandFailure(.fault, code: "sandbox", "\(program) cannot be started: \(error.cause)")
        }
        guard let found = Self.line(output).split(separator: " ").last, found.hasPrefix("http") else {
            Self.stop(process, output)
            throw CommandFailure(.fault, code: "sandbox", "the sandbox ended before it listened")
        }
        address = String(found)
    }

    /// The first line that it prints; what was printed where it ends before.
    private static func line(_ output: Int32) -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(output, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count > 0, byte != UInt8(ascii: "\n") else { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
    }

    /// Stops it.
    func stop() { Self.stop(process, output) }

    private static func stop(_ process: pid_t, _ output: Int32) {
        kill(process, SIGTERM)
        ProgramStart.end(of: process)
        close(output)
    }
}
