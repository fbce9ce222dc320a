// SPDX-License-Identifier: Apache-2.0

/// Why the state of a sync cannot be used; unless a function says otherwise, nothing of a failed write is kept.
package enum StateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process has the file open for writing; nil where it has not written its name into the lock file.
    case locked(by: LockOwner?)
    /// The file has this schema version, which only a later Penstock knows.
    case newer(Int)
    /// The file has this schema version, and a reader cannot bring it up to date.
    case older(Int)
    /// The file has this schema version, which no step leads on from: it tells rows by digests that are made no more.
    case outgrown(Int)
    /// What is stored is not what was written; the text says where.
    case damaged(String)
    /// The file is gone, is an older copy, or another one than was last written; the text is the whole sentence.
    case outdated(String)
    /// The file or its folder cannot be used: disk full, permissions, I/O errors; the text is the whole sentence.
    case cannotWrite(String)
    /// More than one run has an id that starts like this.
    case ambiguousRun(String)
    /// A caller's mistake or an answer of SQLite that has no other place; the text is the whole sentence.
    case `internal`(String)

    /// One sentence for the person who must act.
    package var message: String {
        switch self {
        case .locked(by: let owner?):
            "Another process (pid \(owner.pid), run \(owner.runID)) has the state of this sync open; "
                + "wait until it ends, or stop it."
        case .locked(by: nil):
            "Another process has the state of this sync open; wait until it ends, or stop it."
        case .newer(let version):
            "The state of this sync has version \(version), which a later Penstock wrote; use that one."
        case .older(let version):
            "The state of this sync has version \(version), which an earlier Penstock wrote; "
                + "run the sync once to bring it up to date."
        case .outgrown(let version):
            "The state of this sync has version \(version), which a Penstock before 0.1.0 wrote: it tells rows by digests "
                + "that this one does not make, so that all of them would be sent again."
        case .damaged(let place):
            "The state of this sync is damaged: \(place)."
        case .ambiguousRun(let prefix):
            "More than one run has an id that starts with \"\(prefix)\"; give more characters of it."
        case .cannotWrite(let sentence), .outdated(let sentence), .internal(let sentence): sentence
        }
    }

    /// The message.
    package var description: String { message }

    /// What is meant where SQLite does not answer a statement that is right, in the words of the sentence it gave.
    static func unanswered(_ sentence: String) -> StateError {
        .damaged(sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence)
    }

    /// The failure of a system call on `path`, from `errno`.
    static func system(_ doing: String, _ path: String, _ code: Int32) -> StateError {
        .cannotWrite(
            "\(doing) \(path) stopped with \"\(systemText(code))\"; make it usable for this user and run again.")
    }
}
