// SPDX-License-Identifier: Apache-2.0

import CCrypto

/// The bytes of a credential file: a header in clear, then what only the key opens.
///
/// `PSCR`, a version byte, 8 bytes of the key's id, 12 of the nonce, 16 of the tag, and the rest sealed with
/// AES-256-GCM. The header and the connection's name are under the tag, so that no file can stand in for another.
enum SealedCredential {
    private static let magic = Array("PSCR".utf8)
    private static let version: UInt8 = 1
    private static let header = 4 + 1 + 8
    private static let nonceSize = 12
    private static let tagSize = 16

    /// Why a file cannot be opened.
    enum Fault: Error {
        /// It is not such a file, or not whole, or its bytes are not what was sealed.
        case damaged
        /// It was sealed with a key that is not there.
        case otherKey(id: String)
    }

    /// Seals `bytes` for the connection.
    static func seal(_ bytes: [UInt8], _ key: CredentialKey, connection: String) -> [UInt8]? {
        var nonce = [UInt8](repeating: 0, count: nonceSize)
        guard penstock_random(&nonce, Int32(nonceSize)) == 1 else { return nil }
        let head = magic + [version] + key.id
        let about = head + Array(connection.utf8)
        var sealed = [UInt8](repeating: 0, count: bytes.count)
        var tag = [UInt8](repeating: 0, count: tagSize)
        let isGood = key.reveal {
            penstock_seal($0, nonce, about, Int32(about.count), bytes, Int32(bytes.count), &sealed, &tag) == 1
        }
        return isGood ? head + nonce + tag + sealed : nil
    }

    /// What was sealed, with whichever of the keys it was.
    static func open(_ file: [UInt8], _ keys: [CredentialKey], connection: String) throws(Fault) -> [UInt8] {
        let start = header + nonceSize + tagSize
        guard file.count > start, file.starts(with: magic), file[magic.count] == version else { throw .damaged }
        let head = Array(file[..<header])
        let id = Array(head.suffix(8))
        guard let key = keys.first(where: { $0.id == id }) else { throw .otherKey(id: SHA256Digest.hex(id)) }
        let about = head + Array(connection.utf8)
        let nonce = Array(file[header..<header + nonceSize])
        let tag = Array(file[header + nonceSize..<start])
        let sealed = Array(file[start...])
        var bytes = [UInt8](repeating: 0, count: sealed.count)
        let isGood = key.reveal {
            penstock_unseal($0, nonce, about, Int32(about.count), sealed, Int32(sealed.count), tag, &bytes) == 1
        }
        guard isGood else {
            penstock_cleanse(&bytes, bytes.count)
            throw .damaged
        }
        return bytes
    }

    /// Whether these are the bytes of such a file, whole or not.
    static func isSealed(_ file: [UInt8]) -> Bool { file.starts(with: magic) }

    /// The id of the key in the header of a file, for messages; nil where it has none.
    static func keyID(_ file: [UInt8]) -> String? {
        file.count > header && file.starts(with: magic) ? SHA256Digest.hex(file[5..<header]) : nil
    }
}
