// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The Incremental Key's value up to which every row is settled.
package struct Watermark: Sendable, Hashable {
    /// The column that is the Incremental Key.
    package var column: String
    /// Its type.
    package var type: DataType
    /// The value exactly as the source printed it.
    package var text: String
    /// The number of the run that set it.
    package var run: Int64

    /// A watermark from its parts.
    package init(column: String, type: DataType, text: String, run: Int64) {
        self.column = column
        self.type = type
        self.text = text
        self.run = run
    }
}
