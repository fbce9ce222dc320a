// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import PenstockProject

@Suite struct YAMLEditorTests {
    private static let sync = """
        # yaml-language-server: $schema=../.penstock/schema/sync.json
        version: 1

        # ── Steps 1 and 2 ──
        destination:
          connection: crm        # the European account
          object: organization

        source: {connection: shop, table: orders}   # a table
        map:                     # target: column
          # the id
          id: crm_id
          "ARR (EUR)": arr_eur
          Segment: {from: segment, option: label}
          note: |
            two
            lines

        tags: [crm, daily]
        after:
        - first
        - second
        # the end

        """

    private func edit(_ text: String = Self.sync, _ change: (inout YAMLEditor) throws -> Void) throws -> String {
        var editor = try YAMLEditor(file: "a.yml", text: text)
        try change(&editor)
        return editor.text
    }

    @Test func aScalarIsReplacedAndItsCommentStays() throws {
        let text = try edit { try $0.set(["destination", "connection"], to: .text("crm-us")) }
        #expect(text == Self.sync.replacing("connection: crm   ", with: "connection: crm-us   "))
    }

    @Test func aFlowMapIsChangedInPlace() throws {
        let text = try edit {
            try $0.set(["source", "table"], to: .text("a, b"))
            try $0.set(["source", "key"], to: .list([.text("id"), .text("no")]))
        }
        #expect(text.contains("source: {connection: shop, table: \"a, b\", key: [id, \"no\"]}   # a table\n"))
        let less = try edit(text) { try $0.remove(["source", "connection"]) }
        #expect(less.contains("source: {table: \"a, b\", key: [id, \"no\"]}   # a table\n"))
        let least = try edit(less) { try $0.remove(["source", "key"]) }
        #expect(least.contains("source: {table: \"a, b\"}   # a table\n"))
    }

    @Test func aKeyIsAddedBehindItsSiblings() throws {
        let text = try edit { try $0.set(["map", "name"], to: .text("company: name")) }
        #expect(text.contains("    two\n    lines\n  name: \"company: name\"\n\ntags:"))
    }

    @Test func aBlockIsReplacedAndWhatFollowsKeepsItsComments() throws {
        let text = try edit {
            try $0.set(["map", "note"], to: .text("one"))
            try $0.set(["after"], to: .list([.text("third")]))
        }
        #expect(text.contains("  note: one\n\ntags: [crm, daily]\nafter: [third]\n# the end\n"))
    }

    @Test func keysAreRenamedWithTheirQuotes() throws {
        let text = try edit {
            try $0.rename(["map", "ARR (EUR)"], to: "ARR: EUR")
            try $0.rename(["map", "Segment"], to: "Size")
        }
        #expect(text.contains("  \"ARR: EUR\": arr_eur\n  Size: {from: segment, option: label}\n"))
    }

    @Test func whatIsRemovedTakesItsLinesAndNothingElse() throws {
        let text = try edit {
            try $0.remove(["map", "note"])
            try $0.remove(["after"])
            try $0.remove(["not", "there"])
        }
        let rest = Self.sync.replacing("  note: |\n    two\n    lines\n", with: "")
            .replacing("after:\n- first\n- second\n", with: "")
        #expect(text == rest)
    }

    @Test func theLastKeyOfAMapLeavesAnEmptyOne() throws {
        let text = try edit("a:\n  b: 1 # x\nc: 2\n") { try $0.remove(["a", "b"]) }
        #expect(text == "a: {}\nc: 2\n")
        #expect(try edit(text) { try $0.set(["a", "d"], to: .integer(7)) } == "a: {d: 7}\nc: 2\n")
    }

    @Test func mapsThatAreMissingAreMade() throws {
        let made = try edit("a: 1") { try $0.set(["x", "z", "w"], to: .boolean(true)) }
        #expect(made == "a: 1\nx:\n  z:\n    w: true\n")
        #expect(try edit("# only words\n") { try $0.set(["a"], to: .text("b")) } == "# only words\na: b\n")
        #expect(try edit("a:\nb: 1\n") { try $0.set(["a", "c"], to: .text("d")) } == "a:\n  c: d\nb: 1\n")
    }

    @Test func newKeysKeepTheOrderThatIsAskedFor() throws {
        let text = try edit("map: {}\n\n# name\nname: x\n") {
            $0.order = ["version", "map", "schedule", "name"]
            try $0.set(["schedule", "cron"], to: .text("0 6 * * *"))
            try $0.set(["version"], to: .integer(1))
        }
        #expect(text == "version: 1\nmap: {}\nschedule:\n  cron: 0 6 * * *\n\n# name\nname: x\n")
    }

    @Test func lineEndsStayAsTheyAre() throws {
        #expect(try edit("a: 1\r\nb: 2\r\n") { try $0.set(["c"], to: .integer(3)) } == "a: 1\r\nb: 2\r\nc: 3\r\n")
    }

    @Test func elementsOfAListAreReplacedWhereTheyStand() throws {
        let text = "after:\n- one # first\n# between\n- \"two\"\n- one\nb: [one, two] # flow\nc: one\n"
        let changed = try edit(text) {
            for key in ["after", "b", "c", "none"] { try $0.replace("one", with: "a, b", in: [key]) }
            try $0.replace("two", with: "zwei", in: ["after"])
        }
        #expect(
            changed
                == "after:\n- a, b # first\n# between\n- zwei\n- a, b\nb: [\"a, b\", two] # flow\nc: a, b\n")
    }

    @Test func whatAPersonMustDoIsRefusedAndChangesNothing() throws {
        let text = "base: &base {a: 1}\nb:\n  <<: *base\n  c: 2\n"
        var editor = try YAMLEditor(file: "a.yml", text: text)
        #expect(throws: YAMLEditProblem.self) { try editor.set(["base", "a"], to: .integer(2)) }
        #expect(editor.text == text)
        #expect(throws: YAMLEditProblem.self) { try editor.set(["base", "a", "b"], to: .integer(2)) }
        #expect(throws: YAMLEditProblem.self) { try YAMLEditor(file: "a.yml", text: "a: [1\n") }
        #expect(throws: YAMLEditProblem.self) { try YAMLEditor(file: "a.yml", text: "- a\n") }
    }

    @Test(arguments: [
        "", " a", "a ", "no", "Null", "12", "1e3", "12:30", "0x1F", "2026-01-01", "a: b", "a:", "a #b", "#a", "- a",
        "{{x}}", "${cred:x}", "[a]", "a, b", "it's", "\"q\"", "a\\b", "tab\there", "line\nline\n", "line\n\nline", "\n",
        " lead\nx", "x\n\n", "bell\u{7}", "日本語 テスト", "e\u{301}", "\u{1F600}", "\u{85}", "\u{2028}", "%a", "@a", "`a",
        "---",
        "?", "? a", "*a", "&a", "!a", "|", ">", "a\u{FEFF}b", "a\r\nb", "=", "<<", "on", "a: ", "-", "-a", ":a",
    ]) func everyTextComesBack(text: String) throws {
        for value in [YAMLValue.text(text), .flow(.text(text)), .list([.text(text)])] {
            var editor = try YAMLEditor(file: "a.yml", text: "x: 1 # c\nm:\n  b: {c: 2}\n")
            try editor.set(["x"], to: value)
            try editor.set(["m", "new"], to: value)
            try editor.set(["m", "b", "c"], to: value)
            try editor.set(["m", "b", "d"], to: value)
            #expect(editor.scalars(["x"]) == [text])
            #expect(editor.scalars(["m", "new"]) == [text])
            #expect(editor.scalars(["m", "b", "d"]) == [text])
        }
        guard text != "<<" else { return }
        let document = YAMLValue.map([(key: text.isEmpty ? "k" : text, value: .map([(key: "a", value: .text(text))]))])
        let back = try YAMLEditor(file: "a.yml", text: document.document())
        #expect(back.keys([]) == [text.isEmpty ? "k" : text])
        #expect(back.scalar([text.isEmpty ? "k" : text, "a"]) == text)
    }

    /// Random files and random changes: every change is done, and every comment is still there.
    @Test(arguments: 0..<200) func randomChangesKeepEveryComment(seed: Int) throws {
        var random = SmallGenerator(UInt64(seed))
        let text = RandomYAML.text(&random)
        var editor = try YAMLEditor(file: "a.yml", text: text)
        for step in 0..<12 {
            let path = RandomYAML.path(&random, editor)
            do {
                switch Int.random(in: 0..<4, using: &random) {
                case 0
                where editor.keys([]).count > 1 && path.count > 1 && editor.keys(Array(path.dropLast())).count > 1:
                    if editor.keys(path).isEmpty, editor.scalars(path).count < 2 { try editor.remove(path) }
                case 1: try editor.rename(path, to: "renamed \(step)")
                default:
                    let isMap = !editor.keys(path).isEmpty
                    try editor.set(isMap ? path + ["new \(step)"] : path, to: RandomYAML.value(&random))
                }
            } catch {
                Issue.record("seed \(seed), step \(step), \(path): \(error.reason)\n\(editor.text)")
                return
            }
        }
        for comment in text.split(separator: "\n").filter({ $0.contains("# above") }) {
            #expect(editor.text.contains(comment.drop { $0 == " " }), "seed \(seed): \(comment)\n\(editor.text)")
        }
    }
}

/// A small generator that gives the same numbers for the same seed.
struct SmallGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678_9ABC_DEF1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// Files as people write them: comments above keys and behind values, both styles, lists, blocks.
private enum RandomYAML {
    static func text(_ random: inout SmallGenerator) -> String {
        lines(&random, 0, 3).joined(separator: "\n") + "\n"
    }

    private static func lines(_ random: inout SmallGenerator, _ indent: Int, _ depth: Int) -> [String] {
        let pad = String(repeating: " ", count: indent)
        var result: [String] = []
        for number in 0..<Int.random(in: 2...4, using: &random) {
            if Bool.random(using: &random) { result.append("") }
            if Bool.random(using: &random) { result.append("\(pad)# above \(indent).\(number).\(result.count)") }
            let keys = ["key\(number)", "\"quoted \(number)\"", "With space \(number)"]
            let key = pad + keys[Int.random(in: 0..<keys.count, using: &random)]
            let comment = Bool.random(using: &random) ? "   # behind" : ""
            switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
            case 0: result.append("\(key): plain text\(comment)")
            case 1: result.append("\(key): 'it''s: quoted'\(comment)")
            case 2: result.append("\(key): {a: 1, b: \"x, y\"}\(comment)")
            case 3: result += ["\(key): |", "\(pad)  block", "", "\(pad)  # no comment"]
            case 4: result += ["\(key):\(comment)", "\(pad)- one", "\(pad)- two"]
            default: result += ["\(key):\(comment)"] + lines(&random, indent + 2, depth - 1)
            }
        }
        return result
    }

    static func path(_ random: inout SmallGenerator, _ editor: YAMLEditor) -> [String] {
        var path: [String] = []
        while let key = editor.keys(path).randomElement(using: &random) {
            path.append(key)
            if Int.random(in: 0..<3, using: &random) == 0 { break }
        }
        return path
    }

    static func value(_ random: inout SmallGenerator) -> YAMLValue {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .text("some: text # here")
        case 1: .integer(12)
        case 2: .list([.text("a"), .text("b, c")])
        case 3:
            .map([(key: "p", value: .text("q")), (key: "r", value: .flow(.map([(key: "s", value: .boolean(true))])))])
        default: .text("plain")
        }
    }
}
