// SPDX-License-Identifier: Apache-2.0

import PenstockModel
import PenstockProject

/// A sync in a few words.
enum SyncSummary {
    /// What is read: the connection, and the table or model.
    static func source(_ definition: SyncDefinition) -> String {
        switch (definition.source.model, definition.source.target) {
        case (let model?, _): "\(definition.source.connection) · model \(model)"
        case (nil, .object(let table)): "\(definition.source.connection) · \(table)"
        case (nil, .query): "\(definition.source.connection) · query"
        }
    }

    /// The fetch mode with its key.
    static func fetch(_ fetch: FetchDefinition) -> String {
        guard fetch.mode == .incremental else { return fetch.mode.rawValue }
        return "\(fetch.mode.rawValue) on \(fetch.key ?? "")"
    }

    /// The insert mode with what finds a record.
    static func insert(_ insert: InsertDefinition) -> String {
        guard insert.mode == .update else { return insert.mode.rawValue }
        let missing: [InsertDefinition.OnMissing: String] = [
            .reject: "missing → reject", .skip: "missing → skip", .create: "missing → create",
        ]
        let form = insert.matchRule.form.map { " as \($0.rawValue)" } ?? ""
        return "\(insert.mode.rawValue), match \(insert.match)\(form), \(missing[insert.onMissing] ?? "")"
    }

    /// What is written: the connection and the object.
    static func destination(_ definition: SyncDefinition) -> String {
        "\(definition.destination.connection) · \(definition.destination.object)"
    }
}
