// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Decides whether a file or folder is safe from other people's changes.
package enum FolderCheck {
    /// The folder of an absolute path.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// Why libraries are not loaded from a folder, or nil.
    ///
    /// Everybody may write to the folder or one above it only where others' files cannot be replaced (sticky, and
    /// root's); the folder itself belongs to root or to the user.
    package static func refusal(ofFolder path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return "cannot be looked at" }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "is not a folder" }
        if let reason = refusal(status, isFolder: true) { return reason }
        var above = path
        while above != "/" {
            above = folder(of: above)
            guard stat(above, &status) == 0 else { return "cannot be looked at" }
            if isOpenToAll(status, isFolder: true) { return "lies below \(above), which everybody can change" }
        }
        return nil
    }

    /// Why a file or folder of this status is not trusted, or nil.
    package static func refusal(_ status: stat, isFolder: Bool) -> String? {
        if isOpenToAll(status, isFolder: isFolder) {
            return "can be changed by everybody (mode 0\(String(status.st_mode & 0o7777, radix: 8)))"
        }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            return "belongs to user \(status.st_uid), who is neither root nor you"
        }
        return nil
    }

    private static func isOpenToAll(_ status: stat, isFolder: Bool) -> Bool {
        guard status.st_mode & S_IWOTH != 0 else { return false }
        return !(isFolder && status.st_mode & S_ISVTX != 0 && status.st_uid == 0)
    }
}
