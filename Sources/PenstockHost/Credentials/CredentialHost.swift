// SPDX-License-Identifier: Apache-2.0

import Glibc
import PenstockModel
import Synchronization

/// The services of a connection whose connector renews its credential: everything else goes to the host behind it.
final class CredentialHost: HostServices {
    private struct State {
        /// The revision that the connector was opened with.
        var opened: UInt64
        /// The descriptor of the lock, while it is held.
        var lock: Int32?
    }

    private let base: any HostServices
    private let store: CredentialStore
    private let configured: ConfiguredSecrets
    private let redactor: Redactor
    private let state: Mutex<State>

    /// How long to wait between two looks at the lock, in milliseconds.
    private static let lockPause: Int64 = 50
    /// How long somebody else may take to renew the credential, in milliseconds; a process that was stopped must not
    /// hold everybody else up for ever.
    private static let lockWaitMax: Int64 = 300_000

    /// Services beside `base`.
    ///
    /// - Parameter revision: The revision of what the connector is opened with, 0 for the settings of the project.
    init(
        _ base: any HostServices, _ store: CredentialStore, _ configured: ConfiguredSecrets, redactor: Redactor,
        revision: UInt64
    ) {
        self.base = base
        self.store = store
        self.configured = configured
        self.redactor = redactor
        state = Mutex(State(opened: revision))
    }

    deinit { unlockCredential() }

    func lockCredential(since revision: UInt64) throws(ConnectorError) -> StoredCredential? {
        let end = base.monotonicMilliseconds + Self.lockWaitMax
        var held: Int32?
        while true {
            held = try store.tryLock()
            if held != nil { break }
            guard base.monotonicMilliseconds < end else {
                throw ConnectorError(
                    .unavailable,
                    "Another process has been renewing the credential of connection \(store.connection) for too long.")
            }
            try base.pause(milliseconds: Self.lockPause)
        }
        do {
            let known = state.withLock { state in
                state.lock = held
                return revision == 0 ? state.opened : revision
            }
            guard let entry = configured.entry(in: try store.entries()), entry.revision > known else { return nil }
            learn(entry.credential)
            return StoredCredential(entry.credential, revision: entry.revision)
        } catch {
            unlockCredential()
            throw error
        }
    }

    func unlockCredential() {
        let descriptor = state.withLock { state in
            defer { state.lock = nil }
            return state.lock
        }
        if let descriptor { close(descriptor) }
    }

    func saveCredential(_ credential: JSON, expecting revision: UInt64) throws(ConnectorError) -> SavedCredential {
        learn(credential)
        let isHeld = state.withLock { $0.lock != nil }
        if !isHeld, let newer = try lockCredential(since: revision) {
            unlockCredential()
            return .superseded(by: newer.credential, revision: newer.revision)
        }
        defer { if !isHeld { unlockCredential() } }
        let known = state.withLock { revision == 0 ? $0.opened : revision }
        let entries = try store.entries()
        let stored = configured.entry(in: entries)
        if let stored, stored.revision > known {
            learn(stored.credential)
            return .superseded(by: stored.credential, revision: stored.revision)
        }
        guard let root = configured.root(of: credential), let origin = configured.origin(root) else {
            throw ConnectorError(
                .contractBreach,
                "The connector wants to store a credential that holds none of the secret settings of the connection.")
        }
        let next = max(known, stored?.revision ?? 0) + 1
        try store.put(CredentialStore.Entry(root: root, origin: origin, revision: next, credential: credential))
        return .saved(revision: next)
    }

    private func learn(_ credential: JSON) { redactor.learn(configured.secrets(in: credential)) }

    // MARK: - Everything else

    func log(_ level: LogLevel, _ message: String, _ fields: [String: String]) { base.log(level, message, fields) }
    var isCancelled: Bool { base.isCancelled }
    var monotonicMilliseconds: Int64 { base.monotonicMilliseconds }
    var wallMilliseconds: Int64 { base.wallMilliseconds }
    func pause(milliseconds: Int64) throws(ConnectorError) { try base.pause(milliseconds: milliseconds) }
    func progress(done: Int64, total: Int64?, note: String) { base.progress(done: done, total: total, note: note) }
    func acquire(_ intent: RequestIntent) throws(ConnectorError) -> Acquisition { try base.acquire(intent) }
    func release(_ ticket: UInt64, _ answer: RequestAnswer) { base.release(ticket, answer) }
    func report(_ limit: RateLimit) { base.report(limit) }
}

/// The secrets that the project's file gives a connection, by which a stored credential is recognised.
struct ConfiguredSecrets: Sendable {
    private let connector: String
    private let names: [String]
    private let settings: JSON

    /// The secrets in the settings of a connection.
    init(_ descriptor: ConnectorDescriptor, _ settings: JSON) {
        connector = descriptor.id
        names = descriptor.settings.filter(\.isSecret).map(\.name)
        self.settings = settings
    }

    /// The first secret setting that the credential holds and the file has a value for.
    func root(of credential: JSON) -> String? {
        names.first { credential[$0] != nil && !(settings[$0]?.stringValue ?? "").isEmpty }
    }

    /// The digest of a setting's value in the file, or nil where it has none.
    func origin(_ name: String) -> String? {
        settings[name]?.stringValue.map { value in
            SHA256Digest.hex(SHA256Digest.of(Array("\(connector)\u{0}\(name)\u{0}\(value)".utf8)))
        }
    }

    /// The entry that was renewed from these settings.
    func entry(in entries: [CredentialStore.Entry]) -> CredentialStore.Entry? {
        entries.last { names.contains($0.root) && origin($0.root) == $0.origin }
    }

    /// The settings with a stored credential over them.
    func overlaid(by credential: JSON) -> JSON {
        guard var object = settings.objectValue, let members = credential.objectValue else { return settings }
        for member in members { object[member.key] = member.value }
        return .object(object)
    }

    /// The values in a credential that must not be shown.
    func secrets(in credential: JSON) -> [Secret] {
        names.compactMap { credential[$0]?.stringValue }.filter { !$0.isEmpty }.map(Secret.init)
    }
}
