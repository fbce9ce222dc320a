// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import ConnectorTesting
import Foundation
import SQLiteConnector
import Testing

@Suite struct SQLiteConnectorTests {
    private func source(_ path: String) throws -> any Source {
        let settings: JSONObject = ["path": .string(path)]
        return try SQLiteConnector().openSource(.object(settings), host: TestHost())
    }

    private func failure(_ path: String) throws -> ConnectorError {
        let report = try source(path).check()
        #expect(report.steps.map(\.id) == ["file"])
        return try #require(report.steps[0].failure)
    }

    @Test func itSaysWhatItIs() {
        let descriptor = SQLiteConnector().descriptor
        #expect(descriptor.id == "sqlite")
        #expect(descriptor.capabilities == [.source, .query, .lowerBound, .order, .local])
        #expect(descriptor.settings.map(\.name) == ["path", "busy_timeout"])
        #expect(descriptor.settings.map(\.isRequired) == [true, false])
    }

    @Test func itIsNoDestination() {
        let error = #expect(throws: ConnectorError.self) {
            _ = try SQLiteConnector().openDestination(.object(JSONObject()), host: TestHost())
        }
        #expect(error?.code == .unsupported)
    }

    @Test(arguments: ["", "a\0b"])
    func aPathThatCannotBeIsRefusedAtOnce(path: String) {
        let error = #expect(throws: ConnectorError.self) { _ = try source(path) }
        #expect(error?.code == .badConfig && error?.field == "path")
    }

    @Test func aGoodFileIsChecked() throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (a); CREATE VIEW v AS SELECT * FROM t")
        let report = try fixture.source().check()
        #expect(report.isOK)
        #expect(report.steps.map(\.id) == ["file", "read"])
        #expect(report.steps[1].message == "1 tables, 1 views")
        #expect(report.identity["path"] == fixture.path)
        #expect(report.identity["sqlite"]?.hasPrefix("3.") == true)
    }

    @Test(arguments: ["missing.db", "no/such/folder.db"])
    func aMissingFileIsNamed(name: String) throws {
        let fixture = try SQLiteFixture()
        let path = fixture.folder.appendingPathComponent(name).path
        let error = try failure(path)
        #expect(error.code == .notFound)
        #expect(error.message.contains(path))
        #expect(try !fixture.files.contains(name))
    }

    @Test(arguments: [":memory:", "file:x?mode=memory", "file::memory:"])
    func aPathIsNeverMoreThanAPath(path: String) throws {
        #expect(try failure(path).code == .notFound)
    }

    @Test func aFolderIsNoDatabase() throws {
        #expect(try failure(SQLiteFixture().folder.deletingLastPathComponent().path).code == .badConfig)
    }

    @Test func aFileThatIsNoDatabaseIsNamed() throws {
        let fixture = try SQLiteFixture()
        let path = fixture.folder.appendingPathComponent("notes.txt").path
        try String(repeating: "These are notes. ", count: 100).write(toFile: path, atomically: true, encoding: .utf8)
        let error = try failure(path)
        #expect(error.code == .badConfig)
        #expect(error.message.contains(path) && error.message.contains("not a database"))
    }

    @Test func aDamagedFileIsNamed() throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (hex(randomblob(100000)))")
        fixture.disconnect()
        let file = try #require(FileHandle(forUpdatingAtPath: fixture.path))
        try file.truncate(atOffset: 4_096 * 3)
        try file.close()
        let error = try #require(fixture.error { try fixture.read(ReadRequest(.object("t"))) })
        #expect(error.code == .badData)
        #expect(error.message.contains(fixture.path))
    }

    @Test func aLockedFileIsUnavailable() throws {
        let fixture = try SQLiteFixture("CREATE TABLE t (a); BEGIN EXCLUSIVE")
        let error = try #require(fixture.error { try fixture.source(busy: 0).discover([]) })
        #expect(error.code == .unavailable)
        #expect(error.message.contains("busy_timeout"))
    }

    @Test func aWALDatabaseWithoutItsFilesSaysWhatToDo() throws {
        let fixture = try SQLiteFixture("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
        fixture.disconnect()
        // A link that leads nowhere stops even a user who may write to every folder.
        try FileManager.default.createSymbolicLink(
            atPath: fixture.path + "-shm", withDestinationPath: fixture.path + ".no/where")
        let error = try failure(fixture.path)
        #expect(error.code == .badConfig)
        #expect(error.message.contains("-wal and -shm"))
    }
}
