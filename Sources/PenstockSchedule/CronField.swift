// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// One of the five fields: what may stand in it.
struct CronField: Sendable {
    /// A field as it was written.
    struct Value: Sendable, Hashable {
        /// The numbers that it stands for.
        var numbers: CronSet
        /// Whether it begins with `*`, and so does not restrict the day in the eyes of cron.
        var isWild: Bool
    }

    /// What the field is called in messages.
    var name: String
    /// The numbers that may stand in it.
    var range: ClosedRange<Int>
    /// Words for the numbers from 0 on; empty where a number has none.
    var names: [String] = []

    /// Minute, hour, day of month, month, day of week.
    static let all = [
        CronField(name: "minute", range: 0...59), CronField(name: "hour", range: 0...23),
        CronField(name: "day of month", range: 1...31),
        CronField(
            name: "month", range: 1...12,
            names: ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
        CronField(name: "day of week", range: 0...7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
    ]

    /// The value of `word`, which stands at `offset` of the expression.
    func value(of word: String, at offset: Int) throws(ScheduleProblem) -> Value {
        var numbers = CronSet()
        var position = offset
        for item in word.split(separator: ",", omittingEmptySubsequences: false) {
            numbers.formUnion(try self.numbers(of: item, at: position))
            position += item.unicodeScalars.count + 1
        }
        return Value(numbers: numbers, isWild: word.hasPrefix("*"))
    }

    private func numbers(of item: Substring, at offset: Int) throws(ScheduleProblem) -> CronSet {
        let length = max(item.unicodeScalars.count, 1)
        func problem(_ message: String, suggestion: String? = nil) -> ScheduleProblem {
            ScheduleProblem(.cron, message, suggestion: suggestion, offset: offset, length: length)
        }
        guard !item.isEmpty else { throw problem("\(name) has a comma with nothing beside it") }
        let halves = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var step = 1
        if halves.count == 2 {
            guard let number = Self.integer(halves[1]), number > 0, number <= range.upperBound else {
                throw problem(
                    "\"\(halves[1])\" is not a step of \(name)", suggestion: "a step is 1 to \(range.upperBound)")
            }
            step = number
        }
        let base = halves[0]
        if base == "*" { return CronSet(whole, step: step) }
        let ends = base.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        var numbers: [Int] = []
        for end in ends {
            guard let number = number(end) else {
                throw problem(
                    "\(name) \"\(end)\" is not within \(range.lowerBound) to \(range.upperBound)",
                    suggestion: suggestion(for: end))
            }
            numbers.append(number)
        }
        if numbers.count == 1 {
            return CronSet(numbers[0]...(halves.count == 2 ? last(numbers[0]) : numbers[0]), step: step)
        }
        // Sunday ends the week as well as it begins it.
        if names.first == "SUN", numbers[1] == 0, numbers[0] > 0 { numbers[1] = 7 }
        guard numbers[0] <= numbers[1] else {
            throw problem(
                "the range \"\(base)\" of \(name) runs backwards",
                suggestion: "write \(ends[0])-\(text(whole.upperBound)),\(text(whole.lowerBound))-\(ends[1])")
        }
        return CronSet(numbers[0]...numbers[1], step: step)
    }

    /// What `*` stands for: Sunday is 0 there, and not 7 again.
    private var whole: ClosedRange<Int> { range.lowerBound...min(range.upperBound, names.first == "SUN" ? 6 : .max) }

    private func last(_ first: Int) -> Int { max(first, whole.upperBound) }

    private func text(_ number: Int) -> String {
        names.indices.contains(number) ? names[number] : "\(number)"
    }

    private func suggestion(for text: Substring) -> String? {
        let specials = ["?": "write * for any", "L": "the last day cannot be written", "W": "write days by number"]
        if let special = specials[text.uppercased()] { return special }
        return NearestName.of(String(text), in: names.filter { !$0.isEmpty }).map { "did you mean \($0)?" }
    }

    private func number(_ text: Substring) -> Int? {
        if !text.isEmpty, let index = names.firstIndex(of: text.uppercased()) { return index }
        guard let number = Self.integer(text), range.contains(number) else { return nil }
        return number
    }

    private static func integer(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
