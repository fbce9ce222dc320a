// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockProject
import Testing

@Suite struct SyncDraftTests {
    @Test(
        "A line of the map is read from what it is written as",
        arguments: [
            "name=company", "a=b=c", "\"a=b\"=c", "\"\\\"x\\\" y\"=c", "Segment={from: s, option: label}",
            "x={from: \"{y}\"}", "\"a=\u{338}b\\\"\u{301}\"=\u{301}c",
        ])
    func mapArguments(argument: String) throws {
        let entry = try SyncDraft.Entry(argument: argument)
        #expect(try SyncDraft.Entry(argument: entry.argument).argument == entry.argument)
        #expect(entry.argument == argument)
    }

    @Test(arguments: ["", "=", "name", "name=", "=company", "\"name=company", "x={from: }}", "x={", "\"\"=a"])
    func wrongMapArguments(argument: String) {
        #expect(throws: YAMLEditProblem.self) { try SyncDraft.Entry(argument: argument) }
    }

    @Test(
        "A shell reads a word as it was meant",
        arguments: [
            "plain", "a b", "it's", "$HOME", "\"q\"", "`x`", "", "-x", "*", "会社", "a\nb", "!x", "~", "a;b",
            "{value: 3}", "🎈", "\\", "x'\u{301}; echo y", "'\u{200D}'",
        ])
    func quoting(word: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "printf '%s' \(ShellText.quoted(word))"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(String(decoding: data, as: UTF8.self) == word)
    }

    @Test func aCommandIsBrokenBetweenOptionsAndNotWithin() {
        let words = ["penstock", "sync", "new", "x", "--map", "a=b", "--title", "two words", "--every", "1h"]
        let text = ShellText.command(words, width: 40, indent: 4)
        #expect(
            text == "penstock sync new x --map a=b \\\n    --title 'two words' --every 1h")
    }

    @Test func aScheduleSaysWhatIsWrongWithIt() {
        #expect(SyncDraft.Schedule.cron("15 6 * * MON-FRI").problem(zone: "Europe/Berlin") == nil)
        #expect(SyncDraft.Schedule.cron("99 6 * * *").problem(zone: nil)?.option == "--cron")
        #expect(SyncDraft.Schedule.every("soon", start: nil).problem(zone: nil)?.option == "--every")
        #expect(SyncDraft.Schedule.every("1h", start: "2026-12-01T06:00Z").problem(zone: nil)?.option == "--start-at")
        #expect(SyncDraft.Schedule.every("1h", start: nil).problem(zone: "Mars/Base")?.option == "--timezone")
    }
}
