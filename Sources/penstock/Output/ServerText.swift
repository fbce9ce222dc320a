// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockServer

/// What a server does, for people.
enum ServerText {
    /// The lines above the list of syncs.
    static func heading(_ status: JSON) -> String {
        let pid = status["pid"]?.numberText ?? "?"
        let name = status["project"]?.stringValue ?? ""
        let state = status["state"]?.stringValue ?? "?"
        var text = "\(name)   \(state)   pid \(pid)   since \(time(status["started_at"]))\n"
        if let speed = status["clock_speed"]?.intValue, speed != 1 {
            text += "  rehearsal: the clock shows \(time(status["now"])) and runs \(speed) times faster\n"
        }
        for problem in status["project_problems"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
            text += "  not taken over: \(problem)\n"
        }
        return text + "\n"
    }

    /// The list of syncs.
    static func syncs(_ status: JSON, _ options: GlobalOptions) -> Listing {
        var listing = Listing(
            kind: "server.status",
            columns: [.init(cutFirst: "SYNC"), .init("STATE"), .init("SCHEDULE"), .init("NEXT"), .init("TICK")])
        let queue = status["queue"]?.arrayValue ?? []
        for sync in status["syncs"]?.arrayValue ?? [] {
            let name = sync["name"]?.stringValue ?? ""
            let item = queue.first { $0["sync"]?.stringValue == name }
            listing.add(
                [
                    name, sync["enabled"]?.boolValue == false ? "disabled" : sync["state"]?.stringValue ?? "",
                    schedule(sync["schedule"]), time(sync["next_at"], options), time(item?["tick"], options),
                ], sync)
        }
        listing.emptyNote = "The project has no sync."
        return listing
    }

    /// The list of ticks.
    static func ticks(_ entries: [TickEntry], _ options: GlobalOptions) -> Listing {
        var listing = Listing(
            kind: "server.ticks",
            columns: [
                .init("TICK"), .init(cutFirst: "SYNC"), .init("STATE"), .init("RUN"), .init(number: "EXIT"),
                .init(number: "TRIES"), .init("NOTE"),
            ])
        for entry in entries {
            listing.add(
                [
                    options.listed(entry.last), entry.sync, entry.state, entry.run ?? "-",
                    entry.exitCode.map { String($0) } ?? "-", String(entry.attempts), note(entry, options),
                ], entry.json)
        }
        listing.emptyNote = "No server has decided a tick yet."
        return listing
    }

    private static func note(_ entry: TickEntry, _ options: GlobalOptions) -> String {
        var parts: [String] = []
        if entry.isAsked { parts.append("asked for") }
        if entry.isMissed { parts.append("made up for") }
        if let reason = entry.reason { parts.append(reason) }
        if entry.count > 1 { parts.append("\(entry.count) ticks since \(options.listed(entry.first))") }
        if entry.state == "retrying" { parts.append("again at \(options.listed(entry.notBefore))") }
        return parts.isEmpty ? "-" : parts.joined(separator: ", ")
    }

    private static func schedule(_ schedule: JSON?) -> String {
        guard let schedule, !schedule.isNull else { return "-" }
        let zone = schedule["timezone"]?.stringValue ?? ""
        if let cron = schedule["cron"]?.stringValue { return "\(cron) \(zone)" }
        guard let seconds = schedule["every_seconds"]?.intValue else { return "-" }
        return "every " + TimeDisplay.duration(milliseconds: Int64(seconds) * 1_000)
    }

    private static func time(_ json: JSON?, _ options: GlobalOptions? = nil) -> String {
        guard let text = json?.stringValue, let instant = TimeText.parseStamp(text)?.instant else { return "-" }
        return options?.listed(instant / 1_000) ?? TimeDisplay.local(instant / 1_000)
    }
}
