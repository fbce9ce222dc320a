// SPDX-License-Identifier: Apache-2.0

/// Some of the positions of a ledger, a bit each.
///
/// Pieces that are whole take no room: a walk that meets nearly every position in order needs the piece where it is,
/// however long the ledger is.
struct PositionSet {
    /// The last position that may be in it.
    let last: Int64
    /// The bits of each piece; none where the piece is empty or whole.
    private var pieces: [[UInt64]]
    /// How many positions of each piece are in the set.
    private var counts: [UInt16]

    private static let pieceShift: Int64 = 12
    private static let pieceBits = UInt16(1) << pieceShift

    /// An empty set of positions from 1 to `last`.
    init(last: Int64) {
        self.last = last
        let count = Int(last >> Self.pieceShift) + 1
        pieces = [[UInt64]](repeating: [], count: count)
        counts = [UInt16](repeating: 0, count: count)
    }

    /// Adds a position; false where it was there.
    mutating func insert(_ position: Int64) -> Bool {
        let piece = Int(position >> Self.pieceShift)
        if counts[piece] == Self.pieceBits { return false }
        if counts[piece] == 0 { pieces[piece] = [UInt64](repeating: 0, count: Int(Self.pieceBits) / 64) }
        let word = Self.word(position)
        let bit: UInt64 = 1 << UInt64(position & 63)
        guard pieces[piece][word] & bit == 0 else { return false }
        pieces[piece][word] |= bit
        counts[piece] += 1
        if counts[piece] == Self.pieceBits { pieces[piece] = [] }
        return true
    }

    /// The first positions from `position` on that are not in the set, up to the next one that is; nil for none.
    func gap(from position: Int64) -> ClosedRange<Int64>? {
        guard let first = next(from: position, isIn: false) else { return nil }
        return first...((next(from: first, isIn: true) ?? last + 1) - 1)
    }

    private func next(from position: Int64, isIn: Bool) -> Int64? {
        var from = position
        while from <= last {
            let piece = Int(from >> Self.pieceShift)
            if counts[piece] == (isIn ? 0 : Self.pieceBits) {
                from = Int64(piece + 1) << Self.pieceShift
                continue
            }
            let word = isIn ? bits(of: from) : ~bits(of: from)
            let rest = word & (UInt64.max << UInt64(from & 63))
            if rest != 0 {
                let found = from & ~63 + Int64(rest.trailingZeroBitCount)
                return found <= last ? found : nil
            }
            from = (from | 63) + 1
        }
        return nil
    }

    /// The word in which a position has its bit.
    private func bits(of position: Int64) -> UInt64 {
        let piece = Int(position >> Self.pieceShift)
        if pieces[piece].isEmpty { return counts[piece] == 0 ? 0 : .max }
        return pieces[piece][Self.word(position)]
    }

    private static func word(_ position: Int64) -> Int { Int(position & (Int64(pieceBits) - 1)) >> 6 }
}
