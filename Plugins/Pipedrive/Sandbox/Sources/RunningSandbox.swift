// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import PenstockModel

/// A sandbox that listens on 127.0.0.1 until ``stop()``.
package final class RunningSandbox: Sendable {
    /// The port on which it listens.
    package let port: Int
    private let sandbox: Sandbox
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel

    init(_ options: SandboxOptions) throws {
        let sandbox = try Sandbox(options)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let listener = try Self.bind(sandbox, group, wanted: options.port)
            guard let port = listener.localAddress?.port else {
                throw SandboxStartError(description: "The sandbox has no port; start it again.")
            }
            self.listener = listener
            self.port = port
        } catch {
            // The reason that is thrown below matters more than why the loop does not stop.
            try? group.syncShutdownGracefully()
            throw error
        }
        self.sandbox = sandbox
        self.group = group
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    package var baseURL: String { "http://127.0.0.1:\(port)" }

    /// Closes the listener and every connection; blocks until that is done.
    package func stop() {
        // The loop's threads end with the process where they do not end here.
        try? group.syncShutdownGracefully()
    }

    /// The counters.
    package var counters: SandboxCounters { sandbox.withState { $0.counters } }

    /// The organizations that are not deleted, by id.
    package var organizations: [SandboxRecord] { records("organization") }

    /// The organization with this id, unless it is deleted or never was.
    package func organization(_ id: Int) -> SandboxRecord? { record(id, of: "organization") }

    /// The records of an object that are not deleted, by id.
    package func records(_ object: String) -> [SandboxRecord] {
        sandbox.withState { state in state.table(object).map { Array($0.store.live) } ?? [] }
    }

    /// The record with this id, unless it is deleted or never was.
    package func record(_ id: Int, of object: String) -> SandboxRecord? {
        sandbox.withState { $0.table(object)?.store[id] }
    }

    /// The 40-character code of the custom field of an object with this label, or nil.
    package func fieldCode(_ label: String, of object: String = "organization") -> String? {
        sandbox.withState { $0.table(object)?.fields.labelled(label)?.code }
    }

    /// Gives the organizations' custom field with this label another one, as a person in the settings would.
    package func renameField(_ label: String, to name: String) {
        sandbox.withState { $0.tables[0].fields.rename(label, to: name) }
    }

    /// The id of an option of a custom field of an object, or nil.
    package func optionID(_ label: String, of field: String, object: String = "organization") -> Int? {
        sandbox.withState { state in
            state.table(object)?.fields.labelled(field)?.options?.first { $0.label == label }?.id
        }
    }

    /// Fills in parts of a record's address, as the account's map service does some time after it was written.
    ///
    /// - Parameter formatted: The address as the map service writes it.
    package func locate(_ id: Int, of object: String = "organization", _ parts: [String: String], formatted: String) {
        sandbox.withState { state in
            guard let index = state.tables.firstIndex(where: { $0.object.name == object }),
                var record = state.tables[index].store[id], var address = record.properties["address"]?.objectValue
            else { return }
            for part in parts { address[part.key] = .string(part.value) }
            address["formatted_address"] = .string(formatted)
            record.properties["address"] = .object(address)
            state.tables[index].store.replace(record)
        }
    }

    /// Says what the account has from now on beside what every account has.
    package func setFeatures(_ features: Set<SandboxFeature>) { sandbox.withState { $0.features = features } }

    /// Says which API tokens are accepted from now on.
    package func setTokens(_ tokens: [String]) { sandbox.withState { $0.tokens = tokens } }

    /// Takes every access token back, as a person does who looks for trouble.
    package func revokeAccessTokens() { sandbox.withState { $0.oauth.revokeAccessTokens() } }

    /// Says which refresh token is good from now on; nil for none.
    package func setRefreshToken(_ token: String?) { sandbox.withState { $0.oauth.refreshToken = token } }

    /// How often the token endpoint has renewed an access token.
    package var renewals: Int { sandbox.withState { $0.oauth.renewals } }

    /// How many authorization codes the token endpoint has taken.
    package var exchanges: Int { sandbox.withState { $0.oauth.exchanges } }

    /// Every code and token that was handed out.
    package var issuedTokens: [String] { sandbox.withState { $0.oauth.issued } }

    /// How often the token endpoint has refused to.
    package var renewalsRefused: Int { sandbox.withState { $0.oauth.refusals } }

    /// The users.
    package var users: [SandboxUser] { sandbox.withState { $0.users.users } }

    /// Adds a user, or replaces the one with the same id.
    package func put(_ user: SandboxUser) { sandbox.withState { $0.users.put(user) } }

    /// Replaces the faults; their counts start at 0.
    package func setFaults(_ faults: [SandboxFault]) {
        sandbox.withState { $0.faults = faults.map { ActiveFault($0) } }
    }

    /// Gives the account all of the day's tokens again, as its midnight does.
    package func renewDailyTokens() { sandbox.withState { $0.meter.renew() } }

    /// Answers a request without a connection: limits, costs and counters apply, latency does not.
    package func reply(to request: SandboxRequest) -> SandboxReply { sandbox.reply(to: request) }

    /// Puts everything back to the start: records, users, fields, faults, limits and counters.
    package func reset() { sandbox.withState { $0 = SandboxState($0.options) } }

    /// Listens on the wanted port, or on the next one that is free.
    private static func bind(
        _ sandbox: Sandbox, _ group: MultiThreadedEventLoopGroup, wanted: Int
    ) throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(SandboxConnection(sandbox))
                }
            }
        guard wanted > 0 else { return try bootstrap.bind(host: "127.0.0.1", port: 0).wait() }
        for port in wanted..<min(wanted + 50, 65_536) {
            do {
                return try bootstrap.bind(host: "127.0.0.1", port: port).wait()
            } catch let error as IOError where error.errnoCode == EADDRINUSE { continue }
        }
        throw SandboxStartError(
            description: "The ports from \(wanted) on are in use; name another one with --port.")
    }
}
