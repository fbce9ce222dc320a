// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// What others ask of the scheduler, and its answers.
package final class Mailbox: Sendable {
    /// Something that is asked for.
    package enum Wish: Sendable, Hashable {
        /// A run of a sync, now.
        case run(String)
        /// The end of a sync's run, and of what waits of it.
        case cancel(String)
        /// The end of the server, when what is in flight is finished.
        case stop
        /// The project's files, read again.
        case reload
    }

    /// What became of a wish.
    package enum Answer: Sendable, Hashable {
        /// It is done, or under way.
        case accepted(String)
        /// It does not go together with what is at work.
        case conflict(String)
        /// There is no such sync; the names that there are.
        case unknown([String])
        /// The scheduler did not answer in time.
        case silence
    }

    /// One wish on its way.
    final class Letter: Sendable {
        let wish: Wish
        private let answer = Mutex<Answer?>(nil)
        private let arrived = DispatchSemaphore(value: 0)

        init(_ wish: Wish) { self.wish = wish }

        func settle(_ answer: Answer) {
            self.answer.withLock { $0 = $0 ?? answer }
            arrived.signal()
        }

        func wait(milliseconds: Int) -> Answer {
            _ = arrived.wait(timeout: .now() + .milliseconds(milliseconds))
            return answer.withLock { answer in answer ?? .silence }
        }
    }

    private let letters = Mutex<[Letter]>([])
    private let ends: (read: Int32, write: Int32)

    /// Shorter than the time that a connection has.
    private static let patience = 8_000

    /// A mailbox that nobody has written to.
    package init() {
        var ends: [Int32] = [-1, -1]
        // Without a pipe the scheduler looks into its mailbox now and then.
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        self.ends = (ends[0], ends[1])
    }

    deinit { for end in [ends.read, ends.write] where end >= 0 { close(end) } }

    /// Asks for something and waits for the answer; from any thread but the scheduler's.
    package func ask(_ wish: Wish) -> Answer {
        let letter = Letter(wish)
        letters.withLock { $0.append(letter) }
        wake()
        return letter.wait(milliseconds: Self.patience)
    }

    /// Makes the scheduler look around; safe in a signal handler.
    package func wake() {
        var byte: UInt8 = 0
        _ = write(ends.write, &byte, 1)
    }

    /// The descriptor that the scheduler waits on.
    var descriptor: Int32 { ends.read }

    /// What was asked since the last call.
    func take() -> [Letter] {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(ends.read, &bytes, bytes.count) == bytes.count {}
        return letters.withLock { letters in
            defer { letters = [] }
            return letters
        }
    }
}
