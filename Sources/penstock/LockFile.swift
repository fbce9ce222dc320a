// SPDX-License-Identifier: Apache-2.0

import Foundation
import PenstockEngine
import PenstockHost
import PenstockModel

/// `penstock.lock`: which connectors a project was run with, and which codes its custom fields have.
///
/// It is JSON, which is YAML too. A custom field that is renamed at the destination is still written by its code.
struct LockFile {
    private struct Damage: Error {}

    private var json: JSONObject
    private let path: String

    /// The name of the file, in the project's folder.
    static let fileName = "penstock.lock"

    /// Reads the lock file of a project; an empty one where there is none.
    ///
    /// - Throws: ``CommandFailure`` 78 where it is not what was written.
    init(root: String) throws {
        path = root + "/" + Self.fileName
        json = [:]
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            guard let object = try JSON(parsing: [UInt8](data)).objectValue else { throw Damage() }
            json = object
        } catch {
            throw CommandFailure(
                .config, code: "lock-damaged", "\(Self.fileName) is not what Penstock wrote",
                notes: ["delete it; the next run writes it anew"])
        }
    }

    /// The codes of custom fields by label, for one object of one connection.
    func pins(connection: String, object: String) -> [String: String] {
        let fields = json["fields"]?[connection]?[object]?.objectValue?.members ?? []
        return Dictionary(
            fields.compactMap { field in field.value["code"]?.stringValue.map { (field.key, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// One sentence on how a connector differs from the one in the file; nil where it does not, or is not there.
    func change(of descriptor: ConnectorDescriptor, sha256: String) -> String? {
        guard let pinned = json["connectors"]?[descriptor.id], let hash = pinned["sha256"]?.stringValue,
            hash != sha256
        else { return nil }
        let version = pinned["version"]?.stringValue ?? "?"
        return "connector \(descriptor.id) is not the one this project was last run with "
            + "(was \(version), is \(descriptor.version), another file)"
    }

    /// Takes note of what a sync used, and writes the file where it changed.
    ///
    /// - Throws: ``CommandFailure`` 73.
    mutating func record(_ sync: OpenSync, _ libraries: [(descriptor: ConnectorDescriptor, sha256: String)]) throws {
        let before = json
        json["generated_by"] = .string("penstock; commit this file")
        var connectors = json["connectors"]?.objectValue ?? [:]
        for library in libraries {
            connectors[library.descriptor.id] = .object([
                "version": .string(library.descriptor.version), "abi": .integer(1), "sha256": .string(library.sha256),
            ])
        }
        json["connectors"] = .object(connectors)
        pinFields(sync)
        guard json != before else { return }
        do {
            try Data(JSON.object(json).prettyText.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure(.cannotWrite, code: "cannot-write", "\(path) cannot be written")
        }
    }

    private mutating func pinFields(_ sync: OpenSync) {
        let destination = sync.definition.destination
        var fields = json["fields"]?.objectValue ?? [:]
        var connection = fields[destination.connection]?.objectValue ?? [:]
        var object = connection[destination.object]?.objectValue ?? [:]
        for target in sync.mapping.targets where target.field.isCustom {
            let label = target.name
            object[label] = .object(["code": .string(target.field.key), "kind": .string(target.field.kind.rawValue)])
        }
        guard !object.isEmpty else { return }
        connection[destination.object] = .object(object)
        fields[destination.connection] = .object(connection)
        json["fields"] = .object(fields)
    }
}
