// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel

/// The time zones of the machine, from the files that the system keeps up to date.
package struct ZoneDatabase: Sendable {
    private let folder: String

    /// The system's: `$TZDIR`, else `/usr/share/zoneinfo`.
    package static let system = ZoneDatabase(
        folder: ProcessInfo.processInfo.environment["TZDIR"] ?? "/usr/share/zoneinfo")

    /// A database in a folder.
    package init(folder: String) { self.folder = folder }

    /// The rules of a zone.
    ///
    /// - Throws: ``ScheduleProblem`` where there is no such zone, with the nearest name.
    package func rules(_ name: String) throws(ScheduleProblem) -> ZoneRules {
        if name == "UTC" { return .utc }
        if Self.isName(name), let data = FileManager.default.contents(atPath: "\(folder)/\(name)"),
            let rules = ZoneFile.rules(name: name, [UInt8](data))
        {
            return rules
        }
        let names = names
        throw ScheduleProblem(
            .timezone, "\"\(name)\" is not a time zone",
            suggestion: names.isEmpty
                ? "no time zones are installed: install the package tzdata" : Self.suggestion(name, in: names))
    }

    /// The names of all zones, sorted.
    package var names: [String] {
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return files.filter { Self.isName($0) && isZone($0) }.sorted()
    }

    private func isZone(_ name: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: "\(folder)/\(name)") else { return false }
        // A folder cannot be read, and is no zone either.
        defer { try? file.close() }
        // The same.
        return (try? file.read(upToCount: 4)) == Data("TZif".utf8)
    }

    /// Whether a zone may be called so: no way out of the folder, and none of the copies that depend on the machine.
    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    (48...57).contains($0) || (65...90).contains($0 & 0xDF) || [43, 45, 95].contains($0)
                }
        } && !["posix", "right", "localtime", "posixrules"].contains(parts[0])
    }

    private static func suggestion(_ name: String, in names: [String]) -> String? {
        if let near = NearestName.of(name, in: names) { return "did you mean \"\(near)\"?" }
        // A city without its continent, or with a space.
        let wanted = name.lowercased().split { $0 == "/" || $0 == " " || $0 == "_" }.joined(separator: "_")
        let cities = names.filter { !wanted.isEmpty && $0.lowercased().hasSuffix("/" + wanted) }
        return cities.first.map { "did you mean \"\($0)\"?" }
    }
}
