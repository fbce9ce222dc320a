// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import PenstockModel

/// Where the marks of one sync's state lie: outside of the state file, so that a file that is gone, or an old copy of
/// it, is noticed.
///
/// One lies in the project, beside the folder of the state files; another, where it can be written, in the folder of
/// the user's own state, under the identity of the project's folder: a folder that is made anew under the same name is
/// another project. Marks are written only by the process that holds the state's lock.
package struct StateMarks: Sendable {
    /// The mark in the project.
    package let inner: String
    /// The mark outside of the project, or nil where there is no place for it.
    package let outer: String?

    /// The places of the marks of `sync`.
    ///
    /// - Parameters:
    ///   - project: The project's folder.
    ///   - userState: The folder of the user's own state, as `~/.local/state`, or nil where there is none.
    package init(project: String, sync: String, userState: String?) {
        inner = "\(project)/.penstock/marks/\(sync)"
        var numbers = [UInt64](repeating: 0, count: 4)
        guard let userState, penstock_identity(project, &numbers) == 0 else {
            outer = nil
            return
        }
        var hasher = FingerprintHasher()
        for number in numbers { hasher.combine(number) }
        hasher.combine(sync)
        outer = "\(userState)/penstock/marks/\(hasher.finish().hex)"
    }

    private var places: [String] { [inner] + (outer.map { [$0] } ?? []) }

    /// The identities of states that were replaced on purpose, one a line, oldest first.
    ///
    /// A mark outside of the project that another user of it has kept speaks of such a state, and of no newer one.
    private var past: String { inner + ".past" }
    private static let pastMax = 200

    /// What was found at the places.
    struct Found: Sendable {
        /// The marks that can be read.
        var marks: [StateMark] = []
        /// The files that cannot.
        var unreadable: [String] = []

        /// Whether nothing says that there ever was a state.
        var isEmpty: Bool { marks.isEmpty && unreadable.isEmpty }

        /// Whether the digest of a closed file is known.
        var isSealed: Bool { marks.contains { $0.content != nil } }

        /// The digest of the whole file at `sequence`, where it is known.
        func content(at sequence: Int64) -> Fingerprint? {
            marks.first { $0.sequence == sequence && $0.content != nil }?.content
        }

        /// Refuses a state of which nothing is there.
        ///
        /// - Throws: ``StateError/outdated(_:)`` unless there never was one.
        func refuseMissing(_ path: String) throws(StateError) {
            guard !isEmpty else { return }
            let last = marks.max { $0.sequence < $1.sequence }
            let seen = last.map { ": it had come to run \($0.run)" } ?? ""
            throw .outdated("The state file \(path) is gone, or empty\(seen).")
        }

        /// Refuses a state that is not the newest.
        ///
        /// - Throws: ``StateError/outdated(_:)``.
        func check(identity: String?, sequence: Int64, run: Int64, path: String) throws(StateError) {
            guard !marks.isEmpty || unreadable.isEmpty else {
                throw .outdated(
                    "Whether the state file \(path) is the newest cannot be told: what says so, "
                        + "\(unreadable.joined(separator: " and ")), cannot be read.")
            }
            for mark in marks {
                guard mark.identity == identity else {
                    throw .outdated("The state file \(path) is not the one that this sync last wrote.")
                }
                guard sequence >= mark.sequence else {
                    throw .outdated(
                        "The state file \(path) is an old copy, or has lost its end: it stands at run \(run), change "
                            + "\(sequence), and run \(mark.run), change \(mark.sequence) was written.")
                }
            }
        }
    }

    /// Reads what is at the places.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where the place in the project cannot be looked at.
    func read() throws(StateError) -> Found {
        var found = Found()
        for place in places {
            let descriptor = open(place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            if descriptor < 0 {
                if errno == ENOENT || errno == ENOTDIR { continue }
                if place == inner { throw .system("Opening", place, errno) }
                found.unreadable.append(place)
                continue
            }
            defer { Glibc.close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: StateMark.size + 1)
            let count = pread(descriptor, &bytes, bytes.count, 0)
            if let mark = StateMark(bytes: Array(bytes.prefix(max(0, count)))) {
                if place != inner, try pastIdentities().contains(mark.identity) { continue }
                found.marks.append(mark)
            } else {
                found.unreadable.append(place)
            }
        }
        return found
    }

    private func pastIdentities() throws(StateError) -> [String] {
        let descriptor = open(past, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw .system("Opening", past, errno)
        }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: (Self.pastMax + 1) * 64)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Takes note that the state of which the marks speak was replaced on purpose, or taken away.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``.
    func retire(_ marks: [StateMark]) throws(StateError) {
        let known = try pastIdentities()
        let new = Set(marks.map(\.identity)).subtracting(known).sorted()
        guard !new.isEmpty else { return }
        let text = (known + new).suffix(Self.pastMax).map { $0 + "\n" }.joined()
        try StateMarks.write(Array(text.utf8), to: past)
    }

    /// Puts `mark` in place of whatever is there, on disk when this returns.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where that in the project cannot be written.
    func replace(with mark: StateMark) throws(StateError) {
        try StateMarks.write(mark.bytes, to: inner)
        guard let outer else { return }
        // The second place is more than can be asked for: without it, the first one still says what it says.
        try? StateMarks.write(mark.bytes, to: outer)
    }

    /// When a mark was written last, in milliseconds since 1970-01-01T00:00:00Z, or nil where there is none.
    package var lastWrittenMilliseconds: Int64? {
        places.compactMap { place -> Int64? in
            var status = stat()
            guard stat(place, &status) == 0 else { return nil }
            return Int64(status.st_mtim.tv_sec) * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        }.max()
    }

    /// Removes the marks: the next run starts with nothing.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)``; a mark that is left refuses the state as before.
    package func forget() throws(StateError) {
        for place in places {
            guard unlink(place) == 0 || errno == ENOENT || errno == ENOTDIR || place != inner && errno == EACCES else {
                throw .system("Removing", place, errno)
            }
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(StateError) {
        let folder = StateFolder.parent(path)
        try StateFolder.makeFolders(folder)
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("Creating", draft, errno) }
        let isWritten = pwrite(descriptor, bytes, bytes.count, 0) == bytes.count && fsync(descriptor) == 0
        let code = errno
        Glibc.close(descriptor)
        guard isWritten else { throw .system("Writing", draft, code) }
        guard rename(draft, path) == 0 else { throw .system("Renaming", draft, errno) }
        try StateFolder.sync(folder)
    }
}

/// The marks of a state that is open for writing.
///
/// A mark only ever trails its state, so that one that cannot be written now does no harm.
final class OpenMarks {
    private var descriptors: [Int32] = []
    private(set) var current: StateMark

    /// Opens the marks at `places`, and makes those that are missing or torn.
    ///
    /// - Throws: ``StateError/cannotWrite(_:)`` where that in the project cannot be written.
    init(_ places: StateMarks, _ found: StateMarks.Found, _ mark: StateMark) throws(StateError) {
        current = mark
        let all = [places.inner] + (places.outer.map { [$0] } ?? [])
        if found.marks.count < all.count { try places.replace(with: mark) }
        for place in all {
            let descriptor = open(place, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            if descriptor >= 0 {
                descriptors.append(descriptor)
            } else if place == places.inner {
                throw .system("Opening", place, errno)
            }
        }
        write()
    }

    deinit { for descriptor in descriptors { Glibc.close(descriptor) } }

    /// Takes note of a commit that has returned.
    func advance(run: Int64, sequence: Int64) {
        current.run = run
        current.sequence = sequence
        write()
    }

    /// Takes note of the whole file, which nobody has open any more, and puts the marks on disk.
    func seal(_ content: Fingerprint?) {
        current.content = content
        write()
        for descriptor in descriptors { fsync(descriptor) }
    }

    private func write() {
        let bytes = current.bytes
        for descriptor in descriptors { _ = pwrite(descriptor, bytes, bytes.count, 0) }
    }
}
