// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockState

/// The folder of a demo, as far as the states of its syncs are concerned.
enum DemoFolder {
    private static let projectLine = "project: penstock-demo"

    /// Lets the states of an earlier demo go.
    ///
    /// A new sandbox does not have the records that they know, and moves them aside; the marks outside of the project
    /// would miss them. A folder that holds something else is left alone.
    ///
    /// - Throws: ``CommandFailure`` where a mark cannot be removed.
    static func release(_ folder: String) throws {
        let files = FileManager.default
        guard let data = files.contents(atPath: folder + "/penstock.yml"),
            String(decoding: data, as: UTF8.self).contains(projectLine)
        else { return }
        let environment = ProcessInfo.processInfo.environment
        for place in [".penstock/state", "syncs"] {
            // A folder that is not there has no syncs in it.
            for file in (try? files.contentsOfDirectory(atPath: "\(folder)/\(place)")) ?? [] {
                guard let dot = file.lastIndex(of: "."), [".db", ".yml"].contains(file[dot...]) else { continue }
                let sync = String(file[..<dot])
                do throws(StateError) {
                    try StateMarks(project: folder, sync: sync, userState: Workspace.userState(environment)).forget()
                } catch {
                    throw CommandFailure(error, sync: sync)
                }
            }
        }
    }

    /// The folder of the demo that words for a sandbox ask for; nil where they ask for something else.
    static func named(in words: some Collection<String>) -> String? {
        let words = Array(words)
        guard words.first == "demo" else { return nil }
        let given =
            words.firstIndex(of: "--dir").flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
            ?? words.first { $0.hasPrefix("--dir=") }.map { String($0.dropFirst("--dir=".count)) }
        return given.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    }
}
