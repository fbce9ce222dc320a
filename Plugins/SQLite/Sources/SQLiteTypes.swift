// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// What the values of a column were in the sample that was looked at.
package struct SQLiteSample: OptionSet, Sendable {
    /// One bit for each sort of value.
    package let rawValue: UInt8
    /// A sample from its bits.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Integers.
    package static let integer = SQLiteSample(rawValue: 1 << 0)
    /// Doubles.
    package static let real = SQLiteSample(rawValue: 1 << 1)
    /// Texts.
    package static let text = SQLiteSample(rawValue: 1 << 2)
    /// Blobs.
    package static let blob = SQLiteSample(rawValue: 1 << 3)
    /// Texts that are a date and time with a zone.
    package static let zoned = SQLiteSample(rawValue: 1 << 4)
    /// Texts that are a date and time without a zone.
    package static let unzoned = SQLiteSample(rawValue: 1 << 5)
}

/// The type of a column, from what it was declared as and what its values are.
package enum SQLiteTypes {
    /// How many rows are looked at where the declaration does not settle the type.
    package static let sampleRows = 10_000

    /// SQLite's own affinity rules in their order, then the names that SQLite gives no meaning to.
    ///
    /// The first word that occurs wins. `INTERVAL` and `POINT` contain INT by accident.
    private static let rules: [(word: String, type: DataType?)] = [
        ("INTERVAL", nil), ("POINT", nil),
        ("INT", .int64),
        ("CHAR", .text), ("CLOB", .text), ("TEXT", .text),
        ("BLOB", .bytes), ("BINARY", .bytes), ("BYTEA", .bytes),
        ("REAL", .float64), ("FLOA", .float64), ("DOUB", .float64),
        ("BOOL", .bool),
        ("DECIMAL", .decimal), ("NUMERIC", .decimal), ("NUMBER", .decimal), ("MONEY", .decimal),
        ("TIMESTAMPTZ", .instant), ("TIMESTAMP WITH TIME ZONE", .instant),
        ("DATETIME", .timestamp), ("TIMESTAMP", .timestamp), ("DATE", .date),
        ("TIMETZ", nil), ("TIME WITH TIME ZONE", nil), ("TIME", .time),
        ("JSON", .json), ("UUID", .text), ("STRING", .text),
    ]

    /// Returns the type that a declaration names, or nil where it names none that is known here.
    ///
    /// What stands in parentheses does not count.
    package static func declared(_ declaration: String) -> DataType? {
        let words = outsideParentheses(declaration)
        return rules.first { words.contains($0.word) }?.type
    }

    /// Whether SQLite stores numbers in a column of this declaration as text, so that only texts and blobs occur.
    package static func hasTextAffinity(_ declaration: String) -> Bool {
        let words = declaration.uppercased()
        return !words.contains("INT") && ["CHAR", "CLOB", "TEXT"].contains { words.contains($0) }
    }

    /// Whether the values have a say in the type.
    package static func needsSample(_ declared: DataType?) -> Bool {
        switch declared {
        case nil, .date, .time, .timestamp, .instant: true
        default: false
        }
    }

    /// Returns the type of a column of which `sample` was seen.
    package static func settled(_ declared: DataType?, _ sample: SQLiteSample) -> DataType {
        guard let declared else { return byValues(sample) }
        guard needsSample(declared) else { return declared }
        let onlyNumbers = !sample.isDisjoint(with: [.integer, .real]) && sample.isDisjoint(with: [.text, .blob])
        if onlyNumbers { return byValues(sample) }
        guard declared == .timestamp || declared == .instant else { return declared }
        switch (sample.contains(.zoned), sample.contains(.unzoned)) {
        case (true, false): return .instant
        case (false, true): return .timestamp
        default: return declared
        }
    }

    private static func byValues(_ sample: SQLiteSample) -> DataType {
        switch sample.intersection([.integer, .real, .text, .blob]) {
        case .integer: .int64
        case .real, [.integer, .real]: .float64
        case .blob: .bytes
        default: .text
        }
    }

    private static func outsideParentheses(_ declaration: String) -> String {
        var depth = 0
        var result = ""
        for character in declaration.uppercased() {
            if character == "(" { depth += 1 }
            if depth == 0 { result.append(character) }
            if character == ")" { depth = max(0, depth - 1) }
        }
        return result
    }
}
