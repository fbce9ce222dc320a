// SPDX-License-Identifier: Apache-2.0

/// The metadata keys of the host's logs: one spelling each, so that logs can be searched.
package enum LogKey: String, Sendable {
    /// The connection's name.
    case connection = "connection.name"
    /// The sync's name.
    case sync = "sync.name"
    /// The run's id.
    case run = "run.id"
    /// How many rows.
    case rows = "batch.rows"
}
