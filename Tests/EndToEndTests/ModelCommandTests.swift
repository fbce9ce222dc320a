// SPDX-License-Identifier: Apache-2.0

import DatabaseServers
import Foundation
import PenstockModel
import Testing

/// Models from the command line: made, shown, tried with values, and checked against what the source holds.
@Suite struct ModelCommandTests {
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.sql(
            """
            CREATE TABLE orgs (key TEXT PRIMARY KEY, "Full Name" TEXT, since TEXT);
            INSERT INTO orgs VALUES ('k1', 'Alpha', '2026-01-01'), ('k2', 'O''Hara', '2026-02-01');
            CREATE TABLE twice (key TEXT, name TEXT);
            INSERT INTO twice VALUES ('a', 'x'), ('a', 'y'), (NULL, 'z'), ('b', NULL), ('a', 'w');
            """)
        return project
    }

    @Test("A model is made of a table, checked, shown and read by a sync")
    func table() throws {
        let project = try project()
        let made = try project.penstock("model", "new", "all_orgs", "--table", "orgs", "--no-input")
        #expect(made.status == 0, "\(made.errors)")
        #expect(
            try project.text("models/all_orgs.sql") == """
                -- connection: base
                -- key: key
                SELECT "key",
                       "Full Name",
                       "since"
                FROM   "orgs"

                """)
        try project.sync("source: {model: all_orgs}\nmap: {name: Full Name}")
        let checked = try project.penstock("model", "check", "all_orgs", "--output", "table")
        #expect(checked.status == 0, "\(checked.everything)")
        #expect(checked.output.contains("2 rows") && checked.output.contains("key key: unique, never NULL"))
        #expect(checked.output.contains("read by orgs"))
        let shown = try project.penstock("model", "show", "all_orgs", "--json").json["data"]
        #expect(shown?["connection"]?.stringValue == "base" && shown?["syncs"]?.arrayValue?.count == 1)
        #expect(try project.run().counts == "fetched 2, created 2")
        let again = try project.penstock("model", "new", "all_orgs", "--table", "orgs", "--no-input")
        #expect(again.status == 64 && again.errors.contains("model-exists"))
    }

    @Test("On a terminal what is missing is asked for, and the files are those of the flags")
    func asks() throws {
        let project = try project()
        try project.penstock("model", "new", "flags", "--table", "orgs", "--key", "key", "--no-input")
        /// Types lines at a terminal that `script` makes.
        func type(_ lines: [String], _ command: String) throws -> ProgramResult {
            let text = lines.joined(separator: "\\n")
            let typed = "printf '\(text)\\n' | script -qec '\(Program.penstock) \(command)' /dev/null"
            return try project.run(program: "/bin/sh", ["-c", typed])
        }
        let result = try type(["asked", "1", "orgs", "kye", ""], "model new")
        #expect(
            result.output.contains("Which table?") && result.output.contains("did you mean"), "\(result.everything)")
        #expect(try project.text("models/asked.sql") == project.text("models/flags.sql"))
        let own = try type(["2", "SELECT key", "FROM orgs;", "none"], "model new own")
        #expect(
            try project.text("models/own.sql") == "-- connection: base\nSELECT key\nFROM orgs\n", "\(own.everything)")
    }

    @Test("A query is kept only where the source can carry it out, and what is missing is named")
    func refusals() throws {
        let project = try project()
        try project.write("bad.sql", "SELECT nme FROM orgs")
        for (words, status, text) in [
            (["x", "--sql-file", "bad.sql"], Int32(78), "nme"),
            (["x", "--table", "ogrs"], 64, "did you mean \"orgs\"?"), (["x"], 64, "--table or --sql-file"),
            (["x", "--table", "orgs", "--key", "kye"], 64, "did you mean \"key\"?"),
            ([], 64, "penstock model new NAME"),
            (["../x", "--table", "orgs"], 64, "cannot be the name"),
            (["x", "--table", "orgs", "--connection", "files"], 64, "reads no models"),
            (["x", "--table", "orgs", "--connection", "bsae"], 64, "did you mean \"base\"?"),
            (["x", "--sql-file", "gone.sql"], 64, "gone.sql cannot be read"),
            (["x", "--table", "orgs", "--declare", "a:dat"], 64, "types: text"),
            (["x", "--table", "orgs", "--declare", "a:date", "--declare", "a:text"], 64, "parameter a twice"),
        ] {
            let result = try project.penstock(["model", "new"] + words + ["--no-input"])
            #expect(result.status == status && result.errors.contains(text), "\(words): \(result.everything)")
            #expect(result.output.isEmpty)
        }
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/models/x.sql"))
    }

    @Test("Parameters are declared, given, and can put nothing but a value into a query")
    func parameters() throws {
        let project = try project()
        try project.write(
            "q.sql", "SELECT key, \"Full Name\" AS name FROM orgs\nWHERE since >= :since AND \"Full Name\" <> {{but}}")
        let made = try project.penstock(
            "model", "new", "recent", "--sql-file", "q.sql", "--key", "key", "--declare", "since:date=2026-01-15",
            "--declare", "but:text=", "--no-input")
        #expect(made.status == 0, "\(made.errors)")
        #expect(try project.text("models/recent.yml").contains("since: {type: date, default: \"2026-01-15\"}"))
        func names(_ words: String...) throws -> [String] {
            let result = try project.penstock(["model", "preview", "recent", "--json"] + words)
            return try result.json["data"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        }
        #expect(try names() == ["O'Hara"])
        #expect(try names("--param", "since=2026-01-01") == ["Alpha", "O'Hara"])
        #expect(try names("--param", "but=O'Hara") == [])
        #expect(try names("--param", "but=' OR 1=1 --") == ["O'Hara"])
        for (value, text) in [
            ("since=soon", "a date as"), ("sinc=2026-01-01", "did you mean"), ("since", "NAME=VALUE"),
        ] {
            let result = try project.penstock("model", "preview", "recent", "--param", value)
            #expect(result.status == 64 && result.errors.contains(text), "\(result.everything)")
        }
        try project.sync("source: {model: recent, params: {since: 2026-01-01, but: Alpha}}\nmap: {name: name}")
        #expect(try project.run().counts == "fetched 1, created 1")
        try project.write("models/recent.yml", "key: key\nparams: {since: date, but: text}\n")
        let checked = try project.penstock("model", "check")
        #expect(checked.status == 0, "with the values of the sync: \(checked.errors)")
        #expect(try project.penstock("model", "check", "recent", "--param", "since=2026-01-01").status == 64)
    }

    @Test("A key that is none is found by reading, with examples and what comes of it")
    func badKey() throws {
        let project = try project()
        try project.write("models/twice.sql", "-- connection: base\n-- key: key\nSELECT * FROM twice\n")
        try project.sync("source: {model: twice}\nmap: {name: name}")
        let result = try project.penstock("model", "check", "twice", "--output", "table")
        #expect(result.status == 65)
        #expect(result.errors.contains("error[duplicate-key]") && result.errors.contains("row 2: a"))
        #expect(result.errors.contains("error[key-null]") && result.errors.contains("orgs would reject"))
        #expect(result.output.contains("not unique, NULL in some rows"))
        let json = try project.penstock("model", "check", "--json").json["data"]?.arrayValue?.first
        #expect(json?["duplicates"]?.intValue == 2 && json?["null_keys"]?.intValue == 1 && json?["rows"]?.intValue == 5)
        #expect(json?["columns"]?.arrayValue?[1]["nulls"]?.intValue == 1)
        let run = try project.run()
        #expect(run.rejects == "duplicate-key 2, key-null 1, required-missing 1" || run.count("rejected") == 4)
    }

    @Test("Syncs and descriptions that do not fit the model are found")
    func misfits() throws {
        let project = try project()
        try project.write("models/loud.sql", "-- connection: base\n-- key: kye\nSELECT key, since FROM orgs\n")
        try project.write("models/loud.yml", "columns: {sinc: {type: date}, since: {type: date}}\n")
        try project.sync("source: {model: loud}\nmap: {name: company}")
        let result = try project.penstock("model", "check", "loud")
        #expect(result.status == 78)
        for text in [
            "no column \"kye\"", "did you mean \"key\"", "no column \"sinc\"", "described as date",
            "error[unknown-column]", "company",
        ] {
            #expect(result.errors.contains(text), "\(text): \(result.errors)")
        }
        try project.write("models/wrong.sql", "-- connection: base\nSELECT nothing FROM nowhere\n")
        #expect(try project.penstock("model", "check", "wrong").status == 78)
    }

    @Test("A comma separates values in CSV, whatever Swift joins it with")
    func csv() throws {
        let sql = "SELECT 'a,' || char(769) AS x, 'b\"' || char(8205) AS y"
        let result = try project().penstock("connection", "query", "base", sql, "-o", "csv")
        #expect(result.output == "x,y\n\"a,\u{301}\",\"b\"\"\u{200D}\"\n", "\(result.everything)")
    }

    @Test("dbt's models are listed and read")
    func dbt() throws {
        let project = try project()
        try project.write("penstock.yml", "version: 1\nproject: e2e\ndbt: {manifest: m.json, connection: base}\n")
        try project.write(
            "m.json",
            """
            {"nodes": {"model.shop.orgs": {"resource_type": "model", "name": "orgs", "package_name": "shop",
              "relation_name": "\\"main\\".\\"orgs\\"", "primary_key": ["key"], "columns": {}}}}
            """)
        #expect(try project.penstock("model", "list").output.contains("dbt:orgs"))
        try project.sync("source: {model: \"dbt:orgs\"}\nmap: {name: Full Name}")
        #expect(try project.run().counts == "fetched 2, created 2")
        #expect(try project.penstock("model", "check", "dbt:orgs").status == 0)
        for words in [["show"], ["preview"], ["check"]] {
            let whole = try project.penstock(["model"] + words + ["dbt:shop.orgs"])
            #expect(whole.status == 0, "\(words): \(whole.everything)")
            let gone = try project.penstock(["model"] + words + ["dbt:orgz"])
            #expect(gone.status == 64 && gone.errors.contains("did you mean \"dbt:orgs\"?"), "\(gone.everything)")
        }
        try project.write("m.json", "{}")
        let broken = try project.penstock("model", "list")
        #expect(broken.status == 78 && broken.errors.contains("error[dbt-manifest]"), "\(broken.everything)")
    }

    @Test("On PostgreSQL names are quoted its way, and a value stays a value", PostgresServer.isThere)
    func postgres() throws {
        let project = try TemporaryProject()
        try project.postgres(Self.wide.replacing("`", with: "\""))
        try values(project, connection: "warehouse", quote: "\"")
    }

    @Test("On MariaDB names are quoted its way, and a value stays a value", MariaDBServer.isThere)
    func mariaDB() throws {
        let project = try TemporaryProject()
        // The server's own character set holds fewer characters than the values below.
        try project.mysql(Self.wide.replacing("active boolean)", with: "active boolean) CHARACTER SET utf8mb4"))
        try values(project, connection: "shop", quote: "`")
    }

    private static let wide =
        "CREATE TABLE `Wide Orgs` (`Key` int PRIMARY KEY, `full name` varchar(99), day date, at timestamp NULL,"
        + " amount decimal(9, 2), active boolean);"
        + "INSERT INTO `Wide Orgs` VALUES (1, 'O''Hara', '2026-01-31', '2026-01-31 06:15:00', -12.50, true),"
        + " (2, 'x', '2026-02-01', '2026-02-01 06:15:00', 7, false)"

    private func values(_ project: TemporaryProject, connection: String, quote: String) throws {
        let made = try project.penstock(
            "model", "new", "wide", "--connection", connection, "--table", "Wide Orgs", "--no-input")
        #expect(made.status == 0, "\(made.errors)")
        let text = try project.text("models/wide.sql")
        #expect(text.contains("\(quote)full name\(quote)") && text.contains("-- key: Key"))
        #expect(try project.penstock("model", "check", "wide").status == 0)
        try project.write(
            "models/by.sql",
            "-- connection: \(connection)\nSELECT \(quote)Key\(quote) AS k FROM \(quote)Wide Orgs\(quote)\n"
                + "WHERE (\(quote)full name\(quote) = :name OR day = {{day}} OR at = :at OR amount = :amount"
                + " OR \(quote)Key\(quote) - :number = 0) AND active = :active\n")
        try project.write(
            "models/by.yml",
            """
            params:
              name: {type: text, default: nobody}
              day: {type: date, default: 1999-01-01}
              at: {type: timestamp, default: 1999-01-01T00:00:00}
              amount: {type: number, default: 0}
              number: {type: integer, default: -1}
              active: {type: boolean, default: true}

            """)
        for (pairs, expected) in [
            (["name=O'Hara"], [1]), (["day=2026-01-31"], [1]), (["at=2026-01-31T06:15:00"], [1]),
            (["amount=-12.5"], [1]), (["number=1"], [1]), (["number=2", "active=false"], [2]), (["name=x"], []),
            (["name=' OR 1=1 -- "], []), (["name=' OR ''='"], []), (["name=/*", "day=1999-01-02"], []),
            (["name=\u{bf}' OR 1=1 #"], []), (["name=ﬀ＇ OR 1=1 -- "], []),
        ] {
            let words = pairs.flatMap { ["--param", $0] }
            let result = try project.penstock(["model", "preview", "by", "--json"] + words)
            #expect(result.status == 0, "\(pairs): \(result.errors)")
            let keys = try result.json["data"]?.arrayValue?.compactMap { $0["k"]?.intValue }
            #expect(keys == expected, "\(pairs)")
        }
    }
}
