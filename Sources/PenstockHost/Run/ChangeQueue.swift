// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import PenstockModel
import PenstockState

/// Changes of a state that wait until they are written together.
///
/// Many of them are written on a queue of its own, so that the work goes on meanwhile; ``commit(_:)`` returns when
/// everything is on disk. What could not be written waits on, and the next call says why. Any thread.
final class ChangeQueue: Sendable {
    private let write: @Sendable ([StateChange]) throws(StateError) -> Void
    private let queue = DispatchQueue(label: "penstock.outcomes")
    private let condition = NSCondition()
    // Guarded by `condition`, as the next four are.
    private nonisolated(unsafe) var waiting: [StateChange] = []
    // Whether some are being written on the queue.
    private nonisolated(unsafe) var isWriting = false
    // Whether what waits is to be written as soon as that is done.
    private nonisolated(unsafe) var isWanted = false
    // How many calls wait to write everything themselves.
    private nonisolated(unsafe) var committers = 0
    // Why the last of those were not written, until somebody is told.
    private nonisolated(unsafe) var failure: StateError?

    /// How many changes are written together at least, where many come: those of as many rows, as most rows make one.
    private static let changesMax = 3_000
    /// How many may wait while others are written; who adds more waits as well.
    ///
    /// Rows are settled by the thousand, and then the next ones are mapped: both go on beside the writing.
    private static let waitingMax = 8_000

    /// An empty queue whose changes go to `write`, which makes all of them or none, one call at a time.
    init(write: @escaping @Sendable ([StateChange]) throws(StateError) -> Void) { self.write = write }

    /// Whether nothing waits to be written, and nobody is to be told of a failure.
    var isEmpty: Bool { condition.holding { waiting.isEmpty && !isWriting } }

    /// Says why the last changes were not written, where that is so and was not said yet; waits for nothing.
    ///
    /// - Throws: As ``add(_:)``.
    func check() throws(StateError) {
        let failed = condition.holding {
            defer { failure = nil }
            return failure
        }
        if let failed { throw failed }
    }

    /// Adds changes; where there are many, they begin to be written.
    ///
    /// - Throws: ``StateError`` of what was added before; it waits on.
    func add(_ make: (inout [StateChange]) -> Void) throws(StateError) {
        let isFull = condition.holding {
            make(&waiting)
            return waiting.count >= Self.changesMax
        }
        if isFull { try handOver() }
    }

    /// Begins to write what waits, or sees that it follows what is being written.
    ///
    /// It waits only where too much would gather otherwise.
    ///
    /// - Throws: As ``add(_:)``.
    func handOver() throws(StateError) {
        condition.lock()
        defer { condition.unlock() }
        while isWriting, waiting.count >= Self.waitingMax { condition.wait() }
        if let failure {
            self.failure = nil
            throw failure
        }
        guard !waiting.isEmpty else { return }
        if isWriting { isWanted = true } else { begin() }
    }

    /// Begins to write what waits; with `condition` locked, and nothing being written.
    private func begin() {
        let taken = waiting
        waiting = []
        waiting.reserveCapacity(Self.changesMax)
        isWriting = true
        isWanted = false
        queue.async { [self] in
            let result = Result { () throws(StateError) in try write(taken) }
            condition.holding {
                isWriting = false
                if case .failure(let error) = result {
                    waiting = taken + waiting
                    failure = error
                } else if committers == 0, !waiting.isEmpty, isWanted || waiting.count >= Self.changesMax {
                    begin()
                }
                condition.broadcast()
            }
        }
    }

    /// Writes everything, with `last` in the same transaction; it is on disk when this returns.
    ///
    /// - Throws: ``StateError``; nothing of it was written then, and `last` is forgotten.
    func commit(_ last: [StateChange]) throws(StateError) {
        condition.lock()
        defer { condition.unlock() }
        committers += 1
        while isWriting { condition.wait() }
        committers -= 1
        // It is tried again now.
        failure = nil
        guard !waiting.isEmpty || !last.isEmpty else { return }
        waiting += last
        do throws(StateError) {
            try write(waiting)
        } catch {
            waiting.removeLast(last.count)
            throw error
        }
        waiting.removeAll(keepingCapacity: waiting.count <= Self.changesMax * 2)
    }
}
