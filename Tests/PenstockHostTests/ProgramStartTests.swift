// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockProcess
import Testing

/// Programs that are started have what they are given, and nothing of what this process needs for itself.
@Suite struct ProgramStartTests {
    private func shell(_ script: String) -> ProgramStart { ProgramStart(["/bin/sh", "-c", script]) }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("Signals that are blocked or ignored here end a program all the same", arguments: [SIGTERM, SIGPIPE])
    func signals(number: Int32) throws {
        var blocked = sigset_t()
        var before = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, number)
        #expect(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let (output, status) = try shell("kill -\(number) $$; echo alive").printed()
        #expect(output.isEmpty && status & 0x7F == number, "it ended with \(status): \(text(output))")
    }

    @Test func standardDescriptorsAreWhatIsSaid() throws {
        var program = shell("cat; echo said >&2; echo done")
        program.input = .nothing
        program.errors = .nothing
        let (output, status) = try program.printed()
        #expect(text(output) == "done\n" && status == 0)
    }

    @Test func nothingElseIsOpenWhereThatIsAsked() throws {
        // Without the flag it is closed by itself.
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        var program = shell("ls /proc/$$/fd")
        #expect(try text(program.printed().output).split(separator: "\n").contains("\(file)"))
        program.isClosed = true
        #expect(try !text(program.printed().output).split(separator: "\n").contains("\(file)"))
        program.fourth = file
        #expect(try text(program.printed().output).split(separator: "\n").contains("3"))
    }

    @Test func variablesAndTheGroupAreWhatIsSaid() throws {
        var program = shell("echo $WORD; ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; echo $$")
        program.environment = ["WORD": "a word", "PATH": "/usr/bin:/bin"]
        program.hasOwnGroup = true
        let lines = try text(program.printed().output).split(separator: "\n").map { $0.filter { $0 != " " } }
        #expect(lines.first == "aword")
        #expect(lines.count == 3 && lines[1] == lines[2], "it leads its group: \(lines)")
    }

    @Test func aProgramThatIsNotThereIsNamed() {
        let failure = #expect(throws: ProgramStart.Failure.self) { try ProgramStart(["/nowhere/at-all"]).start() }
        #expect(failure?.reason == "/nowhere/at-all cannot be started: No such file or directory")
        var searched = ProgramStart(["penstock-no-such-program"])
        searched.isSearched = true
        #expect(throws: ProgramStart.Failure.self) { try searched.start() }
    }
}
