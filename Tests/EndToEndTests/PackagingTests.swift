// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// What an installation consists of: programs, runtime, completions, manual pages, units, licences.
@Suite final class PackagingTests {
    private let folder = TemporaryProject.scratchFile()
    private let source = ExampleConnector.package.path

    deinit {
        // A folder that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func run(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) throws
        -> ProgramResult
    {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try Program.run(
            [program] + arguments, in: "/", environment: ["PATH": path].merging(environment) { $1 },
            program: "/usr/bin/env")
    }

    @Test("Everything that belongs to an installation is staged, and the program runs from there")
    func stages() throws {
        let build = URL(fileURLWithPath: Program.penstock).deletingLastPathComponent().path
        let staged = try run(
            source + "/Sources/Packaging/stage", [build, folder, "/usr"],
            ["STRIP": "0", "SOURCE_DATE_EPOCH": "1790000000", "UNITS": "/lib/systemd/system"])
        try #require(staged.status == 0, "\(staged.everything)")
        let share = folder + "/usr/share"
        for file in [
            "/usr/bin/penstock", "/usr/lib/penstock/libswiftCore.so", "/usr/lib/penstock/libFoundation.so",
            "/usr/lib/penstock/connectors/libpenstock-csv.so",
            "/usr/lib/penstock/connectors/penstock-sandbox-pipedrive",
            "/usr/share/bash-completion/completions/penstock", "/usr/share/zsh/vendor-completions/_penstock",
            "/usr/share/fish/vendor_completions.d/penstock.fish", "/usr/share/man/man1/penstock-model-new.1.gz",
            "/lib/systemd/system/penstock@.service", "/lib/systemd/system/penstock@.timer",
            "/usr/share/doc/penstock/README.md", "/usr/share/doc/penstock/how-to/install.md",
            "/usr/share/doc/penstock/licenses/swift-runtime-LICENSE.txt",
            "/usr/share/doc/penstock/licenses/icu-LICENSE.txt",
            "/usr/share/doc/penstock/licenses/xxhash-LICENSE.txt",
        ] {
            #expect(FileManager.default.fileExists(atPath: folder + file), "\(file)")
        }
        let libraries = try FileManager.default.contentsOfDirectory(atPath: folder + "/usr/lib/penstock/connectors")
        #expect(!libraries.contains { $0.contains("fixture") } && libraries.count >= 6)
        let completion = try String(contentsOfFile: share + "/bash-completion/completions/penstock", encoding: .utf8)
        #expect(!completion.hasPrefix("#!") && completion.contains("doctor"))
        let listed = try Program.run(
            ["connector", "list"], in: "/", environment: ["HOME": folder], program: folder + "/usr/bin/penstock")
        #expect(listed.status == 0 && listed.output.contains(folder), "\(listed.everything)")
    }

    @Test("Every command has a manual page with a date, options and an example")
    func manual() throws {
        let result = try Program.run(
            ["manual", folder], in: "/", environment: ["SOURCE_DATE_EPOCH": "1790000000"])
        #expect(result.status == 0, "\(result.errors)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.count > 40)
        for file in files {
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            #expect(text.hasPrefix(".TH PENSTOCK"), "\(file)")
            #expect(text.contains("2026-09-21"), "\(file)")
            for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES"] {
                #expect(text.contains(".SH \(heading)\n"), "\(file) has no \(heading)")
            }
            #expect(!text.contains("Example: "), "\(file)")
        }
        let page = try String(contentsOfFile: folder + "/penstock-run.1", encoding: .utf8)
        #expect(page.contains("\\-\\-limit") && page.contains("penstock \\-") == false)
        let root = try String(contentsOfFile: folder + "/penstock.1", encoding: .utf8)
        #expect(root.contains(".SH EXIT STATUS") && root.contains(".BR penstock\\-doctor (1)"))
        #expect(!root.contains("manual (1)"), "what only packages need is not shown")
    }

    @Test("systemd takes the units, where it is there to say so")
    func units() throws {
        let analyze = "/usr/bin/systemd-analyze"
        guard FileManager.default.isExecutableFile(atPath: analyze) else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for unit in ["service", "timer"] {
            let text = try String(contentsOfFile: source + "/docs/examples/systemd/penstock@.\(unit)", encoding: .utf8)
            let here = text.replacingOccurrences(of: "/usr/bin/penstock", with: Program.penstock)
                .split(separator: "\n").filter { !$0.hasPrefix("Documentation") }.joined(separator: "\n")
            let path = "\(folder)/penstock@x.\(unit)"
            try Data((here + "\n").utf8).write(to: URL(fileURLWithPath: path))
        }
        let result = try run(analyze, ["verify", folder + "/penstock@x.service", folder + "/penstock@x.timer"])
        let own = result.errors.split(separator: "\n").filter { $0.contains("penstock@") }
        #expect(own.isEmpty, "\(result.errors)")
    }
}
