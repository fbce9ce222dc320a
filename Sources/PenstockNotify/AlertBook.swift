// SPDX-License-Identifier: Apache-2.0

import PenstockProject

/// What has been told and what is still to be told: a value that decides, and opens nothing.
///
/// A cause is told once, and again when it lasts longer than the rule's `repeat`, until it is over. No rule tells more
/// than `max_per_hour`; what is above that is told as a number once an hour, and by itself later if it lasts.
package struct AlertBook: Sendable, Hashable, Codable {
    /// Something that is wrong.
    package struct Open: Sendable, Hashable, Codable {
        /// The rule.
        package var rule: String
        /// In what way it is wrong.
        package var kind: AlertDefinition.Kind
        /// The sync.
        package var sync: String
        /// Since when, in milliseconds since 1970.
        package var since: Int64
        /// The latest cause.
        package var cause: String
        /// The latest sentence.
        package var message: String
        /// When each cause was told last, in milliseconds since 1970.
        package var told: [String: Int64] = [:]
    }

    /// A message that waits for its channel.
    package struct Waiting: Sendable, Hashable, Codable {
        /// The message.
        package var message: AlertMessage
        /// The kind of channel.
        package var channel: String
        /// How often it was tried.
        package var tries = 0
        /// When it is tried next, in milliseconds since 1970.
        package var nextTry: Int64
        /// Whether a process is sending it, or died while it was.
        package var isClaimed = false
        /// What went wrong last, or nil.
        package var problem: String?
    }

    /// What is above a rule's limit.
    struct Surplus: Sendable, Hashable, Codable {
        var keys: Set<String> = []
        var noticedAt: Int64?
    }

    /// What is wrong, by rule, way and sync.
    package private(set) var open: [String: Open] = [:]
    /// What waits to be sent, oldest first.
    package private(set) var waiting: [Waiting] = []
    private var sent: [String: [Int64]] = [:]
    private var surplus: [String: Surplus] = [:]

    private static let hour: Int64 = 3_600_000
    private static let waitingMax = 1_000
    private static let triesMax = 12
    private static let pauses: [Int64] = [60_000, 300_000, 900_000, 3_600_000]

    /// Nothing is wrong.
    package init() {}

    // MARK: - Deciding

    /// Takes note of what is known now, and decides what is told.
    ///
    /// - Parameters:
    ///   - syncs: The names of all syncs; what is open of others is forgotten.
    ///   - now: Milliseconds since 1970.
    ///   - makeID: Makes an id that no other message has.
    package mutating func take(
        _ facts: [SyncFacts], rules: [AlertDefinition], syncs: Set<String>, project: String, now: Int64,
        makeID: () -> String
    ) {
        let names = Set(rules.map(\.name))
        open = open.filter { _, entry in
            syncs.contains(entry.sync)
                && rules.contains {
                    $0.name == entry.rule && $0.kinds.contains(entry.kind) && $0.covers(entry.sync)
                }
        }
        waiting.removeAll { !names.contains($0.message.rule) }
        for rule in rules {
            for fact in facts where rule.covers(fact.sync) {
                for kind in rule.kinds {
                    let known: AlertFinding?
                    if let found = rule.finding(kind, fact, now: now) {
                        known = found
                    } else if let last = open[Self.key(rule.name, kind, fact.sync)] {
                        // What is not known now is as it was, and told again where it is time for that.
                        known = AlertFinding(cause: last.cause, message: last.message)
                    } else {
                        continue
                    }
                    note(known, kind, fact, rule, project: project, now: now, makeID)
                }
            }
            tellSurplus(rule, project: project, now: now, makeID)
        }
    }

    private static func key(_ rule: String, _ kind: AlertDefinition.Kind, _ sync: String) -> String {
        "\(rule)/\(kind.rawValue)/\(sync)"
    }

    private mutating func note(
        _ finding: AlertFinding?, _ kind: AlertDefinition.Kind, _ fact: SyncFacts, _ rule: AlertDefinition,
        project: String, now: Int64, _ makeID: () -> String
    ) {
        let key = Self.key(rule.name, kind, fact.sync)
        var message = AlertMessage(
            id: "", project: project, rule: rule.name, state: .open, kind: kind, sync: fact.sync, cause: "",
            message: "", run: fact.run, at: now, since: now)
        guard let finding else {
            guard let over = open.removeValue(forKey: key) else { return }
            surplus[rule.name]?.keys.remove(key)
            // Who was told of nothing needs not be told of its end.
            guard rule.sendsResolved, !over.told.isEmpty else { return }
            message.state = .resolved
            message.cause = over.cause
            message.message = over.message
            message.since = over.since
            // An end is told whatever was told before: there are no more of them than of beginnings.
            enqueue(message, rule, now: now, makeID)
            return
        }
        var entry =
            open[key]
            ?? Open(
                rule: rule.name, kind: kind, sync: fact.sync, since: now, cause: finding.cause,
                message: "")
        entry.cause = finding.cause
        entry.message = AlertMessage.shortened(finding.message)
        let last = entry.told[finding.cause]
        let isDue = last.map { now - $0 >= rule.repeatMilliseconds } ?? true
        if isDue {
            message.state = last == nil ? .open : .repeated
            message.cause = finding.cause
            message.message = entry.message
            message.since = entry.since
            if tell(message, key, rule, now: now, makeID) { entry.told[finding.cause] = now }
        }
        open[key] = entry
    }

    /// Puts a message among those that wait, unless the rule has told too much.
    private mutating func tell(
        _ message: AlertMessage, _ key: String, _ rule: AlertDefinition, now: Int64, _ makeID: () -> String
    ) -> Bool {
        // A time to come is one of a clock that was wrong.
        let recent = (sent[rule.name] ?? []).filter { $0 > now - Self.hour && $0 <= now }
        sent[rule.name] = recent
        guard recent.count < rule.hourlyMax else {
            surplus[rule.name, default: Surplus()].keys.insert(key)
            return false
        }
        sent[rule.name] = recent + [now]
        surplus[rule.name]?.keys.remove(key)
        enqueue(message, rule, now: now, makeID)
        return true
    }

    private mutating func tellSurplus(
        _ rule: AlertDefinition, project: String, now: Int64, _ makeID: () -> String
    ) {
        guard var surplus = surplus[rule.name], !surplus.keys.isEmpty else { return }
        if let last = surplus.noticedAt, last > now - Self.hour, last <= now { return }
        let count = surplus.keys.count
        let what = count == 1 ? "1 more alert was" : "\(count) more alerts were"
        enqueue(
            AlertMessage(
                id: "", project: project, rule: rule.name, state: .suppressed, kind: nil, sync: "", cause: "too-many",
                message: "\(what) suppressed: \(rule.name) tells \(rule.hourlyMax) an hour; see penstock alert list",
                run: nil, at: now, since: now), rule, now: now, makeID)
        surplus.keys = []
        surplus.noticedAt = now
        self.surplus[rule.name] = surplus
    }

    private mutating func enqueue(
        _ message: AlertMessage, _ rule: AlertDefinition, now: Int64, _ makeID: () -> String
    ) {
        var message = message
        message.id = makeID()
        for channel in rule.channels {
            waiting.append(Waiting(message: message, channel: channel.kind, nextTry: now))
        }
        if waiting.count > Self.waitingMax { waiting.removeFirst(waiting.count - Self.waitingMax) }
    }

    // MARK: - Sending

    /// Claims the next message that is due, for the one process that may send.
    ///
    /// One that is claimed already belongs to a process that died: it may have been sent or not, and is sent again,
    /// because twice is better than never.
    ///
    /// - Parameter excluding: Channels that are left alone, as ``channelKey(_:_:)`` names them.
    package mutating func claim(now: Int64, excluding: Set<String>) -> Waiting? {
        let index = waiting.firstIndex { item in
            (item.isClaimed || item.nextTry <= now || item.nextTry > now + 24 * Self.hour)
                && !excluding.contains(Self.channelKey(item.message.rule, item.channel))
        }
        guard let index else { return nil }
        waiting[index].isClaimed = true
        return waiting[index]
    }

    /// The name of a rule's channel.
    package static func channelKey(_ rule: String, _ channel: String) -> String { "\(rule)/\(channel)" }

    /// Takes note of what came of a try.
    ///
    /// - Parameter problem: What went wrong, or nil.
    /// - Returns: Whether the message is given up.
    package mutating func settle(_ item: Waiting, problem: String?, now: Int64) -> Bool {
        let index = waiting.firstIndex { $0.message.id == item.message.id && $0.channel == item.channel }
        guard let index else { return false }
        guard let problem else {
            waiting.remove(at: index)
            return false
        }
        waiting[index].isClaimed = false
        waiting[index].problem = problem
        waiting[index].nextTry = now + Self.pauses[min(waiting[index].tries, Self.pauses.count - 1)]
        waiting[index].tries += 1
        guard waiting[index].tries >= Self.triesMax || now - item.message.at > 24 * Self.hour else { return false }
        waiting.remove(at: index)
        return true
    }
}
