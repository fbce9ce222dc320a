// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct RowDeciderTests {
    private let a = Fingerprint(low: 1, high: 1)
    private let b = Fingerprint(low: 2, high: 2)

    private func decider(
        _ fetch: FetchDefinition.Mode, _ insert: InsertDefinition.Mode, match: String = "id",
        onMissing: InsertDefinition.OnMissing = .reject, compare: InsertDefinition.Compare = .auto
    ) -> RowDecider {
        RowDecider(
            FetchDefinition(mode: fetch, key: fetch == .full ? nil : "k"),
            InsertDefinition(mode: insert, match: match, onMissing: onMissing, compare: compare))
    }

    private func known(
        _ outcome: KnownRow.Outcome, thisRun: Bool = false, id: String? = "7", payload: Fingerprint? = nil,
        cursor: String? = nil
    ) -> KnownRow {
        KnownRow(outcome: outcome, isOfThisRun: thisRun, remoteID: id, payload: payload ?? a, cursor: cursor)
    }

    @Test func appendCreatesEveryFetchedRowInEveryRun() {
        let decision = decider(.full, .append).decide(CandidateRow(payload: a), known(.settled(.created)))
        #expect(decision == .create)
    }

    @Test func anInterruptedAppendDoesNotCreateItsSettledRowsAgain() {
        let decision = decider(.full, .append)
            .decide(CandidateRow(payload: b), known(.settled(.created), thisRun: true))
        #expect(decision == .recovered(.created))
    }

    @Test("What is counted as created without a look is decided so, whatever the row says")
    func whatIsCountedIsDecidedSo() {
        let rows: [(payload: Fingerprint, id: String?)] = [(a, nil), (b, "7"), (b, nil)]
        let outcomes: [RowOutcome?] = [nil, .created, .updated, .unchanged]
        var counted = 0
        for fetch in [FetchDefinition.Mode.full, .incremental] {
            let cursors: [String?] = fetch == .full ? [nil] : ["10", "11"]
            for insert in [InsertDefinition.Mode.append, .update] {
                for outcome in outcomes {
                    let decider = decider(fetch, insert, onMissing: .create)
                    guard decider.creates(isAccepted: outcome != nil) else { continue }
                    counted += 1
                    for each in rows {
                        for cursor in cursors {
                            let row = CandidateRow(payload: each.payload, remoteID: each.id, cursor: cursor)
                            let before = outcome.map { known(.settled($0), cursor: fetch == .full ? nil : "10") }
                            #expect(decider.decide(row, before) == .create)
                        }
                    }
                }
            }
        }
        // Append: everything with FULL, rows that nobody knows with INCREMENTAL.
        #expect(counted == 5)
    }

    @Test(arguments: [InsertDefinition.Mode.append, .update])
    func aTieThatWasSettledAtTheBoundaryIsRereadOnly(mode: InsertDefinition.Mode) {
        let row = CandidateRow(payload: a, remoteID: "7", cursor: "10")
        #expect(decider(.incremental, mode).decide(row, known(.settled(.updated), cursor: "10")) == .reread)
    }

    @Test func aTieThatWasCommittedLaterIsNotLost() {
        let row = CandidateRow(payload: a, cursor: "10")
        #expect(decider(.incremental, .append).decide(row, nil) == .create)
    }

    @Test(arguments: [InsertDefinition.Mode.append, .update])
    func aRowWithANullKeyGoesAgainOnlyWhenItsValuesChange(mode: InsertDefinition.Mode) {
        let before = known(.settled(.created))
        let same = CandidateRow(payload: a, remoteID: mode == .update ? "7" : nil)
        #expect(decider(.incremental, mode).decide(same, before) == .reread)
        let changed = CandidateRow(payload: b, remoteID: mode == .update ? "7" : nil)
        #expect(decider(.incremental, mode).decide(changed, before) == (mode == .append ? .create : .update("7")))
    }

    @Test func aNewVersionOfAnAppendedRowIsInsertedAgain() {
        let row = CandidateRow(payload: b, cursor: "11")
        #expect(decider(.incremental, .append).decide(row, known(.settled(.created), cursor: "10")) == .create)
    }

    @Test func aCreateOfUnknownFateIsNeverSentAgainBlindly() {
        #expect(decider(.full, .append).decide(CandidateRow(payload: a), known(.maybeCreated)) == .maybeCreated)
        let upsert = decider(.full, .update, onMissing: .create)
        #expect(upsert.decide(CandidateRow(payload: a), known(.maybeCreated)) == .maybeCreated)
    }

    @Test func whatTheLedgerKnowsToBeEqualCostsNothing() {
        let row = CandidateRow(payload: a, remoteID: "7")
        #expect(decider(.full, .update).decide(row, known(.settled(.updated))) == .unchanged("7"))
        #expect(decider(.full, .update, compare: .none).decide(row, known(.settled(.updated))) == .update("7"))
        #expect(decider(.full, .update, compare: .remote).decide(row, known(.settled(.updated))) == .compare("7"))
    }

    @Test func aRowThatNowPointsToAnotherRecordIsNotUnchanged() {
        let row = CandidateRow(payload: a, remoteID: "8")
        #expect(decider(.full, .update).decide(row, known(.settled(.updated))) == .compare("8"))
    }

    @Test func aRecordCreatedForARowIsUpdatedByTheNextRun() {
        let row = CandidateRow(payload: b)
        let decision = decider(.full, .update, onMissing: .create).decide(row, known(.settled(.created)))
        #expect(decision == .update("7"))
    }

    @Test(arguments: [KnownRow.Outcome.settled(.rejected), .open])
    func aRowKeepsItsRecordWhateverBecameOfItLast(outcome: KnownRow.Outcome) {
        let upsert = decider(.full, .update, onMissing: .create)
        #expect(upsert.decide(CandidateRow(payload: b), known(outcome)) == .compare("7"))
    }

    @Test func aFullRefreshLooksAtSettledUpdatesAgain() {
        let row = CandidateRow(payload: a, remoteID: "7", cursor: "10")
        let fresh = RowDecider(
            FetchDefinition(mode: .incremental, key: "k"), InsertDefinition(mode: .update, compare: .remote),
            isFullRefresh: true)
        #expect(fresh.decide(row, known(.settled(.updated), cursor: "10")) == .compare("7"))
    }

    @Test func aRefusedRowGoesAgainOnlyWhenItHasChanged() {
        let decider = decider(.full, .update)
        let refused = known(.settled(.rejected), id: nil)
        #expect(decider.decide(CandidateRow(payload: a, remoteID: "7"), refused) == .rejectedBefore)
        #expect(decider.decide(CandidateRow(payload: b, remoteID: "7"), refused) == .compare("7"))
    }

    @Test(arguments: [InsertDefinition.Mode.append, .update])
    func aRejectThatWasMendedAtTheBoundaryIsNotLost(mode: InsertDefinition.Mode) {
        let id = mode == .update ? "7" : nil
        let mended = CandidateRow(payload: b, remoteID: id, cursor: "10")
        let rejected = known(.settled(.rejected), id: nil, cursor: "10")
        #expect(decider(.incremental, mode).decide(mended, rejected) != .reread)
        let refusedAgain = CandidateRow(payload: b, refusal: a, remoteID: id, cursor: "10")
        #expect(decider(.incremental, mode).decide(refusedAgain, rejected) == .reread)
    }

    @Test func withoutAnIdAnUpdateIsMissingOrMatched() {
        #expect(decider(.full, .update).decide(CandidateRow(payload: a), nil) == .missing)
        #expect(decider(.full, .update, match: "name").decide(CandidateRow(payload: a), nil) == .match)
    }

    // MARK: Rows that need nothing

    @Test("What is told by digests alone is what a look at the row says")
    func quietIsWhatTheDecisionSays() {
        for fetch: FetchDefinition.Mode in [.full, .incremental] {
            for insert: InsertDefinition.Mode in [.append, .update] {
                for compare: InsertDefinition.Compare in [.auto, .ledger, .remote, .none] {
                    for isFullRefresh in [false, true] {
                        expectQuiet(fetch, insert, compare, isFullRefresh)
                    }
                }
            }
        }
    }

    private func expectQuiet(
        _ fetch: FetchDefinition.Mode, _ insert: InsertDefinition.Mode, _ compare: InsertDefinition.Compare,
        _ isFullRefresh: Bool
    ) {
        let decider = RowDecider(
            FetchDefinition(mode: fetch, key: fetch == .full ? nil : "k"),
            InsertDefinition(mode: insert, onMissing: .create, compare: compare), isFullRefresh: isFullRefresh)
        let cursor: Value? = fetch == .full ? nil : .int64(5)
        for outcome: RowOutcome in [.created, .updated, .unchanged] {
            for payload in [a, b] {
                let known = KnownRow(
                    outcome: .settled(outcome), isOfThisRun: false, remoteID: "7", payload: a,
                    cursor: cursor.map { _ in "5" })
                let quiet = decider.quiet(hasSamePayload: payload == a, cursor: cursor)
                if quiet != nil { #expect(decider.findsQuiet) }
                for id in [nil, "7"] {
                    let row = CandidateRow(payload: payload, remoteID: id, cursor: cursor.map { _ in "5" })
                    switch quiet {
                    case .unchanged: #expect(decider.decide(row, known) == .unchanged("7"))
                    case .reread: #expect(decider.decide(row, known) == .reread)
                    case nil: break
                    }
                }
            }
        }
    }
}
