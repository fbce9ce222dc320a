// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// Folders and files of this user alone, written so that a power loss leaves the old or the new.
enum PrivateFolder {
    /// Creates a folder, and those above it, where they are missing.
    ///
    /// - Throws: ``ConnectorError``, also where the folder is open to other users.
    static func create(_ path: String, _ subject: String) throws(ConnectorError) {
        var missing: [String] = []
        var current = path
        var status = stat()
        while !current.isEmpty, stat(current, &status) != 0 {
            guard errno == ENOENT else { throw CredentialProblem.system(subject, "looking at", current, errno) }
            missing.append(current)
            current = parent(current)
        }
        for folder in missing.reversed() {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                throw CredentialProblem.system(subject, "creating", folder, errno)
            }
            try sync(parent(folder), subject)
        }
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw CredentialProblem.system(subject, "using", path, ENOTDIR)
        }
        // Files in it are 0600 in any case; a folder that others can write to lets them be replaced.
        guard status.st_mode & 0o022 == 0 else {
            throw CredentialProblem.unusable(
                subject, "is in the folder \(path), which other users can write to; run \"chmod 700 \(path)\"")
        }
    }

    /// Writes a file of this user alone, and puts its bytes on disk.
    ///
    /// - Parameter flags: Besides those of creating: `O_EXCL` or `O_TRUNC`.
    static func write(_ bytes: [UInt8], to path: String, flags: Int32, _ subject: String) throws(ConnectorError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0o600)
        guard descriptor >= 0 else { throw CredentialProblem.system(subject, "writing", path, errno) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let rest = Array(bytes[done...])
            let count = Glibc.write(descriptor, rest, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw CredentialProblem.system(subject, "writing", path, errno) }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw CredentialProblem.system(subject, "writing", path, errno) }
    }

    /// Puts the names in a folder on disk.
    static func sync(_ folder: String, _ subject: String) throws(ConnectorError) {
        let name = folder.isEmpty ? "." : folder
        let descriptor = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CredentialProblem.system(subject, "opening", name, errno) }
        defer { close(descriptor) }
        // EINVAL: a file system without such a call, which has nothing to put on disk.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw CredentialProblem.system(subject, "writing", name, errno)
        }
    }

    /// The folder above; empty above a name without one.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? (path == "/" ? "" : "/") : String(path[..<slash])
    }
}
