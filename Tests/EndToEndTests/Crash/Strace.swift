// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `strace`, which stops a program at a system call, or makes one fail.
enum Strace {
    /// Why it cannot be used here, or nil.
    static let obstacle: String? = {
        guard let path = find() else { return "strace is not installed" }
        // Only whether it works counts.
        let result = try? Program.run(["-qq", "-o", "/dev/null", "/bin/true"], in: "/", program: path, seconds: 30)
        return result?.status == 0 ? nil : "this machine does not let programs be traced"
    }()

    /// Whether it can be used here.
    static var isUsable: Bool { obstacle == nil }

    private static func find() -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/strace" }.first(where: FileManager.default.isExecutableFile)
    }

    /// The program, for tests that run only where it can be used.
    static var program: String { find() ?? "strace" }

    /// How often each system call is made, by the thread that makes it most often: strace counts by thread.
    static func calls(in log: String) throws -> [String: Int] {
        var counts: [String: [Substring: Int]] = [:]
        for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
            // The number of the thread, filled up with spaces, and the call.
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 1, let end = words[1].firstIndex(of: "("), words[1].first?.isLetter == true else {
                continue
            }
            counts[String(words[1][..<end]), default: [:]][words[0], default: 0] += 1
        }
        return counts.compactMapValues { $0.values.max() }
    }
}

/// A fault at one system call of a program.
struct CrashPoint: Sendable, CustomStringConvertible {
    /// What happens there.
    enum Fault: Sendable, Hashable {
        /// The process is killed before the call.
        case kill
        /// The call fails with this error.
        case fails(String)
        /// The call and all after it fail with this error.
        case failsForEver(String)
    }

    /// The system call.
    var call: String
    /// Which of the calls of one thread, from 1.
    var number: Int
    /// What happens.
    var fault: Fault

    /// The arguments of strace.
    var arguments: [String] {
        let what =
            switch fault {
            case .kill: "signal=KILL:when=\(number)"
            case .fails(let error): "error=\(error):when=\(number)"
            case .failsForEver(let error): "error=\(error):when=\(number)+"
            }
        return ["-f", "-qq", "-e", "trace=\(call)", "-e", "signal=none", "-e", "inject=\(call):\(what)"]
    }

    var description: String {
        switch fault {
        case .kill: "killed at \(call) \(number)"
        case .fails(let error): "\(error) at \(call) \(number)"
        case .failsForEver(let error): "\(error) at \(call) from \(number) on"
        }
    }
}

/// A sequence of numbers that one number decides, so that a sample can be had again.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
