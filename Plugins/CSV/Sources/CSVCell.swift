// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// Which fields are NULL.
struct CSVNulls {
    private let emptyIsNull: Bool
    private let quotedEmptyIsNull: Bool
    /// Not empty where there is one.
    private let text: [UInt8]

    init(_ settings: CSVSettings) {
        emptyIsNull = settings.nullRule != .never || settings.nullText == []
        quotedEmptyIsNull = settings.nullRule == .empty
        text = settings.nullText ?? []
    }

    /// Whether an empty field is NULL.
    @inline(__always)
    func isNull(_ isQuoted: Bool) -> Bool { isQuoted ? quotedEmptyIsNull : emptyIsNull }

    /// Whether a field of these bytes is NULL.
    @inline(__always)
    func isNull(_ start: UnsafePointer<UInt8>, _ count: Int, _ isQuoted: Bool) -> Bool {
        guard text.count == count, !isQuoted else { return false }
        return UnsafeBufferPointer(start: start, count: count).elementsEqual(text)
    }
}

/// One column of a read: where its field stands in a record, and what it is turned into.
struct CSVCell {
    let position: Int
    let type: CSVType

    /// Appends the bytes of a field as a value of the type.
    ///
    /// - Returns: Whether they are one; nothing is appended where they are not.
    @inline(__always)
    func append(
        _ start: UnsafePointer<UInt8>, _ count: Int, _ scanner: CSVScanner, _ field: CSVScanner.Field,
        to column: ColumnBuilder
    ) -> Bool {
        guard field.hasEscapes else {
            if type != .text { return append(typed: UnsafeBufferPointer(start: start, count: count), to: column) }
            column.append(bytes: UnsafeBufferPointer(start: start, count: count))
            return true
        }
        if type == .text {
            column.endBytes(Self.unescape(start, count, scanner.quote, into: column.room(for: count)))
            return true
        }
        let bytes = scanner.bytes(field)
        return bytes.withUnsafeBufferPointer { append(typed: $0, to: column) }
    }

    /// Copies a field with its doubled quotes made single; how many bytes that were.
    private static func unescape(
        _ source: UnsafePointer<UInt8>, _ count: Int, _ quote: UInt8, into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var from = 0
        var to = 0
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = ones &* UInt64(quote)
        while from < count {
            if from &+ 8 <= count {
                let word = UnsafeRawPointer(source + from).loadUnaligned(as: UInt64.self)
                let other = word ^ quotes
                // Some bit is set where some byte is the quote.
                if (other &- ones) & ~other & 0x8080_8080_8080_8080 == 0 {
                    UnsafeMutableRawPointer(target + to).storeBytes(of: word, as: UInt64.self)
                    from &+= 8
                    to &+= 8
                    continue
                }
            }
            let byte = source[from]
            target[to] = byte
            to &+= 1
            // Inside quotes a quote is always followed by its twin.
            from &+= byte == quote ? 2 : 1
        }
        return to
    }

    private func append(typed bytes: UnsafeBufferPointer<UInt8>, to column: ColumnBuilder) -> Bool {
        let field = bytes.span
        switch type {
        case .integer: return append(Self.shortInteger(bytes) ?? CSVConversion.integer(field), to: column)
        case .boolean: return append(CSVConversion.boolean(field), to: column)
        case .date: return append(Self.withYear(PlainTime.date(bytes)) ?? CSVConversion.date(field), to: column)
        case .time: return append(CSVConversion.time(field), to: column)
        case .timestamp:
            let plain = Self.withYear(moment: PlainTime.timestamp(bytes))
            return append(plain ?? CSVConversion.timestamp(field), to: column)
        case .instant:
            let plain = Self.withYear(moment: PlainTime.instant(bytes))
            return append(plain ?? CSVConversion.instant(field), to: column)
        case .number:
            guard let value = CSVConversion.number(field) else { return false }
            column.append(value)
        case .decimal:
            if !CSVConversion.isPlainDecimal(field) {
                guard let text = CSVConversion.decimal(field) else { return false }
                column.append(bytes: text)
            } else {
                column.append(bytes: bytes)
            }
        case .json:
            guard CSVConversion.isJSON(Array(bytes)) else { return false }
            column.append(bytes: bytes)
        case .text: column.append(bytes: bytes)
        }
        return true
    }

    /// A number of at most 18 digits without a sign; nil where it is not so short.
    @inline(__always)
    private static func shortInteger(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard bytes.count <= 18, bytes.count > 0 else { return nil }
        var value: Int64 = 0
        for byte in bytes {
            let digit = byte &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }

    /// The day where its year is 1 to 9999, as all but a handful are.
    @inline(__always)
    private static func withYear(_ day: Int64?) -> Int64? {
        guard let day, day >= CivilDate.fourDigitDays.lowerBound else { return nil }
        return day
    }

    @inline(__always)
    private static func withYear(moment: Int64?) -> Int64? {
        guard let moment, moment >= CivilDate.fourDigitDays.lowerBound * TimeText.dayLength else { return nil }
        return moment
    }

    @inline(__always)
    private func append(_ value: Int64?, to column: ColumnBuilder) -> Bool {
        guard let value else { return false }
        column.append(value)
        return true
    }
}
