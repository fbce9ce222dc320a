// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import PenstockModel
import Testing

@Suite struct MatchTextsTests {
    private func text(_ form: MatchRule.Form?, _ text: String, ignoresCase: Bool? = nil) -> String? {
        let rule = MatchRule(form: form, ignoresCase: ignoresCase)
        return MatchTexts(DestinationField("f", .text), rule).normalized(text)
    }

    @Test(
        "A text is trimmed and composed, and its case counts",
        arguments: [
            (" a b ", "a b"), ("A", "A"), ("e\u{301}", "\u{E9}"), ("\u{212B}", "\u{C5}"), ("  ", nil),
            ("\u{1E9B}\u{323}", "\u{1E9B}\u{323}"), ("ﬁ", "ﬁ"),
        ] as [(String, String?)])
    func texts(written: String, normal: String?) {
        #expect(text(nil, written).map { Array($0.unicodeScalars) } == normal.map { Array($0.unicodeScalars) })
    }

    @Test(
        "Without case, letters are the same in every language",
        arguments: [
            ("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("É", "e\u{301}"), ("Ǆ", "ǆ"), ("ABC", "abc"),
        ])
    func folded(first: String, second: String) {
        #expect(text(.text, first, ignoresCase: true) == text(.text, second, ignoresCase: true))
        #expect(text(.text, first) != text(.text, second))
    }

    @Test func anEmailAddressIgnoresCaseUnlessItIsToldNotTo() {
        #expect(text(.email, " Ada@X.Example ") == "ada@x.example")
        #expect(text(.email, "Ada@X.Example", ignoresCase: false) == "Ada@X.Example")
    }

    @Test(
        arguments: [
            ("+49 (0)40 / 123-45", "+494012345"), ("0049 40 12345", "+494012345"), ("040 12345", "04012345"),
            ("(040) 123.45", "04012345"), ("none", nil), ("+", nil),
        ] as [(String, String?)])
    func phones(written: String, normal: String?) { #expect(text(.phone, written) == normal) }

    @Test(
        arguments: [
            ("https://www.Acme.example/de?x=1#y", "acme.example"), ("acme.example", "acme.example"),
            ("//acme.example", nil), ("http://ada:pw@acme.example:8080", "acme.example"),
            ("ada@ACME.example", "acme.example"), ("mailto:ada@acme.example", "acme.example"),
            ("www.example", "www.example"), ("acme.example.", "acme.example"), ("MÜNCHEN.example", "münchen.example"),
            ("shop.acme.example", "shop.acme.example"), ("acme", nil), ("a .example", nil), ("a..example", nil),
            ("@", nil),
        ] as [(String, String?)])
    func domains(written: String, normal: String?) { #expect(text(.domain, written) == normal) }

    @Test func everyElementOfAListFindsARecord() {
        var column = Column(.json)
        column.append(.json(#"[{"value":"B@x"},{"value":"a@x"},{"value":"b@x"},{"value":" "},{"label":"work"}]"#))
        column.append(.json("[]"))
        column.appendNull()
        let matching = MatchTexts(DestinationField("f", .contacts, content: .email), MatchRule())
        #expect(matching.texts(column, 0) == ["b@x", "a@x"])
        #expect(matching.texts(column, 1).isEmpty && matching.texts(column, 2).isEmpty)
    }

    @Test func theFieldSaysHowItIsComparedWhereTheSyncDoesNot() {
        func form(_ content: DestinationField.Content) -> MatchRule.Form {
            MatchTexts.form(of: DestinationField("f", .text, content: content))
        }
        #expect(form(.plain) == .text && form(.url) == .text && form(.email) == .email && form(.phone) == .phone)
    }
}
