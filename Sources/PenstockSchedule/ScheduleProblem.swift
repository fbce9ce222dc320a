// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a schedule, in a sentence, and which part of it.
package struct ScheduleProblem: Error, Sendable, Hashable {
    /// The key of the schedule that is wrong.
    package enum Subject: Sendable, Hashable {
        /// The cron expression.
        case cron
        /// The time zone.
        case timezone
        /// The length between two starts.
        case every
    }

    /// The key that is wrong.
    package var subject: Subject
    /// What is wrong with it.
    package var message: String
    /// What to write instead, or nil.
    package var suggestion: String?
    /// Where in the key's text it is, in Unicode scalars.
    package var offset = 0
    /// How many scalars it is about; 0 for the whole text.
    package var length = 0

    init(
        _ subject: Subject, _ message: String, suggestion: String? = nil, offset: Int = 0, length: Int = 0
    ) {
        self.subject = subject
        self.message = message
        self.suggestion = suggestion
        self.offset = offset
        self.length = length
    }
}
