// SPDX-License-Identifier: Apache-2.0

import ConnectorKit

/// A file as a table.
package struct CSVTable: Sendable, Hashable {
    /// The file's name without its extension.
    package var id: String
    /// Where the file lies.
    package var path: String

    /// The extension in lower case, without the dot; empty where there is none.
    package var fileExtension: String { Self.split(path).fileExtension.lowercased() }

    init(path: String) {
        self.path = path
        id = Self.split(path).stem
    }

    /// A name that starts with its only dot has no extension.
    private static func split(_ path: String) -> (stem: String, fileExtension: String) {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return (String(name), "") }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }
}

/// Which files the setting `path` stands for.
package enum CSVTables {
    private static let extensions: Set<String> = ["csv", "tsv", "txt"]

    /// The tables at `path`, sorted by their files' bytes.
    ///
    /// - Throws: ``ConnectorError``: `notFound` where there is no file, `badConfig` where two files would be the
    ///   same table, `forbidden`, `unavailable`.
    package static func find(_ path: String) throws(ConnectorError) -> [CSVTable] {
        let tables = try files(path).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map(CSVTable.init)
        var paths: [String: String] = [:]
        for table in tables {
            if let other = paths[table.id] {
                throw ConnectorError(
                    .badConfig,
                    "Both \(other) and \(table.path) would be the table \(table.id); rename one of them, or name "
                        + "one file in path.", field: "path")
            }
            paths[table.id] = table.path
        }
        return tables
    }

    private static func files(_ path: String) throws(ConnectorError) -> [String] {
        switch FileTree.kind(path) {
        case .file: return [path]
        case .folder: return try filesInFolder(path)
        case .other:
            throw ConnectorError(
                .badConfig, "\(path) is neither a file nor a folder; name a file, a folder or a glob.", field: "path")
        case nil: break
        }
        guard path.contains(where: { "*?[".contains($0) }) else {
            throw ConnectorError(.notFound, "\(path) does not exist; check the setting path.", field: "path")
        }
        let files = try FileTree.paths(matching: path).filter { FileTree.kind($0) == .file }
        guard !files.isEmpty else {
            throw ConnectorError(.notFound, "No file matches \(path); check the setting path.", field: "path")
        }
        return files
    }

    private static func filesInFolder(_ path: String) throws(ConnectorError) -> [String] {
        let folder = path.hasSuffix("/") ? path : path + "/"
        let files = try FileTree.names(in: path).filter { !$0.hasPrefix(".") }.map { folder + $0 }
            .filter { extensions.contains(CSVTable(path: $0).fileExtension) && FileTree.kind($0) == .file }
        guard !files.isEmpty else {
            throw ConnectorError(
                .notFound, "There is no .csv, .tsv or .txt file in \(path); check the setting path.", field: "path")
        }
        return files
    }
}
