// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import PipedriveSandbox
import Testing
import Yams

@Suite struct DemoProjectTests {
    private static let files = [
        "penstock.yml", "connections.yml", "sandbox-token", "data/companies.csv", "syncs/companies.yml", ".gitignore",
    ]

    /// Gives a fresh folder's path to `body`, and removes the demo's files afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("\(P_tmpdir)/sandbox-demo-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for file in Self.files { unlink("\(folder)/\(file)") }
            for part in ["/data", "/syncs", "/.penstock", "/.penstock.1", ""] { rmdir(folder + part) }
        }
        try body(folder)
    }

    private func write(_ folder: String) throws {
        try DemoProject.write(to: folder, baseURL: "http://127.0.0.1:7391", options: SandboxOptions())
    }

    @Test func theProjectIsCompleteAndItsTokenIsPrivate() throws {
        try withFolder { folder in
            try write(folder)
            for file in Self.files { #expect(TestFile.text("\(folder)/\(file)") != nil, "\(file)") }
            var status = stat()
            #expect(stat("\(folder)/sandbox-token", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            let connections = try #require(try compose(yaml: TestFile.text("\(folder)/connections.yml") ?? ""))
            #expect(connections["connections"]?["sandbox"]?["base_url"]?.string == "http://127.0.0.1:7391")
            #expect(connections["connections"]?["sandbox"]?["api_token"]?.string == "${file:./sandbox-token}")
            let sync = try #require(try compose(yaml: TestFile.text("\(folder)/syncs/companies.yml") ?? ""))
            #expect(sync["insert"]?["match"]?.string == "Customer key")
            #expect(sync["map"]?["ARR (EUR)"]?.string == "arr_eur")
        }
    }

    @Test func aFolderWithOtherThingsIsLeftAlone() throws {
        try withFolder { folder in
            try #require(mkdir("\(folder)/data", 0o755) == 0)
            #expect(throws: SandboxStartError.self) { try write(folder) }
            #expect(TestFile.text("\(folder)/penstock.yml") == nil)
        }
    }

    @Test func theStateOfAnEarlierDemoIsMovedAside() throws {
        try withFolder { folder in
            try write(folder)
            try #require(mkdir("\(folder)/.penstock", 0o700) == 0)
            try write(folder)
            #expect(access("\(folder)/.penstock", F_OK) != 0)
            #expect(access("\(folder)/.penstock.1", F_OK) == 0)
        }
    }

    @Test func eightCompaniesAreNewNineDifferTwoAgreeAndOneCannotBeWritten() throws {
        let rehearsal = try Rehearsal { $0.seedDemo = true }
        try withFolder { folder in
            try write(folder)
            let text = try #require(TestFile.text("\(folder)/data/companies.csv"))
            let rows = text.split(separator: "\n").dropFirst().map(Self.columns)
            #expect(rows.count == 20)
            var found: [String: Int] = [:]
            for row in rows { found[outcome(row, rehearsal), default: 0] += 1 }
            #expect(found == ["create": 8, "update": 9, "unchanged": 2, "reject": 1])
            #expect(rows[13][1] == "Globex")
            #expect(rehearsal.sandbox.organizations.count == 12)
        }
    }

    /// The columns of a line whose last one is quoted.
    private static func columns(_ line: Substring) -> [String] {
        let halves = line.split(separator: "\"", maxSplits: 1)
        return halves[0].split(separator: ",").map(String.init) + [String(halves[1].dropLast())]
    }

    private func outcome(_ row: [String], _ rehearsal: Rehearsal) -> String {
        guard let option = rehearsal.sandbox.optionID(row[2], of: "Segment"),
            let owner = rehearsal.sandbox.users.first(where: { $0.email == row[4] && $0.isActive })
        else { return "reject" }
        let key = rehearsal.code("Customer key")
        let records = rehearsal.sandbox.organizations.filter { $0.customFields[key] == .string(row[0]) }
        guard let record = records.first else { return "create" }
        let isSame =
            record.properties["name"] == .string(row[1])
            && record.customFields[rehearsal.code("Segment")] == .integer(option)
            && record.customFields[rehearsal.code("ARR (EUR)")] == .number(row[3])
            && record.properties["owner_id"] == .integer(owner.id)
            && record.properties["address"]?["value"] == .string(row[5])
        return isSame ? "unchanged" : "update"
    }
}
