// SPDX-License-Identifier: Apache-2.0

/// A file of the time zone database, in the form TZif of RFC 9636.
enum ZoneFile {
    /// The last year for which the rule at the file's end is carried out.
    private static let lastYear: Int64 = 2250

    /// The rules in the bytes of a file; nil where they are no such file.
    static func rules(name: String, _ bytes: [UInt8]) -> ZoneRules? {
        var reader = Reader(bytes: bytes)
        guard let first = reader.header() else { return nil }
        guard first.version >= 2 else {
            return reader.block(first, timeSize: 4).map {
                ZoneRules(name: name, offsetBefore: $0.before, steps: $0.steps)
            }
        }
        reader.position += first.length(timeSize: 4)
        guard let second = reader.header(), let block = reader.block(second, timeSize: 8) else { return nil }
        var (before, steps) = block
        if let rule = ZoneRule(footer: reader.footer) {
            if steps.isEmpty { before = rule.standard }
            let last = steps.last?.at ?? .min
            let year = steps.isEmpty ? 1970 : ZoneRule.year(of: last)
            for year in year...max(year, lastYear) { steps += rule.steps(year: year).filter { $0.at > last } }
        }
        return ZoneRules(name: name, offsetBefore: before, steps: steps)
    }

    private struct Header {
        var version: UInt8
        var universalCount: Int
        var standardCount: Int
        var leapCount: Int
        var timeCount: Int
        var typeCount: Int
        var characterCount: Int

        func length(timeSize: Int) -> Int {
            timeCount * (timeSize + 1) + typeCount * 6 + characterCount + leapCount * (timeSize + 4) + standardCount
                + universalCount
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func header() -> Header? {
            guard position >= 0, bytes.count - position >= 44,
                Array(bytes[position..<position + 4]) == Array("TZif".utf8)
            else { return nil }
            let version = bytes[position + 4]
            position += 20
            let counts = (0..<6).map { _ in Int(number(4)) }
            guard counts.allSatisfy({ (0...100_000).contains($0) }), counts[4] > 0 else { return nil }
            return Header(
                version: version == 0 ? 1 : version - 48, universalCount: counts[0], standardCount: counts[1],
                leapCount: counts[2], timeCount: counts[3], typeCount: counts[4], characterCount: counts[5])
        }

        mutating func block(_ header: Header, timeSize: Int) -> (before: Int64, steps: [(at: Int64, offset: Int64)])? {
            let end = position + header.length(timeSize: timeSize)
            guard end <= bytes.count else { return nil }
            let times = (0..<header.timeCount).map { _ in number(timeSize) }
            let indexes = (0..<header.timeCount).map { _ in Int(number(1)) & 0xFF }
            let offsets = (0..<header.typeCount).map { _ in
                let offset = number(4)
                position += 2
                return offset * 1_000
            }
            position = end
            guard indexes.allSatisfy(offsets.indices.contains), zip(times, times.dropFirst()).allSatisfy(<),
                times.allSatisfy({ abs($0 / 1_000) < 1_000_000_000 }),
                offsets.allSatisfy({ abs($0) <= 26 * 3_600_000 })
            else { return nil }
            return (offsets[0], zip(times, indexes).map { ($0 * 1_000, offsets[$1]) })
        }

        /// The text between the two line feeds at the end.
        var footer: String {
            guard position < bytes.count, bytes[position] == 10 else { return "" }
            return String(decoding: bytes[(position + 1)...].prefix { $0 != 10 }, as: UTF8.self)
        }

        /// A big-endian number with a sign.
        private mutating func number(_ size: Int) -> Int64 {
            var value: Int64 = bytes[position] >= 128 && size > 1 ? -1 : 0
            for _ in 0..<size {
                value = value << 8 | Int64(bytes[position])
                position += 1
            }
            return value
        }
    }
}
