// SPDX-License-Identifier: Apache-2.0

import PenstockProject
import Testing

@Suite struct DiagnosticCodeTests {
    @Test(arguments: DiagnosticCode.allCases)
    func everyCodeIsExplained(_ code: DiagnosticCode) throws {
        let help = try #require(code.explanation)
        #expect(help.meaning.hasSuffix("."))
        #expect(!help.example.isEmpty)
        #expect(!help.fix.isEmpty)
        let text = try #require(DiagnosticCode.explain(code.rawValue))
        #expect(text.hasPrefix("\(code.rawValue)\n\n"))
    }

    @Test func anUnknownCodeHasANeighbour() {
        #expect(DiagnosticCode.explain("fetch-kye") == nil)
        #expect(DiagnosticCode.nearest("fetch-kye") == "fetch-key")
    }

    @Test func codesAreSpelledWithHyphens() {
        for code in DiagnosticCode.allCases {
            #expect(code.rawValue.allSatisfy { $0 == "-" || ("a"..."z").contains($0) })
        }
    }
}
