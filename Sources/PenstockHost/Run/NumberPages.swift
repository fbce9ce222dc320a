// SPDX-License-Identifier: Apache-2.0

/// Some numbers, a bit each: for ids and keys, which mostly lie close together.
///
/// It takes no more than 4 MB (twice that while it grows). Numbers that it has no room for are for somebody else to
/// remember; which ones these are never changes once it is full.
struct NumberPages {
    private static let pageBits: UInt64 = 12
    private static let pageWords = 1 << 6
    private static let pagesMax = 8_192

    private var places: [UInt64: Int] = [:]
    private var words: [UInt64] = []
    private var last: (page: UInt64, place: Int)?

    /// Whether a number was added; nil for one that there was no room for.
    mutating func contains(_ number: UInt64) -> Bool? {
        guard let place = place(of: number >> Self.pageBits) else { return isFull ? nil : false }
        return words[place + Self.word(number)] & Self.bit(number) != 0
    }

    /// Adds a number.
    ///
    /// - Returns: Whether it was new; nil where there is no room for it.
    mutating func insert(_ number: UInt64) -> Bool? {
        let page = number >> Self.pageBits
        guard let place = place(of: page) ?? newPlace(of: page) else { return nil }
        let word = place + Self.word(number)
        guard words[word] & Self.bit(number) == 0 else { return false }
        words[word] |= Self.bit(number)
        return true
    }

    private var isFull: Bool { places.count >= Self.pagesMax }

    private static func word(_ number: UInt64) -> Int { Int(number >> 6 & UInt64(pageWords - 1)) }

    private static func bit(_ number: UInt64) -> UInt64 { 1 << (number & 63) }

    /// Where the words of a page begin, or nil.
    private mutating func place(of page: UInt64) -> Int? {
        if let last, last.page == page { return last.place }
        guard let place = places[page] else { return nil }
        last = (page, place)
        return place
    }

    private mutating func newPlace(of page: UInt64) -> Int? {
        guard !isFull else { return nil }
        let place = words.count
        words.append(contentsOf: repeatElement(0, count: Self.pageWords))
        places[page] = place
        last = (page, place)
        return place
    }
}
