// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel

/// The renewed credentials of one connection: a sealed file, and a lock beside it.
///
/// The file has an entry per configured secret, so that a profile with another account does not take the place of
/// the usual one. Reads need no lock: a file is replaced as a whole.
package struct CredentialStore: Sendable {
    /// A credential, and whose it is.
    struct Entry: Sendable, Hashable {
        /// The setting whose configured value says whose it is.
        var root: String
        /// The digest of that value.
        var origin: String
        var revision: UInt64
        var credential: JSON
    }

    /// Entries beyond these were for secrets that nobody uses any more.
    private static let entriesMax = 8
    private static let bytesMax = 1 << 20

    let connection: String
    private let folder: String
    private let name: String
    private let keyring: CredentialKeyring

    /// The store of a connection.
    ///
    /// - Parameter folder: The folder of the project's credentials; it is made when something is stored.
    package init(connection: String, folder: String, keyring: CredentialKeyring) {
        self.connection = connection
        self.folder = folder
        self.keyring = keyring
        name = connection.utf8.map { byte in
            let isPlain =
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
            return isPlain ? String(Unicode.Scalar(byte)) : "%" + SHA256Digest.hex([byte])
        }.joined()
    }

    private var path: String { "\(folder)/\(name).cred" }
    private var subject: String { "credential of connection \(connection)" }

    /// What is stored.
    ///
    /// - Throws: ``ConnectorError`` `unauthorized` where a file is there and cannot be opened: somebody must act.
    func entries() throws(ConnectorError) -> [Entry] {
        guard let file = try contents() else { return [] }
        do {
            let bytes = try SealedCredential.open(file, try keyring.keys(for: subject), connection: connection)
            return try Self.decode(bytes)
        } catch let error as ConnectorError {
            throw error
        } catch SealedCredential.Fault.otherKey(let id) {
            throw CredentialProblem.unusable(
                subject, "was sealed with the key \(id), which is not there",
                detail: "bring that key back, or remove \(path) and connect again")
        } catch {
            let key = SealedCredential.keyID(file).map { " with the key \($0)" } ?? ""
            throw CredentialProblem.unusable(
                subject, "is damaged and cannot be opened\(key)", detail: "remove \(path) and connect again")
        }
    }

    private func contents() throws(ConnectorError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw CredentialProblem.unusable(
                subject, "cannot be read: \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < Self.bytesMax {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    /// Replaces the entry of the same origin, durably; the caller holds the lock.
    ///
    /// - Throws: ``ConnectorError``; the old file is then still there.
    func put(_ entry: Entry) throws(ConnectorError) {
        let others = try entries().filter { $0.root != entry.root || $0.origin != entry.origin }
        let bytes = Self.encode(others.suffix(Self.entriesMax - 1) + [entry])
        let key = try keyring.sealingKey(for: subject)
        guard let sealed = SealedCredential.seal(bytes, key, connection: connection) else {
            throw CredentialProblem.system(subject, "sealing", path, ENOMEM)
        }
        let draft = path + ".new"
        try PrivateFolder.write(sealed, to: draft, flags: O_TRUNC, subject)
        guard rename(draft, path) == 0 else { throw CredentialProblem.system(subject, "replacing", path, errno) }
        try PrivateFolder.sync(folder, subject)
    }

    /// Keeps the first credential of a login, beside the settings that it will be recognised by; waits for the lock.
    ///
    /// - Parameter settings: The connection's settings, with the secret that the login gave.
    /// - Throws: ``ConnectorError``; nothing is kept then.
    package func begin(
        _ credential: JSON, of descriptor: ConnectorDescriptor, _ settings: JSON
    ) throws(ConnectorError) {
        let configured = ConfiguredSecrets(descriptor, settings)
        guard let root = configured.root(of: credential), let origin = configured.origin(root) else {
            throw ConnectorError(.contractBreach, "The login has brought none of the connection's secrets.")
        }
        try withLock { () throws(ConnectorError) in
            let known = configured.entry(in: try entries())?.revision ?? 0
            try put(Entry(root: root, origin: origin, revision: known + 1, credential: credential))
        }
    }

    /// Forgets every credential of the connection; waits for the lock.
    ///
    /// - Throws: ``ConnectorError`` where the file cannot be removed.
    package func forget() throws(ConnectorError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        try withLock { () throws(ConnectorError) in
            guard unlink(path) == 0 || errno == ENOENT else {
                throw CredentialProblem.unusable(
                    subject, "cannot be removed: \(path): \(String(cString: strerror(errno)))")
            }
            try PrivateFolder.sync(folder, subject)
        }
    }

    /// How long to wait for the lock, in looks of 50 milliseconds each.
    private static let looksMax = 600

    private func withLock(_ body: () throws(ConnectorError) -> Void) throws(ConnectorError) {
        for _ in 0..<Self.looksMax {
            if let lock = try tryLock() {
                defer { close(lock) }
                return try body()
            }
            usleep(50_000)
        }
        throw ConnectorError(
            .unavailable, "Another process has been renewing the \(subject) for too long.")
    }

    /// Takes the lock of the connection's credentials, or returns nil where somebody else has it.
    ///
    /// Makes sure that folder and key are there: what can go wrong goes wrong before a credential is renewed.
    /// - Returns: The descriptor; closing it gives the lock back, and so does the end of the process.
    func tryLock() throws(ConnectorError) -> Int32? {
        try PrivateFolder.create(folder, subject)
        let lock = "\(folder)/\(name).lock"
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CredentialProblem.system(subject, "opening", lock, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK || code == EINTR { return nil }
            throw CredentialProblem.system(subject, "locking", lock, code)
        }
        do {
            _ = try keyring.sealingKey(for: subject)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func encode(_ entries: some Sequence<Entry>) -> [UInt8] {
        let list = entries.map { entry -> JSON in
            let object: JSONObject = [
                "root": .string(entry.root), "origin": .string(entry.origin),
                "revision": .integer(entry.revision), "credential": entry.credential,
            ]
            return .object(object)
        }
        return JSON.object(["entries": .array(list)] as JSONObject).utf8
    }

    private static func decode(_ bytes: [UInt8]) throws -> [Entry] {
        let list = try JSON(parsing: bytes)["entries"]?.arrayValue ?? []
        return try list.map { item in
            guard let root = item["root"]?.stringValue, let origin = item["origin"]?.stringValue,
                let revision = item["revision"]?.numberText.flatMap({ UInt64($0) }), let credential = item["credential"]
            else { throw SealedCredential.Fault.damaged }
            return Entry(root: root, origin: origin, revision: revision, credential: credential)
        }
    }
}
