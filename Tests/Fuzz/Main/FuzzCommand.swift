// SPDX-License-Identifier: Apache-2.0

import CFuzzDriver
import FuzzTargets
import Glibc

/// Searches one target with libFuzzer.
enum FuzzCommand {
    // Set once before the search starts, which is in one thread.
    private nonisolated(unsafe) static var target: FuzzTarget?
    private nonisolated(unsafe) static var isPlanted = false

    /// Runs until the options of libFuzzer say stop; never returns.
    static func run() -> Never {
        var arguments = CommandLine.arguments
        let name = arguments.count > 1 ? arguments.remove(at: 1) : ""
        if name == "--list" {
            for target in FuzzTarget.all { print(target.name) }
            exit(0)
        }
        target = FuzzTarget.all.first { $0.name == name }
        guard target != nil else {
            print(
                "error: there is no target \"\(name)\"; there are \(FuzzTarget.all.map(\.name).joined(separator: ", "))"
            )
            exit(64)
        }
        if arguments.count > 1, arguments[1] == "--dictionary" { printDictionary() }
        if arguments.count > 1, arguments[1] == "--planted" {
            isPlanted = true
            arguments.remove(at: 1)
        }
        var count = Int32(arguments.count)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let status = words.withUnsafeMutableBufferPointer { words in
            var start = words.baseAddress
            return LLVMFuzzerRunDriver(&count, &start) { data, size in
                FuzzCommand.one([UInt8](UnsafeBufferPointer(start: data, count: size)))
            }
        }
        exit(status)
    }

    /// Prints the target's pieces as libFuzzer's `-dict` takes them; never returns.
    private static func printDictionary() -> Never {
        for piece in target?.pieces ?? [] {
            let bytes = piece.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            print("\"\(bytes.joined())\"")
        }
        exit(0)
    }

    private static func one(_ input: [UInt8]) -> Int32 {
        guard let target, let fault = target.fault(input, isPlanted) else { return 0 }
        let text = "fault: \(target.name): \(fault)\n"
        write(2, text, text.utf8.count)
        abort()
    }
}
