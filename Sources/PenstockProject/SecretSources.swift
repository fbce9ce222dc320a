// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import Synchronization

/// Where references find secrets besides variables and plain files: what opens sealed files and runs programs.
package struct SecretSources: Sendable {
    /// Why there is no value.
    package struct Problem: Error {
        /// One clause without a full stop; never holds a secret.
        package var reason: String
        /// What to try.
        package var notes: [String]

        /// A problem.
        package init(_ reason: String, notes: [String] = []) {
            self.reason = reason
            self.notes = notes
        }
    }

    /// Opens a sealed file of the user's credentials; returns nil for a plain one.
    package typealias Opening = @Sendable (_ name: String, _ file: [UInt8]) throws(Problem) -> String?
    /// Tells a sealed file from a plain one.
    package typealias Telling = @Sendable (_ file: [UInt8]) -> Bool
    /// Runs a program and returns what it printed.
    package typealias Running = @Sendable (_ words: [String]) throws(Problem) -> String

    /// What commands have printed, so that each runs once.
    private final class Memory: Sendable {
        let printed = Mutex<[String: Result<String, Problem>]>([:])
    }

    let open: Opening
    let isSealed: Telling
    /// Credentials that are not stored yet, by name.
    package var pending: [String: Secret] = [:]
    private var command: Running?
    /// Whether programs are left alone, allowed or not.
    private(set) var leavesCommands = false
    private let memory = Memory()

    /// No sealed files, no programs.
    package init() {
        open = { _, _ in nil }
        isSealed = { _ in false }
        command = nil
    }

    /// Sources of a user.
    ///
    /// - Parameter command: Nil where programs are not allowed to run.
    package init(open: @escaping Opening, isSealed: @escaping Telling, command: Running?) {
        self.open = open
        self.isSealed = isSealed
        self.command = command
    }

    /// The same, with every program left alone.
    var withoutCommands: SecretSources {
        var result = self
        result.command = nil
        result.leavesCommands = true
        return result
    }

    /// Whether programs may run.
    var runsCommands: Bool { command != nil }

    /// What a command prints; it runs once in the life of these sources.
    func printed(by text: String) throws(Problem) -> String {
        guard let command, let words = CommandWords.split(text) else { throw Problem("programs may not run") }
        if let known = memory.printed.withLock({ $0[text] }) { return try known.get() }
        let result: Result<String, Problem>
        do throws(Problem) {
            result = .success(try command(words))
        } catch {
            result = .failure(error)
        }
        memory.printed.withLock { $0[text] = result }
        return try result.get()
    }
}
