// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

extension CSVScanner {
    /// Scans a record that lies whole in the window, has as many fields as the one before it and nothing wrong with it.
    ///
    /// Eight bytes are looked at at once. Whatever is not so plain is left to the byte by byte scan, from the record's
    /// start on, which makes the same of it.
    /// - Returns: Whether there was one; nothing has changed where there was none.
    mutating func nextPlain() -> Bool {
        guard !dialect.trims, state != .skipping, !fields.isEmpty else { return false }
        let start = nextStart
        let marks = PlainRecord.Marks(delimiter: delimiter, quote: quote, endedWithCR: endedWithCR)
        let found = window.withUnsafeBufferPointer { bytes in
            fields.withUnsafeMutableBufferPointer { PlainRecord.scan(bytes, from: start, marks, into: $0) }
        }
        guard let found, found.last &- found.start < dialect.recordBytesMax else { return false }
        recordStart = found.start
        recordLine = line
        problem = nil
        line &+= found.lineEnds &+ 1
        position = found.last &+ 1
        nextStart = position
        endedWithCR = found.endsWithCR
        state = .recordStart
        return true
    }

    /// Lends the record: its first byte, and its fields.
    @inline(__always)
    func withRecord<R>(_ body: (UnsafePointer<UInt8>, UnsafeBufferPointer<Field>) -> R) -> R? {
        window.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return nil }
            return fields.withUnsafeBufferPointer { body(base + recordStart, $0) }
        }
    }
}

/// A record of fields that need no second look.
private struct PlainRecord {
    /// The bytes that mean something.
    struct Marks {
        let delimiter: UInt8
        /// 0 where there are no quotes.
        let quote: UInt8
        let endedWithCR: Bool
    }

    var start: Int
    /// The line end, or its first byte.
    var last = 0
    /// How many line ends lie in quotes.
    var lineEnds = 0
    var endsWithCR = false

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The highest bit of every byte below 14, and of every one that is equal to a byte of `marks`.
    ///
    /// The lowest bit that is set is right; those above it need not be.
    @inline(__always)
    private static func found(_ word: UInt64, _ marks: UInt64) -> UInt64 {
        let other = word ^ marks
        return ((word &- 0x0E0E_0E0E_0E0E_0E0E) & ~word | (other &- ones) & ~other) & highs
    }

    /// Scans one record; nil where it is not plain.
    @inline(__always)
    static func scan(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ marks: Marks,
        into fields: UnsafeMutableBufferPointer<CSVScanner.Field>
    ) -> PlainRecord? {
        guard let base = bytes.baseAddress, let field = fields.baseAddress, start &+ 9 <= bytes.count else {
            return nil
        }
        var record = PlainRecord(start: start)
        // The line feed of a CRLF belongs to the record before.
        if marks.endedWithCR && base[start] == 10 { record.start &+= 1 }
        // From here on eight bytes can be loaded, and one is left behind them.
        let limit = bytes.count &- 9
        let delimiters = ones &* UInt64(marks.delimiter)
        let quotes = ones &* UInt64(marks.quote)
        var position = record.start
        var index = 0
        while true {
            var high: UInt64 = 0
            var isQuoted = false
            var hasEscapes = false
            var first = position
            var end = 0
            if base[position] == marks.quote && marks.quote != 0 {
                isQuoted = true
                position &+= 1
                first = position
                guard let close = record.quotedEnd(base, &position, limit, quotes, marks.quote, &high, &hasEscapes)
                else { return nil }
                end = close
            } else {
                guard let stop = unquotedEnd(base, position, limit, delimiters, marks.delimiter, &high) else {
                    return nil
                }
                end = stop
                position = stop
            }
            if high != 0, !UTF8Check.isValid(UnsafeBufferPointer(start: base + first, count: end &- first)) {
                return nil
            }
            field[index] = CSVScanner.Field(
                start: Int32(truncatingIfNeeded: first &- record.start),
                end: Int32(truncatingIfNeeded: end &- record.start), isQuoted: isQuoted, hasEscapes: hasEscapes)
            index &+= 1
            let byte = base[position]
            if byte == marks.delimiter {
                position &+= 1
                if index == fields.count || position > limit { return nil }
                continue
            }
            guard index == fields.count, byte == 10 || byte == 13 else { return nil }
            record.last = position
            record.endsWithCR = byte == 13
            return record
        }
    }

    /// Where an unquoted field ends; nil where that is not in sight or a NUL comes first.
    @inline(__always)
    private static func unquotedEnd(
        _ base: UnsafePointer<UInt8>, _ start: Int, _ limit: Int, _ delimiters: UInt64, _ delimiter: UInt8,
        _ high: inout UInt64
    ) -> Int? {
        var position = start
        while position <= limit {
            let word = UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self).littleEndian
            let flags = found(word, delimiters)
            if flags == 0 {
                high |= word & highs
                position &+= 8
                continue
            }
            let count = flags.trailingZeroBitCount &>> 3
            high |= word & highs & (1 &<< UInt64(count &* 8) &- 1)
            position &+= count
            let byte = base[position]
            if byte == delimiter || byte == 10 || byte == 13 { return position }
            if byte == 0 { return nil }
            position &+= 1
        }
        return nil
    }

    /// Where a quoted field ends; `position` is then behind its quote.
    @inline(__always)
    private mutating func quotedEnd(
        _ base: UnsafePointer<UInt8>, _ position: inout Int, _ limit: Int, _ quotes: UInt64, _ quote: UInt8,
        _ high: inout UInt64, _ hasEscapes: inout Bool
    ) -> Int? {
        let first = position
        while position <= limit {
            let word = UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self).littleEndian
            let flags = Self.found(word, quotes)
            if flags == 0 {
                high |= word & Self.highs
                position &+= 8
                continue
            }
            let count = flags.trailingZeroBitCount &>> 3
            high |= word & Self.highs & (1 &<< UInt64(count &* 8) &- 1)
            position &+= count
            let byte = base[position]
            position &+= 1
            if byte == quote {
                guard base[position] == quote else { return position &- 1 }
                hasEscapes = true
                position &+= 1
            } else if byte == 10 {
                if position &- 1 == first || base[position &- 2] != 13 { lineEnds &+= 1 }
            } else if byte == 13 {
                lineEnds &+= 1
            } else if byte == 0 {
                return nil
            }
        }
        return nil
    }
}
