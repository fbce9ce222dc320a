// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockSchedule
import PenstockState

/// A request to the server, whichever way it came.
package struct APIRequest: Sendable {
    /// The method.
    package var method: String
    /// The path and query as they were sent.
    package var target: String
    /// The value of the header `Authorization`, or nil.
    package var authorization: String?
    /// Whether the other side is known to be the server's user, or root.
    package var isTrusted: Bool

    /// A request from its parts.
    package init(method: String, target: String, authorization: String? = nil, isTrusted: Bool = false) {
        self.method = method
        self.target = target
        self.authorization = authorization
        self.isTrusted = isTrusted
    }
}

/// The answer to a request.
package struct APIReply: Sendable {
    /// The status.
    package var status: Int
    /// The kind of the body.
    package var contentType = "application/json"
    /// The body.
    package var body: [UInt8]
    /// Further headers.
    package var headers: [(name: String, value: String)] = []

    /// A document in the form that the command line has too.
    static func document(_ kind: String, _ data: JSON, status: Int = 200, unreadable: [String] = []) -> APIReply {
        var document: JSONObject = ["schema_version": .string("1.0"), "kind": .string(kind), "data": data]
        // Syncs whose state cannot be read now; the others are told of all the same.
        if !unreadable.isEmpty { document["unreadable"] = .strings(unreadable) }
        return APIReply(status: status, body: Array((JSON.object(document).text + "\n").utf8))
    }

    /// What is wrong with a request.
    package static func failure(_ status: Int, _ code: String, _ message: String, allowed: [String] = []) -> APIReply {
        var error: JSONObject = ["code": .string(code), "message": .string(message)]
        if !allowed.isEmpty { error["allowed"] = .strings(allowed) }
        return APIReply(status: status, body: Array((JSON.object(["error": .object(error)]).text + "\n").utf8))
    }

    static func text(_ status: Int, _ text: String, _ type: String = "text/plain; charset=utf-8") -> APIReply {
        APIReply(status: status, contentType: type, body: Array(text.utf8))
    }
}

/// What the server answers: looks at the board, the journal and the state files, and passes wishes on.
///
/// Calls may block on the disk and on the scheduler, and may be made from any thread.
package struct ServerAPI: Sendable {
    private let root: String
    private let version: String
    private let board: StatusBoard
    private let mailbox: Mailbox
    private let token: [UInt8]?
    private let patience: Duration

    private static let runsMax = 1_000

    /// An API.
    ///
    /// - Parameters:
    ///   - token: What those must show who are not known otherwise; nil lets nobody else in.
    ///   - patience: After how long without a turn the scheduler is taken for stuck.
    package init(
        root: String, version: String, board: StatusBoard, mailbox: Mailbox, token: [UInt8]?,
        patience: Duration = .seconds(60)
    ) {
        self.root = root
        self.version = version
        self.board = board
        self.mailbox = mailbox
        self.token = token
        self.patience = patience
    }

    /// The answer to a request.
    package func reply(to request: APIRequest) -> APIReply {
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.first.map(String.init) ?? ""
        guard path.hasPrefix("/"), let query = Self.query(parts.count > 1 ? parts[1] : "") else {
            return .failure(400, "bad-request", "the path or the query cannot be read")
        }
        switch path {
        case "/healthz": return onlyGet(request) { .text(200, "ok\n") }
        case "/readyz": return onlyGet(request) { readiness }
        default: break
        }
        guard request.isTrusted || isKnown(request.authorization) else {
            var reply = APIReply.failure(401, "unauthorized", "send the header Authorization: Bearer TOKEN")
            reply.headers = [("WWW-Authenticate", "Bearer realm=\"penstock\"")]
            return reply
        }
        let words = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            String($0).removingPercentEncoding
        }
        guard !words.contains(nil) else { return .failure(400, "bad-request", "the path cannot be read") }
        return route(request, words.compactMap { $0 }, query)
    }

    private func route(_ request: APIRequest, _ words: [String], _ query: [String: String]) -> APIReply {
        switch words {
        case ["metrics"]: onlyGet(request) { metrics }
        case ["api", "v1", "status"]: onlyGet(request) { .document("server.status", board.current.json) }
        case ["api", "v1", "syncs"]: onlyGet(request) { syncs }
        case ["api", "v1", "schedule"]: onlyGet(request) { schedule(query) }
        case ["api", "v1", "ticks"]: onlyGet(request) { ticks(query) }
        case ["api", "v1", "runs"]: onlyGet(request) { runs(query) }
        case ["api", "v1", "stop"]: onlyPost(request) { wish(.stop) }
        case ["api", "v1", "reload"]: onlyPost(request) { wish(.reload) }
        default:
            switch (words.count, words.prefix(3), words.last) {
            case (4, ["api", "v1", "runs"], let id?): onlyGet(request) { run(id) }
            case (5, ["api", "v1", "syncs"], "run"): onlyPost(request) { wish(.run(words[3])) }
            case (5, ["api", "v1", "syncs"], "cancel"): onlyPost(request) { wish(.cancel(words[3])) }
            default:
                .failure(404, "not-found", "there is nothing at this path", allowed: Self.paths)
            }
        }
    }

    private static let paths = [
        "GET /healthz", "GET /readyz", "GET /metrics", "GET /api/v1/status", "GET /api/v1/syncs",
        "GET /api/v1/schedule", "GET /api/v1/ticks", "GET /api/v1/runs", "GET /api/v1/runs/ID",
        "POST /api/v1/syncs/NAME/run", "POST /api/v1/syncs/NAME/cancel", "POST /api/v1/reload", "POST /api/v1/stop",
    ]

    private func onlyGet(_ request: APIRequest, _ body: () -> APIReply) -> APIReply {
        request.method == "GET" || request.method == "HEAD" ? body() : wrongMethod("GET")
    }

    private func onlyPost(_ request: APIRequest, _ body: () -> APIReply) -> APIReply {
        request.method == "POST" ? body() : wrongMethod("POST")
    }

    private func wrongMethod(_ right: String) -> APIReply {
        var reply = APIReply.failure(405, "method", "this path takes \(right) only")
        reply.headers = [("Allow", right == "GET" ? "GET, HEAD" : right)]
        return reply
    }

    /// Whether the header shows the token; how long the comparison takes tells nothing of it.
    private func isKnown(_ authorization: String?) -> Bool {
        guard let token, !token.isEmpty, let authorization else { return false }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
        let shown = Array(parts[1].utf8)
        var difference: UInt8 = shown.count == token.count ? 0 : 1
        for (index, byte) in token.enumerated() { difference |= byte ^ (index < shown.count ? shown[index] : 0) }
        return difference == 0
    }

    /// The parameters of a query, or nil where it cannot be read.
    private static func query(_ text: Substring) -> [String: String]? {
        var found: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let text = halves.count > 1 ? String(halves[1]) : ""
            guard let name = String(halves[0]).removingPercentEncoding,
                let value = text.replacing("+", with: " ").removingPercentEncoding
            else { return nil }
            found[name] = value
        }
        return found
    }

    // MARK: - Answers

    private var readiness: APIReply {
        let status = board.current
        guard status.phase == .running else { return .text(503, "\(status.phase.rawValue)\n") }
        guard board.age <= patience else { return .text(503, "stuck\n") }
        return .text(200, "ready\n")
    }

    private func wish(_ wish: Mailbox.Wish) -> APIReply {
        switch mailbox.ask(wish) {
        case .accepted(let sentence): .document("server.accepted", .object(["message": .string(sentence)]), status: 202)
        case .conflict(let sentence): .failure(409, "conflict", sentence)
        case .unknown(let names): .failure(404, "unknown-sync", "there is no such sync", allowed: names)
        case .silence: .failure(503, "silence", "the scheduler did not answer in time")
        }
    }

    private var syncs: APIReply {
        let status = board.current
        return .document("server.syncs", .array(status.entries.map { status.json(of: $0) }))
    }

    private func schedule(_ query: [String: String]) -> APIReply {
        guard let count = number(query["next"], 5, 1...100) else { return badNumber("next", 100) }
        let status = board.current
        if let name = query["sync"], status.entry(name) == nil {
            return .failure(404, "unknown-sync", "there is no such sync", allowed: status.entries.map(\.name))
        }
        let entries = status.entries.filter { query["sync"] ?? $0.name == $0.name }
        return .document(
            "server.schedule",
            .array(
                entries.map { entry in
                    .object([
                        "sync": .string(entry.name),
                        "next": .strings(status.upcoming(entry, count: count).map(\.utcText)),
                        "queue": .array(status.items.filter { $0.sync == entry.name }.map(\.json)),
                    ])
                }))
    }

    private func ticks(_ query: [String: String]) -> APIReply {
        guard let limit = number(query["limit"], 100, 1...Self.runsMax) else { return badNumber("limit", Self.runsMax) }
        return reading {
            let journal = try TickJournal(reading: root + "/.penstock/schedule.db")
            let entries = try journal?.entries(sync: query["sync"], limit: limit) ?? []
            return .document("server.ticks", .array(entries.map(\.json)))
        }
    }

    private func runs(_ query: [String: String]) -> APIReply {
        guard let limit = number(query["limit"], 20, 1...Self.runsMax) else { return badNumber("limit", Self.runsMax) }
        let names = board.current.entries.map(\.name)
        if let name = query["sync"], !names.contains(name) {
            return .failure(404, "unknown-sync", "there is no such sync", allowed: names)
        }
        if let name = query["sync"] {
            return reading {
                let runs = try look(name) { store throws(StateError) in try store.runs(limit: limit) } ?? []
                return .document("server.runs", .array(runs.map { $0.json(sync: name) }))
            }
        }
        var found: [(sync: String, run: RunRecord)] = []
        var unreadable: [String] = []
        for name in names {
            do throws(StateError) {
                let runs = try look(name) { store throws(StateError) in try store.runs(limit: limit) } ?? []
                found += runs.map { (name, $0) }
            } catch {
                unreadable.append(name)
            }
        }
        found.sort { $0.run.startedAtMilliseconds > $1.run.startedAtMilliseconds }
        return .document(
            "server.runs", .array(found.prefix(limit).map { $0.run.json(sync: $0.sync) }), unreadable: unreadable)
    }

    private func run(_ id: String) -> APIReply {
        var problem: StateError?
        for name in board.current.entries.map(\.name) {
            do throws(StateError) {
                let found = try look(name) { store throws(StateError) in try store.run(id: id) }
                if let found, let run = found { return .document("server.run", run.json(sync: name)) }
            } catch {
                problem = error
            }
        }
        if let problem { return .failure(503, "state", problem.message) }
        return .failure(404, "unknown-run", "there is no run with this id")
    }

    /// What a sync's state says, or nil where there is none.
    private func look<R>(
        _ sync: String, _ body: (StateStore) throws(StateError) -> R
    ) throws(StateError) -> R? {
        guard let store = try StateStore.openForReading(folder: root + "/.penstock/state", sync: sync) else {
            return nil
        }
        defer { store.close() }
        return try body(store)
    }

    private func reading(_ body: () throws -> APIReply) -> APIReply {
        do {
            return try body()
        } catch let error as StateError {
            return .failure(503, "state", error.message)
        } catch {
            return .failure(500, "internal", "\(error)")
        }
    }

    private var metrics: APIReply {
        let status = board.current
        var text = MetricsText()
        ProjectMetrics(stateFolder: root + "/.penstock/state", syncs: status.entries.map(\.name))
            .add(to: &text, version: version)
        // Without a journal that can be read there are no numbers of ticks.
        let totals = try? TickJournal(reading: root + "/.penstock/schedule.db")?.totals()
        text.add(status, isUp: status.phase == .running && board.age <= patience, totals: totals ?? [])
        return .text(200, text.text, "text/plain; version=0.0.4; charset=utf-8")
    }

    private func number(_ text: String?, _ usual: Int, _ range: ClosedRange<Int>) -> Int? {
        guard let text else { return usual }
        return Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private func badNumber(_ name: String, _ most: Int) -> APIReply {
        .failure(400, "bad-request", "\(name) is a number from 1 to \(most)")
    }
}
