// SPDX-License-Identifier: Apache-2.0

import DatabaseServers
import Glibc
import PenstockModel
import Testing

extension TemporaryProject {
    /// Executes SQL in a database of this project's own, which the connection `warehouse` reads.
    func postgres(_ statements: String) throws {
        let server = try PostgresServer.shared.get()
        let database = try databases["warehouse"] ?? server.createDatabase()
        if databases["warehouse"] == nil {
            databases["warehouse"] = database
            try connection("warehouse", "{connector: postgres, url: \"${env:WAREHOUSE_URL}\"}")
            environment["WAREHOUSE_URL"] = server.url(database: database)
        }
        try server.run(statements, database: database)
    }

    /// Executes SQL in a database of this project's own, which the connection `shop` reads.
    func mysql(_ statements: String) throws {
        let server = try MariaDBServer.shared.get()
        let database = try databases["shop"] ?? server.createDatabase()
        if databases["shop"] == nil {
            databases["shop"] = database
            try connection("shop", "{connector: mysql, url: \"${env:SHOP_URL}\"}")
            // A user who sees this database only: what other tests write at the same time holds no watermark here.
            try server.run("CREATE USER \(database) IDENTIFIED BY 'shop'; GRANT ALL ON \(database).* TO \(database)")
            environment["SHOP_URL"] = "mysql://\(database):shop@\(server.host):\(server.port)/\(database)"
        }
        try server.run(statements, database: database)
    }

    /// Adds a connection.
    func connection(_ name: String, _ yaml: String) throws {
        try write("connections.yml", try text("connections.yml") + "  \(name): \(yaml)\n")
    }
}

/// The two servers as sources of whole syncs.
@Suite struct DatabaseSourceTests {
    private static let incremental = """
        source: {connection: CONNECTION, table: orgs, key: key}
        map: {name: company}
        fetch: {mode: INCREMENTAL, key: updated_at}
        """

    @Test("The combinations are run from PostgreSQL", PostgresServer.isThere)
    func postgresIsCombined() { #expect(Combination.Source.all.contains(.postgres)) }

    @Test("The combinations are run from MariaDB", MariaDBServer.isThere)
    func mysqlIsCombined() { #expect(Combination.Source.all.contains(.mysql)) }

    @Test("PostgreSQL: a transaction that commits after a later one is not lost", PostgresServer.isThere)
    func lateCommitPostgres() throws {
        let project = try TemporaryProject()
        try project.postgres(
            "CREATE TABLE orgs (key text PRIMARY KEY, company text, updated_at timestamptz DEFAULT now())")
        try project.sync(Self.incremental.replacing("CONNECTION", with: "warehouse"))
        let server = try PostgresServer.shared.get()
        let slow = try server.session(database: try #require(project.databases["warehouse"]))
        try slow.execute("BEGIN; INSERT INTO orgs VALUES ('slow', 'Slow');")
        try project.postgres("INSERT INTO orgs VALUES ('fast', 'Fast')")
        let first = try project.run()
        #expect(first.counts == "fetched 1, created 1")
        #expect(first["watermark_limited"] == .bool(true))
        try slow.execute("COMMIT;")
        let second = try project.run()
        #expect(second.counts == "fetched 1, created 1, reread 1", "what was settled past the watermark costs nothing")
        // What is younger than a second may have a transaction that the server does not list yet.
        usleep(1_100_000)
        let third = try project.run()
        #expect(third["watermark_limited"] == .bool(false))
        #expect(project.server.names.sorted() == ["Fast", "Slow"])
    }

    @Test("MariaDB: a transaction that commits after a later one is not lost", MariaDBServer.isThere)
    func lateCommitMariaDB() throws {
        let project = try TemporaryProject()
        try project.mysql(
            "CREATE TABLE orgs (`key` varchar(9) PRIMARY KEY, company text, updated_at datetime(6) DEFAULT NOW(6))")
        try project.sync(Self.incremental.replacing("CONNECTION", with: "shop"))
        let server = try MariaDBServer.shared.get()
        project.environment["SHOP_URL"] = server.url(database: try #require(project.databases["shop"]))
        let slow = try server.session(database: try #require(project.databases["shop"]))
        try slow.execute("START TRANSACTION; INSERT INTO orgs (`key`, company) VALUES ('slow', 'Slow');")
        try project.mysql("INSERT INTO orgs (`key`, company) VALUES ('fast', 'Fast')")
        let first = try project.run()
        #expect(first.counts == "fetched 1, created 1")
        #expect(first["watermark_limited"] == .bool(true))
        try slow.execute("COMMIT;")
        #expect(try project.run().counts == "fetched 1, created 1, reread 1")
        #expect(project.server.names.sorted() == ["Fast", "Slow"])
    }

    @Test("MariaDB with a short net_write_timeout: a slow destination holds no statement open", MariaDBServer.isThere)
    func slowDestination() throws {
        let server = try MariaDBServer(.good, options: ["--net-write-timeout=2"])
        defer { server.stop() }
        let database = try server.createDatabase()
        // Rows that the buffers of the sockets cannot hold.
        try server.run(
            "CREATE TABLE orgs (`key` int PRIMARY KEY, company varchar(99), filler text);"
                + "INSERT INTO orgs SELECT seq, CONCAT('n', seq), REPEAT('x', 16000) FROM seq_1_to_1500",
            database: database)
        let project = try TemporaryProject(budget: "{burst: 300, window: 1s}")
        try project.connection("slow", "{connector: mysql, url: \"${env:SLOW_URL}\"}")
        project.environment["SLOW_URL"] = server.url(database: database)
        try project.sync("source: {connection: slow, table: orgs}\nmap: {name: company, address: filler}")
        let report = try project.run()
        #expect(report.counts == "fetched 1500, created 1500", "\(report.result.everything)")
        #expect(Set(project.server.names).count == 1_500)
    }

    @Test("The read of a table is continued where its connection is killed", PostgresServer.isThere)
    func killedBackend() throws {
        let project = try TemporaryProject(budget: "{burst: 4000, window: 1s}")
        try project.postgres(
            "CREATE TABLE base (key int PRIMARY KEY, company text);"
                + "INSERT INTO base SELECT i, 'n' || i FROM generate_series(1, 2000) i;"
                + "CREATE VIEW orgs AS SELECT key, company || left(pg_sleep(0.002)::text, 0) AS company FROM base")
        try project.sync("source: {connection: warehouse, table: orgs, key: key}\nmap: {name: company}")
        let server = try PostgresServer.shared.get()
        let database = try #require(project.databases["warehouse"])
        let program = try project.start("run", "-o", "json")
        var killed = ""
        // The copy alone: whoever is cut while the statement is prepared has read nothing, and ends with 69.
        try program.wait("a reading backend is killed") {
            killed += try server.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)' "
                    + "AND application_name = 'penstock' AND state = 'active' AND query LIKE 'COPY%company%'")
            return killed.contains("t")
        }
        let result = try program.result()
        #expect(result.status == 0, "\(result.everything)")
        let run = try result.json["data"]?.arrayValue?.first
        #expect(run?["source_cuts"]?.intValue ?? 0 >= 1)
        #expect(project.server.names.count == 2_000 && Set(project.server.names).count == 2_000)
    }

    @Test("A session that is ended before the first row ends the run, and the next one does it", PostgresServer.isThere)
    func killedBeforeTheFirstRow() throws {
        let project = try TemporaryProject()
        try project.postgres(
            "CREATE TABLE orgs (key int PRIMARY KEY, company text); INSERT INTO orgs VALUES (1, 'One')")
        try project.sync("source: {connection: warehouse, table: orgs, key: key}\nmap: {name: company}")
        let server = try PostgresServer.shared.get()
        let database = try #require(project.databases["warehouse"])
        let holder = try server.session(database: database)
        try holder.execute("BEGIN; LOCK TABLE orgs IN ACCESS EXCLUSIVE MODE;")
        let program = try project.start("run", "-o", "json")
        var killed = ""
        try program.wait("a preparing backend is killed") {
            killed += try server.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)' "
                    + "AND application_name = 'penstock' AND wait_event_type = 'Lock'")
            return killed.contains("t")
        }
        let result = try program.result()
        #expect(result.status == 69, "\(result.everything)")
        #expect(result.everything.contains("the connection to the server is lost"), "\(result.everything)")
        #expect(project.server.names.isEmpty)
        try holder.execute("COMMIT;")
        #expect(try project.run().counts == "fetched 1, created 1")
    }

    // MARK: - TLS

    @Test(
        "PostgreSQL: the right authority passes, and three wrong ones have three sentences", PostgresServer.isThere)
    func certificatesOfPostgres() throws {
        try checkCertificates { certificate in
            let server = try PostgresServer(certificate)
            return Endpoint(port: server.port, folder: server.folder) { server.stop() }
        } connection: { port, authority in
            """
            {connector: postgres, host: 127.0.0.1, port: \(port), user: \(PostgresServer.user), dbname: postgres,
                password: "${env:PASSWORD}", sslmode: verify-full, sslrootcert: \(authority)}
            """
        } password: {
            _ in
            PostgresServer.password
        }
    }

    @Test("MariaDB: the right authority passes, and three wrong ones have three sentences", MariaDBServer.isThere)
    func certificatesOfMariaDB() throws {
        let password = try MariaDBServer.shared.get().password
        try checkCertificates { certificate in
            let server = try MariaDBServer(certificate)
            return Endpoint(port: server.port, folder: server.folder) { server.stop() }
        } connection: { port, authority in
            """
            {connector: mysql, host: 127.0.0.1, port: \(port), user: penstock, password: "${env:PASSWORD}",
                tls: verify-full, ca: \(authority)}
            """
        } password: {
            _ in
            password
        }
    }

    /// A server with a certificate, and how it is stopped.
    private struct Endpoint {
        var port: Int
        var folder: String
        var stop: () -> Void
    }

    private func checkCertificates(
        _ start: (ServerCertificate) throws -> Endpoint, connection: (Int, String) -> String,
        password: (Endpoint) -> String
    ) throws {
        var sentences: Set<String> = []
        for (certificate, authority) in [
            (ServerCertificate.good, "ca.pem"), (.good, "other-ca.pem"), (.expired, "ca.pem"), (.otherHost, "ca.pem"),
        ] {
            let server = try start(certificate)
            defer { server.stop() }
            let project = try TemporaryProject()
            project.environment["PASSWORD"] = password(server)
            try project.connection("db", connection(server.port, "\(server.folder)/\(authority)"))
            let result = try project.penstock("connection", "test", "db")
            if certificate == .good, authority == "ca.pem" {
                #expect(result.status == 0, "\(result.everything)")
                continue
            }
            #expect(result.status == 77, "\(result.everything)")
            sentences.insert(
                result.everything.replacing("\(server.port)", with: "PORT").replacing(server.folder, with: "FOLDER"))
        }
        #expect(sentences.count == 3, "\(sentences)")
    }
}
