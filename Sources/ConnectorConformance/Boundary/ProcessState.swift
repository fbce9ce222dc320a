// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a connector must leave alone in a process that it shares.
struct ProcessState: Equatable {
    private var parts: [String: String] = [:]

    /// The state of this process now.
    static func now() -> ProcessState {
        var state = ProcessState()
        for number in 1..<Int32(65) where number != SIGKILL && number != SIGSTOP {
            var action = sigaction()
            guard sigaction(number, nil, &action) == 0 else { continue }
            state.parts["what signal \(number) does"] = withUnsafeBytes(of: &action.__sigaction_handler) { bytes in
                bytes.map { String($0, radix: 16) }.joined()
            }
        }
        var mask = sigset_t()
        pthread_sigmask(SIG_SETMASK, nil, &mask)
        state.parts["the signal mask"] = (1..<Int32(32)).map { String(sigismember(&mask, $0)) }.joined()
        state.parts["the locale"] = setlocale(LC_ALL, nil).map { String(cString: $0) } ?? ""
        state.parts["the working folder"] = FileManager.default.currentDirectoryPath
        state.parts["the umask"] = field("Umask", of: "/proc/self/status")
        for (name, value) in ProcessInfo.processInfo.environment { state.parts["the variable \(name)"] = value }
        return state
    }

    /// What is different in `other`.
    func differences(to other: ProcessState) -> [String] {
        Set(parts.keys).union(other.parts.keys).sorted().compactMap { name in
            parts[name] == other.parts[name] ? nil : "\(name) is another than before"
        }
    }

    /// The value of a line of a file below `/proc`; empty where it is not there.
    private static func field(_ name: String, of path: String) -> String {
        // A thread may end while its file is being read.
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line?.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) ?? ""
    }

    /// The ids of this process's threads.
    static var threads: Set<String> {
        // The folder is always there on Linux.
        Set((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? [])
    }

    /// What the open descriptors of this process refer to, by number.
    static var descriptors: [String: String] {
        var found: [String: String] = [:]
        // The folder is always there on Linux; a descriptor may be closed meanwhile.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            found[name] = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)) ?? nil
        }
        return found
    }

    /// The signals from 1 to 31 that a thread lets through, though it must block all but the synchronous ones.
    static func unblockedSignals(ofThread id: String) -> [Int] {
        guard let mask = UInt64(field("SigBlk", of: "/proc/self/task/\(id)/status"), radix: 16) else { return [] }
        let exempt: Set<Int> = [
            Int(SIGKILL), Int(SIGSTOP), Int(SIGSEGV), Int(SIGBUS), Int(SIGFPE), Int(SIGILL), Int(SIGTRAP), Int(SIGABRT),
            Int(SIGSYS),
        ]
        return (1...31).filter { !exempt.contains($0) && mask >> UInt64($0 - 1) & 1 == 0 }
    }

    /// The name of a thread.
    static func name(ofThread id: String) -> String { field("Name", of: "/proc/self/task/\(id)/status") }
}
