// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct LostCreatesTests {
    @Test func nothingIsAskedBeforeTheLastOneIsDue() {
        var lost = LostCreates<Int>()
        #expect(lost.step(0) == .nothing)
        lost.add(1, dueAt: 50)
        lost.add(2, dueAt: 80)
        #expect(lost.step(60) == .wait(until: 80))
        #expect(lost.step(80) == .sweep)
    }

    @Test func whatIsNotDueStays() {
        var lost = LostCreates<Int>()
        lost.add(1, dueAt: 50)
        lost.add(2, dueAt: 80)
        let verdicts = lost.settle([2: ["r2"]], startedAt: 60, isMarked: { _ in true })
        #expect(verdicts.map(\.key) == [1] && verdicts.map(\.verdict) == [.absent])
        #expect(lost.count == 1)
    }

    @Test func asManyAsAreFoundAreAdoptedAndNoRecordTwice() {
        var lost = LostCreates<Int>()
        for key in 1...3 { lost.add(key, dueAt: 0) }
        let found = [1: ["a", "b"], 2: ["a", "b"], 3: ["a", "b"]]
        let verdicts = lost.settle(found, startedAt: 0, isMarked: { _ in false }).map(\.verdict)
        #expect(verdicts.count { $0 == .absent } == 1)
        #expect(Set(verdicts.compactMap { if case .adopted(let id) = $0 { id } else { nil } }) == ["a", "b"])
    }

    @Test("A row that fits one record only gets it, although another one fits it too")
    func theMatchingLeavesOutNobodyWhoFits() {
        for order in [[1, 2], [2, 1]] {
            var lost = LostCreates<Int>()
            for key in order { lost.add(key, dueAt: 0) }
            let verdicts = lost.settle([1: ["a"], 2: ["a", "b"]], startedAt: 0, isMarked: { _ in false })
            #expect(verdicts.first { $0.key == 1 }?.verdict == .adopted("a"))
            #expect(verdicts.first { $0.key == 2 }?.verdict == .adopted("b"))
        }
    }

    @Test func twoRecordsWithOneMarkerAreAFault() {
        var lost = LostCreates<Int>()
        lost.add(1, dueAt: 0)
        #expect(
            lost.settle([1: ["a", "b"]], startedAt: 0, isMarked: { _ in true }).map(\.verdict) == [
                .several(["a", "b"])
            ])
        #expect(lost.step(0) == .nothing)
    }

    @Test func aDeadlineOfAnotherBootSaysNothing() {
        let time = LostCreateTime(deadline: 1_000, boot: 7)
        #expect(time.dueAt(settle: 60, timeout: 30, boot: 7, processStartedAt: 5) == 1_060)
        #expect(time.dueAt(settle: 60, timeout: 30, boot: 8, processStartedAt: 5) == 95)
    }
}

@Suite struct IntentBookTests {
    private func rows(_ count: Int) -> IntentBook<Int> {
        var book = IntentBook<Int>()
        book.register(4, Array(0..<count))
        return book
    }

    private func written(_ step: IntentBook<Int>.Step) -> [Int] {
        if case .write(let group) = step { group.map(\.row) } else { [] }
    }

    @Test func intentsOfTheNextRowsAreWrittenTogether() {
        var book = rows(40)
        let first = written(book.ask(BatchRow(batch: 4, row: 0), 0))
        #expect(first == Array(0..<16))
        book.wrote(first.map { BatchRow(batch: 4, row: $0) }, 0)
        for row in 1..<16 {
            guard case .send = book.ask(BatchRow(batch: 4, row: row), 100) else {
                return #expect(Bool(false), "row \(row) is on disk")
            }
        }
        #expect(written(book.ask(BatchRow(batch: 4, row: 16), 600)) == Array(16..<32))
    }

    /// Asks for rows of one batch in order, each so long after the one before; the sizes of the groups written.
    private func groups(_ count: Int, every milliseconds: Int64, groupMax: Int = 64) -> [Int] {
        var book = IntentBook<Int>(groupMax: groupMax)
        book.register(4, Array(0..<count))
        var sizes: [Int] = []
        for row in 0..<count {
            let now = Int64(row) * milliseconds
            guard case .write(let group) = book.ask(BatchRow(batch: 4, row: row), now) else { continue }
            sizes.append(group.count)
            book.wrote(group.map(\.place), now)
        }
        return sizes
    }

    @Test func groupsAreAsLargeAsWhatIsAskedForSoon() {
        #expect(groups(240, every: 1) == [16, 32, 64, 64, 64])
        #expect(groups(240, every: 1, groupMax: 16) == Array(repeating: 16, count: 15))
        #expect(groups(5, every: 1) == [5])
        // One request at a time on a slow way: rows written ahead get too old, until hardly any are.
        let slow = groups(64, every: 1_500)
        #expect(slow.prefix(4) == [16, 8, 4, 2])
        #expect(slow.dropFirst(4).allSatisfy { $0 <= 2 })
    }

    @Test func anIntentThatIsTooOldIsWrittenAnew() {
        var book = rows(4)
        book.wrote((0..<4).map { BatchRow(batch: 4, row: $0) }, 0)
        #expect(written(book.ask(BatchRow(batch: 4, row: 1), 2_001)).first == 1)
    }

    @Test func aRowThatIsAskedForTwiceGetsASecondIntent() {
        var book = rows(2)
        book.wrote([BatchRow(batch: 4, row: 0)], 0)
        guard case .send = book.ask(BatchRow(batch: 4, row: 0), 1) else {
            return #expect(Bool(false), "its intent is on disk")
        }
        #expect(written(book.ask(BatchRow(batch: 4, row: 0), 2)).first == 0)
    }

    @Test func aRowThatWasNotGivenIsRefused() {
        var book = rows(2)
        for place in [BatchRow(batch: 4, row: 2), BatchRow(batch: 5, row: 0), BatchRow(batch: 4, row: -1)] {
            guard case .refuse = book.ask(place, 0) else { return #expect(Bool(false), "\(place) was not given") }
        }
        book.forget(4)
        guard case .refuse = book.ask(BatchRow(batch: 4, row: 0), 0) else {
            return #expect(Bool(false), "the batch is done")
        }
    }
}

@Suite struct MarkerTests {
    private let origin = Marker.Origin(project: "shop", sync: "orgs", object: "organization")
    private let key = Fingerprint(low: 1, high: 2)

    @Test func aMarkerIsMadeTheSameAgainAndNeverChanges() {
        let text = Marker.text(origin, key: key, .only)
        #expect(text == Marker.stem(origin, key: key) && text.utf8.count == 26)
        // Markers are in people's records: a change of this text loses them.
        #expect(text == Self.known)
        #expect(Marker.text(origin, key: key, .run("01JD")) == text + "-r01JD")
        #expect(Marker.text(origin, key: key, .version(key)).hasPrefix(text + "-v"))
    }

    private static let known = "7ozkglwfbrvrdaich3rt2vbzey"

    @Test func markersOfOtherSyncsObjectsAndKeysDiffer() {
        var texts: Set<String> = []
        for project in ["shop", "other"] {
            for sync in ["orgs", "o"] {
                for object in ["organization", "person"] {
                    for low in 0..<50 as Range<UInt64> {
                        let origin = Marker.Origin(project: project, sync: sync, object: object)
                        texts.insert(Marker.text(origin, key: Fingerprint(low: low, high: 2), .only))
                    }
                }
            }
        }
        #expect(texts.count == 400)
    }

    @Test func aMarkerIsToldFromOtherTexts() {
        let stem = Marker.stem(origin, key: key)
        #expect(Marker.parts(stem)?.stem == stem && Marker.parts(stem)?.run == nil)
        #expect(Marker.parts(stem + "-r01JD")?.run == "01JD")
        #expect(Marker.parts(stem + "-vabc")?.run == nil && Marker.parts(stem + "-vabc") != nil)
        for text in ["", "Acme", stem.uppercased(), stem + "x", "-r1"] {
            #expect(Marker.parts(text) == nil, "\(text)")
        }
    }
}

@Suite struct DeliveryGuaranteeTests {
    private let marker = DestinationField("abc", .text, label: Marker.fieldLabel, isCustom: true)

    private func resolve(
        _ wanted: InsertDefinition.Delivery, hasMarker: Bool, isMapped: Bool = false, canReadBack: Bool = true
    ) throws -> String {
        try DeliveryGuarantee.resolve(
            wanted, fields: hasMarker ? [marker] : [], mapped: isMapped ? ["abc"] : [], canReadBack: canReadBack
        ).name
    }

    @Test func autoTakesTheStrongest() throws {
        #expect(try resolve(.auto, hasMarker: true) == "exactly_once")
        #expect(try resolve(.auto, hasMarker: true, isMapped: true) == "by_match")
        #expect(try resolve(.auto, hasMarker: false) == "by_match")
        #expect(try resolve(.auto, hasMarker: true, canReadBack: false) == "at_most_once")
    }

    @Test func whatCannotBeHadIsRefused() {
        #expect(throws: DeliveryGuarantee.Problem.noMarkerField) { try resolve(.exactlyOnce, hasMarker: false) }
        #expect(throws: DeliveryGuarantee.Problem.markerIsMapped) {
            try resolve(.exactlyOnce, hasMarker: true, isMapped: true)
        }
        #expect(throws: DeliveryGuarantee.Problem.noReadBack) {
            try resolve(.byMatch, hasMarker: true, canReadBack: false)
        }
    }
}
