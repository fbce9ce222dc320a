// SPDX-License-Identifier: Apache-2.0

import CCrypto
import Glibc
import PenstockModel
import Synchronization

/// A key that stored credentials are sealed with.
struct CredentialKey: Sendable {
    /// How many bytes a key has.
    static let size = 32

    private let bytes: [UInt8]

    /// A key from its bytes, or nil for another number of them.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        self.bytes = bytes
    }

    /// What tells this key from others: the start of a digest, which says nothing of the key.
    var id: [UInt8] { Array(SHA256Digest.of(Array("penstock-key-id".utf8) + bytes).prefix(8)) }

    /// Lends the key to `body`.
    func reveal<Result>(_ body: ([UInt8]) -> Result) -> Result { body(bytes) }
}

/// SHA-256, as libcrypto has it.
enum SHA256Digest {
    /// The 32 bytes of the digest.
    static func of(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        // Nothing but a lack of memory makes it fail, and that ends the process anyway.
        guard penstock_sha256(bytes, bytes.count, &digest) == 1 else { fatalError("libcrypto has no memory.") }
        return digest
    }

    /// Bytes as hexadecimal digits.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// The places of keys: what the service manager hands out, else a file of this user's own.
package struct CredentialKeyring: Sendable {
    private let handedOut: String?
    private let own: String?

    /// The places that follow from the environment: `$CREDENTIALS_DIRECTORY/penstock.key`, and `penstock/key` in
    /// `$XDG_CONFIG_HOME` or `~/.config`.
    package init(environment: [String: String]) {
        func folder(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        handedOut = folder("CREDENTIALS_DIRECTORY").map { $0 + "/penstock.key" }
        own = (folder("XDG_CONFIG_HOME") ?? folder("HOME").map { $0 + "/.config" }).map { $0 + "/penstock/key" }
    }

    /// The keys that there are; the first is the one to seal with.
    ///
    /// - Throws: ``ConnectorError`` `unauthorized` where a key file is there and cannot be used.
    func keys(for subject: String) throws(ConnectorError) -> [CredentialKey] {
        var keys: [CredentialKey] = []
        for path in [handedOut, own] {
            guard let path, let key = try Self.read(path, subject) else { continue }
            keys.append(key)
        }
        return keys
    }

    /// The key to seal with; one is made where there is none.
    ///
    /// - Throws: ``ConnectorError``.
    func sealingKey(for subject: String) throws(ConnectorError) -> CredentialKey {
        if let key = try keys(for: subject).first { return key }
        guard let own else {
            throw CredentialProblem.unusable(
                subject, "needs a key, and there is neither CREDENTIALS_DIRECTORY nor a home folder")
        }
        try Self.making.withLock { _ throws(ConnectorError) in try Self.make(own, subject) }
        guard let key = try Self.read(own, subject) else {
            throw CredentialProblem.system(subject, "reading", own, ENOENT)
        }
        return key
    }

    private static func read(_ path: String, _ subject: String) throws(ConnectorError) -> CredentialKey? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw CredentialProblem.unusable(
                subject, "needs the key \(path), which cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0 else {
            throw CredentialProblem.unusable(
                subject, "needs the key \(path), which other users can read; run \"chmod 600 \(path)\"")
        }
        var bytes = [UInt8](repeating: 0, count: CredentialKey.size + 1)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count >= 0, let key = CredentialKey(Array(bytes.prefix(count))) else {
            throw CredentialProblem.unusable(
                subject, "needs the key \(path), which is not \(CredentialKey.size) bytes long")
        }
        return key
    }

    /// The threads of a process make a key one after the other: their drafts have the same name.
    private static let making = Mutex(())

    /// Makes a key file; another process that makes one at the same time wins, or loses, as a whole.
    private static func make(_ path: String, _ subject: String) throws(ConnectorError) {
        try PrivateFolder.create(PrivateFolder.parent(path), subject)
        var bytes = [UInt8](repeating: 0, count: CredentialKey.size)
        guard penstock_random(&bytes, Int32(CredentialKey.size)) == 1 else {
            throw CredentialProblem.system(subject, "making", path, EIO)
        }
        let draft = "\(path).\(getpid())"
        // A draft of a process that died with this number is of no use to anybody.
        unlink(draft)
        try PrivateFolder.write(bytes, to: draft, flags: O_EXCL, subject)
        defer { unlink(draft) }
        // A link, since a rename would replace the key of somebody who was faster.
        guard link(draft, path) == 0 || errno == EEXIST else {
            throw CredentialProblem.system(subject, "making", path, errno)
        }
        try PrivateFolder.sync(PrivateFolder.parent(path), subject)
    }
}
