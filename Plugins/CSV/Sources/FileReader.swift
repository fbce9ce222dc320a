// SPDX-License-Identifier: Apache-2.0

import ConnectorKit
import Glibc

/// An open regular file, read from its start to the size it had when it was opened.
///
/// This file is the connector's only one that touches the C library's pointers.
package final class FileReader {
    /// The path it was opened by.
    package let path: String
    /// The size in bytes at the moment of opening.
    package let size: Int64
    /// How many bytes were read.
    package private(set) var offset: Int64 = 0
    private var descriptor: Int32

    /// Opens a file.
    ///
    /// - Throws: ``ConnectorError``: `notFound`, `forbidden`, `badConfig` where it is no regular file,
    ///   `unavailable`.
    package init(_ path: String) throws(ConnectorError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileTree.failure("opened", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            _ = Glibc.close(descriptor)
            throw ConnectorError(.badConfig, "\(path) is not a regular file; name a file.", field: "path")
        }
        self.path = path
        size = Int64(status.st_size)
    }

    deinit { close() }

    /// Fills `buffer` from its start, as far as the file goes.
    ///
    /// - Returns: How many bytes were read; less than `buffer.count` only at the end, 0 past it.
    /// - Throws: ``ConnectorError`` `unavailable`, also where the file has become shorter.
    package func read(into buffer: inout [UInt8]) throws(ConnectorError) -> Int {
        let wanted = Int(min(Int64(buffer.count), size - offset))
        var done = 0
        while done < wanted {
            let count = buffer.withUnsafeMutableBytes { bytes in
                Glibc.read(descriptor, bytes.baseAddress.map { $0 + done }, wanted - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileTree.failure("read", path) }
            guard count > 0 else {
                throw ConnectorError(
                    .unavailable,
                    "\(path) became shorter while it was being read (\(size) bytes at the start, \(offset) now); "
                        + "run again when nothing writes to it.")
            }
            done += count
            offset += Int64(count)
        }
        return done
    }

    /// Whether bytes were added to the file since it was opened.
    package var hasGrown: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && Int64(status.st_size) > size
    }

    /// Closes the file; may be called again.
    package func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }
}

/// What lies under a path.
package enum FileTree {
    /// The kinds of things that matter here.
    package enum Kind: Sendable, Hashable {
        /// A regular file.
        case file
        /// A folder.
        case folder
        /// Something else, for example a pipe.
        case other
    }

    /// What `path` is, links followed, or nil where there is nothing.
    package static func kind(_ path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// The names in a folder, in no order, without `.` and `..`.
    ///
    /// - Throws: ``ConnectorError``: `notFound`, `forbidden`, `unavailable`; `badConfig` for a name that is not
    ///   UTF-8.
    package static func names(in folder: String) throws(ConnectorError) -> [String] {
        guard let directory = opendir(folder) else { throw failure("listed", folder) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            let name = try text(bytes, folder)
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// The paths that match a glob, in no order.
    ///
    /// - Throws: ``ConnectorError``: `forbidden`, `unavailable`; `badConfig` for a path that is not UTF-8.
    package static func paths(matching pattern: String) throws(ConnectorError) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        switch glob(pattern, GLOB_NOSORT, nil, &found) {
        case 0: break
        case GLOB_NOMATCH: return []
        default: throw failure("searched", pattern)
        }
        var paths: [String] = []
        for index in 0..<Int(found.gl_pathc) {
            guard let path = found.gl_pathv[index] else { continue }
            let bytes = UnsafeBufferPointer(start: path, count: strlen(path)).map { UInt8(bitPattern: $0) }
            paths.append(try text(bytes, pattern))
        }
        return paths
    }

    private static func text(_ bytes: [UInt8], _ place: String) throws(ConnectorError) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let shown = String(decoding: bytes, as: UTF8.self)
        throw ConnectorError(
            .badConfig, "The file name \(shown), found at \(place), is not UTF-8; rename the file.", field: "path")
    }

    /// The error for what `errno` says.
    fileprivate static func failure(_ verb: String, _ path: String) -> ConnectorError {
        let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        switch errno {
        case ENOENT, ENOTDIR:
            return ConnectorError(.notFound, "\(path) does not exist; check the setting path.", field: "path")
        case EACCES, EPERM:
            return ConnectorError(
                .forbidden, "\(path) could not be \(verb): this user has no right to read it.", detail: reason)
        default:
            return ConnectorError(.unavailable, "\(path) could not be \(verb): \(reason).")
        }
    }
}
