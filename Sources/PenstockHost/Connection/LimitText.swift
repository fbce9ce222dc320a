// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockEngine
import PenstockModel

/// What is said where limits allow no request, and when it goes on.
package enum LimitText {
    /// What tells the end of what one run may spend from the end of a budget.
    static let rationCode = "tokens-per-run"

    /// The error for the connector, which hands it on to the run.
    static func error(_ refusal: SharedLimits.Refusal, connection: String) -> ConnectorError {
        let end = clock(inMilliseconds: refusal.overIn)
        let message =
            switch refusal.cause {
            case .budget:
                "The daily budget of connection \(connection) is used up, but for the reserve; it is renewed by \(end) "
                    + "at the latest, and the next run goes on."
            case .asked:
                "Connection \(connection) was asked to send nothing before \(end); the next run goes on."
            case .blocked:
                "The other side blocks connection \(connection) for sending too much; it is tried again from \(end) "
                    + "on, and the next run goes on."
            }
        return ConnectorError(.quotaSpent, message, retryAfterMilliseconds: refusal.tryIn)
    }

    /// A time of the day, local; with the date where it is not today.
    package static func clock(inMilliseconds wait: Int64) -> String {
        let now = WallClock.milliseconds
        let (today, then) = (parts(now), parts(now + wait))
        let time = "\(two(then.tm_hour)):\(two(then.tm_min))"
        let isToday = today.tm_yday == then.tm_yday && today.tm_year == then.tm_year
        return isToday ? time : "\(then.tm_year + 1_900)-\(two(then.tm_mon + 1))-\(two(then.tm_mday)) \(time)"
    }

    private static func parts(_ milliseconds: Int64) -> tm {
        // The next full minute: a time that is named must not be too early.
        var seconds = time_t((milliseconds + 59_999) / 60_000 * 60)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return parts
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension ConnectorError {
    /// Whether a run came to the end of what one run may spend: the next one goes on, whatever the day's budget.
    package var isRation: Bool { code == .quotaSpent && vendorCode == LimitText.rationCode }
}
