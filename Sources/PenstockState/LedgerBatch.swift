// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The changes of one transaction that are made together at its end, because that is cheaper.
struct LedgerBatch {
    private let connection: SQLiteConnection
    private let table: LedgerTable
    private var settled: [PackItem] = []
    private var places: [UInt64] = []
    private var keys: Set<Fingerprint> = []
    private var created: [String] = []
    private var hasRejects: Bool?
    private var mayHaveRows: Bool?

    init(_ connection: SQLiteConnection) {
        self.connection = connection
        table = LedgerTable(connection: connection)
    }

    /// Replaces the whole entry of its key, or adds it.
    mutating func put(_ entry: LedgerEntry) throws(StateError) {
        if !keys.insert(entry.key).inserted {
            try putEntries()
            keys.insert(entry.key)
        }
        try table.put(entry, &settled, &places, hasRows: hasRows())
        if !entry.outcome.isSettled || entry.intent != nil { mayHaveRows = true }
    }

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
        if keys.contains(entry.key) { try putEntries() }
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
        if keys.contains(key) { try putEntries() }
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
        try table.pack(settled, places)
        settled.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
    }
}
