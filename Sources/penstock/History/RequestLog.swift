// SPDX-License-Identifier: Apache-2.0

import Dispatch
import PenstockEngine
import PenstockHost
import PenstockModel

/// The file with a line for each row that was sent, with masked fields as dots.
///
/// The lines are made and written on a queue of its own, so that a run that settles many rows does not wait for them.
/// A line is in the file a moment after the next ``keepUp()``, or when ``close()`` returns. Rows that went through
/// faster than any API takes them are counted in a line that says how many they were; those that failed have their
/// lines whatever the rate. Used from one thread.
final class RequestLog: Sendable {
    private let queue = DispatchQueue(label: "penstock.requests")
    /// A run whose disk is slow waits rather than gathers.
    private let room = DispatchSemaphore(value: 2)
    private let operations: (create: String, update: String, delete: String)
    private let masked: Set<String>
    private let masksKey: Bool
    private let showsFields: Bool
    // Used on `queue` only.
    private nonisolated(unsafe) let log: RunLog
    // Used on `queue` only, too.
    private nonisolated(unsafe) var timed: (second: Int64, text: String) = (-1, "")
    // Used from the thread of the run only; see the type's contract.
    private nonisolated(unsafe) var gathered: [Gathered] = []
    // As `gathered`.
    private nonisolated(unsafe) var gatheredRows = 0
    // As `gathered`.
    private nonisolated(unsafe) var handedAt: Int64 = 0
    // As `gathered`.
    private nonisolated(unsafe) var allowance = LineAllowance(most: linesAtOnce, perSecond: linesPerSecond)

    /// What is to be written at its time.
    private enum Gathered {
        case rows(DeliveredRows, at: Int64)
        /// The failures among rows that are left out otherwise.
        case failures(DeliveredRows, at: Int64)
        case omitted(Int, at: Int64)
    }

    private static let gatheredMax = 256
    private static let delayMilliseconds: Int64 = 200
    private static let charactersMax = 2_000
    /// About a third of what the two files hold.
    private static let linesAtOnce = 32_768
    /// Some hundred times what an API takes, and a hundredth of what a processor makes.
    private static let linesPerSecond = 4_096

    /// A log at `path`, to which lines are added.
    ///
    /// - Parameters:
    ///   - object: What the rows become.
    ///   - masked: The fields whose values are not shown.
    ///   - masksKey: Whether the source key is not shown either.
    ///   - showsFields: Whether fields are shown at all.
    init(_ path: String, object: String, masked: Set<String>, masksKey: Bool, showsFields: Bool) {
        log = RunLog(path, bytesMax: RunFolders.logBytesMax)
        operations = ("create \(object)", "update \(object)", "delete \(object)")
        self.masked = masked
        self.masksKey = masksKey
        self.showsFields = showsFields
    }

    /// Adds a line for each row, or for those that failed where too many were settled just now.
    func write(_ rows: DeliveredRows) {
        let now = WallClock.milliseconds
        if allowance.take(rows.count, failures: rows.failureCount, at: now) {
            addOmitted(now)
            add(.rows(rows, at: now), rows.count, now)
        } else if rows.failureCount > 0 {
            add(.failures(rows, at: now), rows.failureCount, now)
        }
    }

    /// Begins to write what was added, if it has waited long enough; for whenever there is a moment.
    func keepUp() {
        let now = WallClock.milliseconds
        if !gathered.isEmpty, abs(now - handedAt) > Self.delayMilliseconds { handOver(now) }
    }

    /// Writes the rest and closes the file.
    func close() {
        addOmitted(WallClock.milliseconds)
        handOver(0)
        queue.sync { log.close() }
    }

    private func addOmitted(_ now: Int64) {
        let count = allowance.takeOmitted()
        if count > 0 { gathered.append(.omitted(count, at: now)) }
    }

    private func add(_ more: Gathered, _ count: Int, _ now: Int64) {
        gathered.append(more)
        gatheredRows += count
        if gatheredRows >= Self.gatheredMax { handOver(now) } else { keepUp() }
    }

    private func handOver(_ now: Int64) {
        let all = gathered
        gathered = []
        gatheredRows = 0
        handedAt = now
        room.wait()
        queue.async { [self] in
            var fields = SentFieldsWriter(
                dotted: masked, dots: RunJournal.dots, charactersMax: Self.charactersMax)
            for some in all { write(some, &fields) }
            log.flush()
            room.signal()
        }
    }

    private func write(_ some: Gathered, _ fields: inout SentFieldsWriter) {
        switch some {
        case .rows(let rows, let at):
            for place in 0..<rows.count { log.add { write(rows[place], at, &fields, into: $0) } }
        case .failures(let rows, let at):
            rows.forEachFailure { row in log.add { write(row, at, &fields, into: $0) } }
        case .omitted(let count, let at):
            let line: JSONObject = [
                "ts": .string(time(at)), "result": .string("omitted"), "rows": .integer(Int64(count)),
                "message": .string("\(count) rows that were settled faster than lines are written"),
            ]
            log.write(.object(line))
        }
    }

    /// The line of a row; one a request, so it is written without a value for each member.
    private func write(
        _ row: DeliveredRow, _ at: Int64, _ fields: inout SentFieldsWriter, into out: JSONBuffer
    ) {
        func add(_ name: StaticString, _ text: String) {
            out.append(name)
            out.appendString(text)
        }
        func add(_ name: StaticString, _ number: Int64) {
            out.append(name)
            out.append(number)
        }
        add(#"{"ts":"#, time(at))
        add(#","row":"#, row.row)
        add(#","key":"#, masksKey ? RunJournal.dots : row.keyText)
        out.append(#","key_digest":""#)
        out.append(hex: row.key)
        add(
            #"","operation":"#,
            row.isCreate ? operations.create : row.isDelete ? operations.delete : operations.update)
        add(#","result":"#, result(row))
        if row.httpStatus == 0 { out.append(#","http":null"#) } else { add(#","http":"#, Int64(row.httpStatus)) }
        add(#","code":"#, row.code)
        add(#","message":"#, row.message.isEmpty || hasMaskedField(row) ? "" : row.message)
        if let id = row.remoteID { add(#","remote_id":"#, id) } else { out.append(#","remote_id":null"#) }
        add(#","tokens":"#, row.tokens)
        out.append(#","fields":{"#)
        if showsFields { fields.write(row.fields, into: out) }
        out.append("}}")
    }

    private func result(_ row: DeliveredRow) -> String {
        switch row.ending {
        case .lost: "lost"
        case .outcome(let outcome): outcome.rawValue
        }
    }

    /// A time to the second, whose text is made once in each.
    private func time(_ milliseconds: Int64) -> String {
        if milliseconds / 1_000 != timed.second {
            timed = (milliseconds / 1_000, TimeDisplay.utc(milliseconds))
        }
        return timed.text
    }

    /// Whether a refusal may quote a value that is not to be shown.
    private func hasMaskedField(_ row: DeliveredRow) -> Bool {
        var isMasked = false
        row.fields.forEachName { isMasked = isMasked || masked.contains($0) }
        return isMasked
    }
}
