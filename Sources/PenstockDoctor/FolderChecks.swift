// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockState

/// Looks at folders and files: whose they are, who can read them, how much room there is.
package enum FolderChecks {
    /// What a folder that Penstock writes into must be: there, this user's, closed to others.
    ///
    /// - Parameter area: What the findings belong to.
    package static func privateFolder(_ path: String, area: String, what: String) -> [DoctorFinding] {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else {
                return [DoctorFinding(area, .error, "\(what) \(path) cannot be looked at: \(text(errno))")]
            }
            return [DoctorFinding(area, .note, "\(what) \(path) is not there yet; it is made when it is needed")]
        }
        if status.st_mode & S_IFMT == S_IFLNK, stat(path, &status) != 0 {
            return [DoctorFinding(area, .error, "\(what) \(path) is a link that leads nowhere")]
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return [DoctorFinding(area, .error, "\(what) \(path) is not a folder")]
        }
        guard access(path, W_OK | X_OK) == 0 else {
            return [
                DoctorFinding(
                    area, .error, "\(what) \(path) cannot be written by this user",
                    advice: "it belongs to user \(status.st_uid); run as that user, or chown it")
            ]
        }
        guard status.st_mode & 0o077 == 0 else {
            return [
                DoctorFinding(
                    area, .error, "\(what) \(path) is open to other users (mode 0\(octal(status.st_mode)))",
                    advice: "chmod 700 \(path)")
            ]
        }
        return [DoctorFinding(area, .ok, "\(what) \(path) is this user's alone")]
    }

    /// Whether a file with a secret is closed to others; nil where it is not there.
    package static func privateFile(_ path: String, area: String) -> DoctorFinding? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard status.st_mode & 0o077 == 0 else {
            return DoctorFinding(
                area, .error, "\(path) can be read by other users (mode 0\(octal(status.st_mode)))",
                advice: "chmod 600 \(path)")
        }
        return DoctorFinding(area, .ok, "\(path) is this user's alone")
    }

    private static let plenty: UInt64 = 1 << 30
    private static let little: UInt64 = 100 << 20

    /// How much room there is on the disk of a folder that exists.
    package static func room(_ path: String, area: String, free: UInt64? = nil) -> DoctorFinding {
        guard let free = free ?? freeBytes(path) else {
            return DoctorFinding(area, .warning, "it cannot be told how much room there is at \(path)")
        }
        let megabytes = free >> 20
        let shown = megabytes >= 10_240 ? "\(megabytes >> 10) GB" : "\(megabytes) MB"
        guard free < plenty else { return DoctorFinding(area, .ok, "\(shown) are free at \(path)") }
        return DoctorFinding(
            area, free < little ? .error : .warning, "only \(shown) are free at \(path)",
            advice: "state, results and what is read ahead need room")
    }

    private static func freeBytes(_ path: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// Whether a folder lies on a disk of the network, where state is refused; nil where it does not.
    package static func networkDisk(_ path: String, allowed: Bool) -> DoctorFinding? {
        guard let name = NetworkDisk.ofFolder(path) else { return nil }
        return DoctorFinding(
            "state", allowed ? .warning : .error, "\(path) lies on a network disk (\(name))",
            advice: "put the project on a local disk")
    }

    private static func octal(_ mode: mode_t) -> String { String(mode & 0o7777, radix: 8) }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
