// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockState

/// The states of a project's other syncs, which own records too.
enum OtherStates {
    /// The setting of a state that says where the records are that it knows: the object, and the connection's name.
    private static let placeSetting = "records-of"

    private static func place(of sync: OpenSync) -> String {
        "\(sync.object.id) \(sync.definition.destination.connection)"
    }

    /// Takes note in the state of `sync` of where its records are.
    ///
    /// - Throws: ``StateError``.
    static func notePlace(of sync: OpenSync, in store: StateStore) throws(StateError) {
        let place = place(of: sync)
        if try store.meta(placeSetting) != place { try store.setMeta(placeSetting, place) }
    }

    /// Refuses a sync whose ledger knows records of another object: their ids are those of other records here.
    ///
    /// - Throws: ``RunStop``.
    static func checkObject(of sync: OpenSync, in store: StateStore?) throws(RunStop) {
        do {
            guard let store, let place = try store.meta(placeSetting), !place.hasPrefix(sync.object.id + " "),
                let object = place.split(separator: " ").first, try store.hasEntries()
            else { return }
            let name = sync.definition.name
            throw RunStop.connector(
                ConnectorError(
                    .badConfig,
                    "The sync \(name) has written \(object) until now, and its destination is \(sync.object.id): the "
                        + "records that its state knows are others there. Give it another name, or forget them with: "
                        + "penstock state reset \(name) --all"),
                connection: sync.definition.destination.connection, doing: "looking at the state")
        } catch let stop as RunStop {
            throw stop
        } catch let error as StateError {
            throw .state(error)
        } catch {
            throw .state(.internal("The state could not be looked at: \(error)"))
        }
    }

    /// The states in `folder` of other syncs whose records are among those of `sync`, open for reading.
    ///
    /// Ids are those of one object and one account: an organization has the id of some person. A state that does not
    /// say where its records are, because no run has used it since that is kept, is one of them.
    /// - Throws: ``RunStop`` `state` where one of them cannot be read: what it owns could be taken from it.
    static func open(in folder: String, beside sync: OpenSync) throws(RunStop) -> [StateStore] {
        // A folder that is not there yet holds no states.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var stores: [StateStore] = []
        for file in files.sorted() where file.hasSuffix(".db") && file != sync.definition.name + ".db" {
            do {
                guard let store = try StateStore.openForReading(folder: folder, sync: String(file.dropLast(3))) else {
                    continue
                }
                if let place = try store.meta(placeSetting), place != self.place(of: sync) {
                    store.close()
                } else {
                    stores.append(store)
                }
            } catch {
                throw .state(error)
            }
        }
        return stores
    }
}
