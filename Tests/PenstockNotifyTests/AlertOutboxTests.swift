// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import PenstockNotify
import PenstockProject
import Testing

/// What waits is sent once, whoever sends.
@Suite struct AlertOutboxTests {
    private let root: String
    private let rule: AlertDefinition
    private let sender: ChannelSender

    private var log: String { root + "/log" }
    private var book: String { root + "/.penstock/alerts/book.json" }

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("alerts-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        sender = ChannelSender(root: root, environment: ["PATH": "/usr/bin:/bin"], version: "0")
        var rule = AlertDefinition(name: "ops", span: SourceSpan(file: "penstock.yml"))
        rule.channels = [.command(["sh", "-c", "echo $PENSTOCK_ALERT_ID >> '\(root)/log'"])]
        self.rule = rule
    }

    private func take(_ outbox: AlertOutbox, _ syncs: [String], now: Int64 = 0) throws {
        let facts = syncs.map { sync in
            var facts = SyncFacts(sync: sync)
            facts.ending = SyncFacts.Ending(failure: "x", message: "x")
            return facts
        }
        try outbox.change { book in
            book.take(facts, rules: [rule], syncs: Set(syncs), project: "p", now: now) { UUID().uuidString }
        }
    }

    private func sent() -> [Substring] {
        // Nothing was sent where there is no log.
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n")
    }

    private func removeFolder() {
        // A folder that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: root)
    }

    @Test func manySendersSendOnce() throws {
        defer { removeFolder() }
        let names = (0..<6).map { "sync\($0)" }
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            let outbox = AlertOutbox(root: root)
            // A failure shows as a message that is missing below.
            try? take(outbox, names)
            _ = outbox.send([rule], with: sender, now: { 0 })
        }
        #expect(sent().count == 6)
        #expect(Set(sent()).count == 6)
        let attributes = try FileManager.default.attributesOfItem(atPath: book)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func nobodyWaitsForAnotherWhoSends() throws {
        defer { removeFolder() }
        let outbox = AlertOutbox(root: root)
        try take(outbox, ["a"])
        let lock = open(root + "/.penstock/alerts/send.lock", O_RDWR | O_CREAT, 0o600)
        #expect(flock(lock, LOCK_EX) == 0)
        let begun = ContinuousClock.now
        #expect(outbox.send([rule], with: sender, now: { 0 }).isEmpty)
        #expect(ContinuousClock.now - begun < .seconds(45))
        #expect(try outbox.book().waiting.count == 1)
        close(lock)
        #expect(outbox.send([rule], with: sender, now: { 0 }).isEmpty)
        #expect(sent().count == 1)
    }

    @Test func whoHasSentLongEnoughLeavesTheRest() throws {
        defer { removeFolder() }
        let outbox = AlertOutbox(root: root, patience: .zero)
        try take(outbox, ["a", "b", "c"])
        for count in 1...3 {
            #expect(outbox.send([rule], with: sender, now: { 0 }).isEmpty)
            #expect(sent().count == count)
        }
    }

    @Test func whatFailsIsSaidAndKept() throws {
        defer { removeFolder() }
        let outbox = AlertOutbox(root: root)
        var broken = rule
        broken.channels = [.command(["/nowhere"])]
        try take(outbox, ["a", "b"])
        let problems = outbox.send([broken], with: sender, now: { 0 })
        #expect(problems == ["alert ops: command (/nowhere): there is no program /nowhere; it is tried again later"])
        #expect(try outbox.book().waiting.count == 2)
        #expect(outbox.send([rule], with: sender, now: { 3_600_000 }).isEmpty)
        #expect(sent().count == 2)
    }

    @Test func aBookThatCannotBeReadIsNotAnEmptyOne() throws {
        defer { removeFolder() }
        let outbox = AlertOutbox(root: root)
        try FileManager.default.createDirectory(atPath: book, withIntermediateDirectories: true)
        #expect(throws: AlertOutbox.Problem.self) { try take(outbox, ["a"]) }
        #expect(!FileManager.default.fileExists(atPath: book + ".damaged"))
        #expect(outbox.send([rule], with: sender, now: { 0 }).count == 1)
    }

    @Test func aDamagedBookIsPutAside() throws {
        defer { removeFolder() }
        let outbox = AlertOutbox(root: root)
        try take(outbox, ["a"])
        try Data("{".utf8).write(to: URL(fileURLWithPath: book))
        try take(outbox, ["b"])
        #expect(FileManager.default.fileExists(atPath: book + ".damaged"))
        #expect(try outbox.book().open.count == 1)
    }
}
