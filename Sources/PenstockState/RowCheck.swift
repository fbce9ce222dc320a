// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The checksum of one row: SQLite itself does not notice a flipped bit inside a value.
struct RowCheck {
    private var hasher = FingerprintHasher()

    /// - Parameter table: Its name, so that a row of one table is not a good row of another.
    init(_ table: String) { hasher.combine(table) }

    mutating func add(_ text: String?) {
        guard let text else { return hasher.combine(0) }
        hasher.combine(1)
        hasher.combine(text)
    }

    mutating func add(_ number: Int64?) {
        guard let number else { return hasher.combine(0) }
        hasher.combine(1)
        hasher.combine(UInt64(bitPattern: number))
    }

    mutating func add(_ bytes: [UInt8]?) {
        guard let bytes else { return hasher.combine(0) }
        hasher.combine(1)
        hasher.combine(bytes: bytes.span)
    }

    mutating func add(_ fingerprint: Fingerprint?) {
        guard let fingerprint else { return hasher.combine(0) }
        hasher.combine(1)
        hasher.combine(fingerprint.low)
        hasher.combine(fingerprint.high)
    }

    /// The value of the `check` column.
    var value: Int64 { Int64(bitPattern: hasher.finish().low) }
}
