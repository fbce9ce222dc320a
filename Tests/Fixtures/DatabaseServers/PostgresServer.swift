// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

/// A PostgreSQL server for tests, with TLS offered and a password asked for on TCP.
package final class PostgresServer: Sendable {
    /// The server of this test process, started at first use; of `PENSTOCK_TEST_POSTGRES_URL` where that is set.
    package static let shared: Result<PostgresServer, ServerProblem> = Result { () throws(ServerProblem) in
        if let url = ProcessInfo.processInfo.environment["PENSTOCK_TEST_POSTGRES_URL"] {
            return try PostgresServer(at: url)
        }
        return try PostgresServer(.good)
    }

    /// The trait of tests that need a server: without one they count as skipped, with the reason.
    package static var isThere: ConditionTrait {
        switch shared {
        case .success: .enabled(if: true)
        case .failure(let problem): .disabled("no PostgreSQL: \(problem)")
        }
    }

    /// The superuser's name, of a server that was started here.
    package static let user = "penstock"
    /// The superuser's password, of a server that was started here.
    package static let password = "postgres-canary-7f3a"

    /// `postgresql://…` of the database that exists already.
    package let url: String
    /// The port on 127.0.0.1, or 0 for a server that was not started here.
    package let port: Int
    /// The folder of `ca.pem` and `other-ca.pem`, or empty for a server that was not started here.
    package let folder: String

    private let process: ServerProcess?
    private let databases = Mutex(0)

    private init(at url: String) throws(ServerProblem) {
        self.url = url
        port = 0
        folder = ""
        process = nil
        _ = try run("SELECT 1")
    }

    /// Starts a server of its own; it ends with this process at the latest.
    ///
    /// - Parameter settings: More lines of `postgresql.conf`.
    package init(_ certificate: ServerCertificate, settings: [String] = []) throws(ServerProblem) {
        let binaries = try Self.binaries()
        let prepare = """
            \(certificate.script)
            echo '\(Self.password)' >password
            \(binaries)/initdb -D data -U \(Self.user) --pwfile=password -A scram-sha-256 -N --locale=C -E UTF8 >init.log 2>&1
            printf '%s\\n' \(settings.map { "'\($0)'" }.joined(separator: " ")) >>data/postgresql.conf
            """
        let server = """
            \(binaries)/postgres -D data -p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories="$FOLDER" \
            -c fsync=off -c max_connections=60 -c max_prepared_transactions=4 -c ssl=on -c ssl_ca_file="$FOLDER/ca.pem" \
            -c ssl_cert_file="$FOLDER/server.pem" -c ssl_key_file="$FOLDER/server.key"
            """
        process = try ServerProcess(prepare: prepare, server: server, stopSignal: "INT") { process in
            // Not ready yet is the usual answer of the first second.
            let client = Self.client(Self.url(port: process.port, database: "postgres"))
            return (try? client.run("SELECT 1;")) != nil
        }
        port = process?.port ?? 0
        folder = process?.folder ?? ""
        url = Self.url(port: port, database: "postgres")
    }

    /// Stops it now.
    package func stop() { process?.stop() }

    /// `postgresql://…` of a database of this server.
    package func url(database: String) -> String {
        guard var parts = URLComponents(string: url) else { return url }
        parts.path = "/" + database
        return parts.string ?? url
    }

    /// Makes an empty database of a new name.
    ///
    /// - Parameter options: What stands behind its name, for example `ENCODING 'LATIN1' TEMPLATE template0`.
    package func createDatabase(_ options: String = "") throws(ServerProblem) -> String {
        let number = databases.withLock { number in
            number += 1
            return number
        }
        let name = "penstock_\(ProcessInfo.processInfo.processIdentifier)_\(number)"
        _ = try run("DROP DATABASE IF EXISTS \(name); CREATE DATABASE \(name) \(options);")
        return name
    }

    /// Executes statements and returns what they print, columns apart by tabs, without headings.
    @discardableResult package func run(
        _ statements: String, database: String? = nil
    ) throws(ServerProblem) -> String {
        try Self.client(database.map(url(database:)) ?? url).run(statements + "\n;")
    }

    /// Opens a connection that stays.
    package func session(database: String) throws(ServerProblem) -> DatabaseSession {
        try DatabaseSession(Self.client(url(database: database))) { "\\echo done-\($0)" }
    }

    private static func url(port: Int, database: String) -> String {
        "postgresql://\(user):\(password)@127.0.0.1:\(port)/\(database)"
    }

    private static func client(_ url: String) -> CommandLineClient {
        CommandLineClient(
            command: ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", url],
            environment: ["PGCONNECT_TIMEOUT": "10"])
    }

    /// The folder of the newest server that is installed.
    private static func binaries() throws(ServerProblem) -> String {
        let root = "/usr/lib/postgresql"
        // No such folder: nothing is installed.
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap(Int.init)
        for version in versions.sorted(by: >)
        where FileManager.default.isExecutableFile(atPath: "\(root)/\(version)/bin/initdb") {
            return "\(root)/\(version)/bin"
        }
        throw ServerProblem("no server is installed in \(root)")
    }
}
