// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Upper limits for one run; nil where there is none.
package struct SyncLimits: Sendable, Hashable {
    /// The most tokens of the destination's budget.
    package var tokensPerRun: Int?
    /// The most rows.
    package var rows: Int?
    /// How many hundredths of a percent of the daily budget are left to others.
    package var reserveBasisPoints: Int?
    /// How much a run may do before a person must have looked.
    package var blast = BlastLimits()

    /// No limit.
    package init() {}
}
