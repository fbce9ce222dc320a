// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import PenstockModel

/// A user's secrets: one file each, sealed with the user's key, in one folder.
///
/// A plain file that somebody has put there by hand is left as it is and stays usable.
package struct SecretStore: Sendable {
    /// One secret, opened.
    package struct Stored: Sendable {
        /// The secret.
        package var secret: Secret
        /// Whose it is: the connection of the project that stored it; empty where nobody said.
        package var owner: String
    }

    private static let bytesMax = 1 << 17

    /// The folder.
    package let folder: String
    private let keyring: CredentialKeyring

    /// The store in a folder, which is made when something is stored.
    package init(folder: String, keyring: CredentialKeyring) {
        self.folder = folder
        self.keyring = keyring
    }

    /// Whether these are the bytes of a sealed file.
    package static func isSealed(_ file: [UInt8]) -> Bool { SealedCredential.isSealed(file) }

    /// Opens the bytes of a file; nil where they are not sealed.
    ///
    /// - Throws: ``ConnectorError`` `unauthorized` where the key is another one, or the bytes are not what was sealed.
    package func open(_ file: [UInt8], name: String) throws(ConnectorError) -> Stored? {
        guard SealedCredential.isSealed(file) else { return nil }
        let subject = Self.subject(name)
        do {
            let keys = try keyring.keys(for: subject)
            let json = try JSON(
                parsing: SealedCredential.open(file, keys, connection: Self.about(name)))
            guard let text = json["secret"]?.stringValue else { throw SealedCredential.Fault.damaged }
            return Stored(secret: Secret(text), owner: json["owner"]?.stringValue ?? "")
        } catch let error as ConnectorError {
            throw error
        } catch SealedCredential.Fault.otherKey(let id) {
            throw CredentialProblem.unusable(
                subject, "was sealed with the key \(id), which is not there",
                detail: "bring that key back, or store it again: penstock secret set \(name)")
        } catch {
            throw CredentialProblem.unusable(
                subject, "is damaged and cannot be opened", detail: "store it again: penstock secret set \(name)")
        }
    }

    /// The stored secret of this name; nil where there is none, or a plain file.
    ///
    /// - Throws: ``ConnectorError`` as for ``open(_:name:)``.
    package func stored(_ name: String) throws(ConnectorError) -> Stored? {
        guard let data = FileManager.default.contents(atPath: path(name)), data.count <= Self.bytesMax else {
            return nil
        }
        return try open([UInt8](data), name: name)
    }

    /// Whether there is a file of this name, sealed or plain.
    package func isThere(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// Stores a secret durably, in place of one of the same name.
    ///
    /// - Parameter owner: The connection of the project that it is for; empty for nobody's.
    /// - Throws: ``ConnectorError``; the old one is then still there.
    package func put(_ name: String, _ secret: Secret, owner: String = "") throws(ConnectorError) {
        let subject = Self.subject(name)
        try PrivateFolder.create(folder, subject)
        let bytes = secret.reveal { text in
            JSON.object(["secret": .string(text), "owner": .string(owner)] as JSONObject).utf8
        }
        let key = try keyring.sealingKey(for: subject)
        guard let sealed = SealedCredential.seal(bytes, key, connection: Self.about(name)) else {
            throw CredentialProblem.system(subject, "sealing", path(name), ENOMEM)
        }
        // A name with a dot first is no secret's.
        let draft = "\(folder)/.\(name).\(getpid())"
        unlink(draft)
        try PrivateFolder.write(sealed, to: draft, flags: O_EXCL, subject)
        guard rename(draft, path(name)) == 0 else {
            let code = errno
            unlink(draft)
            throw CredentialProblem.system(subject, "replacing", path(name), code)
        }
        try PrivateFolder.sync(folder, subject)
    }

    /// Removes a secret; nothing happens where there is none.
    ///
    /// - Throws: ``ConnectorError`` where it cannot be removed.
    package func remove(_ name: String) throws(ConnectorError) {
        guard unlink(path(name)) == 0 else {
            if errno == ENOENT { return }
            throw CredentialProblem.unusable(
                Self.subject(name), "cannot be removed: \(path(name)): \(String(cString: strerror(errno)))")
        }
        try PrivateFolder.sync(folder, Self.subject(name))
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }
    private static func subject(_ name: String) -> String { "secret \(name)" }
    /// What is under the tag, so that no secret's file can stand in for another's or for a connection's.
    private static func about(_ name: String) -> String { "secret/\(name)" }
}
