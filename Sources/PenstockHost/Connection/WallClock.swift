// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The time of day.
package enum WallClock {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package static var milliseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}
