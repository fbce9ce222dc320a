// SPDX-License-Identifier: Apache-2.0

import CProcess

/// How the process deals with memory that it has freed.
enum FreedMemory {
    /// A little more than the batches that are on their way at once.
    private static let keptMax: Int32 = 4 << 20

    /// Keeps a few freed megabytes for the next batch.
    ///
    /// The allocator gives freed memory back to the kernel as soon as it can, and gets it page by page, filled with
    /// zeros, for every batch that is read; beside a quick source that is a quarter of the work.
    static func keepForReuse() { penstock_keep_freed(keptMax) }
}
