// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// Where the keys of packed entries lie: for each a number of 8 bytes, 32 bits of its digest above its position.
///
/// New ones go to a short log in the order in which they come, which is in memory too. A log that is full becomes a
/// segment, sorted and cut into pages; several segments of one size become one of the next. A key is looked for in the
/// log and with one descent in each segment.
struct PackIndex {
    let connection: SQLiteConnection

    /// The last position that a key can have.
    static let lastPosition = Int64(UInt32.max)
    /// What stands in the way of one more.
    static var full: StateError { .internal("A ledger cannot have more than \(lastPosition) rows.") }

    /// 32 bits of a key and its position as one number.
    static func place(_ key: Fingerprint, _ position: Int64) throws(StateError) -> UInt64 {
        guard position > 0, position <= lastPosition else { throw full }
        return UInt64(hash(key)) << 32 | UInt64(position)
    }

    /// 32 bits of a key.
    static func hash(_ key: Fingerprint) -> UInt32 {
        // Keys are digests, so any of their bits would do; the product also spreads keys that only look like digests.
        UInt32(truncatingIfNeeded: ((key.low ^ key.high) &* 0x9e37_79b9_7f4a_7c15) >> 32)
    }

    private static let salt: UInt64 = 0x7061_636b_2069_6e64
    /// So many segments of one size become one.
    private static let segmentsMax = 4
    /// The log is segment 0.
    private static let log: Int64 = 0

    // MARK: - Looking

    /// Positions at which the key of this hash may lie, mostly none or one.
    func positions(_ hash: UInt32) throws(StateError) -> [Int64] {
        try load()
        var found: [Int64] = []
        guard connection.ledger.mayHave(hash) else { return found }
        connection.ledger.log.find(hash) { found.append($0) }
        for segment in connection.ledger.segments {
            try positions(hash, in: segment.id) { found.append($0) }
        }
        if found.isEmpty, !connection.ledger.segments.isEmpty { try noteMiss() }
        return found
    }

    private func positions(_ hash: UInt32, in segment: Int64, _ body: (Int64) -> Void) throws(StateError) {
        let sql = "SELECT id, \"check\", data FROM pack_index WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1"
        let (low, high) = (segment << 32, segment << 32 | Int64(hash))
        let bytes = try connection.statement(sql).first([.integer(low), .integer(high)]) { row throws(StateError) in
            try Self.bytes(row)
        }
        guard let bytes else { return }
        // Looked at in place: a page is read for one of its places.
        let page = bytes.span.bytes
        let count = bytes.count / 8
        func place(_ index: Int) -> UInt64 {
            UInt64(littleEndian: page.unsafeLoadUnaligned(fromByteOffset: index &* 8, as: UInt64.self))
        }
        var (start, end) = (0, count)
        while start < end {
            let middle = (start + end) >> 1
            if place(middle) >> 32 < UInt64(hash) { start = middle + 1 } else { end = middle }
        }
        while start < count, place(start) >> 32 == UInt64(hash) {
            body(Int64(place(start) & 0xFFFF_FFFF))
            start += 1
        }
    }

    private static func bytes(_ row: SQLiteStatement) throws(StateError) -> [UInt8] {
        let bytes = row.bytes(2)
        guard PackCheck.value(bytes, id: row.integer(0), salt: salt) == row.integer(1) else {
            throw .damaged("the page \(row.integer(0)) of the index of the ledger")
        }
        return bytes
    }

    private static func page(_ row: SQLiteStatement) throws(StateError) -> [UInt64] {
        let bytes = try bytes(row)
        var reader = PackReader(bytes)
        return (0..<bytes.count / 8).map { _ in reader.word() }
    }

    // MARK: - What is in memory

    /// Reads the log and what segments there are, unless they are known as they are now.
    func load() throws(StateError) {
        // A writer is alone; what a reader knows is old once another connection has written.
        let version = connection.access == .readOnly ? try connection.integer("PRAGMA data_version") : 1
        guard connection.ledger.version != version else { return }
        var state = LedgerCache()
        let segments = "SELECT id, places, \"check\" FROM pack_segment ORDER BY id"
        try connection.statement(segments).rows([]) { row throws(StateError) in
            let segment = PackSegment(id: row.integer(0), places: row.integer(1))
            guard segment.check == row.integer(2) else { throw .damaged("segment \(segment.id) of the ledger's index") }
            state.segments.append(segment)
        }
        try visit(Self.log) { (page, _) in
            for place in page { state.log.add(place) }
            state.lastLogPage = page
            state.logPages += 1
        }
        state.version = version
        connection.ledger = state
    }

    /// Visits the pages of a segment in their order.
    private func visit(_ segment: Int64, _ body: ([UInt64], Int64) throws(StateError) -> Void) throws(StateError) {
        let sql = "SELECT id, \"check\", data FROM pack_index WHERE id >= ?1 AND id < ?2 ORDER BY id"
        try connection.statement(sql).rows([.integer(segment << 32), .integer((segment + 1) << 32)]) {
            row throws(StateError) in try body(try Self.page(row), row.integer(0))
        }
    }

    /// Makes a filter once that many keys were looked for in vain that reading the whole index pays.
    private func noteMiss() throws(StateError) {
        connection.ledger.misses += 1
        guard connection.access == .readWrite, connection.ledger.filter == nil,
            connection.ledger.misses > connection.packSizes.misses
        else {
            return
        }
        try makeFilter()
    }

    private func makeFilter() throws(StateError) {
        let places = connection.ledger.segments.reduce(0) { $0 + $1.places } + Int64(connection.ledger.log.count)
        // Room for as many again, at 12 bits each, between 64 KB and 8 MB.
        var bits = 10
        while bits < 17, Int64(1) << (bits + 9) < places * 24 { bits += 1 }
        // Not two of them in memory at once.
        connection.ledger.filter = nil
        var filter = KeyFilter(blockBits: bits)
        for segment in connection.ledger.segments {
            try visit(segment.id) { (page, _) in for place in page { filter.add(hash: UInt32(place >> 32)) } }
        }
        for place in connection.ledger.log.sorted { filter.add(hash: UInt32(place >> 32)) }
        connection.ledger.filter = filter
        connection.ledger.filterPlaces = bits < 17 ? places * 2 : .max
    }

    // MARK: - Adding

    /// Adds places of keys that are not in the index yet.
    func add(_ places: [UInt64]) throws(StateError) {
        try load()
        var rest = places[...]
        while !rest.isEmpty {
            if connection.ledger.logPages == 0 || connection.ledger.lastLogPage.count >= connection.packSizes.page {
                connection.ledger.lastLogPage = []
                connection.ledger.logPages += 1
            }
            let taken = rest.prefix(connection.packSizes.page - connection.ledger.lastLogPage.count)
            connection.ledger.lastLogPage += taken
            rest = rest.dropFirst(taken.count)
            let page = Self.log << 32 | Int64(connection.ledger.logPages - 1)
            try store(connection.ledger.lastLogPage, id: page)
        }
        connection.ledger.note(places)
        if connection.ledger.log.count >= connection.packSizes.log { try mergeLog() }
        let total = connection.ledger.segments.reduce(Int64(connection.ledger.log.count)) { $0 + $1.places }
        if connection.ledger.filter != nil, total > connection.ledger.filterPlaces { try makeFilter() }
    }

    /// Makes the log a segment, with those segments that are not larger than it will be.
    private func mergeLog() throws(StateError) {
        var merged: [PackSegment] = []
        var total = Int64(connection.ledger.log.count)
        // Segments are in the order in which they were made: the newest are the smallest.
        var rest = connection.ledger.segments
        while true {
            let own = tier(of: total)
            let same = rest.suffix { tier(of: $0.places) <= own }
            guard same.count >= Self.segmentsMax - 1 else { break }
            merged += same
            total += same.reduce(0) { $0 + $1.places }
            rest.removeLast(same.count)
        }
        try merge(merged)
    }

    /// Segments of one tier become one of the next: each has four times the places of the one before.
    private func tier(of places: Int64) -> Int {
        (Int64.bitWidth - max(1, places / Int64(connection.packSizes.log)).leadingZeroBitCount - 1) / 2
    }

    /// Whether there are so many segments that a lookup takes long.
    func isScattered() throws(StateError) -> Bool {
        try load()
        return connection.ledger.segments.count > 3
    }

    /// Makes one segment of the small ones.
    func tidy() throws(StateError) {
        try load()
        let segments = connection.ledger.segments
        guard let largest = segments.map(\.places).max() else { return }
        try merge(Array(segments.suffix { $0.places * 2 <= largest }))
    }

    /// Makes the log and these segments, the newest ones, one segment.
    private func merge(_ merged: [PackSegment]) throws(StateError) {
        let log = connection.ledger.log.sorted
        let id = try connection.integer("SELECT coalesce(max(id), 0) + 1 FROM pack_segment")
        let writer = SegmentWriter(index: self, segment: id)
        var sources = merged.map { SegmentReader(index: self, segment: $0.id) }
        for index in sources.indices { try sources[index].advance() }
        var next = 0
        while true {
            var least: UInt64? = next < log.count ? log[next] : nil
            var chosen = -1
            for index in sources.indices {
                guard let head = sources[index].head else { continue }
                if least.map({ head < $0 }) ?? true { (least, chosen) = (head, index) }
            }
            guard let place = least else { break }
            if chosen < 0 { next += 1 } else { try sources[chosen].advance() }
            try writer.add(place)
        }
        let segment = PackSegment(id: id, places: try writer.finish())
        let delete = try connection.statement("DELETE FROM pack_index WHERE id >= ?1 AND id < ?2")
        for old in merged.map(\.id) + [Self.log] {
            try delete.execute([.integer(old << 32), .integer((old + 1) << 32)])
            try connection.statement("DELETE FROM pack_segment WHERE id = ?1").execute([.integer(old)])
        }
        try connection.statement("INSERT INTO pack_segment (id, places, \"check\") VALUES (?1, ?2, ?3)")
            .execute([.integer(id), .integer(segment.places), .integer(segment.check)])
        let gone = Set(merged.map(\.id))
        connection.ledger.segments = connection.ledger.segments.filter { !gone.contains($0.id) } + [segment]
        connection.ledger.log.removeAll()
        connection.ledger.lastLogPage = []
        connection.ledger.logPages = 0
    }

    private func store(_ places: [UInt64], id: Int64) throws(StateError) {
        var writer = PackWriter(capacity: places.count * 8)
        writer.add(words: places)
        try connection.statement("INSERT OR REPLACE INTO pack_index (id, \"check\", data) VALUES (?1, ?2, ?3)")
            .execute([
                .integer(id), .integer(PackCheck.value(writer.bytes, id: id, salt: Self.salt)), .bytes(writer.bytes),
            ])
    }

    // MARK: - Checking

    /// A number that all places have in common whatever their order, and how many there are.
    ///
    /// - Throws: ``StateError``, `damaged` where a page is.
    func sum() throws(StateError) -> (sum: UInt64, count: Int64) {
        try load()
        var (sum, count): (UInt64, Int64) = (0, 0)
        for segment in [Self.log] + connection.ledger.segments.map(\.id) {
            var before: UInt64 = 0
            try visit(segment) { (page, id) throws(StateError) in
                let isSorted = zip(page, page.dropFirst()).allSatisfy { $0 < $1 }
                let begins = page.first.map { segment << 32 | Int64($0 >> 32) == id && $0 > before } ?? false
                guard segment == Self.log || isSorted && begins else {
                    throw .damaged("the page \(id) of the index of the ledger")
                }
                before = page.last ?? before
                for place in page { sum &+= Self.mix(place) }
                count += Int64(page.count)
            }
        }
        return (sum, count)
    }

    /// A number for a place, of which the sums of different sets of places differ.
    static func mix(_ place: UInt64) -> UInt64 {
        var word = place &* 0xbf58_476d_1ce4_e5b9
        word ^= word >> 31
        word = word &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 29
    }

    // MARK: - Segments, a page at a time

    private final class SegmentWriter {
        private let index: PackIndex
        private let segment: Int64
        private var page: [UInt64] = []
        private var count: Int64 = 0
        private let pagePlaces: Int

        init(index: PackIndex, segment: Int64) {
            self.index = index
            self.segment = segment
            pagePlaces = index.connection.packSizes.page
        }

        func add(_ place: UInt64) throws(StateError) {
            // Places of one hash stay in one page.
            if page.count >= pagePlaces, let last = page.last, last >> 32 != place >> 32 { try store() }
            page.append(place)
            count += 1
        }

        func finish() throws(StateError) -> Int64 {
            try store()
            return count
        }

        private func store() throws(StateError) {
            guard let first = page.first else { return }
            try index.store(page, id: segment << 32 | Int64(first >> 32))
            page.removeAll(keepingCapacity: true)
        }
    }

    private struct SegmentReader {
        let index: PackIndex
        let segment: Int64
        private(set) var head: UInt64?
        private var page: [UInt64] = []
        private var next = 0
        private var lastPage: Int64

        init(index: PackIndex, segment: Int64) {
            self.index = index
            self.segment = segment
            lastPage = segment << 32 - 1
        }

        mutating func advance() throws(StateError) {
            if next == page.count {
                let sql = "SELECT id, \"check\", data FROM pack_index WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT 1"
                let found = try index.connection.statement(sql)
                    .first([.integer(lastPage), .integer((segment + 1) << 32)]) { row throws(StateError) in
                        (try PackIndex.page(row), row.integer(0))
                    }
                guard let found else { return head = nil }
                (page, lastPage) = found
                next = 0
            }
            guard next < page.count else { return head = nil }
            head = page[next]
            next += 1
        }
    }
}

extension Array {
    /// The longest end of the array whose elements all pass.
    fileprivate func suffix(_ passes: (Element) -> Bool) -> ArraySlice<Element> {
        var start = count
        while start > 0, passes(self[start - 1]) { start -= 1 }
        return self[start...]
    }
}
