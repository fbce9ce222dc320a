// SPDX-License-Identifier: Apache-2.0

import PenstockModel

/// The models of a dbt project, as dbt writes them down in its `manifest.json`.
struct DBTManifest: Sendable {
    /// One model, seed or snapshot.
    struct Node: Sendable, Hashable {
        var name: String
        var package: String
        /// The version, where the model has versions.
        var version: String?
        var uniqueID: String
        /// The table or view in the warehouse, quoted as the warehouse has it; nil where dbt makes none.
        var relation: String?
        var description: String?
        var columns: [Model.Column]
        var key: [String]

        /// Every way to name it, the shortest first.
        var spellings: [String] {
            let tails = version.map { ["\(name)", "\(name).v\($0)"] } ?? [name]
            return tails + tails.map { "\(package).\($0)" }
        }
    }

    /// What a name leads to.
    enum Lookup: Sendable {
        case found(Node)
        /// Several have this name; these names tell them apart.
        case ambiguous([String])
        case missing
    }

    /// Every node, in the order of the file.
    let nodes: [Node]

    private static let kinds: Set<String> = ["model", "seed", "snapshot"]

    /// The nodes of a manifest; nil where the text is not one.
    init?(_ bytes: [UInt8]) {
        // What is not JSON is told by the caller, with the file's name.
        guard let json = try? JSON(parsing: bytes), let nodes = json["nodes"]?.objectValue else { return nil }
        self.nodes = nodes.compactMap { Self.node($0.key, $0.value) }
    }

    private static func node(_ id: String, _ json: JSON) -> Node? {
        guard let kind = json["resource_type"]?.stringValue, kinds.contains(kind),
            let name = json["name"]?.stringValue, let package = json["package_name"]?.stringValue
        else { return nil }
        let isMade = json["config"]?["materialized"]?.stringValue != "ephemeral"
        let version = json["version"].flatMap { $0.stringValue ?? $0.numberText }
        let columns = (json["columns"]?.objectValue?.members ?? []).map { member in
            Model.Column(
                name: member.value["name"]?.stringValue ?? member.key,
                type: nonEmpty(member.value["data_type"]), description: nonEmpty(member.value["description"]))
        }
        return Node(
            name: name, package: package, version: version, uniqueID: id,
            relation: isMade ? nonEmpty(json["relation_name"]) : nil, description: nonEmpty(json["description"]),
            columns: columns, key: key(json))
    }

    /// The primary key: as dbt infers it, else as a constraint of the model says.
    private static func key(_ json: JSON) -> [String] {
        if let key = json["primary_key"]?.arrayValue, !key.isEmpty { return key.compactMap(\.stringValue) }
        for constraint in json["constraints"]?.arrayValue ?? []
        where constraint["type"]?.stringValue == "primary_key" {
            return constraint["columns"]?.arrayValue?.compactMap(\.stringValue) ?? []
        }
        for member in json["columns"]?.objectValue?.members ?? [] {
            let constraints = member.value["constraints"]?.arrayValue ?? []
            if constraints.contains(where: { $0["type"]?.stringValue == "primary_key" }) { return [member.key] }
        }
        return []
    }

    private static func nonEmpty(_ json: JSON?) -> String? {
        json?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What is called `name`, without `dbt:`.
    func lookup(_ name: String) -> Lookup {
        let found = nodes.filter { $0.spellings.contains(name) }
        guard found.count > 1 else { return found.first.map(Lookup.found) ?? .missing }
        return .ambiguous(found.map(shortestName))
    }

    /// The shortest name that leads to this node alone.
    func shortestName(_ node: Node) -> String {
        node.spellings.first { spelling in nodes.count { $0.spellings.contains(spelling) } == 1 } ?? node.uniqueID
    }
}
