// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import PenstockModel

/// `penstock manual`: the manual pages, for packages.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Write the manual pages of all commands into a folder.",
        discussion: """
            The pages have the day of SOURCE_DATE_EPOCH, else of today.

            Example: penstock manual man1
            """, shouldDisplay: false)

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The folder; made where it is missing.")
    var folder: String

    func run() throws {
        let epoch = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Double.init)
        let date = epoch.map { Date(timeIntervalSince1970: $0) } ?? Date()
        let day = String(date.ISO8601Format().prefix("2026-01-01".count))
        let root = URL(fileURLWithPath: folder, relativeTo: URL(fileURLWithPath: options.startFolder + "/"))
        do {
            let dump = try JSON(parsing: Penstock._dumpHelp())
            let pages = ManualPage.all(of: dump["command"] ?? .null, date: day, version: Version.text)
            try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
            for page in pages { try Data(page.text.utf8).write(to: root.appendingPathComponent(page.file)) }
            if !options.quiet { Terminal.writeError("\(counted(pages.count, "page")) in \(folder)\n") }
        } catch {
            throw CommandFailure(.cannotWrite, code: "cannot-write", "the pages cannot be written into \(folder)")
        }
    }
}
