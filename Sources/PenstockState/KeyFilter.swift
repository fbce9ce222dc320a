// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// A Bloom filter in blocks of 512 bits: a key that was added is always found, another one seldom.
///
/// With 2^17 blocks (8 MB) fewer than one in 10⁵ strange keys is found among 10⁶, and about one in 20 among 10⁷.
package struct KeyFilter {
    private var words: [UInt64]
    private let blockBits: UInt64
    private static let bitsPerKey = 5

    /// A filter to which nothing was added.
    ///
    /// - Parameter blockBits: The filter has 2^`blockBits` blocks of 64 bytes.
    package init(blockBits: Int) {
        self.blockBits = UInt64(blockBits)
        words = [UInt64](repeating: 0, count: 8 << blockBits)
    }

    /// Adds a key.
    package mutating func add(_ key: Fingerprint) {
        let block = firstWord(key)
        for place in 0..<KeyFilter.bitsPerKey {
            let bit = key.high >> UInt64(9 * place) & 511
            words[block + Int(bit >> 6)] |= 1 << (bit & 63)
        }
    }

    /// Whether the key may have been added; false is certain.
    package func mayContain(_ key: Fingerprint) -> Bool {
        let block = firstWord(key)
        for place in 0..<KeyFilter.bitsPerKey {
            let bit = key.high >> UInt64(9 * place) & 511
            if words[block + Int(bit >> 6)] & 1 << (bit & 63) == 0 { return false }
        }
        return true
    }

    private func firstWord(_ key: Fingerprint) -> Int { Int(key.low & (1 << blockBits - 1)) * 8 }
}
