// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockModel
import Synchronization

/// The limits of one credential as one open connection sees them: shared with all processes of this user through a
/// file, or, where that is not possible, this connection's own.
package final class CredentialLimits: Sendable {
    /// What tells one credential from others.
    package struct Identity: Sendable, Hashable {
        fileprivate let bytes: [UInt8]

        /// The credential in a connection's settings: its secrets, and the texts that say where they hold.
        ///
        /// Files, numbers and choices do not count, so that two connections may differ in a timeout.
        package init(_ descriptor: ConnectorDescriptor, _ settings: JSON) {
            var bytes: [UInt8] = []
            func add(_ text: String) {
                bytes += Array("\(text.utf8.count):".utf8) + Array(text.utf8)
            }
            add(descriptor.id)
            for field in descriptor.settings.sorted(by: { $0.name < $1.name }) {
                guard field.kind == .secret || field.kind == .string, let text = settings[field.name]?.stringValue
                else { continue }
                add(field.name)
                add(text)
            }
            self.bytes = bytes
        }
    }

    private struct State: ~Copyable {
        var isOpened = false
        var file: LimitFile?
        /// The limits where there is no file, and as they were last where there is one.
        var limits = SharedLimits()
        var member: (id: Int64, place: Int64)?
        var waiting: [Change] = []
        /// Requests that are out.
        var open = 0
        /// When leave was asked for last.
        var askedAt: Int64 = .min
        var lookedAt: Int64 = .min
        var problem: String?
    }

    /// A change of the limits; the second argument is who makes it.
    private typealias Change = @Sendable (inout SharedLimits, Int64, Int64) -> Void

    private let state = Mutex(State())
    /// Whether it is known that this process has sent a request for this credential.
    private let hasBegun = Atomic(false)
    private let identity: Identity?
    private let folder: LimitFolder
    private let terms: SharedLimits.Terms

    /// How often it is looked whether the other processes are alive, in milliseconds.
    private static let lookPause: Int64 = 100
    /// A process that has held requests for so long without a sign is taken for gone.
    private static let silenceMax: Int64 = 900_000
    /// How long leaving may take, in tries of 20 milliseconds.
    private static let leaveTries = 50

    /// The processes' first requests were sent for these credentials.
    private static let begun = Mutex<Set<Identity>>([])

    /// The limits of a credential.
    ///
    /// Nothing is opened before the first request.
    /// - Parameter identity: The credential, or nil for limits that are shared with nobody.
    package convenience init(_ identity: Identity?, _ terms: SharedLimits.Terms) {
        self.init(identity, terms, folder: LimitFolder())
    }

    /// The limits of a credential, shared through a folder.
    package init(_ identity: Identity?, _ terms: SharedLimits.Terms, folder: LimitFolder) {
        self.identity = identity
        self.terms = terms
        self.folder = folder
    }

    /// Why the limits are not shared, or nil; known after the first request.
    package var problem: String? { state.withLock { $0.problem } }

    /// The limits as they were after the last change of this connection.
    package var latest: SharedLimits { state.withLock { $0.limits } }

    /// The limits as they are now, read without a change; as they were last where they cannot be read.
    package func look() -> SharedLimits {
        state.withLock { state in
            Self.open(&state, identity, folder)
            _ = Self.locked(&state, terms, BootClock.moment.time) { _, _ in false }
            return state.limits
        }
    }

    /// Why nothing could be sent when somebody asked last, and for how long that holds; nil where it does not.
    package var standstill: SharedLimits.Refusal? { look().standstill(BootClock.milliseconds) }

    /// Asks for leave to send.
    package func acquire(cost: Int64, isWrite: Bool) -> SharedLimits.Answer {
        let now = BootClock.moment
        let terms = terms
        let wish = SharedLimits.Wish(cost: cost, isWrite: isWrite, isFirst: isFirst)
        let answer = change { limits, member in limits.acquire(wish, by: member, terms, now) }
        guard let answer else { return .wait(Self.busyWait) }
        guard case .granted = answer else { return answer }
        if wish.isFirst { noteBegun() }
        state.withLock { state in
            state.open += 1
            state.askedAt = now.time
        }
        return answer
    }

    /// Gives leave back; where the file is busy, with the next change.
    ///
    /// So are plain answers among many that come at once: leave is asked for again a moment later, and the last answer
    /// that is out waits for nothing.
    package func release(_ grant: SharedLimits.Grant, _ outcome: SharedLimits.Outcome) {
        let now = BootClock.milliseconds
        let terms = terms
        let isPlain = (200..<300).contains(outcome.status) && outcome.retryAfter == nil && !outcome.isBlocked
        // Only where somebody has to wait it counts by how much, and a random number is a call of the kernel.
        let jitter = isPlain ? 0 : Double.random(in: 0..<1)
        let change: Change = { limits, _, _ in limits.release(grant, outcome, terms, jitter: jitter, now) }
        let mayWait = state.withLock { state in
            state.open -= 1
            let isBusy = state.open > 0 && now <= state.askedAt + Self.busySpan
            guard isPlain, isBusy, state.waiting.count < Self.waitingMax else { return false }
            state.waiting.append(change)
            return true
        }
        if mayWait { return }
        let isDone: Void? = self.change { limits, member in change(&limits, member, now) }
        if isDone == nil { state.withLock { $0.waiting.append(change) } }
    }

    /// Leaves the others their slots; the next request comes back to them.
    package func leave() {
        let terms = terms
        guard state.withLock({ $0.member != nil || !$0.waiting.isEmpty }) else { return }
        for _ in 0..<Self.leaveTries {
            let isDone: Void? = change { limits, member in limits.remove(member, terms, BootClock.milliseconds) }
            if isDone != nil { break }
        }
        state.withLock { state in
            state.member = nil
            state.file = nil
            state.isOpened = state.problem != nil || identity == nil
        }
    }

    private static let busyWait: Int64 = 5
    /// For how long after leave was asked for more is asked for in a moment, in milliseconds.
    private static let busySpan: Int64 = 2
    /// How many answers wait at most for the next change.
    private static let waitingMax = 16

    private var isFirst: Bool {
        if hasBegun.load(ordering: .relaxed) { return false }
        return identity.map { id in Self.begun.withLock { !$0.contains(id) } } ?? false
    }

    private func noteBegun() {
        if let identity { _ = Self.begun.withLock { $0.insert(identity) } }
        hasBegun.store(true, ordering: .relaxed)
    }

    // MARK: - Changes

    /// Makes a change as a member.
    ///
    /// - Returns: What `body` returns, or nil where the file is busy or full.
    private func change<R: Sendable>(_ body: (inout SharedLimits, Int64) -> R) -> R? {
        let now = BootClock.milliseconds
        return state.withLock { state in
            Self.open(&state, identity, folder)
            var result: R?
            let terms = terms
            let isWritten = Self.locked(&state, terms, now) { state, now in
                Self.lookAround(&state, terms, now)
                guard let member = Self.member(&state, now) else {
                    // Who is gone may have been taken out above.
                    state.file?.forget()
                    return false
                }
                for waiting in state.waiting { waiting(&state.limits, member, now) }
                state.waiting = []
                result = body(&state.limits, member)
                return true
            }
            if !isWritten { result = nil }
            return result
        }
    }

    private static func open(_ state: inout State, _ identity: Identity?, _ folder: LimitFolder) {
        guard !state.isOpened else { return }
        state.isOpened = true
        guard let identity else { return }
        do throws(LimitFolder.Refusal) {
            state.file = LimitFile(taking: try folder.open(identity.bytes))
        } catch {
            state.problem = error.reason
        }
    }

    /// Runs `body` on the limits under the file's lock, and writes them where it returns true.
    ///
    /// - Returns: Whether they were changed.
    private static func locked(
        _ state: inout State, _ terms: SharedLimits.Terms, _ now: Int64, _ body: (inout State, Int64) -> Bool
    ) -> Bool {
        guard var file = state.file.take() else { return body(&state, now) }
        guard file.lock() else {
            state.file = consume file
            return false
        }
        switch file.read() {
        case .fresh: state.limits = SharedLimits()
        case .good(let limits): state.limits = limits
        case .known: break
        case .older(let limits):
            state.limits = limits
            state.limits.lose(terms, now)
        case .beforeStart(let limits, let shift):
            state.limits = limits
            state.limits.move(by: shift, terms, now)
        case .spoiled:
            state.limits = SharedLimits()
            state.limits.lose(terms, now)
        }
        state.file = consume file
        let isChanged = body(&state, now)
        guard var open = state.file.take() else { return isChanged }
        let isWritten = !isChanged || open.write(state.limits)
        let failure = errno
        open.unlock()
        guard isWritten else {
            // The disk is full, or worse: from here on these limits are shared with nobody.
            state.problem = "The file of the limits cannot be written: \(String(cString: strerror(failure)))."
            return isChanged
        }
        state.file = consume open
        return isChanged
    }

    /// Who this connection is to the others, taken in where it is not, or nil where there is no room.
    private static func member(_ state: inout State, _ now: Int64) -> Int64? {
        if let member = state.member, state.limits.ring.contains(member.id) { return member.id }
        if let member = state.member { state.file?.vacate(place: member.place) }
        state.member = nil
        for place in 0..<Int64(SlotRing.membersMax) {
            guard !state.limits.ring.members.contains(where: { $0.place == place }),
                state.file?.occupy(place: place) ?? true
            else { continue }
            guard let id = state.limits.join(place: place, now) else { return nil }
            state.member = (id, place)
            return id
        }
        return nil
    }

    /// Takes those out that are gone.
    private static func lookAround(_ state: inout State, _ terms: SharedLimits.Terms, _ now: Int64) {
        guard state.lookedAt == .min || now >= state.lookedAt + lookPause else { return }
        state.lookedAt = now
        for member in state.limits.ring.members where member.id != state.member?.id {
            let isAlive = state.file?.isAlive(place: member.place) ?? true
            let isSilent = now - member.seenAt > silenceMax
            if !isAlive || isSilent { state.limits.remove(member.id, terms, now) }
        }
    }
}
