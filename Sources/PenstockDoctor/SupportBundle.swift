// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// What somebody who helps needs to see: the report, the project's files, the newest results and logs, without secrets.
package struct SupportBundle: Sendable {
    private static let folder = "penstock-bundle"
    private static let runsMax = 10
    private static let bytesMax = 256 << 10

    private let text: BundleText
    /// The files, by their names in the archive, in order.
    package private(set) var files: [(name: String, content: String)] = []

    /// A bundle whose texts go through `text`.
    package init(_ text: BundleText) { self.text = text }

    /// Adds the doctor's report, and what is set in the environment for Penstock.
    package mutating func add(_ report: DoctorReport, environment: [String: String]) {
        add("doctor.txt", text.plain(report.text()))
        let shown = environment.keys.sorted().filter(Self.isOfInterest).map { name in
            SecretMask.isSecretVariable(name, environment[name] ?? "")
                ? "\(name)=••••" : "\(name)=\(environment[name] ?? "")"
        }
        add("environment.txt", text.plain(shown.joined(separator: "\n") + "\n"))
    }

    /// Variables that change what Penstock does; others are nobody's business.
    private static func isOfInterest(_ name: String) -> Bool {
        ["PENSTOCK_", "XDG_", "LC_"].contains(where: name.hasPrefix)
            || [
                "LANG", "TZ", "TERM", "NO_COLOR", "http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy",
                "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "INVOCATION_ID",
            ].contains(name)
    }

    /// Adds the files of a project that people write.
    package mutating func add(_ project: Project) {
        for file in project.files + ["penstock.lock"] where !file.hasSuffix(".json") {
            guard let content = tail("\(project.root)/\(file)") else { continue }
            add("project/\(file)", text.plain(content))
        }
        let runs = "\(project.root)/.penstock/runs"
        for run in names(runs).sorted().suffix(Self.runsMax) {
            for file in names("\(runs)/\(run)").sorted() where Self.isResult(file) {
                guard let content = tail("\(runs)/\(run)/\(file)") else { continue }
                add("runs/\(run)/\(file)", text.results(content))
            }
        }
    }

    private static func isResult(_ file: String) -> Bool {
        ["run_results.json", "events.jsonl", "plan.json"].contains(file) || file.hasSuffix(".log")
    }

    private mutating func add(_ name: String, _ content: String) { files.append((name, content)) }

    private func names(_ folder: String) -> [String] {
        // A folder that is not there has nothing in it.
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }
    }

    /// The end of a file, from a whole line on.
    private func tail(_ path: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        // A file that cannot be read any more is left out of the bundle.
        defer { try? handle.close() }
        guard let end = try? handle.seekToEnd() else { return nil }
        let start = end > UInt64(Self.bytesMax) ? end - UInt64(Self.bytesMax) : 0
        // The same.
        guard (try? handle.seek(toOffset: start)) != nil, let data = try? handle.readToEnd() else {
            return end == 0 ? "" : nil
        }
        let text = String(decoding: data, as: UTF8.self)
        guard start > 0 else { return text }
        return "[the end of a longer file]\n" + text.drop { $0 != "\n" }.dropFirst()
    }

    /// The archive.
    ///
    /// - Parameter seconds: The time of its files, in seconds since 1970.
    package func archive(seconds: Int64) -> [UInt8] {
        var archive = TarArchive(seconds: seconds)
        for file in files { archive.add("\(Self.folder)/\(file.name)", Array(file.content.utf8)) }
        return archive.data
    }
}
