// SPDX-License-Identifier: Apache-2.0

import CSVConnector
import ConnectorKit
import Foundation
import Testing

@Suite struct CSVTablesTests {
    private func ids(_ path: String) throws -> [String] { try CSVTables.find(path).map(\.id) }

    @Test func aFolderIsItsTextFilesSortedByBytes() throws {
        let folder = try TestFolder()
        for name in ["b.csv", "a.txt", "Z.TSV", "é.csv", "c.json", ".hidden.csv", "noext"] {
            try folder.write(name, "x\n")
        }
        try FileManager.default.createDirectory(atPath: folder.path + "/sub.csv", withIntermediateDirectories: true)
        try folder.write("sub.csv/d.csv", "x\n")
        #expect(try ids(folder.path) == ["Z", "a", "b", "é"])
        #expect(try ids(folder.path + "/") == ["Z", "a", "b", "é"])
    }

    @Test func aGlobIsOneTablePerFile() throws {
        let folder = try TestFolder()
        for name in ["orgs-1.csv", "orgs-2.csv", "deals.csv", "orgs-3.dat"] { try folder.write(name, "x\n") }
        #expect(try ids(folder.path + "/orgs-*.csv") == ["orgs-1", "orgs-2"])
        #expect(try ids(folder.path + "/orgs-[23]*") == ["orgs-2", "orgs-3"])
        #expect(failure { _ = try ids(folder.path + "/x*.csv") }?.code == .notFound)
    }

    @Test func aFileIsNamedWithoutItsLastExtension() throws {
        let folder = try TestFolder()
        for (name, id) in [("orgs.2024.csv", "orgs.2024"), ("noext", "noext"), ("odd[1].csv", "odd[1]")] {
            let path = try folder.write(name, "x\n")
            #expect(try ids(path) == [id])
        }
        #expect(failure { _ = try ids(folder.path + "/none.csv") }?.code == .notFound)
        #expect(failure { _ = try ids(folder.path + "/noext/none.csv") }?.code == .notFound)
    }

    @Test func twoFilesOfOneNameAreAnErrorThatNamesBoth() throws {
        let folder = try TestFolder()
        let first = try folder.write("orgs.csv", "x\n")
        let second = try folder.write("orgs.tsv", "x\n")
        let error = failure { _ = try ids(folder.path) }
        #expect(error?.code == .badConfig)
        #expect(error?.field == "path")
        #expect(error?.message.contains(first) == true)
        #expect(error?.message.contains(second) == true)
    }

    @Test func anEmptyFolderAndADeviceAreErrors() throws {
        let folder = try TestFolder()
        #expect(failure { _ = try ids(folder.path) }?.code == .notFound)
        #expect(failure { _ = try ids("/dev/null") }?.code == .badConfig)
    }
}
