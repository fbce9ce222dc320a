// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import PenstockModel

/// A state in one file for keeping: a line of JSON, padded, then a whole SQLite file as the state was at one moment.
package struct StateArchive: Sendable, Hashable {
    /// The file.
    package let path: String
    /// The sync whose state it is.
    package let sync: String
    /// The version of its schema.
    package let version: Int
    /// The number of its last run.
    package let run: Int64
    /// When it was made, in milliseconds since 1970-01-01T00:00:00Z.
    package let madeAtMilliseconds: Int64
    let identity: String
    let sequence: Int64
    private let size: Int64
    private let content: String

    private static let headSize = 1_024
    private static let kind = "penstock-state-export"
    /// The form of the first line; before it, another function made its checksum.
    private static let format = 2
    private static let blockSize = 1 << 18

    // MARK: - Export

    /// Writes the state of `store` to a new file at `path`, on disk when this returns.
    ///
    /// - Throws: ``StateError``; there is no file of this name then, or the one that was there.
    package static func export(_ store: StateStore, to path: String, at milliseconds: Int64) throws(StateError) {
        // Names that nobody has given to a file of his own; what a killed export has left of them goes.
        let copy = path + ".penstock-copy"
        let draft = path + ".penstock-part"
        defer {
            unlink(copy)
            unlink(draft)
        }
        for left in [copy, draft] { try StateFolder.remove(left) }
        try StateFolder.createPrivateFile(copy)
        try store.copy(to: copy)
        try StateFolder.syncFile(copy)
        let archive = try describe(copy, of: store.sync, at: milliseconds)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("Creating", draft, errno) }
        defer { Glibc.close(descriptor) }
        try write(archive.head, to: descriptor, draft)
        try pass(from: copy, skipping: 0, to: descriptor, draft)
        guard fsync(descriptor) == 0 else { throw .system("Writing", draft, errno) }
        guard rename(draft, path) == 0 else { throw .system("Renaming", draft, errno) }
        try StateFolder.sync(StateFolder.parent(path))
    }

    private static func describe(
        _ copy: String, of sync: String, at milliseconds: Int64
    ) throws(StateError) -> StateArchive {
        let connection = try SQLiteConnection(path: copy, access: .readOnly)
        let meta = MetaTable(connection: connection)
        let version = Int(try connection.integer("PRAGMA user_version"))
        let identity = try meta.value(MetaTable.identity) ?? ""
        let sequence = try meta.sequence()
        let run = try RunTable(connection: connection).nextNumber() - 1
        connection.close()
        var status = stat()
        guard stat(copy, &status) == 0 else { throw .system("Looking at", copy, errno) }
        return StateArchive(
            path: copy, sync: sync, version: version, run: run, madeAtMilliseconds: milliseconds,
            identity: identity, sequence: sequence, size: Int64(status.st_size),
            content: try StateFolder.digest(of: copy).hex)
    }

    private var members: JSONObject {
        [
            "kind": .string(Self.kind), "format": .integer(Self.format), "sync": .string(sync),
            "version": .integer(version),
            "run": .integer(run), "made_at": .integer(madeAtMilliseconds), "identity": .string(identity),
            "sequence": .integer(sequence), "size": .integer(size), "content": .string(content),
        ]
    }

    private var head: [UInt8] {
        var members = members
        var check = RowCheck(Self.kind)
        check.add(JSON.object(members).text)
        members["check"] = .string(String(UInt64(bitPattern: check.value), radix: 16))
        let text = Array(JSON.object(members).text.utf8)
        return text + [UInt8](repeating: 0x20, count: max(0, Self.headSize - 1 - text.count)) + [0x0A]
    }

    // MARK: - Import

    /// Reads an export and holds every byte of it against its checksum.
    ///
    /// - Throws: ``StateError``: `damaged` where it is not what was exported, `outgrown` and `newer` where another
    ///   Penstock wrote it, `cannotWrite` where it cannot be read.
    package init(path: String) throws(StateError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("Opening", path, errno) }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.headSize)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        // What is not JSON is no export, which is what is said below.
        guard count == bytes.count, let json = try? JSON(parsing: bytes), json["kind"]?.stringValue == Self.kind,
            let sync = json["sync"]?.stringValue, let version = json["version"]?.intValue,
            let run = json["run"]?.intValue, let made = json["made_at"]?.intValue,
            let identity = json["identity"]?.stringValue, let sequence = json["sequence"]?.intValue,
            let size = json["size"]?.intValue, let content = json["content"]?.stringValue
        else { throw .damaged("\(path) is not an export of a state") }
        switch json["format"]?.intValue ?? 0 {
        case ..<Self.format: throw .outgrown(version)
        case Self.format: break
        default: throw .newer(version)
        }
        self.init(
            path: path, sync: sync, version: version, run: Int64(run), madeAtMilliseconds: Int64(made),
            identity: identity, sequence: Int64(sequence), size: Int64(size), content: content)
        guard head == bytes else { throw .damaged("\(path), its first line is not what was exported") }
    }

    private init(
        path: String, sync: String, version: Int, run: Int64, madeAtMilliseconds: Int64, identity: String,
        sequence: Int64, size: Int64, content: String
    ) {
        self.path = path
        self.sync = sync
        self.version = version
        self.run = run
        self.madeAtMilliseconds = madeAtMilliseconds
        self.identity = identity
        self.sequence = sequence
        self.size = size
        self.content = content
    }

    /// What is lost by importing it, as a sentence; nil where it is as new as what the marks say was written.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where the marks cannot be looked at.
    package func staleness(against marks: StateMarks) throws(StateError) -> String? {
        guard let newest = try marks.read().marks.max(by: { $0.sequence < $1.sequence }) else { return nil }
        guard newest.identity == identity else {
            return "The export is of another state file than the one that this sync last wrote."
        }
        guard newest.sequence > sequence else { return nil }
        return "The export stands at run \(run), change \(sequence); since then the sync came to run \(newest.run), "
            + "change \(newest.sequence)."
    }

    /// Writes the SQLite file to `file`, which is made, and holds it against its checksum.
    ///
    /// - Throws: ``StateError``.
    func extract(to file: String) throws(StateError) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("Creating", file, errno) }
        do {
            defer { Glibc.close(descriptor) }
            try Self.pass(from: path, skipping: Self.headSize, to: descriptor, file)
            guard fsync(descriptor) == 0 else { throw StateError.system("Writing", file, errno) }
        } catch let error as StateError {
            throw error
        } catch {
            throw .internal("\(error)")
        }
        var status = stat()
        guard stat(file, &status) == 0, Int64(status.st_size) == size,
            try StateFolder.digest(of: file).hex == content
        else { throw .damaged("\(path) is not what was exported") }
    }

    // MARK: - Bytes

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ name: String) throws(StateError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest, rest.count)
            guard count > 0 else { throw .system("Writing", name, errno) }
            rest.removeFirst(count)
        }
    }

    private static func pass(
        from source: String, skipping start: Int, to descriptor: Int32, _ name: String
    ) throws(StateError) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw .system("Opening", source, errno) }
        defer { Glibc.close(input) }
        var position = start
        while true {
            var block = [UInt8](repeating: 0, count: blockSize)
            let count = pread(input, &block, block.count, off_t(position))
            guard count >= 0 else { throw .system("Reading", source, errno) }
            if count == 0 { return }
            try write(Array(block.prefix(count)), to: descriptor, name)
            position += count
        }
    }
}
