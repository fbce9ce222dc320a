// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject
import Testing

@Suite struct SyncFileTests {
    private static func sync() throws -> SyncFile {
        let project = try ProjectFixture(AnnotatedProject.files).load(noEnv: true).project
        return try #require(project.sync(named: "orgs_to_pipedrive"))
    }

    @Test(arguments: [
        (SyncLocation.destinationConnection, 4, 15, 12), (.destinationObject, 5, 11, 12), (.model, 7, 10, 8),
        (.sourceKey(0), 8, 9, 10), (.map, 9, 1, 3), (.entry(3, .target), 13, 3, 9), (.entry(3, .from), 13, 14, 7),
        (.entry(4, .from), 14, 19, 7), (.entry(4, .option), 14, 36, 5), (.entry(6, .value), 16, 23, 1),
        (.entry(7, .split), 17, 36, 3), (.part(entry: 8, part: 0, .from), 18, 34, 6),
        (.part(entry: 8, part: 1, .value), 18, 73, 3), (.part(entry: 9, part: 1, .from), 19, 47, 7),
        (.part(entry: 9, part: 1, .target), 19, 40, 5), (.fetchMode, 21, 9, 11), (.fetchKey, 22, 8, 10),
        (.fetchStart, 23, 10, 20), (.fetchLookback, 24, 13, 3), (.insertMode, 27, 9, 6), (.insertMatch, 28, 10, 2),
        (.scheduleTiming, 35, 9, 18), (.mask(0), 52, 8, 9), (.name, 43, 7, 17),
    ])
    func everyValueHasItsPlace(_ location: SyncLocation, _ line: Int, _ column: Int, _ length: Int) throws {
        let span = try Self.sync().position(of: location)
        #expect(span == SourceSpan(file: "syncs/orgs_to_pipedrive.yml", line: line, column: column, length: length))
    }

    @Test func whatIsNotWrittenStandsWhereItWouldBelong() throws {
        let project = try ProjectFixture(AnnotatedProject.files).load(noEnv: true).project
        let deals = try #require(project.sync(named: "deals"))
        #expect(deals.position(of: .insertMode) == deals.position(of: .insert))
        #expect(deals.position(of: .fetchKey).line == 1)
        #expect(deals.position(of: .entry(0, .option)) == deals.position(of: .entry(0, .content)))
    }

    @Test func theModelsKeyStandsInTheModel() throws {
        let sync = try #require(ProjectFixture(ProjectFixture.good).load().project.sync(named: "orgs"))
        #expect(sync.definition.source.key == ["account_id"])
        #expect(
            sync.position(of: .sourceKey(0))
                == SourceSpan(file: "models/crm_orgs.sql", line: 2, column: 9, length: 10))
    }

    @Test func laterChecksReportAtTheSamePlaces() throws {
        let diagnostic = try Self.sync().diagnostic(
            at: .entry(4, .from), code: .unknownColumn, message: "model crm_orgs has no column \"segment\"",
            suggestion: "did you mean \"segments\"?")
        #expect(diagnostic.code == "unknown-column")
        #expect(diagnostic.severity == .error)
        #expect(diagnostic.line == 14)
    }
}
