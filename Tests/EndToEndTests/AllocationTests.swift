// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import Testing

/// A connector in C that gets no memory says so; nothing crashes, and no row is lost without a word.
///
/// Swift itself ends the process where there is no memory, which is a crash like any other; so this is for C.
@Suite struct AllocationTests {
    /// A project that reads the example connector, built so that chosen allocations fail.
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        let root = ExampleConnector.package.path
        try FileManager.default.createDirectory(atPath: project.folder + "/lib", withIntermediateDirectories: true)
        let command =
            "exec cc -std=gnu11 -D_GNU_SOURCE -shared -fPIC -fvisibility=hidden "
            + "-include '\(root)/Tests/Fixtures/FailingAllocation/failing_allocation.h' "
            + "-I '\(root)/Sources/CPenstock/include' -o '\(project.folder)/lib/jsonl.so' "
            + "'\(root)/docs/examples/connectors/jsonl/jsonl_source.c'"
        let built = try Program.run(["-c", command], in: project.folder, program: "/bin/sh")
        try #require(built.status == 0, "\(built.everything)")
        project.environment["PENSTOCK_CONNECTOR_PATH"] = project.folder + "/lib"
        try project.connection("lines", "{connector: jsonl, path: ./lines}")
        try project.write("lines/orgs.jsonl", "{\"key\": 1, \"company\": \"Alpha\"}\n{\"key\": 2, \"company\": 5}\n{\n")
        try project.sync("source: {connection: lines, table: orgs, key: key}\nmap: {name: company}")
        return project
    }

    @Test(
        "Whichever allocation of a C connector fails, the run ends with a reason or with every row",
        arguments: ["PENSTOCK_FAILING_ALLOCATION", "PENSTOCK_FAILING_FROM"])
    func everyAllocation(variable: String) throws {
        let project = try project()
        let whole = try project.penstock("plan", "orgs", "--json")
        try #require(whole.status == 0 || whole.status == 65, "\(whole.everything)")
        var number = 0
        while true {
            number += 1
            project.environment[variable] = String(number)
            let result = try project.penstock("plan", "orgs", "--json")
            guard result.errors.contains("allocation \(number) fails") else { break }
            #expect(!result.wasKilled, "allocation \(number): \(result.everything)")
            // A failure that the connector could do without leaves nothing out.
            let isWhole = result.status == whole.status && counts(result) == counts(whole)
            #expect(isWhole || ![0, 65].contains(result.status), "allocation \(number): \(result.everything)")
            #expect(
                isWhole || result.everything.contains("There is no memory."),
                "allocation \(number): \(result.everything)")
        }
        #expect(number > 20, "only \(number - 1) allocations were reached")
    }

    private func counts(_ result: ProgramResult) -> JSON? {
        // Without a document the counts are those of nothing, and differ.
        (try? result.json)?["data"]?.arrayValue?.first?["counts"]
    }
}
