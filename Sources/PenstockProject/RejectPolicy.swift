// SPDX-License-Identifier: Apache-2.0

/// What happens with rejects.
package struct RejectPolicy: Sendable, Hashable {
    /// How much of a reject's record is shown and exported.
    package enum Record: String, Sendable, Hashable, CaseIterable {
        /// All of it.
        case full
        /// All but the masked fields.
        case masked
        /// Only the source key.
        case keys
        /// Nothing.
        case none
    }

    /// How many microseconds settled rejects are kept.
    package var keep: Int64 = 30 * 86_400_000_000
    /// What is shown of them.
    package var record: Record = .masked

    /// Thirty days, masked.
    package init() {}
}
