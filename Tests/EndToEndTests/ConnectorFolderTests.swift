// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// A bad connector file is listed with its reason and hurts nobody.
@Suite struct ConnectorFolderTests {
    private let project: TemporaryProject
    private let folder: String

    init() throws {
        project = try TemporaryProject()
        folder = project.folder + "/connectors"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        project.environment["PENSTOCK_CONNECTOR_PATH"] = folder
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync("source: {connection: files, table: orgs, key: key}\nmap: {name: company}")
    }

    private static let csv = Program.folder.appendingPathComponent("libpenstock-csv.so")

    private func plantTruncated() throws {
        try Data(contentsOf: Self.csv).prefix(5_000).write(to: URL(fileURLWithPath: folder + "/truncated.so"))
    }

    private func plantText() throws { try project.write("connectors/text.so", "this is no library\n") }

    private func plantOpenToAll() throws {
        try FileManager.default.copyItem(atPath: Self.csv.path, toPath: folder + "/open.so")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder + "/open.so")
    }

    private func plantOtherMajor() throws {
        try project.write("connectors/major.c", "const void *penstock_connector_v9(void) { return 0; }\n")
        let result = try Program.run(
            ["-shared", "-fPIC", "-o", "major.so", "major.c"], in: folder, program: "/usr/bin/cc")
        try #require(result.status == 0, "\(result.everything)")
    }

    @Test("Four bad files have four reasons, and the others work")
    func fourReasons() throws {
        try plantTruncated()
        try plantText()
        try plantOpenToAll()
        try plantOtherMajor()
        let listed = try project.penstock("connector", "list", "--json")
        #expect(listed.status == 0)
        let entries = try listed.json["data"]?.arrayValue ?? []
        let ids = entries.filter { $0["loaded"]?.boolValue == true }.compactMap { $0["id"]?.stringValue }
        #expect(ids.sorted() == ["csv", "mysql", "pipedrive", "postgres", "sqlite"])
        var reasons: [String: String] = [:]
        for entry in entries where entry["loaded"]?.boolValue == false {
            reasons[URL(fileURLWithPath: entry["path"]?.stringValue ?? "").lastPathComponent] =
                entry["reason"]?.stringValue
        }
        #expect(reasons.keys.sorted() == ["major.so", "open.so", "text.so", "truncated.so"])
        #expect(Set(reasons.values).count == 4, "\(reasons)")
        #expect(reasons["open.so"]?.contains("0777") == true)
        #expect(reasons["major.so"]?.contains("9") == true)
        let text = try project.penstock("connector", "list", "--output", "table")
        #expect(text.status == 0)
        for reason in reasons.values { #expect(text.output.contains(reason), "\(text.output)") }
        #expect(try project.run().counts == "fetched 1, created 1")
    }

    @Test("The reason is told in a pipe, too")
    func reasonsInPipes() throws {
        try plantText()
        let result = try project.penstock("connector", "list", "--output", "tsv")
        let lines = result.output.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false)
        }
        #expect(Set(lines.map(\.count)) == [7])
        #expect(lines.first?.last == "REMARK")
        #expect(lines.first { $0.first == "text.so" }?.last?.hasPrefix("not loaded: ") == true)
        let table = try project.penstock("connector", "list", "--output", "table")
        #expect(table.output.contains("! not loaded: "))
    }

    @Test("A folder that everybody can change is not loaded from")
    func openFolder() throws {
        try FileManager.default.copyItem(atPath: Self.csv.path, toPath: folder + "/libpenstock-csv.so")
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
        let entries = try project.penstock("connector", "list", "--json").json["data"]?.arrayValue ?? []
        let refused = entries.filter { $0["loaded"]?.boolValue == false }
        #expect(refused.count == 1 && refused.first?["path"]?.stringValue == folder)
        #expect(refused.first?["reason"]?.stringValue?.contains("0777") == true)
        #expect(try project.run().counts == "fetched 1, created 1", "the connector beside the program is used")
    }

    @Test("A connector that is used and cannot be loaded is named as missing")
    func missingConnector() throws {
        try project.write(
            "connections.yml", try project.text("connections.yml").replacing("connector: csv", with: "connector: cvs"))
        let result = try project.penstock("run")
        #expect(result.status == 78)
        #expect(result.errors.contains("connections.yml:3:22: error["), "\(result.errors)")
        #expect(result.errors.contains("did you mean"), "\(result.errors)")
        #expect(project.server.counters.requests == 0)
    }
}
