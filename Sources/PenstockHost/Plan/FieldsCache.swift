// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockABI
import PenstockModel

/// What a destination has told of its fields last, by sync, for plans that ask nobody.
///
/// It holds the fields with their options, users among them, and no setting of the connection.
package struct FieldsCache {
    /// What was told.
    package struct Copy: Sendable {
        /// The fields.
        package var fields: [DestinationField]
        /// When they were told, in milliseconds since 1970.
        package var readAt: Int64
    }

    private let folder: String

    /// The copies of the project at `root`.
    package init(root: String) { folder = root + "/.penstock/cache/fields" }

    /// The copy for a sync; nil where there is none, or one for other fields.
    package func copy(_ definition: SyncDefinition) -> Copy? {
        guard let data = FileManager.default.contents(atPath: path(definition)),
            // A copy that cannot be read is none.
            let json = try? JSON(parsing: [UInt8](data)),
            json["connection"]?.stringValue == definition.destination.connection,
            json["object"]?.stringValue == definition.destination.object, let readAt = json["read_at"]?.intValue,
            Set(Self.wanted(definition)).isSubset(
                of: json["options_of"]?.arrayValue?.compactMap(\.stringValue) ?? []),
            let document = json["document"],
            let fields = try? DestinationField.list(document: document)  // The same.
        else { return nil }
        return Copy(fields: fields, readAt: Int64(readAt))
    }

    /// Keeps what the destination has told; what cannot be kept is asked for again.
    package func keep(_ sync: OpenSync) {
        let definition = sync.definition
        let json = JSON.object([
            "connection": .string(definition.destination.connection),
            "object": .string(definition.destination.object), "read_at": .integer(WallClock.milliseconds),
            "options_of": .strings(Self.wanted(definition)),
            "document": DestinationField.document(sync.fieldsAsRead),
        ])
        // Without a copy a plan asks, as it does anyway.
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let draft = path(definition) + ".part"
        guard
            FileManager.default.createFile(
                atPath: draft, contents: Data(json.utf8), attributes: [.posixPermissions: 0o600])
        else { return }
        rename(draft, path(definition))
    }

    /// Forgets the copy for a sync of this name.
    package func forget(_ sync: String) { unlink("\(folder)/\(sync).json") }

    private func path(_ definition: SyncDefinition) -> String { "\(folder)/\(definition.name).json" }

    private static func wanted(_ definition: SyncDefinition) -> [String] {
        definition.map.map(\.target) + [definition.insert.match]
    }
}
