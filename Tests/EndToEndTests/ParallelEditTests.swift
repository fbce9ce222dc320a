// SPDX-License-Identifier: Apache-2.0

import Testing

/// Commands that change one file at the same time.
@Suite struct ParallelEditTests {
    @Test("Each command's change is in the file when all have said that they made it")
    func nothingIsLost() throws {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company,town,size", "k1,Alpha,Oslo,3"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map:
              name: company   # the firm
            insert: {mode: Append}
            """)
        let additions = try (1...6).map { number in
            try project.start(
                "connection", "add", "n\(number)", "--connector", "csv", "--set", "path=data", "--no-test")
        }
        let targets = ["website": "company", "address": "town", "Account notes": "size", "linkedin": "key"]
        let maps = try targets.map { try project.start("sync", "map", "orgs", "--set", "\($0.key)=\($0.value)") }
        for program in additions + maps {
            let end = try program.result()
            #expect(end.status == 0, "\(end.everything)")
        }
        let connections = try project.text("connections.yml")
        for number in 1...6 { #expect(connections.contains("  n\(number):"), "\(connections)") }
        let sync = try project.text("syncs/orgs.yml")
        for target in targets { #expect(sync.contains("  \(target.key): \(target.value)\n"), "\(sync)") }
        #expect(sync.contains("  name: company   # the firm\n"))
    }
}
