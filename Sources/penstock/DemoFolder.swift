// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProcess
import PenstockState

/// The folder of a demo, as far as the states of its syncs are concerned.
///
/// A new sandbox does not have the records that the states of an earlier demo know, and moves them aside; the marks
/// outside of the project would miss them. So the marks go as well, once the states are gone from their place.
struct DemoFolder {
    private let folder: String
    /// The syncs of the earlier demo; none where the folder holds something else.
    private let syncs: [String]

    /// What a folder holds before a sandbox is started in it.
    init(_ folder: String) {
        self.folder = folder
        let files = FileManager.default
        guard let data = files.contents(atPath: folder + "/penstock.yml"),
            DemoMarker.isFound(in: String(decoding: data, as: UTF8.self))
        else {
            syncs = []
            return
        }
        syncs = [".penstock/state", "syncs"].flatMap { place in
            // A folder that is not there has no syncs in it.
            ((try? files.contentsOfDirectory(atPath: "\(folder)/\(place)")) ?? []).compactMap { file in
                guard let dot = file.lastIndex(of: "."), [".db", ".yml"].contains(file[dot...]) else { return nil }
                return String(file[..<dot])
            }
        }
    }

    /// Lets the marks of an earlier demo go whose states were moved aside.
    ///
    /// - Throws: ``CommandFailure`` where a mark cannot be removed.
    func release() throws {
        let environment = ProcessInfo.processInfo.environment
        for sync in syncs where !FileManager.default.fileExists(atPath: "\(folder)/.penstock/state/\(sync).db") {
            do throws(StateError) {
                try StateMarks(project: folder, sync: sync, userState: Workspace.userState(environment)).forget()
            } catch {
                throw CommandFailure(error, sync: sync)
            }
        }
    }

    /// Lets a sandbox that is about to be started make room for its demo, and lets the marks go.
    ///
    /// - Parameter words: The sandbox's program and what it is asked for.
    /// - Throws: ``CommandFailure`` where a mark cannot be removed.
    static func makeRoom(for words: [String]) throws {
        guard let path = named(in: words.dropFirst()) else { return }
        let folder = DemoFolder(path)
        guard !folder.syncs.isEmpty else { return }
        var start = ProgramStart(words + ["--make-room"])
        start.input = .nothing
        start.errors = .nothing
        // A sandbox that refuses the folder or the words says so once it is started in earnest.
        guard let (_, status) = try? start.printed(), status == 0 else { return }
        try folder.release()
    }

    /// The folder of the demo that words for a sandbox ask for; nil where they ask for something else.
    private static func named(in words: some Collection<String>) -> String? {
        let words = Array(words)
        guard words.first == "demo" else { return nil }
        let given =
            words.firstIndex(of: "--dir").flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
            ?? words.first { $0.hasPrefix("--dir=") }.map { String($0.dropFirst("--dir=".count)) }
        return given.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    }
}
