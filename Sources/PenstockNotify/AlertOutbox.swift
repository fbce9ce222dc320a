// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockModel
import PenstockProject

/// The book of a project's alerts on disk, and who sends what waits in it.
///
/// Every change is made under a lock and is on disk, whole, before the lock is given back. One process at a time sends:
/// a message that it finds claimed belongs to a process that died, and is sent once more.
package struct AlertOutbox: Sendable {
    /// Why something could not be told or written down.
    package struct Problem: Error, Sendable, Hashable {
        /// One sentence.
        package var message: String
        var isDamage = false
    }

    private let folder: String
    private static let lockMilliseconds: Int64 = 60_000
    /// So long it is waited for another process that sends; it sends what is new as well.
    private static let turnMilliseconds: Int64 = 2_000
    private let patience: Duration

    /// The alerts of the project in `root`.
    ///
    /// - Parameter patience: After how long no further message is sent, so that no run goes on for ever on account of
    ///   others' messages.
    package init(root: String, patience: Duration = .seconds(60)) {
        folder = root + "/.penstock/alerts"
        self.patience = patience
    }

    private var path: String { folder + "/book.json" }

    /// The book as it is.
    ///
    /// - Throws: ``Problem`` where it cannot be read.
    package func book() throws(Problem) -> AlertBook {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            // Only a book that is not there is an empty one.
            if access(path, F_OK) != 0, errno == ENOENT { return AlertBook() }
            throw Problem(message: "\(path) cannot be read")
        }
        do {
            return try JSONDecoder().decode(AlertBook.self, from: bytes)
        } catch {
            throw Problem(message: "\(path) is damaged", isDamage: true)
        }
    }

    /// Changes the book; the change is on disk when this returns.
    ///
    /// A book that is damaged is put aside: some alerts may then be told again.
    ///
    /// - Throws: ``Problem``; nothing is changed then.
    @discardableResult
    package func change<R>(_ body: (inout AlertBook) -> R) throws(Problem) -> R {
        let lock = try lock("book.lock")
        defer { close(lock) }
        var book: AlertBook
        do {
            book = try self.book()
        } catch {
            guard error.isDamage else { throw error }
            rename(path, path + ".damaged")
            book = AlertBook()
        }
        let before = book
        let result = body(&book)
        if book != before { try write(book) }
        return result
    }

    private func write(_ book: AlertBook) throws(Problem) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A book is made of texts and numbers, which can always be written as JSON.
        guard let data = try? encoder.encode(book) else { throw Problem(message: "\(path) cannot be written") }
        let temporary = path + ".new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure(temporary) }
        let bytes = [UInt8](data)
        let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        close(file)
        guard isWritten, rename(temporary, path) == 0 else { throw failure(path) }
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    private func failure(_ path: String) -> Problem {
        Problem(message: "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }

    /// Opens a file and waits for its lock, which the kernel gives back with the file or the process.
    private func lock(_ name: String) throws(Problem) -> Int32 {
        guard let file = try lock(name, within: Self.lockMilliseconds) else {
            throw Problem(message: "another process has kept \(folder)/\(name) locked for a minute")
        }
        return file
    }

    /// Opens a file and waits so long for its lock; nil where another process keeps it.
    private func lock(_ name: String, within milliseconds: Int64) throws(Problem) -> Int32? {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Problem(message: "\(folder) cannot be made")
        }
        let file = open("\(folder)/\(name)", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("\(folder)/\(name)") }
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR || errno == EWOULDBLOCK, ContinuousClock.now < deadline else {
                close(file)
                return nil
            }
            usleep(20_000)
        }
        return file
    }

    // MARK: - Sending

    /// Sends what waits, one message after the other; a channel that fails is left alone for this time.
    ///
    /// Where another process is sending, what waits is left to it. What is not sent in time is left to the next who
    /// sends.
    ///
    /// - Returns: What went wrong, a sentence each.
    package func send(
        _ rules: [AlertDefinition], with sender: ChannelSender, now: () -> Int64
    ) -> [String] {
        var problems: [String] = []
        var failed: Set<String> = []
        do throws(Problem) {
            if try book().waiting.isEmpty { return [] }
            guard let lock = try lock("send.lock", within: Self.turnMilliseconds) else { return [] }
            defer { close(lock) }
            let end = ContinuousClock.now + patience
            while let item = try change({ $0.claim(now: now(), excluding: failed) }) {
                let rule = rules.first { $0.name == item.message.rule }
                let channel = rule?.channels.first { $0.kind == item.channel }
                let problem: String? =
                    if let rule, let channel {
                        sender.send(item.message, to: channel, timeoutMilliseconds: rule.timeoutMilliseconds)
                    } else {
                        "it has no \(item.channel) that can be used"
                    }
                let isGivenUp = try change { $0.settle(item, problem: problem, now: now()) }
                if let problem {
                    failed.insert(AlertBook.channelKey(item.message.rule, item.channel))
                    problems.append(Self.sentence(item, channel, problem, isGivenUp: isGivenUp))
                }
                if ContinuousClock.now >= end { break }
            }
        } catch {
            problems.append("alerts: \(error.message)")
        }
        return problems
    }

    private static func sentence(
        _ item: AlertBook.Waiting, _ channel: AlertChannel?, _ problem: String, isGivenUp: Bool
    ) -> String {
        let place = channel.map { " (\($0.place))" } ?? ""
        return "alert \(item.message.rule): \(item.channel)\(place): \(problem); "
            + (isGivenUp ? "the alert is given up: \(item.message.title)" : "it is tried again later")
    }
}
