// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import PenstockState
import Testing

@testable import PenstockHost

/// Runs that are looked at before others, and begin behind them.
@Suite struct PreparedRunTests {
    private static let map = [MapEntry(target: "name", from: "name")]

    private func rows(_ names: [String]) -> [[Value]] {
        names.enumerated().map { [.text("k\($0.offset)"), .null, .text($0.element), .null, .int64(Int64($0.offset))] }
    }

    private func options(_ options: inout RunOptions) { options.preflight.limits.bounds[.creates] = .count(10) }

    @Test("A prepared run sends what it has looked at, whatever the source has become since")
    func sendsWhatWasLookedAt() throws {
        let bench = try Bench(rows(["A", "B"]), map: Self.map)
        let report = try bench.run(options) { runner in
            try runner.prepare(parents: [:], records: nil)
            #expect(bench.names.isEmpty, "nothing is sent before the run")
            bench.set(rows(["C"]))
        }
        #expect(bench.names == ["A", "B"] && report.counts.created == 2)
    }

    @Test("A prepared run that is let go leaves everything as it was")
    func letGo() throws {
        let bench = try Bench(rows(["A"]), map: Self.map)
        let report = try bench.run(options) { runner in
            try runner.prepare(parents: [:], records: nil)
            runner.close()
            bench.set(rows(["B", "C"]))
        }
        #expect(bench.names == ["B", "C"] && report.run.number == 1)
    }

    @Test("A prepared run that would exceed a limit is refused before it begins")
    func limited() throws {
        let bench = try Bench(rows((0..<20).map { "N\($0)" }), map: Self.map)
        #expect(throws: RunStop.self) {
            _ = try bench.run(options) { runner in try runner.prepare(parents: [:], records: nil) }
        }
        #expect(bench.names.isEmpty)
    }

    @Test("What a held run would leave is known to those that link to it")
    func records() throws {
        let bench = try Bench(rows(["A", "B"]), map: Self.map)
        let records = PlannedRecords(keyColumns: ["k"])
        _ = try bench.run(options) { runner in try runner.prepare(parents: [:], records: records) }
        #expect(try records.outcome(LinkedStates.digests(of: .text("k1"))) == .created)
        #expect(try records.outcome(LinkedStates.digests(of: .text("k2"))) == nil)
        #expect(!records.hasUnseen)
    }

    @Test("Differences are counted by kind, a few are named, and keys are hidden where they are masked")
    func differences() {
        for hidesKey in [false, true] {
            var differences = PlanDifferences(PlanMask(hidesKey: hidesKey))
            #expect(differences.clauses.isEmpty)
            differences.noteLink(row: 9, keyText: "k9", "Its row in a was rejected (x); this row goes by itself.")
            for row in 1...5 { differences.note(.values, row: Int64(row), keyText: "k\(row)", "update") }
            let keys =
                (hidesKey ? [PlanMask.dots] : nil).map { Array(repeating: $0[0], count: 9) } ?? (1...9).map { "k\($0)" }
            #expect(
                differences.clauses == [
                    "5 rows are to be sent with other values than planned: row 1, key \(keys[0]) (update); "
                        + "row 2, key \(keys[1]) (update); row 3, key \(keys[2]) (update), and 2 more",
                    "1 row is planned with a record that another sync creates first, and that is not there: "
                        + "row 9, key \(keys[8]) (Its row in a was rejected (x))",
                ])
            #expect(differences.has(.linked) && !differences.has(.added))
        }
    }
}
