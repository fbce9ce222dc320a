// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// The connectors that this process has, and the files that are none, with the reason.
package struct ConnectorRegistry: Sendable {
    /// What became of one file or folder of the search path.
    package enum Entry: Sendable {
        /// A library whose connector can be used.
        case loaded(ConnectorLibrary)
        /// A file or folder that is not used; the reason is a clause without a full stop that follows its path.
        case refused(path: String, reason: String)
    }

    /// What was found, in the order of the search path, by name within a folder.
    package let entries: [Entry]
    private let libraries: [String: ConnectorLibrary]

    /// Looks through the search path and loads what can be loaded; a bad file stops nothing else.
    ///
    /// Of two connectors with one id the first is used, and the other is listed with the reason.
    package init(scanning searchPath: ConnectorSearchPath) {
        var entries: [Entry] = []
        var libraries: [String: ConnectorLibrary] = [:]
        var seen: [ConnectorLibrary.FileIdentity: String] = [:]
        for folder in searchPath.folders {
            let paths = Self.candidates(folder)
            guard !paths.isEmpty else { continue }
            if let reason = FolderCheck.refusal(ofFolder: folder.path) {
                entries.append(.refused(path: folder.path, reason: reason))
                continue
            }
            for path in paths {
                if let identity = Self.identity(path), let first = seen[identity] {
                    entries.append(.refused(path: path, reason: "is the same file as \(first)"))
                    continue
                }
                do throws(ConnectorLibrary.Refusal) {
                    let library = try ConnectorLibrary(loading: path)
                    seen[library.identity] = path
                    let id = library.connector.descriptor.id
                    if let first = libraries[id] {
                        entries.append(.refused(path: path, reason: "is hidden by \(first.path), which also is \(id)"))
                    } else {
                        libraries[id] = library
                        entries.append(.loaded(library))
                    }
                } catch {
                    entries.append(.refused(path: path, reason: error.reason))
                }
            }
        }
        self.entries = entries
        self.libraries = libraries
    }

    /// The ids of the connectors that can be used, sorted.
    package var ids: [String] { libraries.keys.sorted() }

    /// The library of the connector named `id`, or nil.
    package func library(_ id: String) -> ConnectorLibrary? { libraries[id] }

    /// The connector named `id`, or nil.
    package func connector(_ id: String) -> (any Connector)? { libraries[id]?.connector }

    /// Why there is no connector `id` although a file of its name was found: its path and a clause; nil where none was.
    package func refusal(of id: String) -> String? {
        for case .refused(let path, let reason) in entries {
            let name = "libpenstock-\(id).so"
            if path.hasSuffix("/" + name) { return "\(path) \(reason)" }
            // A folder that is not used at all.
            if access("\(path)/\(name)", F_OK) == 0 { return "\(path) \(reason)" }
        }
        return nil
    }

    private static func identity(_ path: String) -> ConnectorLibrary.FileIdentity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return ConnectorLibrary.FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// The paths in a folder that may be libraries, sorted by their bytes; none where there is no such folder.
    private static func candidates(_ folder: ConnectorSearchPath.Folder) -> [String] {
        var escaped = ""
        for character in folder.path + "/" + folder.prefix {
            if "\\*?[]".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(escaped + "*.so", GLOB_NOSORT, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in found.gl_pathv[index].map { String(cString: $0) } }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
