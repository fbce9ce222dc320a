// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockNotify
import PenstockProject
import Testing

/// What is told, and what is not told again.
@Suite struct AlertBookTests {
    private static let hour: Int64 = 3_600_000
    private var book = AlertBook()
    private var rule = AlertDefinition(name: "ops", span: SourceSpan(file: "penstock.yml"))
    private var number = 0

    init() {
        rule.channels = [.command(["/bin/true"])]
        rule.repeatMilliseconds = 24 * Self.hour
    }

    /// Takes facts and returns what is to be told, which counts as sent then.
    private mutating func take(
        _ facts: [SyncFacts], at now: Int64, rules: [AlertDefinition]? = nil, syncs: Set<String>? = nil
    ) -> [AlertMessage] {
        var counter = number
        book.take(
            facts, rules: rules ?? [rule], syncs: syncs ?? Set(facts.map(\.sync)), project: "p", now: now
        ) {
            counter += 1
            return "id-\(counter)"
        }
        number = counter
        var told: [AlertMessage] = []
        while let item = book.claim(now: now, excluding: []) {
            told.append(item.message)
            _ = book.settle(item, problem: nil, now: now)
        }
        return told
    }

    private static func failed(_ code: String?, sync: String = "orgs") -> SyncFacts {
        var facts = SyncFacts(sync: sync, run: "R")
        facts.ending = SyncFacts.Ending(failure: code, message: code == nil ? "" : "it is \(code ?? "")")
        return facts
    }

    @Test mutating func aCauseIsToldOnceUntilItIsOver() {
        let first = take([Self.failed("unauthorized")], at: 1)
        #expect(first.map(\.state) == [.open])
        #expect(first.first?.message == "orgs failed: it is unauthorized")
        #expect(take([Self.failed("unauthorized")], at: 2).isEmpty)
        let over = take([Self.failed(nil)], at: 3)
        #expect(over.map(\.state) == [.resolved])
        #expect(over.first?.since == 1)
        #expect(take([Self.failed(nil)], at: 4).isEmpty)
        #expect(take([Self.failed("unauthorized")], at: 5).map(\.state) == [.open])
    }

    @Test mutating func aSentenceWithoutEndIsCut() throws {
        let long = String(repeating: "\u{1}e\u{301}", count: 60_000)
        var facts = Self.failed("failed")
        facts.ending?.message = long
        let message = try #require(take([facts], at: 1).first)
        #expect(message.message.unicodeScalars.count == 2_001 && message.message.hasSuffix("…"))
        #expect(message.message.hasPrefix("orgs failed: \u{1}"))
        #expect(message.json.text.utf8.count < 60_000)
        #expect(book.open.values.allSatisfy { $0.message == message.message })
    }

    @Test mutating func whatNoRuleAsksForIsForgotten() {
        _ = take([Self.failed("failed")], at: 1)
        var other = rule
        other.syncs = ["deals"]
        _ = take([], at: 2, rules: [other], syncs: ["orgs", "deals"])
        #expect(book.open.isEmpty)
        _ = take([Self.failed("failed")], at: 3)
        other = rule
        other.kinds = [.overdue]
        _ = take([], at: 4, rules: [other], syncs: ["orgs"])
        #expect(book.open.isEmpty)
    }

    @Test mutating func whatLastsIsToldAlsoByALookThatKnowsNothingNew() {
        rule.hourlyMax = 1
        let names = ["a", "b"]
        #expect(take(names.map { Self.failed("failed", sync: $0) }, at: 1).map(\.state) == [.open, .suppressed])
        let looks = names.map { SyncFacts(sync: $0) }
        #expect(take(looks, at: 2).isEmpty)
        let later = take(looks, at: 2 + Self.hour)
        #expect(later.map(\.state) == [.open] && later.map(\.sync) == ["b"])
        #expect(take(looks, at: 2 + 24 * Self.hour).map(\.sync) == ["a"])
    }

    @Test mutating func aSyncIsNamedOnce() {
        var facts = Self.failed("failed")
        facts.ending?.message = "orgs: connection crm: nobody answers"
        #expect(take([facts], at: 1).first?.message == "orgs failed: connection crm: nobody answers")
    }

    @Test mutating func anEndIsToldWhateverTheLimit() {
        rule.hourlyMax = 2
        let names = ["a", "b", "c"]
        #expect(take(names.map { Self.failed("failed", sync: $0) }, at: 1).filter { $0.state == .open }.count == 2)
        #expect(take(names.map { Self.failed(nil, sync: $0) }, at: 2).map(\.state) == [.resolved, .resolved])
    }

    @Test mutating func whatLastsIsToldAgainAfterAWhile() {
        _ = take([Self.failed("unavailable")], at: 0)
        #expect(take([Self.failed("unavailable")], at: 24 * Self.hour - 1).isEmpty)
        #expect(take([Self.failed("unavailable")], at: 24 * Self.hour).map(\.state) == [.repeated])
        #expect(take([Self.failed("unavailable")], at: 24 * Self.hour + 1).isEmpty)
    }

    @Test mutating func causesThatTakeTurnsAreNoStorm() {
        #expect(take([Self.failed("a")], at: 0).count == 1)
        #expect(take([Self.failed("b")], at: 1).count == 1)
        for moment in 2..<50 {
            #expect(take([Self.failed(moment % 2 == 0 ? "a" : "b")], at: Int64(moment)).isEmpty)
        }
        #expect(take([Self.failed(nil)], at: 60).map(\.state) == [.resolved])
    }

    @Test mutating func whatIsNotKnownChangesNothing() {
        _ = take([Self.failed("a")], at: 0)
        #expect(take([SyncFacts(sync: "orgs")], at: 1).isEmpty)
        #expect(book.open.count == 1)
    }

    @Test mutating func noRuleTellsMoreThanItsLimit() {
        rule.hourlyMax = 3
        let many = (0..<10).map { Self.failed("x", sync: "sync\($0)") }
        let told = take(many, at: 0)
        #expect(told.map(\.state) == [.open, .open, .open, .suppressed])
        #expect(told.last?.message.hasPrefix("7 more alerts were suppressed") == true)
        #expect(take(many, at: 60_000).isEmpty)
        // What lasts is told when the hour is over, again up to the limit.
        let later = take(many, at: Self.hour + 1)
        #expect(later.map(\.state) == [.open, .open, .open, .suppressed])
        #expect(later.last?.message.hasPrefix("4 more alerts were suppressed") == true)
        #expect(take(many, at: 2 * Self.hour + 2).filter { $0.state == .open }.count == 3)
        #expect(take(many, at: 3 * Self.hour + 3).map(\.state) == [.open])
    }

    @Test mutating func theEndOfWhatNobodyWasToldOfIsNotTold() {
        rule.hourlyMax = 1
        let two = [Self.failed("x", sync: "a"), Self.failed("x", sync: "b")]
        #expect(take(two, at: 0).map(\.state) == [.open, .suppressed])
        let over = take([Self.failed(nil, sync: "b")], at: Self.hour + 1, syncs: ["a", "b"])
        #expect(over.isEmpty)
    }

    @Test mutating func aRuleMayKeepQuietAboutEnds() {
        rule.sendsResolved = false
        _ = take([Self.failed("x")], at: 0)
        #expect(take([Self.failed(nil)], at: 1).isEmpty)
        #expect(book.open.isEmpty)
    }

    @Test mutating func rulesAndSyncsThatAreGoneAreForgotten() {
        _ = take([Self.failed("x")], at: 0)
        _ = take([], at: 1, syncs: ["other"])
        #expect(book.open.isEmpty)
        _ = take([Self.failed("x")], at: 2)
        _ = take([], at: 3, rules: [], syncs: ["orgs"])
        #expect(book.open.isEmpty && book.waiting.isEmpty)
    }

    @Test mutating func aRuleIsAboutItsSyncsAlone() {
        rule.syncs = ["orgs_*", "deals"]
        let facts = ["orgs_a", "orgs", "deals", "xdeals"].map { Self.failed("x", sync: $0) }
        #expect(take(facts, at: 0).map(\.sync) == ["orgs_a", "deals"])
    }

    @Test mutating func whatADeadProcessHasClaimedIsSentOnceMore() throws {
        book.take([Self.failed("x")], rules: [rule], syncs: ["orgs"], project: "p", now: 0) { "id" }
        let claimed = book.claim(now: 0, excluding: [])
        // The process dies here; the next one finds the claim.
        let found = book.claim(now: 1, excluding: [])
        let again = try #require(found)
        #expect(again.message == claimed?.message)
        let isGivenUp = book.settle(again, problem: nil, now: 1)
        let rest = book.claim(now: 2, excluding: [])
        #expect(!isGivenUp && rest == nil)
    }

    @Test mutating func aChannelThatFailsIsTriedLaterAndGivenUpInTheEnd() throws {
        book.take([Self.failed("x")], rules: [rule], syncs: ["orgs"], project: "p", now: 0) { "id" }
        var now: Int64 = 0
        var tries = 0
        while true {
            let found = book.claim(now: now, excluding: [])
            let item = try #require(found)
            tries += 1
            let other = book.claim(now: now, excluding: ["ops/command"])
            #expect(other == nil)
            if book.settle(item, problem: "no", now: now) { break }
            #expect(book.waiting.first?.problem == "no")
            now = try #require(book.waiting.first?.nextTry)
        }
        #expect(tries == 12)
        #expect(book.waiting.isEmpty)
    }
}

/// When a rule finds that something is wrong.
@Suite struct SyncFactsTests {
    private var rule = AlertDefinition(name: "ops", span: SourceSpan(file: "penstock.yml"))
    private var facts = SyncFacts(sync: "orgs")

    private func cause(_ kind: AlertDefinition.Kind, now: Int64 = 0) -> String? {
        rule.finding(kind, facts, now: now).map { $0?.cause ?? "fine" }
    }

    @Test func nothingIsSaidOfWhatIsNotKnown() {
        for kind in AlertDefinition.Kind.allCases { #expect(cause(kind) == nil) }
    }

    @Test mutating func rejectsHaveTheSyncsLimitOrOneOfTheRule() {
        facts.rejects = SyncFacts.Rejects(rejected: 5, fetched: 1_000, isTooMany: false)
        #expect(cause(.rejects) == "fine")
        rule.rejects = .count(5)
        #expect(cause(.rejects) == "fine")
        rule.rejects = .count(4)
        #expect(cause(.rejects) == "rejects")
        rule.rejects = .basisPoints(50)
        #expect(cause(.rejects) == "fine")
        rule.rejects = .basisPoints(49)
        #expect(cause(.rejects) == "rejects")
    }

    @Test mutating func aRunIsOverdueAfterItsGrace() {
        rule.graceMilliseconds = 100
        facts.due = .since(1_000)
        #expect(cause(.overdue, now: 1_100) == "fine")
        #expect(cause(.overdue, now: 1_101) == "overdue")
        facts.due = .onTime
        #expect(cause(.overdue, now: 9_999) == "fine")
    }

    @Test mutating func aBudgetIsLowBelowItsShareAndSpentAtItsEnd() {
        facts.budget = SyncFacts.Budget(left: 100, daily: 1_000, isSpent: false)
        #expect(cause(.budget) == "fine")
        facts.budget?.left = 99
        #expect(cause(.budget) == "low")
        facts.budget = SyncFacts.Budget(left: 0, daily: nil, isSpent: true)
        #expect(cause(.budget) == "spent")
        facts.budget = SyncFacts.Budget(left: 7, daily: nil, isSpent: false)
        #expect(cause(.budget) == "fine")
    }

    @Test mutating func aQueueIsToldOfAnewWhenItHasDoubled() {
        rule.rejectQueue = 100
        for (count, expected) in [
            (99, "fine"), (100, "queue-100"), (199, "queue-100"), (200, "queue-200"),
            (799, "queue-400"), (800, "queue-800"),
        ] {
            facts.queue = Int64(count)
            #expect(cause(.rejectQueue) == expected)
        }
    }
}
