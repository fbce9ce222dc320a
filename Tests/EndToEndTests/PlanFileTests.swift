// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import PenstockModel
import PipedriveSandbox
import Testing

/// Files, folders and words that are no plan, or no project.
@Suite struct PlanFileTests {
    private func project() throws -> TemporaryProject {
        let project = try TemporaryProject()
        try project.csv("orgs", ["key,company", "k1,Alpha"])
        try project.sync(
            """
            source: {connection: files, table: orgs, key: key}
            map: {name: company}
            """)
        return project
    }

    @Test("A pipe is refused as a plan, and nobody waits for it")
    func pipe() throws {
        let project = try project()
        try #require(mkfifo(project.folder + "/pipe", 0o600) == 0)
        for words in [
            ["plan", "show", "pipe"], ["run", "orgs", "--plan", "pipe"], ["undo", "--plan", "pipe"],
            ["plan", "show", "/dev/null"], ["plan", "show", "syncs"],
        ] {
            let result = try project.penstock(words)
            #expect(result.status == 64 && result.errors.contains("a plan is read from a file"), "\(result.everything)")
        }
    }

    @Test("Words that cannot be meant are usage errors and say what is written instead")
    func words() throws {
        let project = try project()
        for (words, said) in [
            (["plan", "show"], "penstock plan show FILE"), (["plan", "show", "a", "b"], "penstock plan show FILE"),
            (["plan", "-O", "new folder/"], "names a folder"), (["run", "-o", "csv"], "json or jsonl"),
            (["undo", "latest", "-o", "csv"], "json or jsonl"), (["undo", "latest", "--diff", "-1"], "0 or more"),
        ] {
            let result = try project.penstock(words)
            #expect(result.status == 64 && result.errors.contains(said), "\(words): \(result.everything)")
        }
        #expect(!FileManager.default.fileExists(atPath: project.folder + "/new folder"))
        for words in [
            ["run", "orgs\u{1B}[31m"], ["plan", "show", "a\u{1B}[31m"], ["undo", "\u{1B}[31m"], ["\u{1B}[31m"],
        ] {
            let result = try project.penstock(words)
            #expect(result.status == 64 && !result.errors.contains("\u{1B}"), "\(result.everything)")
        }
    }

    @Test("A folder of the project that is none, or that cannot be read, is an error")
    func folder() throws {
        let project = try project()
        let syncs = project.folder + "/syncs"
        if geteuid() != 0 {
            try #require(chmod(syncs, 0) == 0)
            let result = try project.penstock("validate")
            try #require(chmod(syncs, 0o700) == 0)
            #expect(
                result.status == 78 && result.everything.contains("the folder cannot be read"), "\(result.everything)")
        }
        try FileManager.default.removeItem(atPath: syncs)
        try project.write("syncs", "no folder")
        let result = try project.penstock("validate")
        #expect(result.status == 78 && result.everything.contains("it is no folder"), "\(result.everything)")
    }
}
