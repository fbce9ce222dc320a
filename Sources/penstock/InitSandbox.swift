// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProcess

/// A sandbox in the place of an account, while a project is begun.
final class InitSandbox {
    /// The connector that it belongs to.
    let connector: String
    /// Where it listens.
    private(set) var address: String
    private let port: Int
    private let program: String
    private let isOnly: Bool
    private var child: SandboxChild?

    /// The sandbox of one of these connectors; nil where none has one.
    ///
    /// - Parameter port: Where one is looked for, and started; 0 starts one on a free port.
    init?(of connectors: [String], named name: String?, port: Int) {
        let all = SandboxProgram.all()
        guard let found = all.first(where: { connectors.contains($0.name) && (name == nil || name == $0.name) })
        else { return nil }
        (connector, program, self.port) = (found.name, found.path, port)
        address = "http://127.0.0.1:\(port)"
        isOnly = all.allSatisfy { $0.name == found.name }
    }

    /// The command that starts it, for a person.
    var command: String {
        let port = address.split(separator: ":").last ?? ""
        return "penstock sandbox \(isOnly ? "" : connector + " ")--port \(port)"
    }

    /// The settings with which the connector finds it, as the sandbox itself says.
    ///
    /// - Throws: ``CommandFailure`` where it says nothing of use.
    func settings() throws -> JSONObject {
        var start = ProgramStart([program, "settings", "--base-url", address])
        start.input = .nothing
        do {
            let (output, status) = try start.printed()
            if status == 0, let found = try JSON(parsing: output).objectValue { return found }
        } catch {
            // Said below.
        }
        throw CommandFailure(.fault, code: "sandbox", "\(program) does not say how it is reached")
    }

    /// Starts it, for as long as this process lives.
    ///
    /// - Throws: ``CommandFailure`` where it does not listen.
    func start() throws {
        guard child == nil else { return }
        let started = try SandboxChild(program: program, arguments: ["--port", "\(port)"])
        child = started
        address = started.address
    }

    /// Stops it, where it was started here.
    func stop() {
        child?.stop()
        child = nil
    }
}
