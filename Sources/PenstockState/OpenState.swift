// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// What exists while a store is open; the connection goes first, the lock last.
final class OpenState {
    let connection: SQLiteConnection
    private let lock: StateLock?
    private var marks: OpenMarks?
    private var sequence: Int64 = 0
    private var pagesMoved = 0
    /// Why nothing more is written, or nil.
    private var failure: StateError?

    /// After so many pages the log is moved into the file.
    private static let logPages = 1_000

    init(_ connection: SQLiteConnection, lock: consuming StateLock? = nil) {
        self.connection = connection
        self.lock = lock
    }

    // MARK: - Opening

    /// Refuses a file that is not what was last written; one that may not be as it was closed is looked at whole.
    ///
    /// - Parameters:
    ///   - content: The digest of the file, where it was taken.
    /// - Throws: ``StateError``, `outdated` and `damaged` above all.
    static func inspect(
        _ connection: SQLiteConnection, _ found: StateMarks.Found, content: Fingerprint?
    ) throws(StateError) {
        // Whether it says that it was closed does not matter: what a damaged file says of itself is no proof.
        let isAsClosed = try answering { () throws(StateError) in try compare(connection, found, content: content) }
        if !isAsClosed { try checkWhole(connection) }
    }

    /// Refuses a file that is older than its marks, or was closed and is not as it was then.
    ///
    /// - Parameter content: The digest of the file, taken before anything was asked of it.
    /// - Returns: Whether the file was closed and is as it was then.
    /// - Throws: ``StateError``, `outdated` and `damaged` above all.
    @discardableResult
    static func compare(
        _ connection: SQLiteConnection, _ found: StateMarks.Found, content: Fingerprint?
    ) throws(StateError) -> Bool {
        let meta = MetaTable(connection: connection)
        let sequence = try meta.sequence()
        try found.check(
            identity: try meta.value(MetaTable.identity), sequence: sequence,
            run: try RunTable(connection: connection).nextNumber() - 1, path: connection.path)
        guard try meta.value(MetaTable.open) == nil, let written = found.content(at: sequence), let content else {
            return false
        }
        guard written == content else {
            throw .damaged("\(connection.path) is not as it was when it was closed")
        }
        return true
    }

    /// Refuses what ``compare(_:_:content:)`` refuses, and a file with a damaged setting: one is just not found, the
    /// other may be taken for it.
    ///
    /// - Throws: ``StateError``, `outdated` and `damaged` above all.
    static func compareRead(
        _ connection: SQLiteConnection, _ found: StateMarks.Found, content: Fingerprint?
    ) throws(StateError) {
        try answering { () throws(StateError) in
            try compare(connection, found, content: content)
            try MetaTable(connection: connection).check()
        }
    }

    /// Does `body`, which asks what is right: what cannot be answered is the file.
    private static func answering<R>(_ body: () throws(StateError) -> R) throws(StateError) -> R {
        do {
            return try body()
        } catch .internal(let sentence) {
            throw .unanswered(sentence)
        }
    }

    /// Looks through every page of the file, and whether its indexes hold what its tables hold.
    ///
    /// What is found by its key alone is looked through, too: a changed key is not a damaged row for who asks for the
    /// right one, it is a row that is not there.
    ///
    /// - Throws: ``StateError``, `damaged`.
    static func checkWhole(_ connection: SQLiteConnection) throws(StateError) {
        let answer = try connection.statement("PRAGMA integrity_check(1)").first([]) { $0.text(0) ?? "" }
        guard answer == "ok" else { throw .damaged("\(connection.path), \(answer ?? "no answer")") }
        try answering { () throws(StateError) in
            try MetaTable(connection: connection).check()
            try LedgerTable(connection: connection).check()
            try CreatedTable(connection: connection).check()
        }
    }

    /// Takes note in the file that it is open, gives it an identity where it has none, and opens its marks.
    ///
    /// - Throws: ``StateError``.
    func begin(_ places: StateMarks?, _ found: StateMarks.Found) throws(StateError) {
        let (identity, run) = try connection.transaction { () throws(StateError) in
            let meta = MetaTable(connection: connection)
            sequence = try meta.sequence() + 1
            let identity = try meta.value(MetaTable.identity) ?? StateMark.newIdentity()
            try meta.set(MetaTable.identity, identity)
            try meta.set(MetaTable.open, "yes")
            try meta.set(MetaTable.sequenceKey, String(sequence))
            return (identity, try RunTable(connection: connection).nextNumber() - 1)
        }
        guard let places else { return }
        marks = try OpenMarks(places, found, StateMark(identity: identity, run: run, sequence: sequence))
    }

    // MARK: - Writing

    /// Writes with `body`, in one transaction that is on disk when this returns.
    ///
    /// - Throws: ``StateError``; nothing is kept then. After an error of the disk every later call throws it again.
    func write<R>(_ body: (SQLiteConnection) throws(StateError) -> R) throws(StateError) -> R {
        if let failure { throw failure }
        do {
            let (result, run) = try connection.transaction { () throws(StateError) in
                let result = try body(connection)
                try MetaTable(connection: connection).set(MetaTable.sequenceKey, String(sequence + 1))
                return (result, try RunTable(connection: connection).nextNumber() - 1)
            }
            sequence += 1
            marks?.advance(run: run, sequence: sequence)
            moveLog()
            return result
        } catch {
            if case .cannotWrite = error { fail(error) }
            throw error
        }
    }

    /// Moves the log into the file where it has become long; what fails here fails the next write, because what was
    /// just written is on disk all the same.
    private func moveLog() {
        guard connection.pagesWritten - pagesMoved >= Self.logPages else { return }
        pagesMoved = connection.pagesWritten
        do {
            _ = try connection.moveLogIntoFile()
        } catch {
            fail(error)
        }
    }

    private func fail(_ error: StateError) {
        failure = error
        connection.keepLogOnClose(true)
    }

    // MARK: - Closing

    /// Moves what is scattered in the index together.
    private func tidyIndex() throws(StateError) {
        guard try PackIndex(connection: connection).isScattered() else { return }
        try write { connection throws(StateError) in try PackIndex(connection: connection).tidy() }
    }

    /// Takes note that the file is whole and closed, in the file and in its marks.
    ///
    /// What fails here is not lost: the next process to open the file looks it through first.
    func end() {
        guard failure == nil else { return }
        do {
            try tidyIndex()
            try write { connection throws(StateError) in
                try MetaTable(connection: connection).set(MetaTable.open, nil)
            }
            guard failure == nil, let marks else { return }
            let isWhole = try connection.moveLogIntoFile(truncates: true) == 0
            let content = isWhole ? try connection.digest() : nil
            connection.close()
            marks.seal(content)
        } catch {
            if case .cannotWrite = error { fail(error) }
        }
    }
}
