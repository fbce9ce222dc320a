// SPDX-License-Identifier: Apache-2.0

/// A rule of `alerts:`: what is told of, of which syncs, and where it is sent.
package struct AlertDefinition: Sendable, Hashable {
    /// What a rule can be about.
    package enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// A run failed, or could not begin.
        case failure
        /// More rows of a run were rejected than allowed.
        case rejects
        /// A scheduled sync has not run in time.
        case overdue
        /// Little or nothing of a daily budget is left.
        case budget
        /// Many rejects are waiting.
        case rejectQueue = "reject_queue"
    }

    /// How many rejects of a run are too many.
    package enum RejectThreshold: Sendable, Hashable {
        /// More than `rejects.max` of the sync allows.
        case ofSync
        /// More than so many.
        case count(Int64)
        /// More than so many hundredths of a percent of the rows.
        case basisPoints(Int64)
    }

    /// The name of the rule.
    package var name: String
    /// Where it stands.
    package var span: SourceSpan
    /// What it is about; not empty.
    package var kinds: [Kind] = Kind.allCases
    /// The names of the syncs, with `*` for any characters; all syncs where it is empty.
    package var syncs: [String] = []
    /// How many rejects of a run are too many.
    package var rejects = RejectThreshold.ofSync
    /// How many waiting rejects are too many.
    package var rejectQueue: Int64 = 100
    /// How many hundredths of a percent of the daily budget must be left.
    package var budgetBasisPoints: Int64 = 1_000
    /// How many milliseconds after it was due a run counts as overdue.
    package var graceMilliseconds: Int64 = 900_000
    /// After how many milliseconds an alert that lasts is sent again.
    package var repeatMilliseconds: Int64 = 86_400_000
    /// Whether the end of what an alert was about is told, too.
    package var sendsResolved = true
    /// The most alerts in an hour.
    package var hourlyMax = 20
    /// How many milliseconds one try of a channel may take.
    package var timeoutMilliseconds: Int64 = 10_000
    /// Where alerts are sent.
    package var channels: [AlertChannel] = []

    /// A rule with the defaults.
    package init(name: String, span: SourceSpan) {
        self.name = name
        self.span = span
    }

    /// Whether the rule is about the sync called `sync`.
    package func covers(_ sync: String) -> Bool {
        syncs.isEmpty || syncs.contains { Self.matches(Array(sync), Array($0)) }
    }

    /// Whether `text` is what `pattern` says, with `*` for any characters.
    private static func matches(_ text: [Character], _ pattern: [Character]) -> Bool {
        var reached: Set<Int> = [0]
        for character in pattern {
            if character == "*" {
                if let first = reached.min() { reached = Set(first...text.count) }
            } else {
                reached = Set(reached.filter { $0 < text.count && text[$0] == character }.map { $0 + 1 })
            }
        }
        return reached.contains(text.count)
    }
}

/// Where alerts are sent.
package enum AlertChannel: Sendable, Hashable {
    /// A program with its arguments; no shell.
    case command([String])
    /// An HTTP address, and the secret that signs what is sent there, or nil.
    case webhook(url: String, secret: String?, caFile: String?)
    /// A mail server.
    case smtp(MailServer)

    /// The key of the channel in the file.
    package var kind: String {
        switch self {
        case .command: "command"
        case .webhook: "webhook"
        case .smtp: "smtp"
        }
    }

    /// Where it leads, without anything that is secret.
    package var place: String {
        switch self {
        case .command(let words): words.first ?? ""
        case .webhook(let url, _, _):
            // What follows the host is often as good as a password.
            Self.host(url)
        case .smtp(let server): "\(server.host):\(server.port) → \(server.to.joined(separator: ", "))"
        }
    }

    private static func host(_ url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        let hasScheme = parts.count == 3 && parts[1].isEmpty
        let place = (hasScheme ? parts[2] : url[...]).prefix { !"/?#\\".contains($0) }
        if let sign = place.lastIndex(of: "@") { return String(place[place.index(after: sign)...]) }
        return (hasScheme ? "\(parts[0])//" : "") + String(place)
    }
}

/// A mail server, and who writes to whom.
package struct MailServer: Sendable, Hashable {
    /// How the connection is protected.
    package enum Security: String, Sendable, Hashable, CaseIterable {
        /// It begins in the clear and must be encrypted before anything is said.
        case starttls
        /// It is encrypted from the start.
        case implicit
        /// It is not.
        case none
    }

    /// The name or address of the server.
    package var host: String
    /// Its port.
    package var port: Int
    /// How the connection is protected.
    package var security: Security
    /// Who logs in, or nil.
    package var user: String?
    /// With what, or nil.
    package var password: String?
    /// The sender's address.
    package var from: String
    /// The addresses of those who are told.
    package var to: [String]
    /// A file of certificates to trust instead of the system's, or nil.
    package var caFile: String?

    /// A mail server from its parts.
    package init(
        host: String, port: Int, security: Security, user: String?, password: String?, from: String, to: [String],
        caFile: String?
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.from = from
        self.to = to
        self.caFile = caFile
    }
}

/// What is kept of runs: `history:`.
package struct HistoryPolicy: Sendable, Hashable {
    /// How many milliseconds runs are kept.
    package var keepMilliseconds: Int64 = 90 * 86_400_000
    /// How many runs of a sync are kept.
    package var runs = 500
    /// Whether what was sent is written down, row by row.
    package var logsRequests = true

    /// Ninety days, five hundred runs, with what was sent.
    package init() {}
}

/// Where events of OpenLineage go: `lineage:`.
package struct LineageDefinition: Sendable, Hashable {
    /// A file that they are appended to, absolute; or nil.
    package var file: String?
    /// An address that they are posted to, or nil.
    package var url: String?
    /// The key that the address asks for, or nil.
    package var apiKey: String?
    /// The namespace of the jobs.
    package var namespace: String
}
