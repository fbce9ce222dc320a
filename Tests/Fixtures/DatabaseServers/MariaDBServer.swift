// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing

/// A MariaDB server for tests, with TLS offered and a password asked for; or a MySQL server that was named.
package final class MariaDBServer: Sendable {
    /// The server of this test process, started at first use; of `PENSTOCK_TEST_MYSQL_URL` where that is set.
    package static let shared: Result<MariaDBServer, ServerProblem> = Result { () throws(ServerProblem) in
        if let url = ProcessInfo.processInfo.environment["PENSTOCK_TEST_MYSQL_URL"] {
            return try MariaDBServer(at: url)
        }
        return try MariaDBServer(.good)
    }

    /// The trait of tests that need a server: without one they count as skipped, with the reason.
    package static var isThere: ConditionTrait {
        switch shared {
        case .success: .enabled(if: true)
        case .failure(let problem): .disabled("no MariaDB: \(problem)")
        }
    }

    /// The host.
    package let host: String
    /// The port.
    package let port: Int
    /// A user with all rights.
    package let user: String
    /// The user's password.
    package let password: String
    /// The folder of `ca.pem` and `other-ca.pem`, or empty for a server that was not started here.
    package let folder: String

    private let process: ServerProcess?
    private let databases = Mutex(0)

    private init(at url: String) throws(ServerProblem) {
        guard let parts = URLComponents(string: url), let host = parts.host, let user = parts.user else {
            throw ServerProblem("PENSTOCK_TEST_MYSQL_URL is not mysql://user:password@host:port")
        }
        self.host = host
        port = parts.port ?? 3306
        self.user = user
        password = parts.password ?? ""
        folder = ""
        process = nil
        _ = try run("SELECT 1")
    }

    /// Starts a server of its own; it ends with this process at the latest.
    ///
    /// - Parameter options: More options of the server, for example `--net-write-timeout=2`.
    package init(_ certificate: ServerCertificate, options: [String] = []) throws(ServerProblem) {
        let password = "mariadb-canary-51c9"
        let prepare = """
            \(certificate.script)
            # A server that starts removes the temporary tables of all that share its folder for them.
            mkdir tmp
            mariadb-install-db --no-defaults --datadir="$FOLDER/data" --tmpdir="$FOLDER/tmp" \
                --auth-root-authentication-method=normal --skip-test-db >init.log 2>&1
            # The server takes one statement a line.
            echo "CREATE USER 'penstock'@'%' IDENTIFIED BY '\(password)';" >init.sql
            echo "GRANT ALL ON *.* TO 'penstock'@'%' WITH GRANT OPTION;" >>init.sql
            """
        let server = """
            mariadbd --no-defaults --datadir="$FOLDER/data" --tmpdir="$FOLDER/tmp" \
            --socket="$FOLDER/socket" --pid-file="$FOLDER/pid" --bind-address=127.0.0.1 --port=$PORT \
            --init-file="$FOLDER/init.sql" --skip-log-bin \
            --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=64M --skip-name-resolve \
            --ssl-ca="$FOLDER/ca.pem" --ssl-cert="$FOLDER/server.pem" --ssl-key="$FOLDER/server.key" \
            \(options.joined(separator: " "))
            """
        let process = try ServerProcess(prepare: prepare, server: server, stopSignal: "TERM") { process in
            let client = Self.client("127.0.0.1", process.port, "penstock", password, nil)
            // Not ready yet is the usual answer of the first second.
            return (try? client.run("SELECT 1;")) != nil
        }
        self.process = process
        host = "127.0.0.1"
        port = process.port
        user = "penstock"
        self.password = password
        folder = process.folder
    }

    /// Stops it now.
    package func stop() { process?.stop() }

    /// `mysql://…` of a database of this server.
    package func url(database: String) -> String { "mysql://\(user):\(password)@\(host):\(port)/\(database)" }

    /// Makes an empty database of a new name.
    ///
    /// - Parameter options: What stands behind its name, for example `CHARACTER SET latin1`.
    package func createDatabase(_ options: String = "CHARACTER SET utf8mb4") throws(ServerProblem) -> String {
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
        try Self.client(host, port, user, password, database).run(statements + "\n;")
    }

    /// Opens a connection that stays.
    package func session(database: String) throws(ServerProblem) -> DatabaseSession {
        try DatabaseSession(Self.client(host, port, user, password, database)) { "SELECT 'done-\($0)';" }
    }

    private static func client(
        _ host: String, _ port: Int, _ user: String, _ password: String, _ database: String?
    ) -> CommandLineClient {
        CommandLineClient(
            command: [
                "mariadb", "--no-defaults", "--protocol=tcp", "-h", host, "-P", String(port), "-u", user, "-N", "-n",
                "--raw", "--default-character-set=utf8mb4", "--connect-timeout=10",
            ] + (database.map { [$0] } ?? []),
            environment: ["MYSQL_PWD": password])
    }
}
