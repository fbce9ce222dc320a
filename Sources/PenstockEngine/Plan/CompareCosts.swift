// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Decides by cost whether records are worth reading back before they are updated.
package struct CompareCosts: Sendable {
    private let costs: RequestCosts

    /// The arithmetic for one object.
    package init(_ costs: RequestCosts) { self.costs = costs }

    /// The most rows that one read-back by id can answer; 0 where there is none.
    package var groupMax: Int { costs.readByIDsMax }

    /// Whether reading `rows` records back by id costs less than updating all of them.
    ///
    /// - Parameter isDemanded: The user asked for it, whatever it costs.
    package func readsBack(_ rows: Int, isDemanded: Bool) -> Bool {
        guard rows > 0, costs.readByIDsMax > 0 else { return false }
        return isDemanded || readBack(rows) < Int64(rows) * costs.update
    }

    /// What reading `rows` records back by id costs.
    package func readBack(_ rows: Int) -> Int64 {
        guard costs.readByIDsMax > 0 else { return 0 }
        return Int64((rows + costs.readByIDsMax - 1) / costs.readByIDsMax) * costs.readByIDs
    }

    /// What the writes cost.
    package func writes(creates: Int64, updates: Int64) -> Int64 {
        creates * costs.create + updates * costs.update
    }
}
