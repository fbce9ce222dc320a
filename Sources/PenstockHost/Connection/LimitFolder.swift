// SPDX-License-Identifier: Apache-2.0

import CCrypto
import Foundation
import PenstockModel

/// The folder of this user in which processes share what they know of the limits of a credential.
///
/// It is kept in memory or is cleared when the machine starts; nothing in it is needed after that.
package struct LimitFolder: Sendable {
    /// Where it is.
    package let path: String

    /// Why the folder or a file in it is not used.
    struct Refusal: Error {
        /// A clause without a full stop.
        var reason: String
    }

    private static let keyLength = 32

    /// The user's folder: in `XDG_RUNTIME_DIR`, else in `/run/user/UID`, else among the temporary files.
    package init() {
        let environment = ProcessInfo.processInfo.environment
        let sessions = "/run/user/\(getuid())"
        if let base = environment["XDG_RUNTIME_DIR"], !base.isEmpty {
            path = base + "/penstock"
        } else if FileManager.default.isWritableFile(atPath: sessions) {
            path = sessions + "/penstock"
        } else {
            path = "\(NSTemporaryDirectory())penstock-\(getuid())"
        }
    }

    /// The folder at a path.
    package init(path: String) { self.path = path }

    /// Opens the file of a credential, which is made where it is missing.
    ///
    /// - Parameter credential: What tells this credential from others; it cannot be found out from the file's name.
    /// - Returns: A descriptor; the caller closes it.
    func open(_ credential: [UInt8]) throws(Refusal) -> Int32 {
        try prepare()
        return try open(name: try name(of: credential), O_RDWR | O_CREAT)
    }

    private func prepare() throws(Refusal) {
        // What cannot be made is found out below.
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var status = stat()
        guard lstat(path, &status) == 0 else { throw Self.failed("\(path) cannot be made") }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw Refusal(reason: "\(path) is not a folder") }
        guard status.st_uid == getuid() else { throw Refusal(reason: "\(path) belongs to somebody else") }
        guard status.st_mode & 0o077 == 0 || chmod(path, 0o700) == 0 else {
            throw Self.failed("\(path) is open to others")
        }
    }

    private func open(name: String, _ flags: Int32) throws(Refusal) -> Int32 {
        let file = "\(path)/\(name)"
        let descriptor = Glibc.open(file, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failed("\(file) cannot be opened") }
        var status = stat()
        let isGood =
            fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_uid == getuid()
            && status.st_mode & 0o077 == 0
        guard isGood else {
            close(descriptor)
            throw Refusal(reason: "\(file) is not a file of this user alone")
        }
        return descriptor
    }

    // MARK: - Names

    private func name(of credential: [UInt8]) throws(Refusal) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let key = try key()
        guard penstock_hmac_sha256(key, key.count, credential, credential.count, &digest) == 1 else {
            throw Refusal(reason: "libcrypto makes no digest")
        }
        return "limits-" + digest.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The key of the digests, made by whoever comes first.
    private func key() throws(Refusal) -> [UInt8] {
        if let key = readKey() { return key }
        let draft = "\(path)/key.\(getpid()).\(UInt32.random(in: 0 ... .max))"
        let descriptor = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failed("\(draft) cannot be made") }
        let fresh = (0..<Self.keyLength).map { _ in UInt8.random(in: 0 ... .max) }
        let isWritten = write(descriptor, fresh, fresh.count) == fresh.count
        close(descriptor)
        // The link appears with all of its content, or is somebody else's already.
        if isWritten { link(draft, "\(path)/key") }
        unlink(draft)
        guard let key = readKey() else { throw Refusal(reason: "\(path)/key cannot be used") }
        return key
    }

    private func readKey() -> [UInt8]? {
        // Without a key that can be read one is made, and that says what is wrong.
        guard let descriptor = try? open(name: "key", O_RDONLY) else { return nil }
        defer { close(descriptor) }
        var key = [UInt8](repeating: 0, count: Self.keyLength)
        return read(descriptor, &key, key.count) == key.count ? key : nil
    }

    private static func failed(_ what: String) -> Refusal {
        Refusal(reason: "\(what): \(String(cString: strerror(errno)))")
    }
}
