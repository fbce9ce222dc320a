// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// What is told: the same for every channel, and without anything that is secret.
package struct AlertMessage: Sendable, Hashable, Codable {
    /// What has happened to what is told of.
    package enum State: String, Sendable, Hashable, Codable {
        /// It has begun.
        case open
        /// It still lasts.
        case repeated
        /// It is over.
        case resolved
        /// More has happened than is told of one by one.
        case suppressed
        /// Nothing: somebody tries the way.
        case test
    }

    /// The same for every try, so that a receiver can tell a repetition.
    package var id: String
    /// The project.
    package var project: String
    /// The rule.
    package var rule: String
    /// What has happened.
    package var state: State
    /// What it is about; nil for what is about the rule itself.
    package var kind: AlertDefinition.Kind?
    /// The sync; empty for what is about the rule itself.
    package var sync: String
    /// The kind of failure and the like.
    package var cause: String
    /// One sentence.
    package var message: String
    /// The run, or nil.
    package var run: String?
    /// When it was found out, in milliseconds since 1970.
    package var at: Int64
    /// Since when it lasts, in milliseconds since 1970.
    package var since: Int64

    /// A message that tries the way of a rule.
    ///
    /// - Parameter now: Milliseconds since 1970.
    package static func test(_ rule: String, project: String, id: String, now: Int64) -> AlertMessage {
        AlertMessage(
            id: id, project: project, rule: rule, state: .test, kind: nil, sync: "", cause: "test",
            message: "this is a test of the alert \(rule)", run: nil, at: now, since: now)
    }

    /// A sentence as long as every channel can take it: what programs and mails hold has its limits.
    static func shortened(_ sentence: String) -> String {
        guard sentence.unicodeScalars.count > messageMax else { return sentence }
        return String(String.UnicodeScalarView(sentence.unicodeScalars.prefix(messageMax))) + "…"
    }

    private static let messageMax = 2_000

    /// One line with what matters.
    package var title: String {
        let word =
            switch state {
            case .open: ""
            case .repeated: "still: "
            case .resolved: "resolved: "
            case .suppressed, .test: ""
            }
        return "[\(project)] \(word)\(message)"
    }

    /// The document that a program or a webhook gets.
    package var json: JSON {
        .object([
            "schema_version": .string("1.0"), "kind": .string("alert"), "id": .string(id), "text": .string(title),
            "project": .string(project), "rule": .string(rule), "state": .string(state.rawValue),
            "on": kind.map { .string($0.rawValue) } ?? .null, "sync": sync.isEmpty ? .null : .string(sync),
            "cause": .string(cause), "message": .string(message), "run": run.map { .string($0) } ?? .null,
            "time": .string(Self.time(at)), "since": .string(Self.time(since)),
        ])
    }

    /// The variables that a program gets.
    package var variables: [(name: String, value: String)] {
        [
            ("ID", id), ("PROJECT", project), ("RULE", rule), ("STATE", state.rawValue),
            ("ON", kind?.rawValue ?? ""), ("SYNC", sync), ("CAUSE", cause), ("MESSAGE", title), ("RUN", run ?? ""),
            ("TIME", Self.time(at)),
        ].map { ("PENSTOCK_ALERT_" + $0.0, $0.1) }
    }

    /// The mail.
    package func mail(from: String, to: [String]) -> String {
        var lines = [
            "Date: \(Self.mailDate(at))", "From: <\(from)>", "To: \(to.map { "<\($0)>" }.joined(separator: ", "))",
            "Message-ID: <\(id)@penstock>", "Subject: \(Self.encodedWord("Penstock: \(title)"))",
            "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64", "",
        ]
        lines += Self.folded(Data(text.utf8).base64EncodedString(), 76)
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// The text of a mail.
    private var text: String {
        var lines = [message, ""]
        lines.append("state     \(state.rawValue)")
        if !sync.isEmpty { lines.append("sync      \(sync)") }
        lines.append("project   \(project)")
        if let kind { lines.append("about     \(kind.rawValue) (\(cause))") }
        lines.append("since     \(Self.time(since))")
        if let run { lines += ["run       \(run)", "", "penstock history show \(run)"] }
        if !sync.isEmpty, kind == .rejects || kind == .rejectQueue { lines.append("penstock reject list \(sync)") }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1_000).ISO8601Format()
    }

    private static func mailDate(_ milliseconds: Int64) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss +0000"
        return format.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1_000))
    }

    /// A header's text as encoded words of at most 75 characters, which no text can end early.
    static func encodedWord(_ text: String) -> String {
        var words: [String] = []
        var part = ""
        for character in text {
            // 45 bytes become 60 characters.
            if part.utf8.count + character.utf8.count > 45 {
                words.append(part)
                part = ""
            }
            part.append(character)
        }
        words.append(part)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    private static func folded(_ text: String, _ width: Int) -> [String] {
        var lines: [String] = []
        var rest = text[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(width)))
            rest = rest.dropFirst(width)
        }
        return lines
    }
}
