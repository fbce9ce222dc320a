// SPDX-License-Identifier: Apache-2.0

import DatabaseServers
import Testing

@Suite("The database servers of the tests")
struct DatabaseServersTests {
    @Test("PostgreSQL answers, in two sessions at once", PostgresServer.isThere)
    func postgresAnswers() throws {
        let server = try PostgresServer.shared.get()
        let database = try server.createDatabase()
        try server.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)", database: database)
        let writer = try server.session(database: database)
        try writer.execute("BEGIN; INSERT INTO t VALUES (2);")
        #expect(try server.run("SELECT count(*) FROM t", database: database) == "1\n")
        try writer.execute("COMMIT;")
        #expect(try server.run("SELECT count(*) FROM t", database: database) == "2\n")
    }

    @Test("MariaDB answers, in two sessions at once", MariaDBServer.isThere)
    func mariaDBAnswers() throws {
        let server = try MariaDBServer.shared.get()
        let database = try server.createDatabase()
        try server.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)", database: database)
        let writer = try server.session(database: database)
        try writer.execute("BEGIN; INSERT INTO t VALUES (2);")
        #expect(try server.run("SELECT count(*) FROM t", database: database) == "1\n")
        try writer.execute("COMMIT;")
        #expect(try server.run("SELECT count(*) FROM t", database: database) == "2\n")
    }

    @Test("A statement that fails says what the server says", PostgresServer.isThere)
    func failuresAreSaid() throws {
        let server = try PostgresServer.shared.get()
        #expect(throws: ServerProblem.self) { try server.run("SELECT no_such_column") }
    }
}
