// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The three standard streams, and what is known of them.
enum Terminal {
    /// Writes to standard output.
    ///
    /// A closed pipe ends the program quietly, as `head` expects.
    static func write(_ text: String) { write(text, to: 1) }

    /// Writes to standard error.
    static func writeError(_ text: String) { write(text, to: 2) }

    /// Whether standard output is a terminal.
    static var outputIsTerminal: Bool { isatty(1) == 1 }

    /// Whether standard error is a terminal that can redraw a line.
    static var errorIsTerminal: Bool {
        isatty(2) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// Whether somebody can answer a question.
    static var inputIsTerminal: Bool { isatty(0) == 1 }

    /// Whether the locale's characters are UTF-8.
    static var isUTF8: Bool {
        let environment = ProcessInfo.processInfo.environment
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        return locale.lowercased().replacingOccurrences(of: "-", with: "").contains("utf8")
    }

    /// The width of the terminal behind standard output or error, in columns; 80 where there is none.
    static var width: Int {
        var size = winsize()
        for stream in [Int32(1), 2] where ioctl(stream, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
            return Int(size.ws_col)
        }
        return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init) ?? 80
    }

    /// Reads a line from standard input, without its newline; nil at its end, and where the program is told to stop.
    ///
    /// - Parameter whileWaiting: Called several times a second until there is an answer.
    static func readAnswer(whileWaiting: () -> Void = {}) -> String? {
        // A terminal hands out one line at a time, so nothing waits unseen in a buffer.
        while inputIsTerminal {
            if Interruption.exitCode != nil { return nil }
            whileWaiting()
            var end = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            if poll(&end, 1, 100) > 0 { break }
        }
        return readLine(strippingNewline: true)
    }

    private static func write(_ text: String, to stream: Int32) {
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let count =
                rest.withContiguousStorageIfAvailable { Foundation.write(stream, $0.baseAddress, $0.count) } ?? -1
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                if stream == 1 { exit(errno == EPIPE ? 0 : ExitCode.cannotWrite.rawValue) }
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}
