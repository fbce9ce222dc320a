// SPDX-License-Identifier: Apache-2.0

import PenstockABI
import PenstockModel

/// Write sessions: results, tickets, the window, and what is not known.
enum WriteChecks {
    private static let fields = ["write.fields"]
    private static let ticketed = ["write.every-row", "write.once", "write.tickets"]
    /// How long flush and end may take once a session was aborted, in milliseconds.
    private static let abortMax = 5_000
    /// How many times the window a session may take over before it says BUSY.
    private static let waitingFactor = 32

    static let all: [ConformanceCheck] = [
        check("write.every-row", "every row taken over has a result when flush returns", needs: fields, everyRow),
        check(
            "write.once", "no row has two results, and none that was never submitted has any",
            needs: ["write.every-row"],
            once),
        check("write.end", "no result comes after end, and no two calls of on_results at once", end),
        check("write.reasons", "a row that was not written says why", reasons),
        check(
            "write.ownership", "a batch taken over is released once; one refused as busy stays with the host", ownership
        ),
        check(
            "write.tickets", "every granted request is given back exactly once", section: "Sending a request", tickets),
        check("write.leave", "no row is sent without a ticket of its own", section: "Sending a request", leave),
        check(
            "write.patience", "a request that has to wait is asked for again", section: "Sending a request", patience),
        check(
            "write.quota", "once the budget is used up, rows are NOT_TRIED", section: "Sending a request",
            needs: ["write.every-row", "write.once", "write.leave"], quota),
        check(
            "write.window", "no more rows are on their way than asked for, and the session says BUSY in time",
            needs: ticketed, window),
        check(
            "write.abort", "an abort stops sending and ends the session within seconds, with a result for every row",
            needs: ticketed, abort),
        check(
            "write.unknown", "a create whose answer was lost is UNKNOWN and never sent again",
            section: "Sending a request",
            unknown),
    ]

    private static func check(
        _ id: String, _ title: String, section: String = "Destinations",
        needs: [String] = ["write.every-row", "write.once"],
        _ body: @escaping @Sendable (CheckContext) throws -> Void
    ) -> ConformanceCheck {
        ConformanceCheck(id, title, section, .destination, .rehearsal, needs: needs, by: body)
    }

    /// What makes the rows of a check.
    static func maker(_ context: CheckContext) throws -> RowMaker {
        let destination = try context.destination()
        defer { destination.close() }
        let object = try FieldChecks.object(context)
        let mark = "check \(String(context.numbers.next() >> 40, radix: 36))"
        return try RowMaker(object, try FieldChecks.fields(destination, object.id), mark: mark)
    }

    /// A trial in which every row must have been taken over.
    static func trial(_ context: CheckContext, _ plan: WriteTrial.Plan, settings: JSON? = nil) throws -> WriteTrial {
        let trial = try WriteTrial(context, try maker(context), plan, settings: settings)
        // Once a session has given up for want of budget, the rest stays with the host.
        var mayGiveUp = false
        if case .quota = plan.policy { mayGiveUp = true }
        if let refusal = trial.submitRefusal, !(mayGiveUp && refusal.error.code == .broken) {
            context.find(refusal.text)
        }
        return trial
    }

    private static func everyRow(_ context: CheckContext) throws {
        for size in [1, 4] {
            let trial = try trial(context, .init(rows: 13, inFlightMax: size))
            if let refusal = trial.flushRefusal { context.find(refusal.text) }
            if trial.openAfterFlush > 0 {
                context.find("\(trial.openAfterFlush) of 13 rows had no result when flush returned")
            }
            let found = trial.byRow
            for row in trial.rows where found[row] == nil {
                context.find("row \(row.row) of batch \(row.batch) has no result at all")
            }
            context.note(trial.summary)
        }
    }

    private static func once(_ context: CheckContext) throws {
        let trial = try trial(context, .init(rows: 13))
        let rows = Set(trial.rows)
        for (row, results) in trial.byRow.sorted(by: { ($0.key.batch, $0.key.row) < ($1.key.batch, $1.key.row) }) {
            if !rows.contains(row) {
                context.find("row \(row.row) of batch \(row.batch) was reported but never submitted")
            } else if results.count > 1 {
                let names = results.map(\.statusName).joined(separator: ", then ")
                context.find("row \(row.row) of batch \(row.batch) has \(results.count) results: \(names)")
            }
        }
    }

    private static func end(_ context: CheckContext) throws {
        let trial = try trial(context, .init(rows: 20, inFlightMax: 8))
        if trial.late > 0 { context.find("\(trial.late) results came after end had returned") }
        if trial.overlaps > 0 { context.find("on_results was called \(trial.overlaps) times while it was running") }
    }

    private static func reasons(_ context: CheckContext) throws {
        let plans = [WriteTrial.Plan(rows: 8), .init(rows: 8, inFlightMax: 2, policy: .quota(writes: 2))]
        for plan in plans {
            for result in try trial(context, plan).results {
                let row = "row \(result.row) of batch \(result.batch)"
                if ![1, 2, 3, 4, 16, 17, 18, 19].contains(result.status) {
                    context.find("\(row) has \(result.statusName)")
                }
                if result.status >= 16, result.message.isEmpty {
                    context.find("\(row) is \(result.statusName) without a message")
                }
                if result.status >= 16, result.code == 0 {
                    context.find("\(row) is \(result.statusName) with the code OK")
                }
                if result.status < 16, result.code != 0 {
                    context.find("\(row) is \(result.statusName) with the code \(result.code)")
                }
            }
        }
    }

    private static func ownership(_ context: CheckContext) throws {
        for plan in [WriteTrial.Plan(rows: 13), .init(inFlightMax: 2, fillsWindow: true)] {
            let trial = try trial(context, plan)
            if trial.stolen > 0 { context.find("\(trial.stolen) batches were released although the session was busy") }
            if trial.released < trial.made {
                context.find("\(trial.made - trial.released) of \(trial.made) batches were never released")
            }
        }
    }

    private static func tickets(_ context: CheckContext) throws {
        for policy in [KitHost.Policy.grant, .quota(writes: 5)] {
            let trial = try trial(context, .init(rows: 13, policy: policy))
            for (number, entry) in trial.host.entries.enumerated() where entry.answers.count != 1 {
                let what = entry.intent.row.map { "row \($0.row) of batch \($0.batch)" } ?? "a read"
                context.find("ticket \(number + 1), for \(what), was given back \(entry.answers.count) times")
            }
            if let stray = trial.host.strayReleases.first {
                context.find("ticket \(stray) was given back but never granted")
            }
        }
    }

    private static func leave(_ context: CheckContext) throws {
        let trial = try trial(context, .init(rows: 13))
        let rows = Set(trial.rows)
        let granted = Dictionary(grouping: trial.host.writes.compactMap(\.intent.row)) { $0 }
        for result in trial.results where result.wasSent {
            let row = BatchRow(batch: result.batch, row: result.row)
            // A record that is as it should be needs no request.
            if granted[row] == nil, result.status != 3 {
                context.find(
                    "row \(row.row) of batch \(row.batch) is \(result.statusName), but no leave was asked for it")
            }
        }
        for row in granted.keys where !rows.contains(row) {
            context.find("leave was asked for row \(row.row) of batch \(row.batch), which was never submitted")
        }
        for entry in trial.host.writes {
            if entry.intent.row == nil { context.find("leave for a write was asked without its row") }
            if entry.intent.kind != .create { context.find("a create was announced as another kind of request") }
            if entry.intent.cost < 0 { context.find("a request costs \(entry.intent.cost)") }
        }
    }

    private static func patience(_ context: CheckContext) throws {
        let trial = try trial(context, .init(rows: 6, inFlightMax: 2, policy: .wait(times: 2)))
        let found = trial.byRow
        for row in trial.rows where found[row]?.first?.status != 1 {
            let became = found[row]?.first?.statusName ?? "without a result"
            context.find("row \(row.row) of batch \(row.batch), which had to wait twice, is \(became)")
        }
    }

    private static func quota(_ context: CheckContext) throws {
        let trial = try trial(context, .init(rows: 10, inFlightMax: 2, policy: .quota(writes: 3)))
        let sent = trial.results.filter(\.wasSent).count
        if sent > 3 { context.find("\(sent) rows were sent where 3 were granted") }
        for result in trial.results where !result.wasSent && result.status != 19 && result.status != 16 {
            context.find("a row that was not granted is \(result.statusName), not NOT_TRIED")
        }
        let found = trial.byRow
        for row in trial.rows where found[row] == nil {
            context.find("row \(row.row) of batch \(row.batch) has no result once the budget is used up")
        }
    }

    private static func window(_ context: CheckContext) throws {
        let size = 3
        let flowing = try trial(context, .init(rows: 30, inFlightMax: size))
        if flowing.host.openMax > size {
            context.find("\(flowing.host.openMax) requests were on their way where \(size) are allowed")
        }
        let filled = try trial(context, .init(inFlightMax: size, fillsWindow: true))
        let rows = filled.taken.values.reduce(0, +)
        if filled.busy == 0, filled.openMax > waitingFactor * size {
            context.find("it took over \(filled.openMax) rows without an answer to any, and never said BUSY")
        } else {
            context.note("takes over \(rows) rows at a window of \(size)")
        }
        let found = filled.byRow
        if let row = filled.rows.first(where: { found[$0] == nil }) {
            context.find("row \(row.row) of batch \(row.batch) has no result after the window was full")
        }
        if filled.host.openMax > size {
            context.find("\(filled.host.openMax) requests were on their way where \(size) are allowed")
        }
    }

    private static func abort(_ context: CheckContext) throws {
        let plans = [
            WriteTrial.Plan(rows: 40, inFlightMax: 2, policy: .gate(writes: 1), abortAfter: 1),
            .init(rows: 12, inFlightMax: 16, abortAfter: 0),
        ]
        for plan in plans {
            let trial = try WriteTrial(context, try maker(context), plan)
            if trial.endMilliseconds > abortMax {
                context.find("after an abort, flush and end took \(trial.endMilliseconds) ms")
            }
            if trial.sentAfterAbort > plan.inFlightMax {
                context.find("\(trial.sentAfterAbort) rows were sent after the abort")
            }
            let found = trial.byRow
            for row in trial.rows where found[row]?.count != 1 {
                context.find(
                    "after an abort, row \(row.row) of batch \(row.batch) has \(found[row]?.count ?? 0) results")
            }
            for entry in trial.host.entries where entry.answers.count != 1 {
                context.find("after an abort, a ticket was given back \(entry.answers.count) times")
            }
            context.note(trial.summary)
        }
    }

    private static func unknown(_ context: CheckContext) throws {
        let address = ServerAddress.find(in: try context.settings(), named: context.order.through)
        let proxy = address.flatMap { FaultProxy(targetPort: $0.port) }
        defer { proxy?.stop() }
        var settings = try context.settings()
        if let proxy, let address { settings = address.replaced(in: settings, port: proxy.port) }
        let maker = try maker(context)
        proxy?.cut(answerTo: 3)
        let trial = try WriteTrial(context, maker, .init(rows: 8, inFlightMax: 1), settings: settings)
        let lost = trial.host.writes.filter { $0.isUnknown && $0.intent.kind == .create }
        for row in Set(lost.compactMap(\.intent.row)) {
            let sent = trial.host.writes.count { $0.intent.row == row }
            if sent > 1 {
                context.find(
                    "row \(row.row) of batch \(row.batch) was sent \(sent) times although its first answer was lost")
            }
            let became = trial.byRow[row]?.first?.statusName ?? "without a result"
            if trial.byRow[row]?.first?.status != 18 {
                context.find("row \(row.row) of batch \(row.batch), whose answer was lost, is \(became), not UNKNOWN")
            }
        }
        guard let proxy else {
            guard !lost.isEmpty else {
                throw CheckSkip("no answer was lost; name the setting with the server's http:// address with --through")
            }
            return
        }
        guard proxy.cuts > 0 else { throw CheckSkip("no write went through the address in the settings") }
        if lost.isEmpty { context.find("an answer was cut, but no request was reported as without an answer") }
        if proxy.writes > trial.host.writes.count {
            context.find("\(proxy.writes) writes reached the server where \(trial.host.writes.count) were granted")
        }
    }
}

/// An address of a plain HTTP server on this machine, in a setting.
struct ServerAddress {
    let setting: String
    let port: UInt16
    private let scheme = "http://"

    /// The address in the setting called `name`, or in the first one that has such an address.
    static func find(in settings: JSON, named name: String?) -> ServerAddress? {
        for member in settings.objectValue?.members ?? [] where name == nil || member.key == name {
            guard let text = member.value.stringValue, text.hasPrefix("http://") else { continue }
            let authority = text.dropFirst(7).prefix { $0 != "/" }
            let parts = authority.split(separator: ":")
            guard parts.count == 2, let port = UInt16(parts[1]), parts[0] == "localhost" || parts[0].hasPrefix("127.")
            else { continue }
            return ServerAddress(setting: member.key, port: port)
        }
        return nil
    }

    /// The settings with another port in the address.
    func replaced(in settings: JSON, port: UInt16) -> JSON {
        guard var object = settings.objectValue, let text = object[setting]?.stringValue else { return settings }
        let path = text.dropFirst(scheme.count).drop { $0 != "/" }
        object[setting] = .string("\(scheme)127.0.0.1:\(port)\(path)")
        return .object(object)
    }
}
