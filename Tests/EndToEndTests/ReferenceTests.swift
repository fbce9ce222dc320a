// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// The pages under docs/reference say what the program can do, whole.
@Suite struct ReferenceTests {
    private func page(_ path: String) throws -> String {
        try String(contentsOfFile: ExampleConnector.package.path + "/docs/" + path, encoding: .utf8)
    }

    @Test("Every command and every option is on a page")
    func commands() throws {
        let folder = TemporaryProject.scratchFile()
        // A folder that stays behind does no harm.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let written = try Program.run(["manual", folder], in: "/", environment: [:], program: Program.penstock)
        try #require(written.status == 0, "\(written.everything)")
        let commands = try page("reference/cli.md")
        let text = try commands + page("reference/connector-check.md") + page("reference/sandbox.md")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.count > 80)
        for file in files where file != "penstock.1" && file != "penstock-server-start.1" {
            let manual = try String(contentsOfFile: folder + "/" + file, encoding: .utf8).replacing("\\-", with: "-")
            let lines = manual.split(separator: "\n")
            let name = try #require(lines.first { $0.hasPrefix(".B penstock ") }).dropFirst(".B penstock ".count)
            #expect(commands.contains("`\(name)`") || commands.contains("`\(name) "), "\(name)")
            for match in manual.matches(of: /\\fB(--[a-z-]+)\\fR/) {
                #expect(text.contains("\(match.1)"), "\(name) \(match.1)")
            }
        }
    }

    @Test("Every code that can be explained is on a page")
    func codes() throws {
        let result = try Program.run(["explain", "-o", "tsv"], in: "/", environment: [:], program: Program.penstock)
        try #require(result.status == 0, "\(result.everything)")
        let codes = result.output.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
        #expect(codes.count > 200)
        let text = try page("reference/exit-codes-and-errors.md")
        for code in codes { #expect(text.contains("`\(code)`") || text.contains("explain \(code)`"), "\(code)") }
    }

    @Test("Tables are whole, links lead somewhere, and decisions have numbers")
    func markdown() throws {
        let root = ExampleConnector.package.path
        var paths = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        let below = try #require(FileManager.default.enumerator(atPath: root + "/docs"))
        paths += below.compactMap { $0 as? String }.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
        #expect(paths.count > 50)
        for path in paths {
            #expect(!path.contains("XXXX"), "\(path)")
            let folder = URL(fileURLWithPath: root + "/" + path).deletingLastPathComponent()
            var (before, before2) = (Substring(), Substring())
            var isCode = false
            for line in try String(contentsOfFile: root + "/" + path, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            {
                if line.drop(while: { $0 == " " }).hasPrefix("```") { isCode.toggle() }
                defer { (before2, before) = (before, line) }
                guard !isCode else { continue }
                // The first row of a table has the line of dashes below it.
                if before.hasPrefix("| `"), !before2.hasPrefix("|") {
                    #expect(line.hasPrefix("|--"), "\(path): a table without a head: \(before)")
                }
                for match in line.matches(of: /\]\(([^)#: ]+)(?:#[^)]*)?\)/) {
                    let target = folder.appendingPathComponent(String(match.1)).path
                    #expect(FileManager.default.fileExists(atPath: target), "\(path): \(match.1)")
                }
            }
        }
    }

    @Test("The map of the documentation names every page")
    func map() throws {
        let root = ExampleConnector.package.path
        let text = try page("README.md")
        for folder in ["tutorials", "how-to", "reference", "explanation"] {
            for file in try FileManager.default.contentsOfDirectory(atPath: "\(root)/docs/\(folder)") {
                #expect(text.contains("(\(folder)/\(file))"), "\(folder)/\(file)")
            }
        }
    }
}
