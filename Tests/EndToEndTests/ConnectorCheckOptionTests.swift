// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

@Suite struct ConnectorCheckOptionTests {
    private func folder(_ name: String) throws -> (folder: KitFolder, library: String, config: String) {
        let folder = try KitFolder()
        return (
            folder, try BrokenConnector.build(name, into: folder.path), try folder.write("settings.yml", "path: x\n")
        )
    }

    private func run(_ arguments: [String], _ folder: KitFolder) throws -> ProgramResult {
        try Program.run(["connector", "check"] + arguments, in: folder.path)
    }

    @Test func withoutSettingsTheRestIsSkippedWithTheReason() throws {
        let (folder, library, _) = try folder("right_source")
        let result = try run([library], folder)
        #expect(result.status == 0)
        #expect(result.output.contains("skip read.stream"))
        #expect(result.output.contains("it needs settings: --config FILE or --connection NAME"))
    }

    @Test func whatWritesIsSkippedUnlessItIsARehearsal() throws {
        let folder = try KitFolder()
        let library = try BrokenConnector.build("right_destination", into: folder.path)
        let config = try folder.write("settings.yml", "place: x\n")
        let report = try folder.check([library, "--config", config]).report
        #expect(report.checks("skipped").contains("write.every-row"))
        #expect(report.text.contains("it writes; give --rehearsal"))
    }

    @Test func aDeclaredDifferenceDoesNotFailAndANeedlessOneIsReported() throws {
        let (folder, library, config) = try folder("ignores_cancel")
        let declared = try folder.write(
            "declared.yml", "read.cancel: the server offers no way to stop\nread.bound: we thought so\n")
        let result = try run([library, "--config", config, "--declared", declared, "--only-failed"], folder)
        #expect(result.status == 0, "\(result.everything)")
        #expect(result.output.contains("1 fail as declared"))
        #expect(result.output.contains("declared, but it passes: we thought so"))
    }

    @Test func declarationsMayStandInTheSettings() throws {
        let (folder, library, _) = try folder("ignores_cancel")
        let config = try folder.write(
            "s.yml", "path: x\nx-declared:\n  read.cancel: the server offers no way to stop\n")
        let report = try folder.check([library, "--config", config])
        #expect(report.status == 0)
        #expect(report.report.checks("declared") == ["read.cancel"])
    }

    @Test func aDeclarationWithoutAReasonIsRefused() throws {
        let (folder, library, config) = try folder("ignores_cancel")
        for text in ["read.cancel:\n", "read.cancel: \"  \"\n"] {
            let declared = try folder.write("declared.yml", text)
            let result = try run([library, "--config", config, "--declared", declared], folder)
            #expect(result.status == 78)
            #expect(result.errors.contains("the declaration of read.cancel gives no reason"))
        }
        let unknown = try folder.write("declared.yml", "read.cancle: a slip\n")
        let result = try run([library, "--config", config, "--declared", unknown], folder)
        #expect(result.status == 64)
        #expect(result.errors.contains("did you mean \"read.cancel\"?"))
    }

    @Test func junitHasACaseForEveryCheck() throws {
        let (folder, library, config) = try folder("wrong_null_count")
        let path = folder.path + "/report.xml"
        let result = try run([library, "--config", config, "--junit", path, "--seed", "11"], folder)
        #expect(result.status == 70)
        let document = try XMLSummary(path)
        #expect(document.cases > 60)
        #expect(document.failures == ["arrow.nulls"])
        #expect(document.seed == "11")
    }

    @Test func includeChoosesChecksAndASeedRepeatsThem() throws {
        let (folder, library, config) = try folder("right_source")
        let report = try folder.check([library, "--config", config, "--include", "^read[.]", "--seed", "5"]).report
        #expect(report["seed"]?.stringValue == "5")
        #expect(report["checks"]?.arrayValue?.allSatisfy { $0["id"]?.stringValue?.hasPrefix("read.") ?? false } == true)
        let none = try run([library, "--include", "nothing-like-this"], folder)
        #expect(none.status == 64)
    }

    @Test func aCheckCanBeMadeInTheSameProcess() throws {
        let (folder, library, config) = try folder("offsets_go_back")
        let result = try run([library, "--config", config, "--include", "arrow.offsets", "--in-process"], folder)
        #expect(result.status == 70)
        #expect(result.output.contains("FAIL arrow.offsets"))
        #expect(result.output.contains("rule: docs/reference/abi.md#rows-as-arrow"))
    }

    @Test(
        "A library that could be made to load other people's code is found out",
        arguments: [
            ("-Wl,-rpath,lib", "it looks for libraries in \"lib\""),
            ("-Wl,-z,execstack", "writable and executable at once"),
        ])
    func anUnsafeImageIsCaught(flags: String, complaint: String) throws {
        let folder = try KitFolder()
        let library = try BrokenConnector.build("right_source", into: folder.path, flags: flags)
        let report = try folder.check([library, "--include", "^load"]).report
        #expect(report.checks("failed") == ["load.image"])
        #expect(report.text.contains(complaint.replacingOccurrences(of: "\"", with: "\\\"")))
    }

    @Test func aFolderThatEverybodyCanChangeIsFoundOut() throws {
        let (folder, library, _) = try folder("right_source")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        let report = try folder.check([library, "--include", "^load"]).report
        #expect(report.checks("failed") == ["load.permissions"])
    }

    @Test func aFileThatIsNoConnectorFailsAndCrashesNothing() throws {
        let folder = try KitFolder()
        let library = try folder.write("text.so", "this is text")
        let result = try run([library], folder)
        #expect(result.status == 70)
        #expect(result.output.contains("FAIL load.entry"))
        #expect(try run([folder.path + "/none.so"], folder).status == 64)
    }

    @Test func theReferenceListsEveryCheck() throws {
        let page = try String(
            contentsOf: ExampleConnector.package.appendingPathComponent("docs/reference/connector-check.md"),
            encoding: .utf8)
        let (folder, library, _) = try folder("right_source")
        let checks = try #require(try folder.check([library]).report["checks"]?.arrayValue)
        let rows = checks.map { check in
            let rule = (check["rule"]?.stringValue ?? "").replacingOccurrences(of: "docs/reference/", with: "")
            let made = [check["capabilities"], check["requires"]].compactMap { $0?.stringValue }.joined(
                separator: " | ")
            return "| `\(check["id"]?.stringValue ?? "")` | [\(check["title"]?.stringValue ?? "")](\(rule)) | \(made) |"
        }
        let listed = page.components(separatedBy: "\n").filter { $0.hasPrefix("| `") && $0.contains("abi.md#") }
        #expect(listed == rows, "the table must be:\n\(rows.joined(separator: "\n"))")
        let reference = try String(
            contentsOf: ExampleConnector.package.appendingPathComponent("docs/reference/abi.md"), encoding: .utf8)
        let headings = reference.components(separatedBy: "\n").filter { $0.hasPrefix("#") }.map { heading in
            heading.drop { $0 == "#" || $0 == " " }.lowercased().filter {
                $0.isLetter || $0.isNumber || "-_ ".contains($0)
            }
            .replacingOccurrences(of: " ", with: "-")
        }
        for check in checks {
            let anchor = check["rule"]?.stringValue?.components(separatedBy: "#").last ?? ""
            #expect(headings.contains(anchor), "\(anchor) is no heading of abi.md")
        }
    }
}

/// What a JUnit file says.
private final class XMLSummary: NSObject {
    private(set) var cases = 0
    private(set) var failures: [String] = []
    private(set) var seed = ""

    init(_ path: String) throws {
        super.init()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var current = ""
        for part in text.components(separatedBy: "<").dropFirst() {
            let name = Self.attribute("name", of: part)
            if part.hasPrefix("testcase ") {
                cases += 1
                current = name
            }
            if part.hasPrefix("failure ") { failures.append(current) }
            if part.hasPrefix("property ") { seed = Self.attribute("value", of: part) }
        }
    }

    private static func attribute(_ name: String, of part: String) -> String {
        let pieces = part.components(separatedBy: " \(name)=\"")
        return pieces.count > 1 ? pieces[1].components(separatedBy: "\"")[0] : ""
    }
}
