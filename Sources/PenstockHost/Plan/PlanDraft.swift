// SPDX-License-Identifier: Apache-2.0

import CCrypto
import Glibc
import PenstockModel
import PenstockState

/// Why a file with a plan cannot be written or used.
package struct PlanFileProblem: Error, Sendable, Hashable {
    /// What kind of problem it is.
    package enum Kind: Sendable, Hashable {
        /// The file cannot be read.
        case unreadable
        /// It is not what Penstock wrote: it was changed or cut, or is no plan.
        case damaged
        /// It was written by another version, in a form that this one does not read.
        case version
        /// It cannot be written.
        case unwritable
        /// Something else than a plan is there, which would be lost.
        case taken
    }

    /// What kind of problem it is.
    package var kind: Kind
    /// One clause, which begins with the path and has no full stop.
    package var message: String
}

/// The rows of a plan while it is made, in a nameless file that goes with the process.
///
/// Used from one thread; memory does not grow with the rows.
package final class PlanDraft {
    private let descriptor: Int32
    private var pending: [UInt8] = []
    private var size = 0

    /// How many rows there are.
    package private(set) var count: Int64 = 0

    private static let pendingMax = 1 << 16

    /// A draft without rows, on the disk of `folder`, which must exist.
    ///
    /// - Throws: ``PlanFileProblem`` `unwritable`.
    package init(folder: String) throws(PlanFileProblem) {
        var name = Array("\(folder)/penstock-plan-XXXXXX".utf8CString)
        descriptor = TemporaryFile.make(&name)
        guard descriptor >= 0 else { throw .system(.unwritable, folder, "cannot hold a file") }
        unlink(name)
    }

    deinit { Glibc.close(descriptor) }

    /// Adds a row.
    ///
    /// - Throws: ``PlanFileProblem`` `unwritable`, for example because the disk is full.
    package func append(_ entry: PlanEntry) throws(PlanFileProblem) {
        entry.json.write(into: &pending)
        pending.append(UInt8(ascii: "\n"))
        count += 1
        if pending.count > Self.pendingMax { try flush() }
    }

    /// The rows, in the order in which they were added.
    ///
    /// - Throws: ``PlanFileProblem``, and what `body` throws.
    package func forEach(_ body: (PlanEntry) throws -> Void) throws {
        try flush()
        try PlanLines.forEach(descriptor, from: 0, to: size) { line in
            if let entry = PlanEntry(json: line) { try body(entry) }
        }
    }

    /// Makes sure that a plan can be written to `path`: its folder takes files, and what is there is a plan, or
    /// nothing.
    ///
    /// For before anything is asked or spent; nothing is left behind.
    ///
    /// - Throws: ``PlanFileProblem`` `unwritable` or `taken`.
    package static func checkPlace(_ path: String) throws(PlanFileProblem) {
        try checkIsFree(path)
        var name = Array("\(path).XXXXXX".utf8CString)
        let file = TemporaryFile.make(&name)
        guard file >= 0 else { throw unwritable(path) }
        Glibc.close(file)
        unlink(name)
    }

    /// Refuses a place where something else than a plan is.
    private static func checkIsFree(_ path: String) throws(PlanFileProblem) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw PlanFileProblem(kind: .taken, message: "\(path) is a folder")
        }
        guard SealedPlan.isPlan(path) else {
            throw PlanFileProblem(kind: .taken, message: "\(path) is there, and is no plan; it is left as it is")
        }
    }

    /// Why nothing can be written to `path`, by what the system said last.
    private static func unwritable(_ path: String) -> PlanFileProblem {
        guard errno == ENOENT || errno == ENOTDIR else { return .system(.unwritable, path, "cannot be written") }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return PlanFileProblem(kind: .unwritable, message: "\(path) cannot be written: there is no folder \(folder)")
    }

    /// Writes the plan into a file at `path`, in one step and for this user only.
    ///
    /// - Throws: ``PlanFileProblem`` `unwritable` or `taken`; a file that was there before is then as it was.
    package func seal(_ header: PlanHeader, to path: String) throws(PlanFileProblem) {
        try Self.checkIsFree(path)
        try flush()
        var name = Array("\(path).XXXXXX".utf8CString)
        let file = TemporaryFile.make(&name)
        guard file >= 0 else { throw Self.unwritable(path) }
        var isDone = false
        defer {
            Glibc.close(file)
            if !isDone { unlink(name) }
        }
        var bytes = header.json.utf8
        bytes.append(UInt8(ascii: "\n"))
        try Self.write(bytes, file, path)
        var piece = [UInt8](repeating: 0, count: Self.pendingMax)
        var offset = 0
        while offset < size {
            let read = pread(descriptor, &piece, min(piece.count, size - offset), off_t(offset))
            guard read > 0 else { throw .system(.unwritable, path, "cannot be written") }
            try Self.write(Array(piece[..<read]), file, path)
            offset += read
        }
        let seal = SealedPlan.seal(rows: count, try SealedPlan.digest(file, bytes.count + size, path))
        try Self.write(seal.utf8 + [UInt8(ascii: "\n")], file, path)
        guard fsync(file) == 0, rename(name, path) == 0 else { throw .system(.unwritable, path, "cannot be written") }
        isDone = true
    }

    private func flush() throws(PlanFileProblem) {
        guard !pending.isEmpty else { return }
        var done = 0
        while done < pending.count {
            let rest = Array(pending[done...])
            let written = pwrite(descriptor, rest, rest.count, off_t(size + done))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw .system(.unwritable, "the plan", "cannot be kept") }
            done += written
        }
        size += pending.count
        pending.removeAll(keepingCapacity: true)
    }

    private static func write(_ bytes: [UInt8], _ file: Int32, _ path: String) throws(PlanFileProblem) {
        var done = 0
        while done < bytes.count {
            let rest = Array(bytes[done...])
            let written = Glibc.write(file, rest, rest.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw .system(.unwritable, path, "cannot be written") }
            done += written
        }
    }
}

extension PlanFileProblem {
    /// A problem that the system has given a number.
    static func system(_ kind: Kind, _ path: String, _ what: String) -> PlanFileProblem {
        PlanFileProblem(kind: kind, message: "\(path) \(what): \(String(cString: strerror(errno)))")
    }
}

/// Reads files of JSON lines in pieces.
enum PlanLines {
    private static let pieceSize = 1 << 16

    /// The lines between two places of a file; what is not JSON ends it.
    ///
    /// - Throws: ``PlanFileProblem``, and what `body` throws.
    static func forEach(_ file: Int32, from start: Int, to end: Int, _ body: (JSON) throws -> Void) throws {
        var rest: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: pieceSize)
        var offset = start
        while offset < end {
            let count = pread(file, &piece, min(pieceSize, end - offset), off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw PlanFileProblem.system(.unreadable, "the plan", "cannot be read") }
            offset += count
            rest += piece[..<count]
            var from = 0
            while let newline = rest[from...].firstIndex(of: UInt8(ascii: "\n")) {
                do {
                    let line = try JSON(parsing: Array(rest[from..<newline]))
                    try body(line)
                } catch is JSONError {
                    throw PlanFileProblem(kind: .damaged, message: "the plan has a line that is no JSON")
                }
                from = newline + 1
            }
            rest.removeFirst(from)
        }
    }
}
