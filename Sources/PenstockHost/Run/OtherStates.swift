// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockState

/// The states of a project's other syncs, which own records too.
enum OtherStates {
    /// All states in `folder` but that of `sync`, open for reading.
    ///
    /// - Throws: ``RunStop`` `state` where one of them cannot be read: what it owns could be taken from it.
    static func open(in folder: String, but sync: String) throws(RunStop) -> [StateStore] {
        // A folder that is not there yet holds no states.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var stores: [StateStore] = []
        for file in files.sorted() where file.hasSuffix(".db") && file != sync + ".db" {
            do {
                if let store = try StateStore.openForReading(folder: folder, sync: String(file.dropLast(3))) {
                    stores.append(store)
                }
            } catch {
                throw .state(error)
            }
        }
        return stores
    }
}
