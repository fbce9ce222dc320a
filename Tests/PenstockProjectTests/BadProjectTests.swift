// SPDX-License-Identifier: Apache-2.0

import PenstockProject
import Testing

@Suite struct BadProjectTests {
    static let all = BadProject.syntax + BadProject.keys + BadProject.syncs + BadProject.connections

    static func line(_ diagnostic: Diagnostic) -> String {
        let place = diagnostic.line > 0 ? ":\(diagnostic.line):\(diagnostic.column)" : ""
        let suggestion = diagnostic.suggestion.map { " | \($0)" } ?? ""
        return "\(diagnostic.file)\(place): \(diagnostic.severity.rawValue)[\(diagnostic.code)]: \(diagnostic.message)"
            + suggestion
    }

    @Test("Every finding has its place, code and suggestion, and nothing else is found", arguments: all)
    func everyFindingHasItsPlace(_ bad: BadProject) throws {
        let fixture = try ProjectFixture(bad.files)
        let (_, found) = fixture.validate()
        let lines = found.map { Self.line($0).replacing(fixture.root, with: "ROOT") }
        #expect(lines == bad.expected)
    }

    @Test func theTableHasMoreThanFortyFiveProjects() {
        #expect(Self.all.count > 45)
        #expect(Set(Self.all.map(\.testDescription)).count > 45)
    }
}
