// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import PenstockModel

/// What the kernel calls an error number.
func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// The folder that holds the state files, and their names.
struct StateFolder {
    let path: String
    let sync: String

    /// - Throws: ``StateError/internal(_:)`` for a sync name that is not the name of a file.
    init(_ path: String, sync: String) throws(StateError) {
        guard !sync.isEmpty, !sync.hasPrefix("."), !sync.utf8.contains(where: { $0 == 0x2F || $0 == 0 }) else {
            throw .internal("The sync name \"\(sync)\" cannot name a state file.")
        }
        self.path = path
        self.sync = sync
    }

    var database: String { "\(path)/\(sync).db" }
    var lock: String { "\(path)/\(sync).lock" }
    func backup(version: Int) -> String { "\(path)/\(sync).db.v\(version).bak" }

    /// Creates the folder, and those above it, where they are missing.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``, also where the folder is open to other users: it holds source rows.
    func create() throws(StateError) {
        try StateFolder.makeFolders(path)
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system("Looking at", path, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .system("Using", path, ENOTDIR) }
        guard status.st_mode & 0o077 == 0 else {
            throw .cannotWrite(
                "The state folder \(path) is open to other users; run \"chmod 700 \(path)\" and run again.")
        }
    }

    /// Creates a folder, and those above it, where they are missing, for this user only.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    static func makeFolders(_ path: String) throws(StateError) {
        var missing: [String] = []
        var current = path
        var status = stat()
        while !current.isEmpty, stat(current, &status) != 0 {
            guard errno == ENOENT else { throw .system("Looking at", current, errno) }
            missing.append(current)
            current = StateFolder.parent(current)
        }
        for folder in missing.reversed() {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .system("Creating", folder, errno) }
            try StateFolder.sync(StateFolder.parent(folder))
        }
    }

    /// Refuses a folder on a disk of the network, where locks and the write-ahead log cannot be relied on.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    func refuseNetworkDisk() throws(StateError) {
        guard let name = NetworkDisk.name(penstock_file_system(path)) else { return }
        throw .cannotWrite(
            "The state folder \(path) lies on a network disk (\(name)), where locks cannot be relied on: put the project "
                + "on a local disk, or set PENSTOCK_ALLOW_NETWORK_STATE=1 where one machine alone uses it.")
    }

    /// Whether there is a file of this name with something in it.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where that cannot be told.
    static func hasContent(_ file: String) throws(StateError) -> Bool {
        var status = stat()
        if lstat(file, &status) == 0 { return status.st_size > 0 }
        guard errno == ENOENT || errno == ENOTDIR else { throw .system("Looking at", file, errno) }
        return false
    }

    /// The digest of a whole file that this process does not have open: closing it would drop its locks.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where it cannot be read.
    static func digest(of file: String) throws(StateError) -> Fingerprint {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .system("Opening", file, errno) }
        defer { Glibc.close(descriptor) }
        var halves = [UInt64](repeating: 0, count: 2)
        var place = descriptor
        guard penstock_digest(penstock_read_descriptor, &place, &halves) == 0 else {
            throw .system("Reading", file, errno)
        }
        return Fingerprint(low: halves[0], high: halves[1])
    }

    /// Makes sure that the file exists, is a file of its own and not a link, and belongs to this user only.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    static func createPrivateFile(_ file: String) throws(StateError) {
        // An existing file is never opened and closed here: that would drop the locks of this process's readers.
        let descriptor = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor >= 0 {
            Glibc.close(descriptor)
            return try sync(parent(file))
        }
        guard errno == EEXIST else { throw .system("Creating", file, errno) }
        var status = stat()
        guard lstat(file, &status) == 0 else { throw .system("Looking at", file, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .cannotWrite("The state file \(file) is not a plain file; remove it and run again.")
        }
        if status.st_mode & 0o177 != 0, chmod(file, 0o600) != 0 { throw .system("Protecting", file, errno) }
    }

    /// Puts the names in `folder` on disk, so that a new file is still found after a power loss.
    static func sync(_ folder: String) throws(StateError) {
        let name = folder.isEmpty ? "." : folder
        let descriptor = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("Opening", name, errno) }
        defer { Glibc.close(descriptor) }
        // EINVAL: a file system without such a call, which has nothing to put on disk.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .system("Writing", name, errno) }
    }

    /// Whether there is a file of this name.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where that cannot be told.
    static func exists(_ file: String) throws(StateError) -> Bool {
        var status = stat()
        if stat(file, &status) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw .system("Looking at", file, errno) }
        return false
    }

    /// Puts the contents of a file on disk.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    static func syncFile(_ file: String) throws(StateError) {
        let descriptor = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .system("Opening", file, errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("Writing", file, errno) }
    }

    /// Removes a file, if it is there.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    static func remove(_ file: String) throws(StateError) {
        guard unlink(file) == 0 || errno == ENOENT else { throw .system("Removing", file, errno) }
    }

    /// The folder of a file; empty for a name without one.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? (path == "/" ? "" : "/") : String(path[..<slash])
    }
}
