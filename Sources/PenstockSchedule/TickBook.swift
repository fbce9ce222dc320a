// SPDX-License-Identifier: Apache-2.0

/// What a scheduler must remember whatever happens: up to where ticks are decided, and which are not done yet.
///
/// The book is kept on disk by whoever drives the planner. All times are milliseconds since 1970-01-01T00:00:00Z.
package struct TickBook: Sendable, Hashable {
    /// How far the ticks of a sync are decided.
    package struct Mark: Sendable, Hashable {
        /// The schedule that was in force, as ``TickSync/definition``.
        package var definition: String
        /// The last tick that was decided, or when counting began.
        ///
        /// It never goes back, but for one that a clock has set which was more than a day off.
        package var anchor: Int64

        /// A mark from its parts.
        package init(definition: String, anchor: Int64) {
            self.definition = definition
            self.anchor = anchor
        }
    }

    /// A tick that is decided to run, or a run that somebody asked for, and that is not done.
    package struct Item: Sendable, Hashable {
        /// Where an item stands.
        package enum State: String, Sendable, Hashable, CaseIterable {
            /// It has not been started.
            case waiting
            /// Its run was started, and its end is not known.
            case running
            /// Its run ended with something that a later try may help.
            case retrying
        }

        /// A number that no other item has ever had.
        package var id: Int64
        /// The sync.
        package var sync: String
        /// When it was due, or asked for.
        package var tick: Int64
        /// Where it stands.
        package var state: State
        /// When it may be started, the earliest.
        package var notBefore: Int64
        /// How many runs were started for it.
        package var attempts: Int
        /// Whether it is made up for after it was missed.
        package var isMissed: Bool
        /// Whether somebody asked for it, rather than a schedule.
        package var isAsked: Bool

        /// An item from its parts.
        package init(
            id: Int64, sync: String, tick: Int64, state: State = .waiting, notBefore: Int64, attempts: Int = 0,
            isMissed: Bool = false, isAsked: Bool = false
        ) {
            self.id = id
            self.sync = sync
            self.tick = tick
            self.state = state
            self.notBefore = notBefore
            self.attempts = attempts
            self.isMissed = isMissed
            self.isAsked = isAsked
        }
    }

    /// How far each sync's ticks are decided, by its name.
    package var marks: [String: Mark]
    /// What is not done, in the order of the ids.
    package var items: [Item]
    /// The id of the next item.
    package var nextID: Int64

    /// A book from its parts; an empty one where nothing is given.
    package init(marks: [String: Mark] = [:], items: [Item] = [], nextID: Int64 = 1) {
        self.marks = marks
        self.items = items
        self.nextID = nextID
    }

    /// The item with this id, or nil.
    package func item(_ id: Int64) -> Item? { items.first { $0.id == id } }

    /// The items of a sync.
    package func items(of sync: String) -> [Item] { items.filter { $0.sync == sync } }

    /// Whether a run of the sync is at work.
    package func isRunning(_ sync: String) -> Bool { items.contains { $0.sync == sync && $0.state == .running } }
}

/// Why a tick, or a run that was asked for, does not run.
package enum TickSkip: String, Sendable, Hashable, CaseIterable {
    /// It was due while nothing could run, and `catch_up` leaves it out.
    case missed
    /// It was due while the sync was at work, and `overlap` leaves it out.
    case overlap
    /// Somebody cancelled it before it was started, or while it waited to be tried again.
    case cancelled
    /// The sync was taken out of the project, or disabled, before it was started.
    case disabled

    /// One clause for people.
    package var sentence: String {
        switch self {
        case .missed: "it was due while no server ran, and catch_up leaves it out"
        case .overlap: "the run before was not done, and overlap: skip leaves it out"
        case .cancelled: "it was cancelled"
        case .disabled: "the sync was disabled or removed before it could start"
        }
    }
}

/// What has to be written down, and then done.
package enum TickAction: Sendable, Hashable {
    /// A sync's ticks are decided up to a mark.
    case mark(sync: String, TickBook.Mark)
    /// An item is new, or stands elsewhere.
    case item(TickBook.Item)
    /// So many neighbouring ticks are not run.
    case skip(sync: String, first: Int64, last: Int64, count: Int, TickSkip)
    /// An item is given up.
    case drop(TickBook.Item, TickSkip)
    /// An item's run is to be started; its state was changed by an ``item(_:)`` before.
    case start(TickBook.Item)
}
