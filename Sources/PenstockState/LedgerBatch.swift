// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The changes of one transaction that are made together at its end, because that is cheaper.
struct LedgerBatch {
    private let connection: SQLiteConnection
    private let table: LedgerTable
    private var settled = PackItems()
    private var places: [UInt64] = []
    private var keys = KeyCounts()
    private var created: [String] = []
    private var hasRejects: Bool?
    private var mayHaveRows: Bool?

    init(_ connection: SQLiteConnection) {
        self.connection = connection
        table = LedgerTable(connection: connection)
    }

    /// Replaces the whole entry of its key, or adds it.
    mutating func put(_ entry: LedgerEntry) throws(StateError) {
        if has(entry.key) || settled.isFull { try putEntries() }
        keys.set(keys.slot(of: entry.key), entry.key, times: 1)
        try table.put(entry, &settled, &places, hasRows: hasRows())
        if !entry.outcome.isSettled || entry.intent != nil { mayHaveRows = true }
    }

    /// Replaces the whole entry of its key, or adds it, and all that goes with a row that is settled.
    mutating func putSettled(_ entry: LedgerEntry) throws(StateError) {
        try put(entry)
        try clearReject(entry.key)
        if entry.outcome == .created, let remoteID = entry.remoteID { noteCreated(remoteID) }
    }

    /// Whether an entry of the key waits to be packed.
    private func has(_ key: Fingerprint) -> Bool { keys.times(keys.slot(of: key)) > 0 }

    /// Whether any key may have a row of its own: where nothing is open, there is none to take away.
    private mutating func hasRows() throws(StateError) -> Bool {
        if let mayHaveRows { return mayHaveRows }
        let found = try connection.integer("SELECT EXISTS (SELECT 1 FROM ledger)") != 0
        mayHaveRows = found
        return found
    }

    /// Makes the entry of its key one with an intent.
    mutating func putIntent(_ entry: LedgerEntry) throws(StateError) {
        var entry = entry
        if has(entry.key) { try putEntries() }
        let (earlier, position) = try table.locate(entry.key)
        entry.remoteID = earlier?.remoteID
        entry.payload = earlier?.payload
        entry.outcome = .intent
        mayHaveRows = true
        try table.putRow(entry, at: position)
    }

    /// Turns the intent of a key into a lost one.
    mutating func putLost(
        _ key: Fingerprint, _ keyText: String, run: Int64, payload: Fingerprint
    ) throws(StateError) {
        if has(key) { try putEntries() }
        let (found, position) = try table.locate(key)
        var entry = found ?? LedgerEntry(key: key, keyText: keyText, run: run, outcome: .unknown)
        if entry.outcome != .intent || entry.intent == nil {
            entry.intent = LedgerEntry.Intent(payload: payload, startedAtMilliseconds: 0)
        }
        entry.run = run
        entry.outcome = .unknown
        mayHaveRows = true
        try table.putRow(entry, at: position)
    }

    /// Forgets what is known of a key.
    mutating func forget(_ key: Fingerprint) throws(StateError) {
        if has(key) { try putEntries() }
        try table.forget(key)
    }

    /// Removes the reject of a key, if there is one.
    mutating func clearReject(_ key: Fingerprint) throws(StateError) {
        // Mostly there are none at all.
        if hasRejects == nil { hasRejects = try !RejectTable(connection: connection).isEmpty() }
        if hasRejects == true { try RejectTable(connection: connection).remove(key) }
    }

    /// Takes note that a reject was added.
    mutating func noteReject() { hasRejects = true }

    /// Remembers a record that was created.
    mutating func noteCreated(_ remoteID: String) { created.append(remoteID) }

    /// Makes what was gathered.
    mutating func finish() throws(StateError) {
        try putEntries()
        try CreatedTable(connection: connection).add(created)
        created = []
    }

    private mutating func putEntries() throws(StateError) {
        guard keys.count > 0 else { return }
        try table.pack(&settled, places)
        settled.removeAll()
        places.removeAll(keepingCapacity: true)
        keys.removeAll()
    }
}
