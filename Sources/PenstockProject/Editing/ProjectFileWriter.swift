// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Why a file of the project could not be written.
package struct ProjectFileProblem: Error, Sendable, Hashable {
    /// The file.
    package var path: String
    /// What the system says.
    package var reason: String
    /// Whether the file is there already, where a new one was wanted.
    package var isThere = false
}

/// Writes the files that a user has in version control.
package enum ProjectFileWriter {
    /// Replaces the file at `path`, or makes it; the folders above are made too.
    ///
    /// The file is whole at every moment: the new text goes into a file beside it, onto the disk, and then under the
    /// name. Permissions stay; a symbolic link stays and what it leads to is replaced.
    ///
    /// - Parameter isNew: Whether a file that is there already is a problem.
    /// - Throws: ``ProjectFileProblem``; the file is then as it was.
    package static func write(_ text: String, to path: String, isNew: Bool = false) throws(ProjectFileProblem) {
        try makeFolders(above: path)
        let target = resolved(path)
        var info = stat()
        let exists = stat(target, &info) == 0
        if exists, isNew { throw ProjectFileProblem(path: path, reason: "is there already", isThere: true) }
        let draft = target + ".new-\(getpid())"
        do {
            try fill(draft, Array(text.utf8), mode: exists ? info.st_mode & 0o7777 : 0o666, keepsMode: exists, path)
            try give(draft, target, isNew: isNew, path)
        } catch {
            unlink(draft)
            throw error
        }
        syncFolder(of: target)
    }

    private static func fill(
        _ draft: String, _ bytes: [UInt8], mode: mode_t, keepsMode: Bool, _ path: String
    ) throws(ProjectFileProblem) {
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw problem(path) }
        defer { close(descriptor) }
        if keepsMode { fchmod(descriptor, mode) }
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw problem(path) }
            rest.removeFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw problem(path) }
    }

    private static func give(
        _ draft: String, _ target: String, isNew: Bool, _ path: String
    ) throws(ProjectFileProblem) {
        guard isNew else {
            guard rename(draft, target) == 0 else { throw problem(path) }
            return
        }
        // A link fails where somebody else made the file in the meantime; a rename would replace it.
        guard link(draft, target) == 0 else {
            throw errno == EEXIST
                ? ProjectFileProblem(path: path, reason: "is there already", isThere: true) : problem(path)
        }
        unlink(draft)
    }

    private static func makeFolders(above path: String) throws(ProjectFileProblem) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).dropLast()
        var folder = path.hasPrefix("/") ? "" : "."
        for part in parts {
            folder += "/" + part
            guard mkdir(folder, 0o777) == 0 || errno == EEXIST || errno == EISDIR || errno == EROFS else {
                throw problem(path)
            }
        }
    }

    /// Where a symbolic link leads to; the path itself where it is none.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func problem(_ path: String) -> ProjectFileProblem {
        ProjectFileProblem(path: path, reason: String(cString: strerror(errno)))
    }
}
