// SPDX-License-Identifier: Apache-2.0

import CCrypto
import Glibc
import PenstockABI
import PenstockModel

/// A connector library that was loaded into this process.
package struct ConnectorLibrary: Sendable {
    /// Why a file was not loaded, as a clause without a full stop that follows its name.
    package struct Refusal: Error, Sendable, Hashable {
        /// For example `can be changed by everybody (mode 0777)`.
        package let reason: String
    }

    /// What tells one file from another, whatever it is called.
    package struct FileIdentity: Sendable, Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// Where it was found.
    package let path: String
    /// Which file it is.
    package let identity: FileIdentity
    /// The connector in it.
    package let connector: any Connector

    /// Looks at a file, and loads it if nothing speaks against it.
    ///
    /// - Throws: ``Refusal``; nothing of the file was run, unless its own initialisers ran before it was refused.
    package init(loading path: String) throws(Refusal) {
        let file = try LibraryFile(path)
        try Self.checkExports(try file.image())
        do {
            connector = try LibraryImage.connector(at: file.realPath)
        } catch {
            throw Refusal(reason: error.reason)
        }
        self.path = path
        identity = file.identity
    }

    /// The SHA-256 digest of the file as it is now, as hexadecimal digits.
    ///
    /// - Throws: ``Refusal`` where it can no longer be read.
    package func sha256() throws(Refusal) -> String { try LibraryFile(path).sha256() }

    /// Symbols that linkers define in every library.
    private static let linkerSymbols: Set<String> = [
        "_init", "_fini", "_edata", "_end", "__bss_start", "__bss_start__", "__bss_end__", "_bss_end__", "__end__",
    ]

    /// Refuses a library that does not export the entry, or more than that.
    package static func checkExports(_ image: ELFImage) throws(Refusal) {
        let exports = Set(image.exports).subtracting(linkerSymbols)
        let majors = exports.compactMap { name in
            name.hasPrefix(LibraryImage.entryPrefix) ? Int(name.dropFirst(LibraryImage.entryPrefix.count)) : nil
        }
        guard !majors.isEmpty else {
            throw Refusal(reason: "is not a connector: it does not export \(LibraryImage.entrySymbol)")
        }
        guard majors.contains(LibraryImage.majorVersion) else {
            let list = majors.sorted().map(String.init).joined(separator: " or ")
            throw Refusal(reason: "needs connector ABI \(list); this Penstock speaks \(LibraryImage.majorVersion)")
        }
        let extra = exports.filter { !$0.hasPrefix(LibraryImage.entryPrefix) }.sorted()
        if let first = extra.first {
            throw Refusal(
                reason: "exports \(extra.count) symbols besides its entry, for example \(first); "
                    + "hide them when it is linked")
        }
    }
}

/// A library file, open, with its permissions looked at.
private final class LibraryFile {
    let realPath: String
    let identity: ConnectorLibrary.FileIdentity
    private let descriptor: Int32
    private let size: Int

    init(_ path: String) throws(ConnectorLibrary.Refusal) {
        guard let resolved = realpath(path, nil) else {
            throw ConnectorLibrary.Refusal(reason: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        realPath = String(cString: resolved)
        free(resolved)
        if let reason = FolderCheck.refusal(ofFolder: FolderCheck.folder(of: realPath)) {
            throw ConnectorLibrary.Refusal(reason: "lies in \(FolderCheck.folder(of: realPath)), which \(reason)")
        }
        // Not blocking: the file might be a pipe.
        let opened = open(realPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            throw ConnectorLibrary.Refusal(reason: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        let result = fstat(opened, &status)
        let reason =
            result != 0 || status.st_mode & S_IFMT != S_IFREG
            ? "is not a regular file" : FolderCheck.refusal(status, isFolder: false)
        if let reason {
            close(opened)
            throw ConnectorLibrary.Refusal(reason: reason)
        }
        descriptor = opened
        size = Int(status.st_size)
        identity = ConnectorLibrary.FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    deinit { close(descriptor) }

    func image() throws(ConnectorLibrary.Refusal) -> ELFImage {
        do {
            return try ELFImage(size: size) { range in self.bytes(range) }
        } catch {
            throw ConnectorLibrary.Refusal(reason: error.reason)
        }
    }

    func sha256() throws(ConnectorLibrary.Refusal) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        guard penstock_sha256_of_file(descriptor, &digest) == 1 else {
            throw ConnectorLibrary.Refusal(reason: "cannot be read to its end")
        }
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func bytes(_ range: Range<Int>) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var done = 0
        while done < range.count {
            var piece = [UInt8](repeating: 0, count: range.count - done)
            let count = pread(descriptor, &piece, piece.count, range.lowerBound + done)
            guard count > 0 else { return nil }
            bytes.replaceSubrange(done..<done + count, with: piece.prefix(count))
            done += count
        }
        return bytes
    }
}
