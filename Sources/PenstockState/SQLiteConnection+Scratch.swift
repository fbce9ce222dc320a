// SPDX-License-Identifier: Apache-2.0

extension SQLiteConnection {
    /// Opens an empty file without a name on the disk of `folder`, in one transaction that never ends: the file goes
    /// when it is closed, also by the death of the process.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``; there is no file then.
    static func scratch(folder: String) throws(StateError) -> SQLiteConnection {
        let path = "\(folder)/.penstock-scratch-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        try StateFolder.createPrivateFile(path)
        do {
            let connection = try SQLiteConnection(path: path, access: .readWrite)
            try connection.execute(
                """
                PRAGMA journal_mode = OFF;
                PRAGMA synchronous = OFF;
                PRAGMA locking_mode = EXCLUSIVE;
                PRAGMA temp_store = MEMORY;
                PRAGMA mmap_size = 0;
                PRAGMA cache_size = -4000;
                BEGIN EXCLUSIVE;
                """)
            try StateFolder.remove(path)
            return connection
        } catch {
            try StateFolder.remove(path)
            throw error
        }
    }
}
