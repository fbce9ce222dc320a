// SPDX-License-Identifier: Apache-2.0

import PenstockEngine
import Testing

@Suite struct DecimalTextTests {
    @Test(
        "Texts keep their digits and have one canonical form",
        arguments: [
            ("1.50", "1.50", "1.5"), ("+001", "1", "1"), ("-0.00", "0.00", "0"), (".5", "0.5", "0.5"), ("5.", "5", "5"),
            ("1e3", "1000", "1000"), ("1.5E-3", "0.0015", "0.0015"), ("12.0", "12.0", "12"), ("100", "100", "100"),
            ("0e9", "0", "0"), ("-1.20e1", "-12.0", "-12"),
        ])
    func textsHaveOneForm(text: String, kept: String, canonical: String) throws {
        let number = try #require(DecimalText(text))
        #expect(number.text == kept)
        #expect(number.canonicalText == canonical)
    }

    @Test(
        "What is no number is refused",
        arguments: [
            "", "-", ".", "1.2.3", "1e", "e1", "1e999999999999", "0x1", "1 ", "NaN", "1_0", "١",
        ])
    func nonNumbersAreRefused(text: String) { #expect(DecimalText(text) == nil) }

    /// A number of up to nine digits on each side of the point, as text and as an integer of 10⁻⁹.
    private func number(_ random: inout SeededGenerator) -> (text: String, scaled: Int128) {
        let scale = Int.random(in: 0...9, using: &random)
        let bound = Int64(1) << Int64.random(in: 0...62, using: &random)
        let value = Int64.random(in: -bound...bound, using: &random)
        var digits = String(value.magnitude)
        digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        let text = (value < 0 ? "-" : "") + digits.dropLast(scale) + (scale > 0 ? "." + digits.suffix(scale) : "")
        return (text, (0..<(9 - scale)).reduce(Int128(value)) { value, _ in value * 10 })
    }

    @Test func orderAndDifferenceAreThoseOfIntegers() throws {
        var random = SeededGenerator.announced()
        for _ in 0..<5_000 {
            let a = number(&random)
            let b = number(&random)
            let x = try #require(DecimalText(a.text))
            let y = try #require(DecimalText(b.text))
            #expect((x < y) == (a.scaled < b.scaled))
            #expect((x == y) == (a.scaled == b.scaled))
            let difference = try #require(DecimalText("\(a.scaled - b.scaled)e-9"))
            #expect(x - y == difference)
            let floor = a.scaled >= 0 ? a.scaled / 1_000_000_000 : -((999_999_999 - a.scaled) / 1_000_000_000)
            #expect(x.roundedDown.integer(Int128.self) == floor)
            #expect(DecimalText(x.canonicalText) == x)
        }
    }

    @Test func doublesKeepTheirShortestText() {
        #expect(DecimalText(0.1)?.text == "0.1")
        #expect(DecimalText(1e22)?.text == "10000000000000000000000")
        #expect(DecimalText(-Double.leastNonzeroMagnitude)?.text.count == 327)
        #expect(DecimalText(Double.nan) == nil)
    }
}
