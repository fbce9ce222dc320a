// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// Reads the small files that a project consists of or refers to.
enum ProjectFiles {
    /// The bytes of a regular file; nil where it is something else, too large, or cannot be read.
    ///
    /// A pipe or a device would never end, so they are not opened.
    static func contents(_ path: String, bytesMax: Int) -> [UInt8]? {
        guard let mode = mode(path), mode & S_IFMT == S_IFREG else { return nil }
        guard let data = FileManager.default.contents(atPath: path), data.count <= bytesMax else { return nil }
        return [UInt8](data)
    }

    /// Whether somebody besides the owner can read or write the file that `path` leads to.
    static func isShared(_ path: String) -> Bool { (mode(path) ?? 0) & 0o077 != 0 }

    /// Whether somebody besides the owner can write to the file that `path` leads to.
    static func isWritableByOthers(_ path: String) -> Bool { (mode(path) ?? 0) & 0o022 != 0 }

    /// Whether there is anything.
    static func isThere(_ path: String) -> Bool { mode(path) != nil }

    /// Whether there is a folder.
    static func isFolder(_ path: String) -> Bool { (mode(path) ?? 0) & S_IFMT == S_IFDIR }

    /// Whether there is a regular file.
    static func isFile(_ path: String) -> Bool { (mode(path) ?? 0) & S_IFMT == S_IFREG }

    /// Kind and permissions of what `path` leads to, symbolic links followed; nil where there is nothing.
    private static func mode(_ path: String) -> mode_t? {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_mode : nil
    }
}
