// SPDX-License-Identifier: Apache-2.0

/// Checks the form of a cron expression of five fields; when it is due is decided elsewhere.
enum CronSyntax {
    /// What is wrong, and which part of the text it is about, in Unicode scalars.
    struct Problem: Sendable, Hashable {
        var offset: Int
        var length: Int
        var message: String
    }

    private struct Field: Sendable {
        var name: String
        var range: ClosedRange<Int>
        var names: [String] = []
    }

    private static let fields = [
        Field(name: "minute", range: 0...59), Field(name: "hour", range: 0...23),
        Field(name: "day of month", range: 1...31),
        Field(
            name: "month", range: 1...12,
            names: ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
        Field(name: "day of week", range: 0...7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
    ]

    /// The first problem of `text`, or nil.
    static func problem(in text: String) -> Problem? {
        let scalars = Array(text.unicodeScalars)
        var words: [(offset: Int, text: String)] = []
        var start: Int?
        for index in 0...scalars.count {
            let isSpace = index == scalars.count || scalars[index] == " " || scalars[index] == "\t"
            if !isSpace, start == nil { start = index }
            guard isSpace, let first = start else { continue }
            words.append((first, scalars[first..<index].map(String.init).joined()))
            start = nil
        }
        guard words.count == fields.count else {
            let found = words.count == 1 ? "1 field" : "\(words.count) fields"
            return Problem(
                offset: 0, length: max(scalars.count, 1),
                message: "a cron expression has 5 fields (minute hour day month weekday), not \(found)")
        }
        for (word, field) in zip(words, fields) {
            for item in word.text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let message = problem(in: item, field) else { continue }
                return Problem(offset: word.offset, length: word.text.unicodeScalars.count, message: message)
            }
        }
        return nil
    }

    private static func problem(in item: Substring, _ field: Field) -> String? {
        let halves = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if halves.count == 2 {
            guard let step = ScalarText.integer(String(halves[1])), step > 0, step <= field.range.upperBound else {
                return "\"\(halves[1])\" is not a step of \(field.name)"
            }
        }
        let base = halves.first ?? ""
        if base == "*" { return nil }
        let ends = base.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = ends.map { number($0, field) }
        for (end, number) in zip(ends, numbers) where number == nil {
            let limits = "\(field.range.lowerBound) to \(field.range.upperBound)"
            return "\(field.name) \"\(end)\" is not within \(limits)"
        }
        let known = numbers.compactMap { $0 }
        if known.count == 2, known[0] > known[1] { return "the range \"\(base)\" of \(field.name) runs backwards" }
        return nil
    }

    private static func number(_ text: Substring, _ field: Field) -> Int? {
        if let index = field.names.firstIndex(of: text.uppercased()), !text.isEmpty { return index }
        guard let number = ScalarText.integer(String(text)), field.range.contains(number) else { return nil }
        return number
    }
}
