// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockSchedule
import Testing

@Suite struct ZoneRulesTests {
    /// Zones whose rules have been the same for long, so that two copies of the database agree.
    static let zones = [
        "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Los_Angeles", "Australia/Lord_Howe",
        "Australia/Sydney", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "America/St_Johns",
        "Pacific/Chatham", "Asia/Tokyo", "Etc/GMT+5", "America/Havana",
    ]

    @Test(arguments: zones)
    func agreeWithFoundation(_ name: String) throws {
        let rules = try ZoneDatabase.system.rules(name)
        let zone = try #require(TimeZone(identifier: name))
        let step: Int64 = 31 * 3_600_000 + 1_000
        var time = utc("2001-01-01T00:00Z")
        while time < utc("2037-12-31T00:00Z") {
            let date = Date(timeIntervalSince1970: TimeInterval(time / 1_000))
            let offset = Int64(zone.secondsFromGMT(for: date)) * 1_000
            if rules.offset(at: time) != offset {
                Issue.record(
                    "\(name) at \(date): \(rules.offset(at: time) / 1_000), and \(offset / 1_000) by Foundation")
                return
            }
            time += step
        }
    }

    @Test(arguments: zones)
    func everyLocalTimeHasItsFirstInstant(_ name: String) throws {
        let rules = try ZoneDatabase.system.rules(name)
        var last = utc("2005-01-01T00:00Z")
        var count = 0
        while let change = rules.change(after: last), count < 40 {
            count += 1
            last = change.at
            for minutes in stride(from: -1_500 as Int64, through: 1_500, by: 15) {
                let local = change.at + change.offsetBefore + minutes * 60_000
                let instant = rules.instant(ofLocal: local)
                let showsIt = (change.at - 3 * 86_400_000...change.at + 3 * 86_400_000)
                let all = stride(from: showsIt.lowerBound, through: showsIt.upperBound, by: 900_000)
                    .filter { rules.local($0) == local }
                if change.skipped.contains(local) {
                    #expect(instant == change.at)
                } else {
                    #expect(instant == all.min(), "\(name) \(local)")
                }
            }
        }
    }

    @Test(arguments: [
        ("2027-03-28T00:59:59Z", 3_600), ("2027-03-28T01:00:00Z", 7_200), ("2090-06-01T00:00Z", 7_200),
        ("2090-12-01T00:00Z", 3_600), ("2249-07-01T00:00Z", 7_200),
    ])
    func theRuleAtTheEndGoesOn(_ time: String, _ seconds: Int64) throws {
        #expect(try ZoneDatabase.system.rules("Europe/Berlin").offset(at: utc(time)) == seconds * 1_000)
    }

    @Test(arguments: [
        ("Europe/Berln", "did you mean \"Europe/Berlin\"?"), ("europe/berlin", "did you mean \"Europe/Berlin\"?"),
        ("berlin", "did you mean \"Europe/Berlin\"?"), ("New York", "did you mean \"America/New_York\"?"),
        ("Europe/Berlin/", "did you mean \"Europe/Berlin\"?"), ("utc", "did you mean \"UTC\"?"),
    ])
    func anUnknownZoneHasANeighbour(_ name: String, _ suggestion: String) throws {
        let problem = try #require(throws: ScheduleProblem.self) { try ZoneDatabase.system.rules(name) }
        #expect(problem.subject == .timezone)
        #expect(problem.message == "\"\(name)\" is not a time zone")
        #expect(problem.suggestion == suggestion)
    }

    @Test(arguments: [
        "", "/", "..", "../zoneinfo/UTC", "/etc/localtime", "localtime", "posix/Europe/Berlin", "Europe", "zone.tab",
        "tzdata.zi", "Europe//Berlin", "Europe/Berlin\0",
    ])
    func whatIsNoZoneIsRefused(_ name: String) {
        #expect(throws: ScheduleProblem.self) { try ZoneDatabase.system.rules(name) }
    }

    @Test func withoutADatabaseThereIsUTC() throws {
        let none = ZoneDatabase(folder: "/nonexistent")
        #expect(try none.rules("UTC").offset(at: 0) == 0)
        let problem = try #require(throws: ScheduleProblem.self) { try none.rules("Europe/Berlin") }
        #expect(problem.suggestion == "no time zones are installed: install the package tzdata")
    }
}
