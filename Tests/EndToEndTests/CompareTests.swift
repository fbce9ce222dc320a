// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PipedriveSandbox
import Testing

/// How the records behind rows are looked at: what is spent is the least that it can be, and what the plan said.
@Suite struct CompareTests {
    /// Rows for some of the records of an account, of which every tenth differs.
    private func project(records: Int, rows: [Int], compare: String = "remote") throws -> TemporaryProject {
        let project = try TemporaryProject()
        for number in 1...records { try project.server.create(["name": .string("Company \(number)")]) }
        try project.csv(
            "orgs",
            ["pd,company"] + rows.map { "\($0),\($0 % 10 == 0 ? "New" : "Company") \($0)" })
        try project.sync(
            """
            source: {connection: files, table: orgs, key: pd}
            map: {id: pd, name: company}
            insert: {mode: Update, compare: \(compare)}
            """)
        return project
    }

    private static let fields = 10

    @Test(
        "Few rows are read one by one, groups together, and all of them by the list where that costs less",
        arguments: [
            (60, 7, 7, 7), (60, 10, 10, 10), (60, 35, 10, 10), (1_000, 105, 15, 15), (300, 300, 10, 10),
            (1_200, 1_200, 30, 30), (1_600, 200, 30, 20),
        ])
    func leastTokens(records: Int, rows: Int, first: Int, second: Int) throws {
        let step = records / rows
        let project = try project(records: records, rows: (1...rows).map { $0 * step })
        let changed = (1...rows).filter { $0 * step % 10 == 0 }.count
        let report = try project.runAsPlanned()
        #expect(report.counts == counts(rows, changed))
        #expect(report.tokens == Self.fields + first + 5 * changed)
        // What the first run has learned of the length of the list, the second one knows.
        let again = try project.runAsPlanned()
        #expect(again.counts == counts(rows, 0))
        #expect(again.tokens == Self.fields + second)
    }

    private func counts(_ rows: Int, _ changed: Int) -> String {
        "fetched \(rows)" + (changed > 0 ? ", updated \(changed)" : "")
            + (rows > changed ? ", unchanged \(rows - changed)" : "")
    }

    @Test("Groups are filled across the batches of the source")
    func groupsAcrossBatches() throws {
        let project = try TemporaryProject()
        func lines(_ numbers: [Int]) -> [String] { ["pd,company"] + numbers.map { "\($0),Company \($0)" } }
        for number in 1...4_590 { try project.server.create(["name": .string("Company \(number)")]) }
        try project.csv("orgs", lines(Array(1...4_500)))
        try project.sync(
            """
            source: {connection: files, table: orgs, key: pd}
            map: {id: pd, name: company}
            insert: {mode: Update}
            """)
        let first = try project.runAsPlanned()
        #expect(first.counts == "fetched 4500, unchanged 4500")
        #expect(first.tokens == Self.fields + 90, "nine pages of the list hold them all")
        // 90 records that the ledger does not know, half of them in front of 4,500 that it knows, half behind them.
        try project.csv("orgs", lines(Array(4_501...4_545) + Array(1...4_500) + Array(4_546...4_590)))
        let second = try project.runAsPlanned()
        #expect(second.counts == "fetched 4590, unchanged 4590")
        #expect(second.tokens == Self.fields + 10, "90 records in one request")
    }

    @Test(
        "Where the account's oldest records are not in the sync, the ids say how far the list is to be read",
        arguments: [(600, 1_200, 0, 40), (600, 1_000, 1_200, 40), (300, 40, 0, 10), (3_000, 300, 0, 30)])
    func olderRecords(older: Int, rows: Int, newer: Int, tokens: Int) throws {
        let project = try project(
            records: older + rows + newer, rows: Array((older + 1)...(older + rows)))
        let changed = (1...rows).filter { ($0 + older) % 10 == 0 }.count
        let report = try project.runAsPlanned()
        #expect(report.counts == counts(rows, changed))
        // A page that is tried where the ids tell too little is paid once.
        let tried = older == 3_000 ? 10 : 0
        #expect(report.tokens == Self.fields + tokens + tried + 5 * changed)
        #expect(try project.runAsPlanned().tokens == Self.fields + tokens)
    }

    @Test("What does not exist is found out by every way of looking", arguments: [1, 9, 60, 400])
    func missing(rows: Int) throws {
        let project = try project(records: 5, rows: Array(1_000..<1_000 + rows))
        let report = try project.runAsPlanned()
        #expect(report.counts == "fetched \(rows), rejected \(rows)")
        #expect(report.rejects == "not-found \(rows)")
        #expect(report.tokens == Self.fields + min(10, rows))
    }
}
