// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockSchedule
import Synchronization

/// How the server is, as of the scheduler's last turn.
package struct ServiceStatus: Sendable {
    /// Where the server is in its life.
    package enum Phase: String, Sendable, Hashable {
        /// It has not looked at the project yet.
        case starting
        /// It starts runs.
        case running
        /// It waits for the runs at work, and starts no more.
        case stopping
    }

    /// The project's name.
    package var project = ""
    /// The project's folder.
    package var root = ""
    /// Penstock's version.
    package var version = ""
    /// The process id.
    package var pid: Int32 = 0
    /// Where it is in its life.
    package var phase = Phase.starting
    /// When it was started, by the scheduler's clock.
    package var startedAt: Int64 = 0
    /// The scheduler's time at the last turn.
    package var now: Int64 = 0
    /// How many times faster than the machine's the scheduler's clock runs; 1 but for rehearsals.
    package var speed: Int64 = 1
    /// How many runs may be at work at once.
    package var jobs = 0
    /// When the project's files were taken over last.
    package var loadedAt: Int64 = 0
    /// What is wrong with the project's files as they are now, or nothing.
    package var problems: [String] = []
    /// The syncs.
    package var entries: [ServedProject.Entry] = []
    /// How far their ticks are decided.
    package var marks: [String: TickBook.Mark] = [:]
    /// What is not done.
    package var items: [TickBook.Item] = []
    /// How often the clock has jumped.
    package var jumps = 0
    /// How often the project was taken over after the start.
    package var reloads = 0

    /// A server that begins.
    package init() {}

    /// The entry of this name, or nil.
    package func entry(_ name: String) -> ServedProject.Entry? { entries.first { $0.name == name } }

    /// The next ticks of a sync, at most so many.
    package func upcoming(_ entry: ServedProject.Entry, count: Int) -> [Int64] {
        guard let mark = marks[entry.name], !mark.definition.isEmpty else { return [] }
        var found: [Int64] = []
        var time = max(mark.anchor, now)
        while found.count < count, let next = entry.tick.next(time) {
            found.append(next)
            time = next
        }
        return found
    }

    /// What a sync does: `running`, `waiting`, `retrying` or `idle`.
    package func state(of sync: String) -> String {
        let states = Set(items.lazy.filter { $0.sync == sync }.map(\.state))
        for state in [TickBook.Item.State.running, .waiting, .retrying] where states.contains(state) {
            return state.rawValue
        }
        return "idle"
    }
}

/// Where the scheduler hangs out how it is, for those who ask.
package final class StatusBoard: Sendable {
    private let status = Mutex(ServiceStatus())
    private let posted = Mutex(SuspendingClock.now)

    /// A board with nothing on it.
    package init() {}

    /// How the server is.
    package var current: ServiceStatus { status.withLock { $0 } }

    /// How long ago the scheduler hung out something, by the machine's clock, which stands still while it sleeps.
    package var age: Duration { SuspendingClock.now - posted.withLock { $0 } }

    /// Hangs out how the server is.
    package func post(_ new: ServiceStatus) {
        status.withLock { $0 = new }
        posted.withLock { $0 = SuspendingClock.now }
    }
}
