// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// `why` tells in sentences what became of a row.
@Suite struct WhyTests {
    private func project(_ lines: [String], key: String = "key", more: String = "") throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,part,company,arr"] + lines)
        try project.sync(
            """
            source: {connection: files, table: orgs, key: \(key)}
            map: {name: company, ARR (EUR): arr}
            insert: {mode: Update, match: name, on_missing: create, settle: 1s}
            rejects: {max: 9}
            \(more)
            """)
        return project
    }

    private func why(_ project: TemporaryProject, _ words: String...) throws -> JSON {
        let result = try project.penstock(["why", "orgs", "--json"] + words)
        return try #require(try result.json["data"], "\(result.everything)")
    }

    private func sentences(_ json: JSON) -> String {
        (json["sentences"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: "\n")
    }

    @Test("A row that was created, then left alone, then changed at the source, then changed at the destination")
    func life() throws {
        let project = try project(["k1,a,Alpha,1.50", "k2,a,Beta,2"])
        #expect(sentences(try why(project, "k1")).contains("No run of orgs has met it yet."))
        _ = try project.run()
        let made = try why(project, "k1")
        let id = try #require(made["ledger"]?["remote_id"]?.stringValue)
        #expect(sentences(made).contains("It was created on"))
        #expect(sentences(made).contains("as organization \(id); unchanged since."))
        #expect(made["source"]?["columns"]?["arr"]?.stringValue == "1.50")
        let field = made["source"]?["fields"]?.arrayValue?.last
        #expect(
            field?["target"]?.stringValue == "ARR (EUR)" && field?["value"]?.stringValue == "1.50",
            "\(field?.text ?? "")")
        #expect(made["requests"]?.arrayValue?.count == 1)
        _ = try project.run()
        #expect(sentences(try why(project, "k1")).contains("; unchanged since."))
        #expect(sentences(try why(project, "k1")).contains("had nothing to write for it."))
        #expect(try why(project, "k1")["ledger"]?["is_of_last_run"]?.boolValue == false)
        try project.csv("orgs", ["key,part,company,arr", "k1,a,Alpha 2,1.5"])
        let changed = try why(project, "k1", "--online")
        #expect(sentences(changed).contains("; the source has other values now."))
        #expect(sentences(changed).contains("has other values at the destination now in: name."))
        _ = try project.run()
        #expect(sentences(try why(project, "k1", "--online")).contains("has these values at the destination now."))
        #expect(try why(project, "k1")["requests"]?.arrayValue?.count == 2)
        #expect(sentences(try why(project, "k2")).contains("The source has no row with this key now"))
        let text = try project.penstock("why", "orgs", "k1").output
        for word in ["Source now", "Map", "Sent", "company", "→ name", "Alpha 2"] { #expect(text.contains(word)) }
    }

    @Test("A reject says why, before and after a run, and masked values stay dots")
    func reject() throws {
        let project = try project(["k1,a,Alpha,canary-value"], more: "mask: [ARR (EUR)]")
        let before = try why(project, "k1")
        #expect(before["source"]?["reject"]?["code"]?.stringValue == "not-a-number")
        _ = try project.run()
        let after = try why(project, "k1")
        #expect(sentences(after).contains("It was rejected on"))
        #expect(after["reject"]?["code"]?.stringValue == "not-a-number")
        #expect(sentences(try why(project, "k1", "--offline")).contains("It was rejected on"))
        try project.penstock("why", "orgs", "k1")
        #expect(project.outputs.allSatisfy { !$0.contains("canary-value") })
    }

    @Test("A row that cannot become a record says so, after a run too")
    func noRecord() throws {
        let project = try project(["k1,a,,1"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company, Customer key: part}
            insert: {mode: Update, match: Customer key, on_missing: create, settle: 1s}
            rejects: {max: 9}
            """)
        _ = try project.run()
        let found = try why(project, "k1")
        #expect(found["reject"]?["code"]?.stringValue == "required-empty")
        #expect(
            sentences(found).contains("As it is now it cannot be sent: required-empty in name"), "\(sentences(found))")
    }

    @Test("A key of several columns is given column by column")
    func composite() throws {
        let project = try project(["k1,a,Alpha,1", "k1,b,Beta,2"], key: "[key, part]")
        _ = try project.run()
        let found = try why(project, "k1", "b")
        #expect(found["source"]?["columns"]?["company"]?.stringValue == "Beta")
        #expect(sentences(found).contains("It was created on"))
        let none = try project.penstock("why", "orgs", "k1")
        #expect(none.status == 64 && none.errors.contains("the key is: key, part"), "\(none.errors)")
    }

    @Test("A create whose answer was lost is said to be in doubt")
    func doubt() throws {
        let project = try project(["k1,a,Alpha,1"])
        try project.server.play("reset-after:method=POST:nth=1")
        #expect(try project.run("--no-wait").status == 75)
        let text = sentences(try why(project, "k1"))
        #expect(text.contains("its answer was lost"), "\(text)")
        try project.server.play()
        #expect(try project.run().status == 0)
        #expect(sentences(try why(project, "k1")).contains("It was created"))
    }

    @Test("By the Incremental Key it says whether the next run reads the row")
    func watermark() throws {
        let project = try TemporaryProject(types: "{at: integer}")
        try project.csv("orgs", ["key,company,at", "k1,Alpha,5", "k2,Beta,7"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            fetch: {mode: INCREMENTAL, key: at}
            insert: {mode: Append}
            """)
        _ = try project.run()
        #expect(sentences(try why(project, "k1")).contains("is before the watermark 7"))
        try project.csv("orgs", ["key,company,at", "k1,Alpha,5", "k3,New,9"])
        let new = sentences(try why(project, "k3"))
        #expect(new.contains("is past the watermark: the next run reads it."), "\(new)")
    }
}
