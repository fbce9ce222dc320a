// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

/// What guards ask of a decision, and what counts as empty.
@Suite struct EditGuardTests {
    private func digest(_ text: String) -> Fingerprint {
        var hasher = FingerprintHasher()
        hasher.combine(text)
        return hasher.finish()
    }

    private func decide(
        _ compare: InsertDefinition.Compare, needsRecord: Bool, known payload: String?, run: Bool = false
    ) -> RowDecision {
        let decider = RowDecider(
            FetchDefinition(), InsertDefinition(mode: .update, onMissing: .reject, compare: compare))
        let row = CandidateRow(
            payload: digest("new"), remoteID: "7", held: digest("held"), needsRecord: needsRecord)
        let known = payload.map {
            KnownRow(
                outcome: .settled(.updated), isOfThisRun: run, remoteID: "7", payload: digest($0), cursor: nil)
        }
        return decider.decide(row, known)
    }

    @Test(
        "A row that sets a guarded field is looked at before it is updated",
        arguments: InsertDefinition.Compare.allCases)
    func looksFirst(compare: InsertDefinition.Compare) {
        #expect(decide(compare, needsRecord: true, known: "old") == .compare("7"))
        #expect(decide(compare, needsRecord: true, known: nil) == .compare("7"))
    }

    @Test func aRowWithAConflictIsLookedAtAgainAndAnotherOneIsNot() {
        #expect(decide(.ledger, needsRecord: false, known: "held") == .compare("7"))
        #expect(decide(.ledger, needsRecord: true, known: "new") == .unchanged("7"))
        #expect(decide(.ledger, needsRecord: false, known: "old") == .update("7"))
        #expect(decide(.ledger, needsRecord: true, known: "held", run: true) == .recovered(.updated))
    }

    @Test(
        "Empty is what says nothing",
        arguments: [
            (Value.null, DestinationField.Kind.text, true), (.text(" \t"), .text, true), (.text("x"), .text, false),
            (.text("ä"), .text, false), (.decimal("0"), .number, false), (.json("[]"), .options, true),
            (.json("[\"1\"]"), .options, false), (.json("{\"value\":\"\"}"), .address, true),
            (.json("{\"value\":null,\"currency\":\"EUR\"}"), .money, true), (.json("{\"value\":0}"), .money, false),
            (.json("[{\"value\":\"\"}]"), .contacts, true), (.json("null"), .json, true),
            (.bool(false), .boolean, false),
        ])
    func empty(value: Value, kind: DestinationField.Kind, isEmpty: Bool) {
        #expect(FieldEmptiness.isEmpty(value, kind) == isEmpty)
    }
}
