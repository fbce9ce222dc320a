// SPDX-License-Identifier: Apache-2.0

import Logging
import PenstockEngine
import PenstockModel

/// The destination of a sync alone, open to have a run undone: the source need not be there any more.
package final class UndoTarget {
    /// The services of the connection.
    package let host: ConnectionHost
    /// The object whose records are put back.
    package let object: ObjectDescriptor
    /// The object's fields as they are now.
    package let fields: [DestinationField]
    /// Whether records can be deleted.
    package let canDelete: Bool
    /// The connection's name.
    package let connection: String
    let destination: any Destination

    /// Opens the connection and reads the object's fields.
    ///
    /// - Throws: ``SyncProblem``; nothing is open then.
    package init(
        _ side: SyncSetup.Side, object id: String, cancellation: Cancellation, logger: Logger
    ) throws(SyncProblem) {
        let descriptor = side.connector.descriptor
        connection = side.name
        canDelete = descriptor.capabilities.contains(.delete)
        let host = ConnectionHost(
            name: side.name, budget: side.budget, redactor: side.redactor, cancellation: cancellation, logger: logger,
            credential: CredentialLimits.Identity(descriptor, side.settings))
        self.host = host
        let calls = ConnectionCalls(side)
        guard let object = descriptor.objects.first(where: { $0.id == id }) else {
            throw calls.problem(ConnectorError(.notFound, "There is no object \(id)."), "looking for the object")
        }
        self.object = object
        let destination = try calls.call("opening it") { () throws(ConnectorError) in
            try side.connector.openDestination(side.settings, host: host)
        }
        self.destination = destination
        var isComplete = false
        defer {
            if !isComplete {
                destination.close()
                host.leave()
            }
        }
        fields = try calls.call("reading the fields of \(id)") { () throws(ConnectorError) in
            try destination.fields(of: id, optionsOf: [])
        }
        isComplete = true
    }

    /// Closes the connection.
    package func close() {
        destination.close()
        host.leave()
    }

    func stop(_ error: ConnectorError, _ doing: String) -> RunStop {
        .connector(host.redacted(error), connection: connection, doing: doing)
    }

    /// The records with these ids that exist, by id, with the fields of `keys`.
    func records(_ ids: [String], _ keys: [String]) throws(RunStop) -> [String: RecordBatch] {
        var found: [String: RecordBatch] = [:]
        do {
            let stream = try destination.readBack(
                ReadBackRequest(object: object.id, selection: .ids(ids), fields: keys))
            defer { stream.close() }
            while let next = try stream.next() {
                for row in 0..<next.batch.rowCount {
                    if case .text(let id) = next.batch.value(row, 0) { found[id] = next.batch.row(row) }
                }
            }
        } catch {
            throw stop(error, "reading records back")
        }
        return found
    }
}
