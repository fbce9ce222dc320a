// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost

/// Shows on standard error how a run goes on: a line that is redrawn on a terminal, a line now and then elsewhere.
final class ProgressDisplay {
    private let name: String
    private let redraws: Bool
    private let isShown: Bool
    private let startedAt = Date()
    private var shownAt = Date.distantPast
    private var hasLine = false

    /// A display for the run of one sync.
    init(_ name: String, _ options: GlobalOptions) {
        self.name = name
        isShown = !options.quiet && options.progress != .none
        redraws = isShown && options.progress == .auto && Terminal.errorIsTerminal
    }

    /// Shows `progress`, unless something was shown just before.
    func show(_ progress: RunProgress) {
        let pause: TimeInterval = redraws ? 0.1 : 30
        guard isShown, Date().timeIntervalSince(shownAt) >= pause, Date().timeIntervalSince(startedAt) >= 0.3 else {
            return
        }
        if !redraws, shownAt == .distantPast, Date().timeIntervalSince(startedAt) < pause { return }
        shownAt = Date()
        let counts = progress.counts
        let done = max(0, counts.fetched - counts.unknown - counts.notTried - Int64(progress.openRows))
        let rate = Double(progress.meter.requestsTotal) / max(0.1, Date().timeIntervalSince(startedAt))
        if let waiting = progress.waiting { return showWaiting(waiting) }
        let text =
            "\(name)  \(done.grouped) of \(counts.fetched.grouped) rows settled  \(rate.oneDecimal) requests/s"
            + "  tokens \(progress.meter.spent.grouped)" + (counts.rejected > 0 ? "  ! \(counts.rejected.grouped)" : "")
        if redraws {
            // Room for the "^C" that a terminal echoes: a wrapped line could not be taken away.
            Terminal.writeError("\r" + text.fitted(to: max(1, Terminal.width - 3)))
            hasLine = true
        } else {
            Terminal.writeError(
                "\(TimeDisplay.log(Date())) \(name) deliver done=\(done) fetched=\(counts.fetched) "
                    + "rejects=\(counts.rejected) tokens=\(progress.meter.spent)\n")
        }
    }

    private func showWaiting(_ waiting: (rows: Int, milliseconds: Int64)) {
        let rows = waiting.rows == 1 ? "1 row whose answer was" : "\(waiting.rows) rows whose answers were"
        let seconds = (waiting.milliseconds + 999) / 1_000
        if redraws {
            let text = "\(name)  waiting \(seconds) s to ask about \(rows) lost (--no-wait leaves that to the next run)"
            Terminal.writeError("\r" + text.fitted(to: max(1, Terminal.width - 3)))
            hasLine = true
        } else {
            Terminal.writeError("\(TimeDisplay.log(Date())) \(name) wait seconds=\(seconds) lost=\(waiting.rows)\n")
        }
    }

    /// Takes the line away.
    func end() {
        if hasLine { Terminal.writeError("\r" + String(repeating: " ", count: Terminal.width - 1) + "\r") }
        hasLine = false
    }
}

extension Double {
    /// The number with one decimal.
    var oneDecimal: String { "\((self * 10).rounded() / 10)" }
}
